"""Transcripts aligned with posteriors made by hand, with recordings of tones, and with ink."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import asr
from asr.corpus.inventory import Inventory
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.errors import DataError
from asr.ink import Ink, Stroke, write_json
from asr.recogniser import alignment
from asr.recogniser.alignment import (
    TranscriptDecoder,
    align_transcript,
    doubtful_words,
    spelled,
    spelled_utterance,
)
from asr.recogniser.alignment_ink import at_lifts
from asr.recogniser.alignment_timing import Timing

LETTERS = Inventory(("<blank>", " ", "a", "b"), "characters")
PHONES = Inventory(("<blank>", "aa", "b", "h#", "pau"), "labels", "timit61")
PLAIN = Timing(0.0, 0.0, 0.02)


def posteriors(path: str, symbols: str, doubt: float = 0.01) -> NDArray[np.float32]:
    """(T, L) of a path written with a symbol for each label of an inventory."""
    log_probs = np.full((len(path), len(symbols)), np.log(doubt / (len(symbols) - 1)), dtype=np.float32)
    log_probs[np.arange(len(path)), [symbols.index(one) for one in path]] = np.log(1 - doubt)
    return log_probs


def aligned(
    inventory: Inventory, text: str, log_probs: NDArray[np.float32], timing: Timing | None = PLAIN, cut: int = 0
) -> Hypothesis:
    search = TranscriptDecoder(inventory, spelled(inventory, text, "it"), timing).begin(0.01, 1.0)
    for chunk in (log_probs[:cut], log_probs[cut:]):
        search.step(chunk)
    return search.end()[0]


def test_words_and_labels_get_their_times() -> None:
    log_probs = posteriors("--aa-bb---  -b--", "- ab")
    for cut in (0, 5):
        found = aligned(LETTERS, "ab  b", log_probs, cut=cut)
        assert found.text == "ab b"
        assert found.labels == ("a", "b", " ", "b")
        assert [span.start for span in found.spans] == pytest.approx([1.02, 1.05, 1.1, 1.13])
        assert [(word.label, word.start, word.end) for word in found.words] == [
            ("ab", pytest.approx(1.02), pytest.approx(1.1)),
            ("b", pytest.approx(1.13), pytest.approx(1.16)),
        ]
        assert all(span.confidence == pytest.approx(0.99) for span in found.spans)


def test_silences_are_found_where_they_are_and_not_told() -> None:
    log_probs = posteriors("hhh-a-a--ppp-b-hh", "-abhp")
    found = aligned(PHONES, "aa aa b", log_probs)
    assert found.labels == ("aa", "aa", "b")
    assert [(span.start, span.end) for span in found.spans] == [
        pytest.approx((1.04, 1.06)), pytest.approx((1.06, 1.09)), pytest.approx((1.13, 1.15)),
    ]  # fmt: skip
    told = aligned(PHONES, "h# aa aa pau b h#", log_probs)
    assert told.labels == ("h#", "aa", "aa", "pau", "b", "h#")
    assert [span.start for span in told.spans][1:3] == [span.start for span in found.spans][:2]


def test_a_text_is_spelled_in_the_case_that_the_model_has() -> None:
    capitals = Inventory(("<blank>", " ", "A", "B"), "characters")
    assert spelled(capitals, "ab ba", "it").labels == spelled(capitals, "AB BA", "it").labels
    with pytest.raises(DataError, match=r"'it': 'c' \(U\+0063\) is not among the 4 labels"):
        spelled(LETTERS, "abc", "it")
    with pytest.raises(DataError, match="'it': the transcript is empty"):
        spelled(LETTERS, " \n", "it")


def test_a_transcript_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told = r"'it': 3 frames cannot carry the 3 labels of the transcript with 1 repeat \(needs 4\)"
    with pytest.raises(DataError, match=told):
        aligned(LETTERS, "abb", posteriors("aab", "- ab"))
    impossible = np.where([0, 0, 0, 1], -np.inf, posteriors("aab---", "- ab")).astype(np.float32)
    with pytest.raises(DataError, match="'it': the transcript is impossible for the model"):
        aligned(LETTERS, "ab", impossible)
    monkeypatch.setattr(alignment, "can_compile", lambda: False)
    monkeypatch.setattr(alignment, "_PLAIN_CELLS", 10)
    with pytest.raises(DataError, match="'it': 6 frames with 2 labels are too many to align without numba"):
        aligned(LETTERS, "ab", posteriors("aab---", "- ab"))


def test_words_that_were_not_said_are_doubtful() -> None:
    log_probs = posteriors("--a-b--  --------  --b-", "- ab", doubt=0.001)
    found = aligned(LETTERS, "ab aa b", log_probs)
    assert [word.label for word in doubtful_words(found, LETTERS)] == ["aa"]
    assert doubtful_words(aligned(LETTERS, "ab b", log_probs), LETTERS) == []
    phones = aligned(PHONES, "aa b", posteriors("hh-a-b-hh", "-abhp"))
    assert doubtful_words(phones, PHONES) == []
    wrong = aligned(PHONES, "b b b", posteriors("hh-a-b-hh--------", "-abhp"))
    assert [word.label for word in doubtful_words(wrong, PHONES)] == ["b b b"]


def test_frames_between_two_letters_are_mostly_of_the_first_one_and_none_of_a_space() -> None:
    found = aligned(LETTERS, "ab", posteriors("--aa-----b--", "- ab"), timing=None)
    assert [(span.start, span.end) for span in found.spans] == [pytest.approx((1.0, 1.08)), pytest.approx((1.08, 1.12))]
    found = aligned(LETTERS, "a b", posteriors("--aa--  -b--", "- ab"), timing=None)
    assert [(span.start, span.end) for span in found.spans] == [
        pytest.approx((1.0, 1.08)), pytest.approx((1.08, 1.08)), pytest.approx((1.08, 1.12)),
    ]  # fmt: skip


def test_tones_are_found_where_they_sound(trained: Path, tones: Path) -> None:
    recogniser = asr.load(trained)
    for utterance in read_manifest(tones / "test.jsonl"):
        found = align_transcript(recogniser, utterance, spelled_utterance(recogniser.inventory, utterance))
        assert found.text == utterance.text
        for number, span in enumerate(found.spans):
            begin = 0.13 * number  # seconds, see tests.tones
            assert begin - 0.05 < span.start < begin + 0.1
        assert found.spans[-1].end <= (utterance.duration or 0) + 0.01


def test_a_long_recording_is_aligned_as_a_short_one(
    trained: Path, tones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recogniser = asr.load(trained)
    utterance = read_manifest(tones / "test.jsonl")[0]
    transcript = spelled_utterance(recogniser.inventory, utterance)
    short = align_transcript(recogniser, utterance.source, transcript)
    monkeypatch.setattr("asr.recogniser.sources.LONG_SECONDS", 0.1)
    long = align_transcript(recogniser, utterance.source, transcript)
    assert [span.start for span in long.spans] == pytest.approx([span.start for span in short.spans], abs=0.03)


def test_every_point_of_ink_is_part_of_a_letter(tmp_path: Path) -> None:
    recogniser = asr.load("quickstart_pen", engine="numpy")
    along = np.linspace(0, 1, 30)
    strokes = [np.stack([x + along, np.sin(6 * along + x)], axis=1) for x in (0.0, 1.5, 3.0)]
    ink = Ink(tuple(Stroke(points) for points in strokes))
    found = align_transcript(recogniser, ink, spelled(recogniser.inventory, "to", "it"))
    first, second = found.spans
    assert (first.start, second.end) == (0, 90)
    assert first.end == second.start
    assert first.end in (30, 60)  # where the pen was lifted
    assert found.words[0].label == "to"
    path = tmp_path / "page.json"
    write_json(path, ink)
    of_file = align_transcript(recogniser, path, spelled(recogniser.inventory, "to", "it"))
    whole = Utterance("one", path, "ink", text="to")
    part = replace(whole, start=30.0, duration=60.0)
    assert align_transcript(recogniser, whole, spelled_utterance(recogniser.inventory, whole)).spans == of_file.spans
    assert align_transcript(recogniser, part, spelled_utterance(recogniser.inventory, part)).spans[-1].end == 60


def test_borders_move_to_lifts_nearby_and_spaces_have_no_points() -> None:
    spans = [
        Span(label, start, end, 0.5)
        for label, start, end in [("a", 0, 30), (" ", 30, 31), ("b", 31, 70), ("a", 70, 99)]
    ]
    found = Hypothesis(tuple("a ba"), "a ba", Score(0.0), tuple(spans), ())
    moved = at_lifts(found, np.array([25, 40, 45, 100]))
    assert [(span.start, span.end) for span in moved.spans] == [(0, 25), (25, 25), (25, 70), (70, 100)]
    assert [(word.label, word.start, word.end) for word in moved.words] == [("a", 0, 25), ("ba", 25, 100)]


@pytest.mark.parametrize("stroke_ends", [[2], [4], [5, 9], [1, 2, 3, 4, 5]])
@pytest.mark.parametrize("starts", [(0, 0, 0), (0, 9, 9), (0, 1, 2)])
def test_every_letter_has_a_point_where_there_are_enough(stroke_ends: list[int], starts: tuple[int, ...]) -> None:
    spans = tuple(Span("a", start, start + 1, 0.5) for start in starts)
    moved = at_lifts(Hypothesis(("a",) * 3, "aaa", Score(0.0), spans, ()), np.array(stroke_ends)).spans
    assert moved[0].start == 0
    assert moved[-1].end == stroke_ends[-1]
    assert all(before.end == after.start for before, after in pairwise(moved))
    least = 1 if stroke_ends[-1] >= 3 else 0
    assert all(span.end - span.start >= least for span in moved)
