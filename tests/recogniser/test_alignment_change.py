"""Boundaries that move to where the sound changes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.recogniser.alignment_change import Changes, changes_of, sharpened

BANDS = 8
RNG = np.random.default_rng(3)


def steps(*borders: int, length: int = 60) -> NDArray[np.float32]:
    """(T, F) frames with another spectrum from each border on, and a little noise; the last columns are no bands."""
    spectra = RNG.normal(scale=2, size=(len(borders) + 1, BANDS))
    frames = np.repeat(spectra, np.diff([0, *borders, length]), axis=0) + RNG.normal(scale=0.01, size=(length, BANDS))
    return np.concatenate([frames, RNG.normal(scale=9, size=(length, 3))], axis=1).astype(np.float32)


def changes(frames: NDArray[np.float32], cuts: tuple[int, ...] = ()) -> Changes:
    return changes_of(lambda: np.split(frames, cuts), BANDS, first=0.0075, step=0.01)


def hypothesis(*times: tuple[float, float]) -> Hypothesis:
    spans = tuple(Span("ab"[number % 2], start, end, 0.5) for number, (start, end) in enumerate(times))
    return Hypothesis(tuple(span.label for span in spans), "", Score(0.0), spans, spans)


def test_a_boundary_near_a_change_moves_there() -> None:
    found = sharpened(hypothesis((0.18, 0.42), (0.42, 0.55)), changes(steps(20, 40)), "labels")
    assert [span.start for span in found.spans] == pytest.approx([0.2075, 0.4075], abs=0.003)
    assert found.spans[0].end == found.spans[1].start
    assert found.words == found.spans
    assert found.spans[1].end == pytest.approx(0.55, abs=0.01)  # nothing changes there


def test_a_change_that_is_too_far_away_moves_nothing() -> None:
    found = sharpened(hypothesis((0.1, 0.3)), changes(steps(50)), "labels")
    assert (found.spans[0].start, found.spans[0].end) == pytest.approx((0.1, 0.3), abs=0.01)


def test_changes_far_below_the_loudest_band_count_nothing() -> None:
    frames = steps(20)
    frames[:, :BANDS] -= 30
    frames[40:, :BANDS] = 10
    assert changes(frames).values[20] == 0
    assert changes(frames).values[40] > 1


@pytest.mark.parametrize("cuts", [(1,), (30,), (1, 2, 3, 4, 59), tuple(range(1, 60))])
def test_blocks_give_what_the_whole_gives(cuts: tuple[int, ...]) -> None:
    frames = steps(20, 40)
    whole, cut = changes(frames), changes(frames, cuts)
    assert len(whole.values) == 61
    np.testing.assert_allclose(cut.values, whole.values, rtol=1e-5)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=9), st.integers(0, 5))
def test_spans_stay_in_order(gaps: list[int], seed: int) -> None:
    frames = np.random.default_rng(seed).normal(size=(60, BANDS)).astype(np.float32)
    ends = np.cumsum([gap + 1 for gap in gaps]) * 0.005
    times = list(pairwise([0.0, *ends.tolist()]))
    found = sharpened(hypothesis(*times), changes(frames), "labels")
    assert all(span.start < span.end for span in found.spans)
    assert all(before.end <= after.start for before, after in pairwise(found.spans))
    assert all(abs(span.start - start) < 0.08 for span, (start, _) in zip(found.spans, times, strict=True))


def test_recordings_of_no_or_few_frames() -> None:
    one = hypothesis((0.0, 0.01))
    for length in (1, 2, 3, 4):
        frames = np.zeros((length, BANDS), dtype=np.float32)
        found = sharpened(one, changes(frames), "labels")
        assert np.isfinite([found.spans[0].start, found.spans[0].end]).all()
    assert sharpened(hypothesis(), changes(steps(20)), "labels").spans == ()


def test_words_of_several_labels_move_with_them() -> None:
    one = hypothesis((0.18, 0.3), (0.3, 0.42), (0.42, 0.55))
    words = (Span("first", 0.18, 0.42, 0.2), Span("second", 0.42, 0.55, 0.3))
    found = sharpened(replace(one, words=words), changes(steps(20, 40)), "labels")
    assert found.spans[0].start != 0.18
    assert found.words == (
        Span("first", found.spans[0].start, found.spans[1].end, 0.2),
        Span("second", found.spans[2].start, found.spans[2].end, 0.3),
    )
