"""Two recognisers on the same utterances: rates on both sides, and how many texts differ."""

from __future__ import annotations

from pathlib import Path

from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.evaluation.change import measure_change
from asr.recogniser.recogniser import Recogniser
from asr.scoring.edits import ErrorCounts
from tests.recogniser.models import small, small_config
from tests.tones import make_corpus


def change(before: Recogniser, after: Recogniser, utterances: list[Utterance], folder: Path) -> tuple[int, list[str]]:
    heard: list[str] = []
    found = measure_change(before, after, utterances, folder, lambda what, done, total: heard.append(what))
    assert found.utterances == len(utterances)
    assert list(found.before) == list(found.after) == ["cer", "wer", "ser"]
    for recogniser, rates in ((before, found.before), (after, found.after)):
        wrong = [one.text != recogniser.transcribe(one).text for one in utterances]
        counts: ErrorCounts = rates["ser"].counts
        assert (counts.errors, counts.reference) == (sum(wrong), len(wrong))
    return found.different, heard


def test_the_rates_of_both_and_the_texts_that_differ(tmp_path: Path) -> None:
    utterances = read_manifest(make_corpus(tmp_path / "tones") / "test.jsonl")
    assert len(utterances) == 6
    one, other = small(small_config(), seed=1), small(small_config(), seed=5)
    differ = sum(one.transcribe(each).text != other.transcribe(each).text for each in utterances)
    assert differ > 0
    assert change(one, one, utterances, tmp_path / "cache")[0] == 0
    different, heard = change(one, other, utterances, tmp_path / "cache")
    assert different == differ
    assert {"decoding with the model", "decoding with the file"} <= set(heard)
