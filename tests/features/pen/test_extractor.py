"""Pen features: what they promise of any ink, and values worked out by hand."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.features.extractor import FrameExtractor, PointIndexed
from asr.features.pen import normalise as pen_normalise
from asr.features.pen.extractor import NAMES, PenFeatures, ink_signal
from asr.features.pen.normalise import cleaned, normalised
from asr.features.pen.resample import resampled
from asr.ink.ink import Ink, Stroke
from asr.ink.store import write_store
from tests.features.pen.inks import mapped, word

KINDS = sorted(NAMES)
POINTS = sorted(set(KINDS) - {"curves"})  # one frame a point
DEGENERATE = {
    "one point": Ink.of([[3.0, 4.0]]),
    "a dot": Ink.of([[3.0, 4.0]] * 7),
    "two dots": Ink.of([[3.0, 4.0]] * 2, [[5.0, 9.0]]),
    "a tiny step": Ink.of([[3.0, 4.0], [3.0 + 1e-6, 4.0]]),
    "a horizontal line": Ink.of([[0.0, 2.0], [5.0, 2.0], [9.0, 2.0]]),
    "a vertical line": Ink.of([[1.0, 9.0], [1.0, 5.0], [1.0, 0.0]]),
    "upwards": Ink.of([[1.0, 0.0], [2.0, 9.0]]),
    "there and back": Ink.of([[0.0, 0.0], [4.0, 0.0], [0.0, 0.0]]),
    "a closed loop": Ink.of([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 0.0]]),
    "far away": Ink.of([[1e9, 1e9], [1e9 + 1, 1e9 - 3]]),
    "huge": Ink.of([[0.0, 0.0], [1e30, -1e30]]),
    "minute": Ink.of([[0.0, 0.0], [1e-30, -1e-30]]),
    "at the same time": Ink.of([[0.0, 0.0, 5.0], [3.0, -4.0, 5.0]]),
    "after a long time": Ink.of([[0.0, 0.0, 0.0], [3.0, -4.0, 0.1]], [[5.0, 0.0, 9e9], [5.0, -4.0, 9e9]]),
}


def test_ink_that_reaches_too_far_is_refused() -> None:
    with pytest.raises(DataError, match=r"the ink reaches 1e\+39 units from its first point, farther than a page"):
        ink_signal(Ink.of([[0.0, 0.0], [0.0, -1e39]]))


def frames_of(ink: Ink, **settings: object) -> np.ndarray:
    return PenFeatures(**settings).compute(ink_signal(ink))  # type: ignore[arg-type]


coordinates = st.integers(-300, 300)
stroke_points = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=12)
inks = st.lists(stroke_points, min_size=1, max_size=4).map(lambda strokes: Ink.of(*strokes))


# What holds for any ink


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ink", DEGENERATE.values(), ids=DEGENERATE.keys())
@pytest.mark.parametrize("normalise", [True, False])
def test_degenerate_ink_has_finite_frames(kind, ink, normalise):
    features = PenFeatures(kind=kind, slant=normalise, baseline=normalise)
    frames = features.compute(ink_signal(ink))
    assert frames.dtype == np.float32
    assert frames.shape == (len(frames), features.dim)
    assert 1 <= len(frames) <= 8 * ink.n_points + 2 * len(ink.strokes) + 512
    assert np.isfinite(frames).all()
    assert len(features.point_index(ink_signal(ink))) == len(frames)


@settings(max_examples=40, deadline=None)
@given(ink=inks, kind=st.sampled_from(KINDS), step=st.sampled_from([0.05, 0.2, 1.0]))
def test_frames_are_finite_and_know_their_points(ink, kind, step):
    features, signal = PenFeatures(kind=kind, step=step), ink_signal(ink)
    frames, places = features.compute(signal), features.point_index(signal)
    assert np.isfinite(frames).all()
    assert places.shape == (len(frames),)
    assert places.dtype == np.int64
    assert 0 <= places.min() <= places.max() < ink.n_points
    assert (np.diff(places) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(
    ink=inks,
    kind=st.sampled_from(POINTS),
    scale=st.sampled_from([1e-3, 0.37, 5.0, 1e4]),
    shift=st.tuples(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6)),
)
def test_points_do_not_change_when_ink_is_moved_or_scaled(ink, kind, scale, shift):
    changed = mapped(ink, ((scale, 0), (0, scale)), shift=np.multiply(shift, scale))
    np.testing.assert_allclose(frames_of(changed, kind=kind), frames_of(ink, kind=kind), atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(ink=inks, kind=st.sampled_from(POINTS), shear=st.floats(-0.8, 0.8))
def test_points_do_not_change_when_ink_is_slanted(ink, kind, shear):
    points, _, _, first = cleaned(ink_signal(ink).astype(np.float64))
    runs = pen_normalise.Runs.of(points, first)
    assume(len(runs.height) > 0)  # dots and level lines have no slant
    lean = pen_normalise.slant_of(runs)
    assume(abs(lean) < 1.4 and abs(lean + shear) < 1.4)  # more is not taken out
    changed = mapped(ink, ((1, shear), (0, 1)))
    np.testing.assert_allclose(frames_of(changed, kind=kind), frames_of(ink, kind=kind), atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_words_do_not_change_when_moved_scaled_or_slanted(kind, seed):
    ink = word(seed, timed=True)
    changed = mapped(ink, ((0.3, 0.3 * 0.25), (0, 0.3)), shift=(1e4, -2e4))
    np.testing.assert_allclose(frames_of(changed, kind=kind), frames_of(ink, kind=kind), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_writers_speed_of_sampling_hardly_counts(kind):
    """Every point twice, and times shifted: repeated points are removed, the clock begins anew."""
    ink = word(3, timed=True)
    late = Ink(tuple(Stroke(s.points.repeat(2, axis=0), s.times.repeat(2) + 1e9) for s in ink.strokes))
    np.testing.assert_allclose(frames_of(late, kind=kind), frames_of(ink, kind=kind), atol=1e-4)


@pytest.mark.parametrize(("switch", "matrix"), [("slant", ((1, 0.3), (0, 1))), ("size", ((2, 0), (0, 2)))])
def test_what_is_switched_off_shows(switch, matrix):
    ink = word(2)
    one, other = (frames_of(i, **{switch: False, "step": 0.0}) for i in (ink, mapped(ink, matrix)))
    assert one.shape == other.shape
    assert np.abs(one - other).max() > 0.1


def test_the_base_line_is_made_level_with_the_words_length():
    """A long rising line is made level; without the switch it goes on rising."""
    line = Ink(tuple(s for i in range(6) for s in mapped(word(i), shift=(400 * i, 0)).strokes))
    rising = mapped(line, ((1, 0), (0.15, 1)))

    def rise(baseline: bool) -> float:
        trace = normalised(ink_signal(rising).astype(np.float64), baseline=baseline)
        return float(np.polyfit(*trace.points.T, 1)[0])

    assert abs(rise(True)) < 0.02
    assert rise(False) > 0.1


def test_core_height_and_lines_of_a_word_are_found():
    """40 units are the height of the loops, whatever the ascenders do."""
    for seed in range(5):
        ink = word(seed, heights=(1, 1, 2, 1, 1, 1, 2, 1, 1))
        trace = normalised(ink_signal(ink).astype(np.float64), slant=False, baseline=False, size=False)
        assert abs(trace.top - trace.bottom - 40) < 8
        assert abs(trace.points[:, 1].min() - trace.bottom) < 4


# Steps along the ink


def slowly_resampled(points: np.ndarray, n_steps: int) -> np.ndarray:
    """One stroke, point by point: walk along the ink."""
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    result = []
    for k in range(n_steps + 1):
        left = sum(lengths) * k / n_steps
        for i, length in enumerate(lengths):
            if left <= length or i == len(lengths) - 1:
                result.append(points[i] + (points[i + 1] - points[i]) * min(left / length, 1.0))
                break
            left -= length
    return np.array(result)


def test_steps_are_equal_and_keep_the_ends():
    trace = normalised(ink_signal(word(4)).astype(np.float64))
    path = resampled(trace, 0.13)
    begins, ends = np.flatnonzero(path.first), np.flatnonzero(path.last)
    assert len(begins) == len(ends) == len(trace.first)
    for begin, end, a, b in zip(begins, ends, trace.first, trace.last, strict=True):
        ours = path.points[begin : end + 1]
        expected = slowly_resampled(trace.points[a : b + 1], end - begin)
        np.testing.assert_allclose(ours, expected, atol=1e-9)
        length = np.hypot(*np.diff(trace.points[a : b + 1], axis=0).T).sum()
        assert end - begin == max(1, math.floor(length / 0.13 + 0.499))


def test_step_0_keeps_the_points():
    ink = word(5)
    features = PenFeatures(kind="plain", step=0.0)
    assert features.point_index(ink_signal(ink)).tolist() == list(range(ink.n_points))


def test_a_dash_is_four_high_and_a_point_is_a_frame():
    """By the rule of `normalised`: 9 units long, so 9 / 4 high, so 4 core heights long: 20 steps of 0.2."""
    dash = frames_of(DEGENERATE["a horizontal line"], step=0.2)
    assert len(dash) == 21
    assert len(frames_of(DEGENERATE["a dot"])) == 1


def test_an_ink_of_too_many_frames_is_refused():
    scribble = np.random.default_rng(1).uniform(size=(40_000, 2))
    with pytest.raises(DataError, match=r"the ink has \d+ frames, more than 100000; cut it into lines"):
        frames_of(Ink.of(scribble))
    with pytest.raises(DataError, match="more than 10000; cut it into lines"):
        frames_of(Ink.of(scribble[:5000]), kind="graves2009")


# As part of the system


@pytest.fixture
def stored(tmp_path: Path) -> list[Utterance]:
    path = tmp_path / "words.inks"
    places = write_store(path, [word(i) for i in range(4)])
    return [
        Utterance(f"w{i}", path, kind="ink", start=start, duration=count) for i, (start, count) in enumerate(places)
    ]


def test_it_is_an_extractor_that_reads_ink(stored):
    features = PenFeatures()
    assert isinstance(features, FrameExtractor)
    assert isinstance(features, PointIndexed)
    for i, utterance in enumerate(stored):
        features.check(utterance)
        np.testing.assert_array_equal(features.read(utterance), ink_signal(word(i)))
    assert features.settings() == {
        "kind": "plain", "slant": True, "baseline": True, "size": True, "step": 0.2, "tolerance": 0.05, "longest": 1.0,
        "_target_": "asr.features.pen.extractor.PenFeatures",
    }  # fmt: skip


def test_a_signal_says_where_strokes_end_and_when():
    ink = Ink.of([[5.0, 5.0, 100.0], [6.0, 7.0, 100.5]], [[1.0, 2.0, 101.0]])
    assert ink_signal(ink).tolist() == [[0, 0, 0, 0], [1, 2, 0.5, 1], [-4, -3, 1, 1]]
    assert np.isnan(ink_signal(Ink.of([[1.0, 2.0]]))[0, 2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "audio"}, "holds audio; these features read ink; choose other features"),
        ({"start": 0.5}, r"start=0.5; expected a whole number, as ink is cut at points"),
        ({"start": 10**9}, "no ink begins at point"),
        ({"source": Path("/nowhere/x.inks")}, "no such ink cache"),
    ],
)
def test_what_cannot_be_read_is_told(stored, change, message):
    utterance = Utterance(**{**vars(stored[0]), **change})
    for what in (PenFeatures().check, PenFeatures().read):
        with pytest.raises(DataError, match=message):
            what(utterance)


def test_no_points_are_refused():
    with pytest.raises(DataError, match="the ink is empty"):
        PenFeatures().compute(np.zeros((0, 4), dtype=np.float32))
    with pytest.raises(ValueError, match=r"\(N, 4\), got \(3, 2\)"):
        PenFeatures().compute(np.zeros((3, 2), dtype=np.float32))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (
            {"kind": "graves"},
            "kind=graves; expected one of plain, offsets, graves2009, curves; did you mean 'graves2009'",
        ),
        ({"step": 0.001}, "step=0.001; expected 0.01 or more core heights"),
        ({"step": -1.0}, "step=-1.0; expected"),
        ({"step": 0.0, "kind": "curves"}, r"step=0.0; expected .*not with kind=curves"),
        ({"step": math.nan}, "step=nan; expected 0.01 or more core heights"),
        ({"tolerance": 0.0}, "tolerance=0.0; expected above 0"),
        ({"longest": -2.0}, "longest=-2.0; expected above 0"),
    ],
)
def test_senseless_settings_are_refused(field, message):
    with pytest.raises(ConfigError, match=message):
        PenFeatures(**field)
