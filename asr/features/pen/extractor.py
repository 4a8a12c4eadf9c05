"""Compute frames from ink: the `FrameExtractor` of pen strokes.

The steps are: remove repeated points, slant and base line, and scale (`normalise`); resample in equal steps
(`resample`); compute values of points (`points`, `graves2009`) or of curves (`curves`).
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
_SMALLEST_STEP = 0.01  # core heights; a smaller step would give thousands of frames per word

_LARGEST = 1e9  # largest option, in units of the pen; its square is far from overflow


@dataclass
class PenConfig:
    """Settings of the pen features; see `conf/features/pen*.yaml` for presets.

    Attributes:
        kind: `plain` (10 values per point), `offsets` (3 values: Graves 2013), `graves2009` (25 values: Liwicki & Bunke
            2006, Graves et al. 2009) or `curves` (10 values per Bezier curve: Carbune et al. 2020); the functions of
            these names list the values.
        slant: remove the slant.
        baseline: level the base line.
        size: divide by the core height; without it, lengths below are in the unit of the signal.
        step: distance of points along the ink in core heights; 0 keeps the recorded points (not for `curves`).
        tolerance: largest distance of a point from its curve, in core heights; `curves` only.
        longest: largest length of ink in one curve, in core heights, so that letters get enough frames; `curves` only.
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
    """The extractor of features of ink; a `FrameExtractor` and a `PointIndexed`. Takes the fields of `PenConfig`.

    Frames are at unequal steps of the signal; `point_index` gives the position of each frame.

    Raises:
        ConfigError: a field is out of its range; says which values were expected.

    >>> features = PenFeatures(kind="plain", step=0.5)
    >>> features.compute(ink_signal(Ink.of([[0, 0], [0, 10], [5, 0]], [[2, 5], [6, 5]]))).shape[1] == features.dim == 10
    True
    """

    def __post_init__(self) -> None:
        _check(self)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the values of a frame."""
        return NAMES[self.kind]

    @property
    def dim(self) -> int:
        """Number of values per frame, F."""
        return len(self.names)

    @property
    def blocks(self) -> int:
        """Number of difference blocks: 1, as there are no differences."""
        return 1

    @property
    def centres(self) -> NDArray[np.float64] | None:
        """None, because the values are not frequency bands."""
        return None

    @property
    def frame_shift(self) -> float:
        """1, because positions are counted in frames; `point_index` converts them to points."""
        return 1.0

    def check(self, utterance: Utterance) -> None:
        """Check that the file exists and contains the segment.

        Raises:
            DataError: it does not.
        """
        ink_points(*_place(utterance))

    def read(self, utterance: Utterance) -> Signal:
        """Read the ink of an utterance and convert it to a signal with `ink_signal`.

        Raises:
            DataError: the file cannot be read; see `read_ink`.
        """
        return self.signal_of(read_ink(*_place(utterance)))

    def signal_of(self, ink: Ink) -> Signal:
        """Convert ink to a signal with `ink_signal`."""
        return ink_signal(ink)

    def at_speed(self, signal: Signal, speed: float) -> Signal:
        """Return the signal unchanged: features describe shapes, and speed only relative to the mean speed."""
        return signal

    def compute(self, signal: Signal, change: Change | None = None) -> Frames:
        """Compute the frames of ink; with the default settings, moving, scaling or shearing it does not change them.

        Args:
            signal: (N, 4) as `ink_signal` returns it, N >= 1; only the times may be NaN.
            change: an augmentation, applied to the normalised ink before its frames are computed.

        Returns:
            (T, F) float32, all finite, T >= 1; at most 8 N + 512 frames plus two per stroke.

        Raises:
            DataError: there are no points, or too many frames for a line of text.
        """
        return self._frames(signal, change)[0].astype(np.float32)

    def compute_placed(self, signal: Signal) -> tuple[Frames, Ints]:
        """Return the results of `compute` and of `point_index`."""
        frames, index = self._frames(signal)
        return frames.astype(np.float32), np.round(index).astype(np.int64)

    def point_index(self, signal: Signal) -> Ints:
        """Return the index in the signal of each frame's point, or of the nearest point: (T,) int64.

        The indices increase; with `graves2009` the points of delayed strokes are skipped. A curve has the index of its
        middle point, a pen-up that of the last point before it.
        """
        return self.compute_placed(signal)[1]

    def settings(self) -> PlainFields:
        """Return the fields of `PenConfig`."""
        return {field.name: getattr(self, field.name) for field in fields(PenConfig)}

    def _frames(self, signal: Signal, change: Change | None = None) -> tuple[Floats, Floats]:
        """Compute the frames (T, F) and their positions in the signal (T,)."""
        if signal.ndim != 2 or signal.shape[1] != 4:
            raise ValueError(f"the signal of ink is (N, 4), got {signal.shape}")
        if len(signal) == 0:
            raise DataError("the ink is empty (0 points), so there are no frames; leave it out")
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
    """Convert ink to an array.

    Returns:
        (N, 4) float32: x and y relative to the first point, seconds since the first point (NaN if a stroke has no
        times), and 1 at the last point of a stroke, else 0. Values are relative to the first point so that single
        precision is enough.

    Raises:
        DataError: the coordinates exceed the range of float32.

    >>> ink_signal(Ink.of([[5, 5, 0.0], [5, 8, 0.5]])).tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.5, 1.0]]
    """
    points = ink.points()
    times = np.concatenate([np.full(len(one), np.nan) if one.times is None else one.times for one in ink.strokes])
    signal = np.zeros((len(points), 4))
    with np.errstate(over="ignore"):  # infinite values are refused below
        signal[:, :2] = points - points[0]
    signal[:, 2] = times - times[0]
    signal[ink.stroke_ends() - 1, 3] = 1.0
    widest = np.abs(signal[:, :2]).max()
    if widest > np.finfo(np.float32).max:
        raise DataError(f"the ink reaches {widest:g} units from its first point, farther than a page; correct it")
    return signal.astype(np.float32)


def _place(utterance: Utterance) -> tuple[FilePath, int | None, int | None]:
    """Return file, first point and number of points of an utterance; without a start it is the whole file."""
    if utterance.kind != "ink":
        raise DataError(f"{utterance.source}: holds {utterance.kind}; these features read ink; choose other features")
    if utterance.start is None:
        return utterance.source, None, None
    for name in ("start", "duration"):
        value = getattr(utterance, name)
        if value is not None and not float(value).is_integer():
            raise DataError(f"{utterance.source}: {name}={value:g}; expected a whole number, as ink is cut at points")
    duration = utterance.duration
    return utterance.source, int(utterance.start), None if duration is None else int(duration)


def _check(config: PenConfig) -> None:
    """Raise a ConfigError that names every field out of its range."""
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
