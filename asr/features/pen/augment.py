"""Augment ink during training: imitate other writers by small random changes in every epoch.

The change depends only on (seed, epoch, utterance id). It is applied to the normalised ink, in core heights, because
normalisation would remove an earlier change of slant or size.
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
from asr.features.pen.extractor import PenFeatures
from asr.features.pen.graves2009 import delayed
from asr.features.pen.normalise import Floats, Ints, Trace
from asr.features.sound.augment import MOST_MASKS, WIDEST_MASK, Augmenter, AugmentPlan
from asr.seeds import generator

_WAVES = 3  # number of waves of a warp in each direction
_WAVELENGTHS = (2.0, 10.0)  # shortest and longest wave of a warp, in core heights
_LEAST_SHARE = 0.5  # changed ink with fewer frames, relative to the plain frames, is not used


@dataclass
class PenAugmentConfig:
    """Settings of the augmentation of ink; the defaults change nothing. See `conf/augment/pen_*.yaml` for presets.

    Attributes:
        share: share of the utterances that are changed in an epoch; the frames of the others come from the cache.
        scale: largest relative change of width and height, which are scaled independently, up or down.
        rotation: largest rotation in degrees, to either side.
        slant: largest added slant, dx / dy, to either side.
        warp: strength of a smooth distortion in core heights, which changes the line, size and distance of letters.
        jitter: standard deviation of the noise of single points, in core heights.
        dropout: share of the points that are left out; ends of strokes are kept.
        delayed: share of the dots and bars (`graves2009.delayed`) that are written at another time: at any time after
            the ink below them.
        time_masks: number of time masks; masked frames are set to 0, the mean after normalisation.
        time_mask_frames: longest time mask in frames; all lengths from 0 on are equally likely.
        time_mask_share: longest time mask as a share of the utterance.
    """

    share: float = 1.0
    scale: float = 0.0
    rotation: float = 0.0
    slant: float = 0.0
    warp: float = 0.0
    jitter: float = 0.0
    dropout: float = 0.0
    delayed: float = 0.0
    time_masks: int = 0
    time_mask_frames: int = 0
    time_mask_share: float = 0.1
    _target_: str = "asr.features.pen.augment.PenAugmenter"


@dataclass(eq=False)
class PenAugmenter(PenAugmentConfig):
    """The augmentation of ink, with the methods of `Augmenter`. Takes the fields of `PenAugmentConfig`, and:

    Attributes:
        seed: seed of the run.
        blocks, centres: arguments of `Augmenter`; ink has one block and no bands.
        speeds: always [1.0], because features of ink do not depend on the absolute speed.

    Raises:
        ConfigError: a field is out of its range; says which values were expected.
    """

    seed: int = 0
    blocks: int = 1
    centres: NDArray[np.float64] | None = None
    speeds: list[float] = field(default_factory=lambda: [1.0], init=False)

    def __post_init__(self) -> None:
        _check(self)
        self._masks = Augmenter(
            time_masks=self.time_masks, time_mask_frames=self.time_mask_frames,
            time_mask_share=self.time_mask_share, seed=self.seed, blocks=self.blocks,
        )  # fmt: skip
        self._changes = any((self.scale, self.rotation, self.slant, self.warp, self.jitter, self.dropout, self.delayed))

    @property
    def masks_anything(self) -> bool:
        """See `Augmenter.masks_anything`."""
        return self._masks.masks_anything

    def plan(self, epoch: int, utterance_id: str) -> AugmentPlan:
        """Return the plan of an utterance in an epoch; all random changes follow from these two."""
        return AugmentPlan(utterance_id, epoch, 1.0, None)

    def raw_frames(
        self, plan: AugmentPlan, utterance: Utterance, index: int, cache: FrameCache, extractor: FrameExtractor
    ) -> NDArray[np.float32]:
        """Return the utterance's frames after augmentation, (T, F), not normalised and not masked.

        If the changed ink has less than half as many frames as the plain ink, the plain frames are returned: CTC needs
        at least one frame per label, and only the plain frames were checked for that.

        Args:
            plan: result of `plan`.
            utterance: the utterance.
            index: its index in the cache.
            cache: frames of the unchanged utterances.
            extractor: the extractor of the cache.

        Raises:
            ConfigError: the extractor is not `PenFeatures`.
        """
        if not isinstance(extractor, PenFeatures):
            raise ConfigError("this augmentation needs features of ink; choose augment=light or none")
        plain = cache.frames(index)
        if not self._changes or self._random("share", plan).random() >= self.share:
            return plain
        frames = extractor.compute(extractor.read(utterance), lambda trace: self.changed(plan, trace))
        return frames if len(frames) >= _LEAST_SHARE * len(plain) else plain

    def mask(self, plan: AugmentPlan, frames: NDArray[np.float32], view: int = 0) -> NDArray[np.float32]:
        """Mask random stretches of time; see `Augmenter.mask`."""
        return self._masks.mask(plan, frames, view)

    def changed(self, plan: AugmentPlan, trace: Trace) -> Trace:
        """Apply the changes of a plan to normalised ink."""
        unit = trace.top - trace.bottom or 1.0
        if self.delayed:
            trace = _at_another_time(trace, self.delayed, self._random("delayed", plan))
        if self.dropout:
            trace = _thinned(trace, self.dropout, self._random("dropout", plan))
        points = trace.points
        if self.jitter:
            points = points + _tremor(self._random("jitter", plan), len(points)) * (self.jitter * unit)
        if self.warp:
            points = points + _bend(self._random("warp", plan), points / unit) * (self.warp * unit)
        points = points @ self._matrix(self._random("affine", plan)).T
        return Trace(points, trace.clock, trace.index, trace.first, trace.bottom, trace.top)

    def _matrix(self, random: np.random.Generator) -> Floats:
        """Draw the matrix, (2, 2), that scales, slants and then rotates."""
        wide, high = np.exp(random.uniform(-1.0, 1.0, size=2) * math.log1p(self.scale))
        angle = math.radians(self.rotation) * random.uniform(-1.0, 1.0)
        lean = self.slant * random.uniform(-1.0, 1.0)
        cosine, sine = math.cos(angle), math.sin(angle)
        turned: Floats = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[wide, lean * high], [0.0, high]])
        return turned

    def _random(self, purpose: str, plan: AugmentPlan) -> np.random.Generator:
        """Return the generator for one purpose; each purpose has its own, so that they do not influence each other."""
        return generator(self.seed, f"pen {purpose}", plan.epoch, plan.utterance_id)


def _thinned(trace: Trace, share: float, random: np.random.Generator) -> Trace:
    """Remove random points; keep the first and last points of strokes."""
    keep = random.random(len(trace.points)) >= share
    keep[trace.first] = keep[trace.last] = True
    first = (np.cumsum(keep) - 1)[trace.first]
    return Trace(trace.points[keep], trace.clock[keep], trace.index[keep], first, trace.bottom, trace.top)


def _tremor(random: np.random.Generator, n_points: int) -> Floats:
    """Return noise of standard deviation 1, (N, 2), correlated between neighbouring points."""
    white = random.standard_normal((n_points + 2, 2))
    return (white[:-2] + white[1:-1] + white[2:]) / math.sqrt(3.0)


def _bend(random: np.random.Generator, points: Floats) -> Floats:
    """Return displacements of about 1, (N, 2), smooth over the page: a sum of waves in random directions."""
    result = np.zeros_like(points)
    for axis in (0, 1):
        shortest, longest = _WAVELENGTHS
        lengths = shortest * (longest / shortest) ** random.uniform(size=_WAVES)
        angles = random.uniform(0.0, 2 * math.pi, size=_WAVES)
        phases = random.uniform(0.0, 2 * math.pi, size=_WAVES)
        waves = 2 * math.pi / lengths * np.stack([np.cos(angles), np.sin(angles)])  # (2, W)
        result[:, axis] = np.sin(points @ waves + phases).sum(axis=1) / math.sqrt(_WAVES)
    return result


def _at_another_time(trace: Trace, share: float, random: np.random.Generator) -> Trace:
    """Move a random share of the delayed strokes to another time."""
    late = delayed(trace)
    order = list(range(len(late)))
    right = np.maximum.reduceat(trace.points[:, 0], trace.first)
    middle = 0.5 * (np.minimum.reduceat(trace.points[:, 0], trace.first) + right)
    for stroke in np.flatnonzero(late):
        if random.random() >= share:
            continue
        order.remove(int(stroke))
        beneath = [at for at, other in enumerate(order) if right[other] >= middle[stroke] and not late[other]]
        order.insert(int(random.integers(beneath[0] + 1 if beneath else 1, len(order) + 1)), int(stroke))
    return _reordered(trace, np.array(order))


def _reordered(trace: Trace, order: Ints) -> Trace:
    """Reorder strokes; each keeps its duration and the pause before it."""
    if (order == np.arange(len(order))).all():
        return trace
    begin, end = trace.first[order], trace.last[order] + 1
    counts = end - begin
    first = np.cumsum(counts) - counts
    which = np.arange(len(trace.points)) + np.repeat(begin - first, counts)
    steps = np.diff(trace.clock, prepend=trace.clock[0])[which]
    steps[0] = 0.0
    return Trace(trace.points[which], np.cumsum(steps), trace.index[which], first, trace.bottom, trace.top)


def _check(config: PenAugmenter) -> None:
    """Raise a ConfigError that names every field out of its range."""
    limits = {
        "share": 1.0, "scale": 1.0, "rotation": 90.0, "slant": 1.5, "warp": 1.0, "jitter": 1.0, "dropout": 0.9,
        "delayed": 1.0, "time_masks": MOST_MASKS, "time_mask_frames": WIDEST_MASK, "time_mask_share": 1.0,
    }  # fmt: skip
    values = vars(config)
    check_values(values, {name: (0 <= values[name] <= most, f"0 to {most:g}") for name, most in limits.items()})
