"""Augment recordings during training: speed, vocal tract length, noise, and masks in time and frequency.

The change depends only on (seed, epoch, utterance id). The number of workers and the order of utterances do not matter,
and a resumed run gets the same data as an uninterrupted one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from asr.features.cache import FrameCache
from asr.features.extractor import FrameExtractor
from asr.features.sound.warp import warp_bands
from asr.seeds import generator

MOST_MASKS = 1000
WIDEST_MASK = 1_000_000  # frames or bands


@dataclass
class AugmentConfig:
    """Settings of the augmentation; the defaults change nothing. See `conf/augment` for presets.

    Attributes:
        time_masks: number of time masks; masked frames are set to 0, the mean after normalisation (SpecAugment, Park
            et al. 2019).
        time_mask_frames: longest time mask in frames of the extractor; all lengths from 0 on are equally likely.
        time_mask_share: longest time mask as a share of the utterance, which protects short utterances.
        frequency_masks: number of frequency masks; masked values are set to 0, the same ones in every difference block.
        frequency_mask_bands: widest frequency mask in values; all widths from 0 on are equally likely.
        speeds: each utterance gets one of these speeds; frames at every speed are cached (Ko et al. 2015).
        warp: largest relative change of the vocal tract length (`warp_bands`); filterbank energies only.
        noise_snr_db: lowest and highest signal-to-noise ratio of added white or pink noise; null for no noise. Frames
            of noisy utterances are not cached: their files are read again.
        noise_share: share of the utterances that get noise in an epoch.
    """

    time_masks: int = 0
    time_mask_frames: int = 0
    time_mask_share: float = 0.2
    frequency_masks: int = 0
    frequency_mask_bands: int = 0
    speeds: list[float] = field(default_factory=lambda: [1.0])
    warp: float = 0.0
    noise_snr_db: list[float] | None = None
    noise_share: float = 0.5
    _target_: str = "asr.features.sound.augment.Augmenter"


@dataclass(frozen=True)
class AugmentPlan:
    """The augmentation of one utterance in one epoch.

    Attributes:
        utterance_id: the utterance.
        epoch: the epoch.
        speed: factor of the speed, such as 1.1.
        snr_db: signal-to-noise ratio in decibels; None for no noise.
    """

    utterance_id: str
    epoch: int
    speed: float
    snr_db: float | None


@dataclass(eq=False)
class Augmenter(AugmentConfig):
    """The augmentation of recordings. Takes the fields of `AugmentConfig`, and:

    Attributes:
        seed: seed of the run.
        blocks: number of difference blocks of a frame, `extractor.blocks`.
        centres: centres of the bands of a block in hertz, `extractor.centres`; None if the values are not bands.

    Raises:
        ConfigError: a field is out of its range; says which values were expected.
    """

    seed: int = 0
    blocks: int = 1
    centres: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        _check(self)

    @property
    def masks_anything(self) -> bool:
        """Return whether `mask` may change frames, so that two views of an utterance may differ."""
        in_time = self.time_masks * self.time_mask_frames * self.time_mask_share > 0
        return in_time or self.frequency_masks * self.frequency_mask_bands > 0

    def plan(self, epoch: int, utterance_id: str) -> AugmentPlan:
        """Draw the speed and the noise of an utterance in an epoch."""
        random = self._random("plan", epoch, utterance_id)
        speed = float(self.speeds[int(random.integers(len(self.speeds)))])
        snr_db = None
        if self.noise_snr_db is not None and random.random() < self.noise_share:
            low, high = self.noise_snr_db
            snr_db = float(random.uniform(low, high))
        return AugmentPlan(utterance_id, epoch, speed, snr_db)

    def raw_frames(
        self, plan: AugmentPlan, utterance: Utterance, index: int, cache: FrameCache, extractor: FrameExtractor
    ) -> NDArray[np.float32]:
        """Return the utterance's frames after augmentation, (T, F), not normalised and not masked.

        Args:
            plan: result of `plan`.
            utterance: the utterance.
            index: its index in the cache.
            cache: frames of the utterances at all `speeds`; not used if noise is added.
            extractor: the extractor of the cache.
        """
        if plan.snr_db is None:
            return self.warped(plan, cache.frames(index, plan.speed))
        signal = extractor.at_speed(extractor.read(utterance), plan.speed)
        return self.warped(plan, extractor.compute(self.noisy(plan, signal)))

    def noisy(self, plan: AugmentPlan, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Add white or pink noise to a signal (N,) at the plan's signal-to-noise ratio; unchanged without one."""
        if plan.snr_db is None:
            return signal
        if signal.ndim != 1:
            raise ConfigError("noise_snr_db: noise is added to sound only; set noise_snr_db=null for this corpus")
        random = self._random("noise", plan.epoch, plan.utterance_id)
        noise = _noise(random, len(signal), pink=bool(random.integers(2)))
        level = math.sqrt(float(np.square(signal).mean())) * 10 ** (-plan.snr_db / 20)
        return signal + noise * np.float32(level)

    def warped(self, plan: AugmentPlan, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Change the vocal tract length of frames (T, F), not normalised; see `warp_bands`."""
        if self.warp == 0 or self.centres is None:
            return frames
        factor = self._random("warp", plan.epoch, plan.utterance_id).uniform(1 - self.warp, 1 + self.warp)
        return warp_bands(frames, self.centres, float(factor), self.blocks)

    def mask(self, plan: AugmentPlan, frames: NDArray[np.float32], view: int = 0) -> NDArray[np.float32]:
        """Mask random stretches of time and bands of values.

        Args:
            plan: result of `plan`.
            frames: (T, F) normalised, not yet stacked; not modified.
            view: number of the view; each view of an utterance has other masks.

        Returns:
            (T, F) with masked values set to 0; at least one frame and one value per block stay unmasked.
        """
        if not (self.time_masks or self.frequency_masks):
            return frames
        random = self._random(f"mask {view}" if view else "mask", plan.epoch, plan.utterance_id)
        n_frames, dim = frames.shape
        masked = frames.copy()
        widest = min(self.time_mask_frames, int(self.time_mask_share * n_frames))
        for begin, end in _spans(random, self.time_masks, widest, n_frames):
            masked[begin:end] = 0
        by_block = masked.reshape(n_frames, self.blocks, dim // self.blocks)
        for begin, end in _spans(random, self.frequency_masks, self.frequency_mask_bands, dim // self.blocks):
            by_block[:, :, begin:end] = 0
        return masked

    def _random(self, purpose: str, epoch: int, utterance_id: str) -> np.random.Generator:
        """Return the generator for one purpose; each purpose has its own, so that they do not influence each other."""
        return generator(self.seed, purpose, epoch, utterance_id)


def _spans(random: np.random.Generator, count: int, widest: int, size: int) -> list[tuple[int, int]]:
    """Draw `count` stretches of 0 to `widest` out of `size` places; drop a stretch that would cover the last place."""
    covered = np.zeros(size, dtype=bool)
    spans = []
    for _ in range(count):
        width = int(random.integers(min(widest, size) + 1))
        begin = int(random.integers(size - width + 1))
        more = covered.copy()
        more[begin : begin + width] = True
        if not more.all():
            covered = more
            spans.append((begin, begin + width))
    return spans


def _noise(random: np.random.Generator, n_samples: int, pink: bool) -> NDArray[np.float32]:
    """Return noise of mean square 1, (n_samples,); the power of pink noise is proportional to 1 / frequency."""
    if not pink:
        return random.standard_normal(n_samples, dtype=np.float32)
    size = 1 << max(1, (n_samples - 1).bit_length())  # a power of two, for a fast FFT
    spectrum = np.fft.rfft(random.standard_normal(size))
    spectrum[0] = 0.0
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum, size)[:n_samples]
    return (noise / (np.sqrt(np.square(noise).mean()) or 1.0)).astype(np.float32)


def _check(config: Augmenter) -> None:
    """Raise a ConfigError that names every field out of its range."""
    snr = config.noise_snr_db
    conditions = {
        "time_masks": (0 <= config.time_masks <= MOST_MASKS, f"0 to {MOST_MASKS}"),
        "time_mask_frames": (0 <= config.time_mask_frames <= WIDEST_MASK, f"0 to {WIDEST_MASK}"),
        "time_mask_share": (0 <= config.time_mask_share <= 1, "0 to 1"),
        "frequency_masks": (0 <= config.frequency_masks <= MOST_MASKS, f"0 to {MOST_MASKS}"),
        "frequency_mask_bands": (0 <= config.frequency_mask_bands <= WIDEST_MASK, f"0 to {WIDEST_MASK}"),
        "speeds": (
            len(config.speeds) > 0
            and len(set(config.speeds)) == len(config.speeds)
            and all(0.25 <= speed <= 4 for speed in config.speeds),
            "one or more different speeds from 0.25 to 4, such as [0.9, 1.0, 1.1]",
        ),
        "warp": _warp(config),
        "noise_snr_db": (
            snr is None or (len(snr) == 2 and -100 <= snr[0] <= snr[1] <= 100),
            "null, or the lowest and the highest ratio in decibels, such as [10, 30]",
        ),
        "noise_share": (0 <= config.noise_share <= 1, "0 to 1"),
        "blocks": (config.blocks >= 1, "1 or more"),
    }
    check_values(vars(config), conditions)


def _warp(config: Augmenter) -> tuple[bool, str]:
    if config.centres is None:
        return config.warp == 0, "0, as these features are not bands of frequency"
    return 0 <= config.warp < 1, "0 to below 1, such as 0.1"
