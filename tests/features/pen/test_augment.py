"""Augmented ink: the same for the same place of the run, other ink otherwise, and still the same word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from asr.features.cache import FrameCache
from asr.features.pen.augment import PenAugmenter, _at_another_time
from asr.features.pen.extractor import PenFeatures, ink_signal
from asr.features.pen.graves2009 import delayed
from asr.features.pen.normalise import Trace, normalised
from asr.features.sound.spectral import SpectralFeatures
from asr.ink.store import write_store
from tests.features.pen.inks import word

STRONG = {
    "scale": 0.25, "rotation": 5.0, "slant": 0.25, "warp": 0.1, "jitter": 0.02, "dropout": 0.2, "delayed": 0.5,
}  # fmt: skip


def trace_of(seed: int = 1) -> Trace:
    return normalised(ink_signal(word(seed, timed=True)).astype(np.float64))


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[list[Utterance], FrameCache]:
    places = write_store(tmp_path / "words.inks", [word(i) for i in range(6)])
    utterances = [
        Utterance(f"u{i}", tmp_path / "words.inks", kind="ink", start=start, duration=n)
        for i, (start, n) in enumerate(places)
    ]
    return utterances, FrameCache.open(utterances, PenFeatures(), tmp_path / "cache")


def test_the_same_seed_epoch_and_utterance_give_the_same():
    one, other = PenAugmenter(**STRONG, seed=3), PenAugmenter(**STRONG, seed=3)
    other.changed(other.plan(7, "x"), trace_of(2))  # whatever was asked of it before
    a, b = (each.changed(each.plan(2, "u1"), trace_of()) for each in (one, other))
    assert np.array_equal(a.points, b.points)
    assert np.array_equal(a.clock, b.clock)


@pytest.mark.parametrize(("seed", "epoch", "name"), [(4, 2, "u1"), (3, 1, "u1"), (3, 2, "u2")])
@pytest.mark.parametrize("what", [name for name in STRONG if name != "delayed"])
def test_another_seed_epoch_or_utterance_gives_another(what, seed, epoch, name):
    one, other = PenAugmenter(**{what: STRONG[what]}, seed=3), PenAugmenter(**{what: STRONG[what]}, seed=seed)
    a, b = one.changed(one.plan(2, "u1"), trace_of()), other.changed(other.plan(epoch, name), trace_of())
    assert not np.array_equal(a.points, b.points)


def test_one_kind_does_not_shift_another():
    alone, together = PenAugmenter(warp=0.1), PenAugmenter(warp=0.1, time_masks=2, time_mask_frames=5)
    plan, trace = alone.plan(0, "u"), trace_of()
    assert np.array_equal(alone.changed(plan, trace).points, together.changed(plan, trace).points)


@pytest.mark.parametrize("epoch", range(5))
def test_changes_stay_within_their_bounds(epoch):
    trace = trace_of()
    plan = PenAugmenter().plan(epoch, "u")
    move = PenAugmenter(warp=0.1).changed(plan, trace).points - trace.points
    unit = trace.top - trace.bottom
    assert 0.02 * unit < np.abs(move).max() < 0.1 * unit * 3**0.5
    tremor = PenAugmenter(jitter=0.02).changed(plan, trace).points - trace.points
    assert 0.013 * unit < tremor.std() < 0.027 * unit
    matrix = np.linalg.lstsq(trace.points, PenAugmenter(scale=0.25).changed(plan, trace).points, rcond=None)[0]
    np.testing.assert_allclose(matrix, np.diag(np.diag(matrix)), atol=1e-9)
    assert ((np.diag(matrix) >= 1 / 1.25) & (np.diag(matrix) <= 1.25)).all()
    turn = np.linalg.lstsq(trace.points, PenAugmenter(rotation=5.0).changed(plan, trace).points, rcond=None)[0]
    np.testing.assert_allclose(turn @ turn.T, np.eye(2), atol=1e-9)
    assert 0 < abs(np.degrees(np.arcsin(turn[0, 1]))) <= 5
    lean = np.linalg.lstsq(trace.points, PenAugmenter(slant=0.2).changed(plan, trace).points, rcond=None)[0]
    assert 0 < abs(lean[1, 0]) <= 0.2
    np.testing.assert_allclose(lean, [[1, 0], [lean[1, 0], 1]], atol=1e-9)


def test_dropout_keeps_the_ends_of_strokes():
    trace = trace_of()
    thin = PenAugmenter(dropout=0.9).changed(PenAugmenter().plan(0, "u"), trace)
    assert len(thin.points) < 0.3 * len(trace.points)
    np.testing.assert_array_equal(thin.points[thin.first], trace.points[trace.first])
    np.testing.assert_array_equal(thin.points[thin.last], trace.points[trace.last])
    np.testing.assert_array_equal(thin.points, trace.points[thin.index.astype(int)])


def test_dots_are_written_earlier_and_nothing_else_moves():
    """The dot stands above the second of four strokes: it comes right behind it, behind the third or stays."""
    trace = trace_of()
    assert delayed(trace).tolist() == [False] * 4 + [True]
    seen = set()
    for seed in range(40):
        other = _at_another_time(trace, 1.0, np.random.default_rng(seed))
        order = [int(np.searchsorted(trace.first, index, side="right")) - 1 for index in other.index[other.first]]
        assert [stroke for stroke in order if stroke != 4] == [0, 1, 2, 3]
        seen.add(order.index(4))
        np.testing.assert_array_equal(other.points, trace.points[other.index.astype(int)])
        assert (np.diff(other.clock) >= 0).all()
    assert seen == {2, 3, 4}


def test_frames_are_computed_anew_cached_or_plain(corpus):
    utterances, cache = corpus
    features = PenFeatures()
    unchanged = PenAugmenter()
    strong = PenAugmenter(**STRONG, share=0.5)
    n_plain = 0
    for i, utterance in enumerate(utterances):
        plain = cache.frames(i)
        assert unchanged.raw_frames(unchanged.plan(0, utterance.id), utterance, i, cache, features) is not None
        np.testing.assert_array_equal(
            unchanged.raw_frames(unchanged.plan(0, utterance.id), utterance, i, cache, features), plain
        )
        for epoch in range(10):
            frames = np.asarray(strong.raw_frames(strong.plan(epoch, utterance.id), utterance, i, cache, features))
            assert len(frames) >= 0.5 * len(plain)
            assert np.isfinite(frames).all()
            n_plain += frames.shape == plain.shape and bool(np.array_equal(frames, plain))
    assert 15 < n_plain < 45  # of 60


def test_ink_that_would_lose_half_its_frames_is_taken_as_it_is(corpus, monkeypatch):
    utterances, cache = corpus
    augmenter = PenAugmenter(warp=0.1)
    small = lambda plan, trace: Trace(0.3 * trace.points, trace.clock, trace.index, trace.first, -0.5, 0.5)  # noqa: E731
    monkeypatch.setattr(augmenter, "changed", small)
    frames = augmenter.raw_frames(augmenter.plan(0, "u0"), utterances[0], 0, cache, PenFeatures())
    np.testing.assert_array_equal(frames, cache.frames(0))


def test_masks_are_of_time_only():
    augmenter = PenAugmenter(time_masks=2, time_mask_frames=10, time_mask_share=0.5)
    masked = augmenter.mask(augmenter.plan(1, "u"), np.ones((60, 10), dtype=np.float32))
    rows = (masked == 0).any(axis=1)
    assert rows.any()
    assert (masked[rows] == 0).all()


def test_sound_is_refused(corpus):
    utterances, cache = corpus
    augmenter = PenAugmenter(warp=0.1)
    with pytest.raises(ConfigError, match="this augmentation needs features of ink"):
        augmenter.raw_frames(augmenter.plan(0, "u0"), utterances[0], 0, cache, SpectralFeatures())


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"scale": -0.1}, "scale=-0.1; expected 0 to 1"),
        ({"rotation": 100.0}, "rotation=100.0; expected 0 to 90"),
        ({"dropout": 1.0}, "dropout=1.0; expected 0 to 0.9"),
        ({"jitter": float("nan")}, "jitter=nan; expected 0 to 1"),
        ({"time_masks": -1}, "time_masks=-1; expected 0 to 1000"),
    ],
)
def test_senseless_settings_are_refused(field, message):
    with pytest.raises(ConfigError, match=message):
        PenAugmenter(**field)
