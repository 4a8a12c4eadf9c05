"""Ink in, frames out: the `FrameExtractor` of pens.

signal -> repeated points, slant, base line, size (`pen_normalise`) -> equal steps (`pen_resample`) -> values of points
(`pen_points`, `pen_graves2009`) or of curves (`pen_curves`)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values, one_of
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.pen.curves import CURVES, curves, fit
from asr.features.pen.graves2009 import GRAVES2009, MAX_FRAMES, delayed, graves2009, hats
from asr.features.pen.normalise import Floats, Ints, Trace, normalised
from asr.features.pen.points import OFFSETS, PLAIN, offsets, plain
from asr.features.pen.resample import resampled
from asr.ink.ink import Ink
from asr.ink.reading import ink_points, read_ink
from asr.plain_values import PlainFields

Change = Callable[[Trace], Trace]
Signal = NDArray[np.float32]
Frames = NDArray[np.float32]
NAMES = {"plain": PLAIN, "offsets": OFFSETS, "graves2009": GRAVES2009, "curves": CURVES}
_SMALLEST_STEP = 0.01  # core heights; below it every word would be thousands of frames

_LARGEST = 1e9  # units of any pen; its square is far from overflowing


@dataclass
class PenConfig:
    """Settings of the pen features; see `conf/features/pen*.yaml` for presets.

    Attributes:
        kind: `plain` (10 values a point), `offsets` (3: Graves 2013), `graves2009` (25: Liwicki & Bunke 2006, Graves et
            al. 2009) or `curves` (10 values a Bezier curve: Carbune et al. 2020); each documented where it is computed.
        slant: take the slant out.
        baseline: take the base line's angle out.
        size: divide by the core height; without it the unit below is the signal's.
        step: core heights from one point to the next along the ink; 0 for the recorded points (not for `curves`).
        tolerance: farthest that a point may be from its curve, in core heights; `curves` only.
        longest: most ink in one curve, in core heights, so that every letter has frames enough; `curves` only.
    """

    kind: str = "plain"
    slant: bool = True
    baseline: bool = True
    size: bool = True
    step: float = 0.2
    tolerance: float = 0.05
    longest: float = 1.0
    _target_: str = "asr.features.pen.extractor.PenFeatures"


@dataclass(eq=False)
class PenFeatures(PenConfig):
    """Frames of ink; a `FrameExtractor` and a `PointIndexed`. Takes the fields of `PenConfig`.

    Frames do not stand at equal steps of the signal: `point_index` says where each one comes from.

    Raises:
        ConfigError: a field has no sensible value; says which and what was expected.
    """

    def __post_init__(self) -> None:
        _check(self)

    @property
    def names(self) -> tuple[str, ...]:
        """What each value of a frame is."""
        return NAMES[self.kind]

    @property
    def dim(self) -> int:
        """F, values per frame."""
        return len(self.names)

    @property
    def blocks(self) -> int:
        """No difference blocks."""
        return 1

    @property
    def centres(self) -> NDArray[np.float64] | None:
        """None: no bands of frequency."""
        return None

    @property
    def frame_shift(self) -> float:
        """1: places are counted in frames; `point_index` turns them into points."""
        return 1.0

    def check(self, utterance: Utterance) -> None:
        """Look at the header of the source only."""
        ink_points(*_place(utterance))

    def read(self, utterance: Utterance) -> Signal:
        """The ink of an utterance as a signal, see `ink_signal`.

        Raises:
            DataError: names the file and the remedy.
        """
        return self.signal_of(read_ink(*_place(utterance)))

    def signal_of(self, ink: Ink) -> Signal:
        """See `ink_signal`."""
        return ink_signal(ink)

    def at_speed(self, signal: Signal, speed: float) -> Signal:
        """The signal itself: features are of shapes, and what there is of speed is relative to the mean speed."""
        return signal

    def compute(self, signal: Signal, change: Change | None = None) -> Frames:
        """Frames of ink.

        Args:
            signal: (N, 4) of `ink_signal`, N >= 1, finite but for the times.
            change: what is done to the normalised ink before its frames are computed: an augmentation.

        Returns:
            (T, F) float32, all finite, T >= 1; at most 8 N + 512 frames, and two more a stroke. The same for ink that
            is moved, scaled or (with `slant`) sheared.

        Raises:
            DataError: there are no points, or so many that they are no line of text.
        """
        return self._frames(signal, change)[0].astype(np.float32)

    def compute_placed(self, signal: Signal) -> tuple[Frames, Ints]:
        """`compute` and `point_index` at once."""
        frames, index = self._frames(signal)
        return frames.astype(np.float32), np.round(index).astype(np.int64)

    def point_index(self, signal: Signal) -> Ints:
        """Which point of the signal each frame came from, or the nearest one to it: (T,) int64, T as of `compute`.

        Rising within each kind but `graves2009`, whose delayed strokes have no frames, where it skips. A curve's is the
        middle of its points, a pen-up's the last point before it.
        """
        return self.compute_placed(signal)[1]

    def settings(self) -> PlainFields:
        """The fields of `PenConfig`."""
        return {field.name: getattr(self, field.name) for field in fields(PenConfig)}

    def _frames(self, signal: Signal, change: Change | None = None) -> tuple[Floats, Floats]:
        """(T, F) frames and (T,) places in the signal."""
        if signal.ndim != 2 or signal.shape[1] != 4:
            raise ValueError(f"the signal of ink is (N, 4), got {signal.shape}")
        if len(signal) == 0:
            raise DataError("the ink is empty (0 points): nothing to compute frames from")
        trace = normalised(signal.astype(np.float64), self.slant, self.baseline, self.size)
        if change is not None:
            trace = change(trace)
        if self.kind == "graves2009":
            covers, trace = hats(trace), trace.without(delayed(trace))
            path = resampled(trace, self.step, MAX_FRAMES)
            return graves2009(path, covers, trace.bottom, trace.top), path.index
        path = resampled(trace, self.step)
        if self.kind == "curves":
            fitted = fit(path, self.tolerance, self.longest)
            middle = path.index[(fitted.begin + fitted.end) // 2]
            return curves(fitted), middle
        return (offsets if self.kind == "offsets" else plain)(path), path.index


def ink_signal(ink: Ink) -> Signal:
    """Ink as numbers.

    Returns:
        (N, 4) float32: x and y from the first point on, seconds from the first point on or NaN where a stroke has no
        times, 1 at the last point of a stroke. Taken from the first point on, so that single precision is enough
        wherever on the page and whenever the ink was written.

    Raises:
        DataError: it reaches further than float32 numbers do.
    """
    points = ink.points()
    times = np.concatenate([np.full(len(one), np.nan) if one.times is None else one.times for one in ink.strokes])
    signal = np.zeros((len(points), 4))
    with np.errstate(over="ignore"):  # what is infinite then is refused below
        signal[:, :2] = points - points[0]
    signal[:, 2] = times - times[0]
    signal[ink.stroke_ends() - 1, 3] = 1.0
    widest = np.abs(signal[:, :2]).max()
    if widest > np.finfo(np.float32).max:
        raise DataError(f"the ink reaches {widest:g} units from its first point; no page does, correct its coordinates")
    return signal.astype(np.float32)


def _place(utterance: Utterance) -> tuple[FilePath, int | None, int | None]:
    """File, first point and number of points; without a start the whole file is meant."""
    if utterance.kind != "ink":
        raise DataError(f"{utterance.source}: holds {utterance.kind}, these features read ink; choose other features")
    if utterance.start is None:
        return utterance.source, None, None
    for name in ("start", "duration"):
        value = getattr(utterance, name)
        if value is not None and not float(value).is_integer():
            raise DataError(f"{utterance.source}: {name}={value:g}; ink is cut by points, expected a whole number")
    duration = utterance.duration
    return utterance.source, int(utterance.start), None if duration is None else int(duration)


def _check(config: PenConfig) -> None:
    """Raise a ConfigError that names every field without a sensible value."""
    fine = _SMALLEST_STEP if config.size else 0.0
    recorded = config.step == 0 and config.kind != "curves"
    conditions = {
        "kind": one_of(config.kind, NAMES),
        "step": (
            recorded or (0 < config.step <= _LARGEST and config.step >= fine),
            f"{fine:g} or more core heights, such as 0.2, or 0 for the points as recorded (not with kind=curves)",
        ),
        "tolerance": (0 < config.tolerance <= _LARGEST, "above 0, such as 0.05"),
        "longest": (0 < config.longest <= _LARGEST, "above 0, such as 1.0"),
    }
    check_values(vars(config), conditions)
