from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.errors import ConfigError
from asr.features.cache import FrameCache
from asr.features.sound.augment import Augmenter, AugmentPlan
from asr.features.sound.spectral import SpectralFeatures

MASKS = {"time_masks": 2, "time_mask_frames": 30, "frequency_masks": 2, "frequency_mask_bands": 10}
ALL = {**MASKS, "speeds": [0.9, 1.0, 1.1], "noise_snr_db": [5.0, 20.0]}


def noise(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def ones(*shape: int) -> NDArray[np.float32]:
    return np.ones(shape, dtype=np.float32)


def test_the_same_seed_epoch_and_utterance_give_the_same():
    frames, signal = noise(100, 40), noise(5000)
    one, other = Augmenter(**ALL, seed=3), Augmenter(**ALL, seed=3)
    for _ in range(5):  # whatever was asked of it before
        other.mask(other.plan(9, "x"), frames)
    plan = one.plan(2, "u1")
    assert other.plan(2, "u1") == plan
    assert np.array_equal(one.mask(plan, frames), other.mask(plan, frames))
    noisy = AugmentPlan("u1", 2, 1.0, 10.0)
    assert np.array_equal(one.noisy(noisy, signal), other.noisy(noisy, signal))


@pytest.mark.parametrize(("seed", "epoch", "name"), [(4, 2, "u1"), (3, 1, "u1"), (3, 2, "u2")])
def test_another_seed_epoch_or_utterance_gives_another(seed, epoch, name):
    frames = noise(200, 40)
    one, other = Augmenter(**ALL, seed=3), Augmenter(**ALL, seed=seed)
    assert not np.array_equal(one.mask(one.plan(2, "u1"), frames), other.mask(other.plan(epoch, name), frames))


def test_one_kind_does_not_shift_another():
    frames = noise(100, 40)
    all_of_it, only_masks = Augmenter(**ALL, seed=1), Augmenter(**MASKS, seed=1)
    for i in range(10):
        name = f"u{i}"
        assert np.array_equal(
            all_of_it.mask(all_of_it.plan(0, name), frames), only_masks.mask(only_masks.plan(0, name), frames)
        )


def test_the_defaults_change_nothing():
    augmenter, frames = Augmenter(), noise(10, 4)
    plan = augmenter.plan(0, "u")
    assert plan == AugmentPlan("u", 0, 1.0, None)
    assert augmenter.mask(plan, frames) is frames


@settings(max_examples=80, deadline=None)
@given(
    n_frames=st.integers(1, 60),
    bands=st.integers(1, 12),
    blocks=st.integers(1, 3),
    masks=st.integers(0, 6),
    widest=st.integers(0, 100),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    epoch=st.integers(0, 1000),
)
def test_masks_are_stretches_of_zero_and_never_everything(n_frames, bands, blocks, masks, widest, share, epoch):
    augmenter = Augmenter(
        time_masks=masks, time_mask_frames=widest, time_mask_share=share,
        frequency_masks=masks, frequency_mask_bands=widest, blocks=blocks,
    )  # fmt: skip
    frames = ones(n_frames, bands * blocks)
    out = augmenter.mask(augmenter.plan(epoch, "u"), frames)
    assert frames.min() == 1.0  # the input is left as it is
    kept = out.reshape(n_frames, blocks, bands)
    rows, columns = kept.max(axis=(1, 2)) > 0, kept.max(axis=(0, 1)) > 0
    assert rows.any()
    assert columns.any()
    # nothing but whole rows and whole columns is masked, the same in every block
    assert np.array_equal(kept, np.broadcast_to(rows[:, None, None] & columns, kept.shape))
    longest = min(widest, int(share * n_frames))
    assert (~rows).sum() <= masks * longest
    assert (~columns).sum() <= masks * widest


def test_masks_reach_every_frame_and_every_width():
    augmenter = Augmenter(time_masks=1, time_mask_frames=4, time_mask_share=1.0)
    out = np.stack([augmenter.mask(augmenter.plan(epoch, "u"), ones(10, 1))[:, 0] for epoch in range(2000)])
    widths = Counter((out == 0).sum(axis=1).tolist())
    assert set(widths) == {0, 1, 2, 3, 4}
    assert min(widths.values()) > 300  # 400 expected; a deviation of 18
    assert ((out == 0).sum(axis=0) > 0).all()


def test_speeds_and_noise_are_drawn_evenly():
    augmenter = Augmenter(speeds=[0.9, 1.0, 1.1], noise_snr_db=[5.0, 20.0], noise_share=0.25)
    plans = [augmenter.plan(0, f"u{i}") for i in range(3000)]
    speeds = Counter(plan.speed for plan in plans)
    assert all(900 < count < 1100 for count in speeds.values())
    ratios = [plan.snr_db for plan in plans if plan.snr_db is not None]
    assert 650 < len(ratios) < 850
    assert min(ratios) >= 5.0
    assert max(ratios) <= 20.0
    assert abs(np.mean(ratios) - 12.5) < 0.7


def test_noise_has_the_ratio_asked_for_and_both_colours():
    signal = (np.sin(np.arange(40000) * 0.3) * 0.2).astype(np.float32)
    augmenter = Augmenter(noise_snr_db=[10.0, 10.0])
    slopes = []
    for epoch in range(12):
        added = augmenter.noisy(AugmentPlan("u", epoch, 1.0, 10.0), signal) - signal
        assert abs(10 * math.log10(np.square(signal).mean() / np.square(added).mean()) - 10.0) < 0.1
        power = np.square(np.abs(np.fft.rfft(added)))
        low, high = power[100:200].mean(), power[10000:20000].mean()  # 1/f: a factor of 100 apart
        slopes.append(round(math.log10(low / high)))
    assert set(slopes) == {0, 2}


def test_silence_gets_no_noise():
    plan = AugmentPlan("u", 0, 1.0, 10.0)
    silence = np.zeros(100, dtype=np.float32)
    assert np.array_equal(Augmenter(noise_snr_db=[10.0, 10.0]).noisy(plan, silence), silence)


def test_raw_frames_are_cached_ones_or_new_ones(recordings, tmp_path):
    features = SpectralFeatures()
    cache = FrameCache.open(recordings, features, tmp_path / "cache", speeds=(0.9, 1.0))
    augmenter = Augmenter(speeds=[0.9, 1.0], noise_snr_db=[10.0, 10.0])
    clean = augmenter.raw_frames(AugmentPlan("u1", 0, 0.9, None), recordings[1], 1, cache, features)
    assert np.array_equal(clean, cache.frames(1, 0.9))
    noisy = augmenter.raw_frames(AugmentPlan("u1", 0, 0.9, 10.0), recordings[1], 1, cache, features)
    assert noisy.shape == clean.shape
    assert not np.array_equal(noisy, clean)
    loud = augmenter.raw_frames(AugmentPlan("u1", 0, 0.9, 100.0), recordings[1], 1, cache, features)
    np.testing.assert_allclose(loud, clean, atol=0.05)  # noise at 100 dB is next to nothing


def test_the_voice_changes_with_the_epoch_and_not_with_the_masks():
    centres = SpectralFeatures(n_mels=20).centres
    plain, masked = Augmenter(warp=0.2, centres=centres), Augmenter(**MASKS, warp=0.2, centres=centres)
    frames = noise(30, 20)
    first, second = (plain.warped(plain.plan(epoch, "u"), frames) for epoch in (0, 1))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, frames)
    assert np.array_equal(first, masked.warped(masked.plan(0, "u"), frames))
    assert plain.mask(plain.plan(0, "u"), frames) is frames


def test_noise_on_ink_is_refused():
    with pytest.raises(ConfigError, match="noise is added to sound only; set noise_snr_db=null"):
        Augmenter().noisy(AugmentPlan("u", 0, 1.0, 10.0), np.zeros((5, 2), dtype=np.float32))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"time_masks": -1}, "time_masks=-1; expected 0 to 1000"),
        ({"time_mask_share": 1.5}, "time_mask_share=1.5; expected 0 to 1"),
        ({"speeds": []}, r"speeds=\[\]; expected one or more"),
        ({"speeds": [1.0, 10.0]}, r"speeds=\[1.0, 10.0\]; expected one or more different speeds from 0.25 to 4"),
        ({"noise_snr_db": [20.0, 5.0]}, "the lowest and the highest ratio"),
        ({"noise_snr_db": [5.0]}, "the lowest and the highest ratio"),
        ({"warp": 1.0}, "warp=1.0; expected 0, as these"),
        ({"warp": 0.1}, "warp=0.1; expected 0, as these features are not bands of frequency"),
        ({"noise_share": -0.1}, "noise_share=-0.1; expected 0 to 1"),
    ],
)
def test_senseless_settings_are_refused(field, message):
    with pytest.raises(ConfigError, match=message):
        Augmenter(**field)


def test_speed_and_masks_are_drawn_independently():
    """Of the utterances at the lowest of 5 speeds, about a fifth have a mask of the lowest fifth of the widths."""
    augmenter = Augmenter(speeds=[0.8, 0.9, 1.0, 1.1, 1.2], time_masks=1, time_mask_frames=49, time_mask_share=1.0)
    plans = [augmenter.plan(0, f"u{i}") for i in range(4000)]
    slow = [int((augmenter.mask(plan, ones(100, 1)) == 0).sum()) for plan in plans if plan.speed == 0.8]
    assert 0.12 < sum(width < 10 for width in slow) / len(slow) < 0.28
