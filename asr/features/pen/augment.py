"""Make ink a little different in every epoch, as another hand or another day would have written it.

What becomes of an utterance is a function of (seed, epoch, utterance id) alone. Changes are made to the normalised ink,
in core heights: made before, a slant or a size would be normalised away again, and what writers differ in after
normalisation is what a recogniser must bear.
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

_WAVES = 3  # that a warp is made of in each direction
_WAVELENGTHS = (2.0, 10.0)  # of a warp, in core heights
_LEAST_SHARE = 0.5  # of the plain frames that changed ink must keep, or it is taken as it is


@dataclass
class PenAugmentConfig:
    """Settings of the augmentation of ink; the defaults change nothing. See `conf/augment/pen_*.yaml` for presets.

    Attributes:
        share: of the utterances that are changed in an epoch; the others come from the cache, which costs nothing.
        scale: x and y are stretched separately by up to this share, up and down alike.
        rotation: degrees to either side.
        slant: dx / dy to either side.
        warp: core heights; the page is bent smoothly, so that letters lose their line, size and distance.
        jitter: core heights; standard deviation of a tremor of single points.
        dropout: share of the points, ends of strokes apart, that are left out.
        delayed: share of the dots and bars (`pen_graves2009.delayed`) that are written at another time: anywhere
            between right after the ink that they stand above and the end.
        time_masks: stretches of frames set to 0, the mean after normalisation.
        time_mask_frames: longest stretch in frames; each length from 0 on is equally likely.
        time_mask_share: longest stretch as a share of the utterance.
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
    """Augments ink by plan, with the methods of `Augmenter`. Takes the fields of `PenAugmentConfig`, and:

    Attributes:
        seed: of the run.
        blocks, centres: as `Augmenter` takes them; ink has one block and no bands.
        speeds: [1.0]; features of ink are of its shape, and what there is of speed is relative to the mean speed.

    Raises:
        ConfigError: a field has no sensible value; says which and what was expected.
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
        """Which utterance and epoch; everything else follows from them."""
        return AugmentPlan(utterance_id, epoch, 1.0, None)

    def raw_frames(
        self, plan: AugmentPlan, utterance: Utterance, index: int, cache: FrameCache, extractor: FrameExtractor
    ) -> NDArray[np.float32]:
        """The utterance's frames (T, F) as the plan has them, not normalised; at least half as many as the plain ones.

        CTC needs a frame a label, and is checked against the plain frames: ink that lost more than half of them is
        taken as it is.

        Args:
            plan: from `plan`.
            utterance: which.
            index: its index in the cache.
            cache: opened with `speeds`.
            extractor: the cache's.

        Raises:
            ConfigError: the extractor is not one of ink.
        """
        if not isinstance(extractor, PenFeatures):
            raise ConfigError("this augmentation is of ink; for other features choose augment=light or none")
        plain = cache.frames(index)
        if not self._changes or self._random("share", plan).random() >= self.share:
            return plain
        frames = extractor.compute(extractor.read(utterance), lambda trace: self.changed(plan, trace))
        return frames if len(frames) >= _LEAST_SHARE * len(plain) else plain

    def mask(self, plan: AugmentPlan, frames: NDArray[np.float32], view: int = 0) -> NDArray[np.float32]:
        """Leave out stretches of time, as `Augmenter.mask`."""
        return self._masks.mask(plan, frames, view)

    def changed(self, plan: AugmentPlan, trace: Trace) -> Trace:
        """The ink as the plan has it."""
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
        """(2, 2) stretched, slanted, then turned."""
        wide, high = np.exp(random.uniform(-1.0, 1.0, size=2) * math.log1p(self.scale))
        angle = math.radians(self.rotation) * random.uniform(-1.0, 1.0)
        lean = self.slant * random.uniform(-1.0, 1.0)
        cosine, sine = math.cos(angle), math.sin(angle)
        turned: Floats = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[wide, lean * high], [0.0, high]])
        return turned

    def _random(self, purpose: str, plan: AugmentPlan) -> np.random.Generator:
        """A stream of its own for every purpose, so that one kind of augmentation does not shift another."""
        return generator(self.seed, f"pen {purpose}", plan.epoch, plan.utterance_id)


def _thinned(trace: Trace, share: float, random: np.random.Generator) -> Trace:
    """Without some of its points; first and last points of strokes stay."""
    keep = random.random(len(trace.points)) >= share
    keep[trace.first] = keep[trace.last] = True
    first = (np.cumsum(keep) - 1)[trace.first]
    return Trace(trace.points[keep], trace.clock[keep], trace.index[keep], first, trace.bottom, trace.top)


def _tremor(random: np.random.Generator, n_points: int) -> Floats:
    """(N, 2) noise of standard deviation 1, each point's correlated with its neighbours'."""
    white = random.standard_normal((n_points + 2, 2))
    return (white[:-2] + white[1:-1] + white[2:]) / math.sqrt(3.0)


def _bend(random: np.random.Generator, points: Floats) -> Floats:
    """(N, 2) displacement of about 1, smooth in the place: a few waves in random directions."""
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
    """Some delayed strokes earlier or later."""
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
    return _in_order(trace, np.array(order))


def _in_order(trace: Trace, order: Ints) -> Trace:
    """The strokes in another order; each takes its time, and the pause before it, along."""
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
    """Raise a ConfigError that names every field without a sensible value."""
    limits = {
        "share": 1.0, "scale": 1.0, "rotation": 90.0, "slant": 1.5, "warp": 1.0, "jitter": 1.0, "dropout": 0.9,
        "delayed": 1.0, "time_masks": MOST_MASKS, "time_mask_frames": WIDEST_MASK, "time_mask_share": 1.0,
    }  # fmt: skip
    values = vars(config)
    check_values(values, {name: (0 <= values[name] <= most, f"0 to {most:g}") for name, most in limits.items()})
