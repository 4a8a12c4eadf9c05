"""The models that come with the package: small, documented, and as good as their cards say."""

from __future__ import annotations

from pathlib import Path

import pytest

import asr
from asr.recogniser.pretrained import pretrained_names
from asr.scoring.edits import ErrorCounts, count_errors
from data_prep import an4
from data_prep.espeak import reader as espeak
from data_prep.hershey import reader as hershey

FOLDER = Path(asr.__file__).parent / "pretrained"
LIMIT = 5_000_000  # bytes


def test_the_promised_models_are_there() -> None:
    assert set(pretrained_names()) == {
        "an4",
        "english_phones",
        "quickstart",
        "quickstart_pen",
        "unipen",
        "unipen_words",
    }


@pytest.mark.parametrize("name", pretrained_names())
def test_a_model_is_small_and_its_card_tells_what_its_bundle_tells(name: str) -> None:
    assert (FOLDER / f"{name}.safetensors").stat().st_size < LIMIT
    card = asr.load(name).card
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    for key in ("command", "commit", "data", "licence"):
        assert str(card.about[key]) in text, key
    for split in ("dev", "test"):
        for rate in card.rates[split].values():
            assert str(rate) in text


@pytest.mark.parametrize("name", ["unipen", "unipen_words"])
def test_a_model_that_decodes_with_a_language_model_has_a_calibration(name: str) -> None:
    """Its card says what the weights were chosen on, and that is not dev."""
    choice = asr.load(name).decoder_choice
    assert choice.component.options["lm"] == "english_letters"
    assert len(choice.component.options["calibration"]) == 9  # labels, words and utterances
    assert choice.chosen_on in ("tablet", None)  # None: given by hand to `asr-tune --keep-weights`
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert "words written on tablets" in text
    assert "calibration error" in text


def test_quickstart_reads_the_embedded_corpus_as_its_card_says(tmp_path: Path) -> None:
    small = espeak.Config(
        root=str(tmp_path / "tree"), train=4, dev=2, test=12, train_speakers=2, dev_speakers=2, test_speakers=6, seed=3
    )
    recogniser = asr.load("quickstart")
    counts = sum(
        (_counts(recogniser.transcribe(one).labels, one.labels) for one in espeak.prepare(small)["test"]), ErrorCounts()
    )
    assert counts.reference > 100
    assert counts.rate < 0.2


def test_quickstart_pen_reads_the_embedded_pen_corpus_as_its_card_says(tmp_path: Path) -> None:
    sizes = {"train": 4, "dev": 2, "test": 30, "train_writers": 2, "dev_writers": 2, "test_writers": 6}
    recogniser = asr.load("quickstart_pen")
    pairs = [
        (one.text or "", recogniser.transcribe(one).text)
        for one in hershey.prepare(hershey.Config(root=str(tmp_path / "tree"), seed=3, **sizes))["test"]
    ]
    counts = sum((count_errors(tuple(reference), tuple(text)) for reference, text in pairs), ErrorCounts())
    assert counts.reference > 100
    assert counts.rate < 0.1


def test_an4_reads_real_recordings_as_its_card_says(shared_data: Path) -> None:
    recogniser = asr.load("an4")
    utterances = an4.prepare(an4.Config(root=str(shared_data / "an4")))["test"][::4]
    pairs = [(one.text or "", recogniser.transcribe(one).text) for one in utterances]
    counts = sum((count_errors(reference.split(), text.split()) for reference, text in pairs), ErrorCounts())
    assert counts.reference > 150
    assert counts.rate < 0.25


def _counts(found: tuple[str, ...], reference: tuple[str, ...] | None) -> ErrorCounts:
    assert reference is not None
    return count_errors(reference, found)
