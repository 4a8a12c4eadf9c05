"""Pen strokes through the rooms that speech built: trained, evaluated, transcribed, as a page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import asr
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.decoding.hypothesis import Hypothesis, Span, at_points
from asr.errors import DataError
from asr.experiment.experiment import Experiment
from asr.experiment.run_evaluation import evaluate_run
from asr.ink import Ink, write_inkml, write_json
from asr.recogniser.bundle import save_bundle
from asr.recogniser.page import transcribe_page
from tests.commands import command
from tests.experiment.conftest import compose_small, quiet
from tests.ink.layout.test_lines import write_word
from tests.training.toy import Silent


def word(text: str, seed: int) -> Ink:
    strokes, _ = write_word(text, False, np.random.default_rng(seed))
    return Ink.of(*(stroke * 25 for stroke in strokes))


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifests of words of three letters' shapes."""
    root = tmp_path_factory.mktemp("words")
    rng = np.random.default_rng(3)
    for split, count in (("train", 60), ("dev", 10), ("test", 10)):
        utterances = []
        for number in range(count):
            text = "".join(rng.choice(list("nlo"), rng.integers(2, 5)))
            path = root / f"{split}{number}.json"
            write_json(path, word(text, 100 * len(split) + number))
            utterances.append(Utterance(path.stem, path, kind="ink", text=text, speaker=f"{split}-{number % 2}"))
        write_manifest(root / f"{split}.jsonl", utterances)
    return root


@pytest.fixture(scope="module")
def run(words: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    changes = {"features": "pen", "augment": "pen_light", "training.epochs": "25", "training.frame_budget": "600"}
    experiment = Experiment(compose_small(words, **changes), folder, quiet)
    experiment.train(Silent())
    result = evaluate_run(experiment.run, ("dev", "test"), quiet)
    assert result.splits["test"].rates["cer"].percent < 15
    return folder


def test_a_word_is_read_with_the_points_of_its_letters(run: Path) -> None:
    recogniser, ink = asr.load(run), word("nol", 5)
    assert recogniser.reads_ink
    found = recogniser.transcribe(ink)
    assert found.text == "nol"
    ends = ink.stroke_ends()  # every letter is a stroke
    for span, first, end in zip(found.spans, [0, *ends], ends, strict=False):
        assert 0 <= span.start < span.end <= ink.n_points
        assert first - 2 <= (span.start + span.end) / 2 <= end + 2


def test_a_page_is_cut_into_lines_and_printed_by_the_command(run: Path, tmp_path: Path) -> None:
    above, below = word("lon", 5), word("noon", 6)
    page = Ink.of(*(np.add(s.points, [0, 150]) for s in above.strokes), *(s.points for s in below.strokes))
    lines = transcribe_page(asr.load(run), page).lines
    assert [line.strokes for line in lines] == [(0, 1, 2), (3, 4, 5, 6)]
    texts = [line.hypothesis.text for line in lines]
    write_inkml(tmp_path / "page.inkml", page)
    save_bundle(asr.load(run), tmp_path / "pen.safetensors")
    done = command("transcribe", "pen.safetensors", "page.inkml", cwd=tmp_path)
    assert done.stdout.splitlines() == texts == ["lon", "noon"], done.stderr
    told = json.loads(command("transcribe", "pen.safetensors", "page.inkml", "--format", "json", cwd=tmp_path).stdout)
    assert [(line["strokes"], line["text"]) for line in told["lines"]] == [([0, 1, 2], "lon"), ([3, 4, 5, 6], "noon")]
    assert told["lines"][0]["labels"][0].keys() == {"label", "start", "end", "confidence"}
    refused = command("transcribe", "pen.safetensors", "page.inkml", "--format", "ctm", cwd=tmp_path)
    assert refused.returncode == 1
    assert "--format ctm is for recordings" in refused.stderr


def test_models_refuse_the_other_kind(run: Path, trained: Path) -> None:
    with pytest.raises(DataError, match="this model reads recordings, not ink"):
        asr.load(trained).transcribe(word("no", 1))
    with pytest.raises(DataError, match="this model reads recordings, not ink"):
        transcribe_page(asr.load(trained), word("no", 1))
    with pytest.raises(DataError, match="this model reads ink, not samples"):
        asr.load(run).transcribe(np.zeros(1000, dtype=np.float32))


def test_spans_of_frames_become_points() -> None:
    spans = (Span("a", 0.0, 2.0, 0.5), Span("b", 2.0, 3.0, 0.9), Span("c", 7.0, 8.0, 1.0))
    found = at_points(Hypothesis(("a", "b", "c"), "abc", -1.0, spans, spans[:1]), np.array([0, 3, 9, 12]))
    assert [(span.start, span.end) for span in found.spans] == [(0.0, 4.0), (9.0, 10.0), (12.0, 13.0)]
    assert found.words == found.spans[:1]
    assert found.spans[1].confidence == 0.9
