"""Normalise frames to zero mean and unit variance, per utterance, per speaker or over the training set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values, one_of
from asr.errors import CheckpointError, TrainingError

KINDS = ("utterance", "speaker", "corpus", "none")
_SMALLEST_DEVIATION = 1e-5  # a constant value becomes 0; dividing by less would amplify rounding errors
_LARGEST = 1e12  # largest accepted value of loaded statistics, far below overflow of float32

Frames = NDArray[np.float32]


@dataclass
class NormaliserConfig:
    """Settings of the normalisation.

    Attributes:
        per: the set over which mean and deviation are computed: `utterance`, `speaker` (all utterances of a speaker),
            `corpus` (the training set; the statistics are stored with the model) or `none`.
        variance: also divide by the standard deviation.
    """

    per: str = "utterance"
    variance: bool = True
    _target_: str = "asr.features.normalise.Normaliser"


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and deviation for normalising frames; the arrays become read-only, so that threads may share them.

    Attributes:
        mean: (F,) float32, subtracted from frames; zeros keep the mean.
        deviation: (F,) float32 above 0, by which frames are divided; ones keep the variance.

    >>> scale = Scale(np.array([1, 2], dtype=np.float32), np.array([1, 4], dtype=np.float32))
    >>> scale.apply(np.array([[3, 6]], dtype=np.float32)).tolist()
    [[2.0, 1.0]]
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    def __post_init__(self) -> None:
        for values in (self.mean, self.deviation):
            values.setflags(write=False)

    def apply(self, frames: Frames) -> Frames:
        """Return normalised frames, (T, F) float32, as a new array; `frames` may be a part of an utterance."""
        normal = np.subtract(frames, self.mean, dtype=np.float32)
        return np.divide(normal, self.deviation, out=normal)


_AS_IT_IS = Scale(np.zeros(1, dtype=np.float32), np.ones(1, dtype=np.float32))  # for frames of any size


@dataclass(frozen=True, eq=False)
class Normaliser:
    """The normalisation of frames; immutable: methods that collect statistics return a new object.

    With per=corpus, call `fitted` on the training frames and store `state_dict()` with the model. With per=speaker,
    call `fitted` or `having_heard` for every list of utterances before normalising its frames; nothing is stored with
    the model, and an utterance of an unknown speaker (or None) is normalised by itself.

    Attributes:
        per, variance: the fields of `NormaliserConfig`.
        dim: number of values per frame, to refuse statistics of other features; None accepts any.

    Raises:
        ConfigError: `per` is unknown.

    >>> Normaliser(per="utterance").apply(np.array([[1.0], [3.0]], dtype=np.float32)).tolist()
    [[-1.0], [1.0]]
    """

    per: str = "utterance"
    variance: bool = True
    dim: int | None = None
    _corpus: Scale | None = field(default=None, init=False, repr=False)
    _speakers: Mapping[str, Scale] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check_values(vars(self), {"per": one_of(self.per, KINDS)})

    def fitted(self, pairs: Iterable[tuple[str | None, Frames]]) -> Normaliser:
        """Return a normaliser with the statistics that `per` needs; the sums are in float64.

        With per=corpus, new corpus statistics are computed. With per=speaker, this is `having_heard`. Otherwise the
        pairs are not iterated.

        Args:
            pairs: (speaker, frames (T, F)) of all utterances.

        Raises:
            TrainingError: per=corpus, and there are no frames.
        """
        if self.per != "corpus":
            return self.having_heard(pairs)
        total = _Sums()
        for _, frames in pairs:
            total.add(frames)
        return self._with(total.scale(), self._speakers)

    def having_heard(self, pairs: Iterable[tuple[str | None, Frames]]) -> Normaliser:
        """Return a normaliser that also has the statistics of these speakers; known speakers are replaced.

        Unless per=speaker, the pairs are not iterated.

        Args:
            pairs: (speaker, frames (T, F)) of utterances.
        """
        if self.per != "speaker":
            return self
        sums: dict[str, _Sums] = {}
        for speaker, frames in pairs:
            if speaker is not None:
                sums.setdefault(speaker, _Sums()).add(frames)
        heard = {speaker: each.scale() for speaker, each in sums.items()}
        return self._with(self._corpus, {**self._speakers, **heard})

    def knows(self, speaker: str) -> bool:
        """Return whether there are statistics of this speaker."""
        return speaker in self._speakers

    def scale_of(self, blocks: Iterable[Frames], speaker: str | None = None) -> Scale:
        """Return mean and deviation for an utterance whose frames come in blocks.

        Args:
            blocks: the utterance's frames, (t, F) float32 each, at least one frame in all; iterated once, or not at all
                if the statistics are already known.
            speaker: the speaker, for per=speaker.

        Returns:
            The scale. Other block sizes change it by at most one unit in the last place of float32.

        Raises:
            TrainingError: per=corpus without statistics, or there are no frames.
        """
        if self.per == "none":
            return _AS_IT_IS
        return self._centred(self._known(speaker) or _scale_of(blocks))

    def apply(self, frames: Frames, speaker: str | None = None) -> Frames:
        """Normalise the frames of one utterance.

        Args:
            frames: (T, F) float32, T >= 1; not modified.
            speaker: the speaker, for per=speaker.

        Returns:
            (T, F) float32, a new array.

        Raises:
            TrainingError: per=corpus, and this object comes from neither `fitted` nor `with_state`.
        """
        return self.scale_of((frames,), speaker).apply(frames)

    def state_dict(self) -> dict[str, NDArray[np.float32]]:
        """Return the arrays to store with a model: `mean` and `deviation`, (F,) float32, for per=corpus; else none."""
        if self._corpus is None:
            return {}
        return {"mean": self._corpus.mean.copy(), "deviation": self._corpus.deviation.copy()}

    def with_state(self, state: Mapping[str, NDArray[np.floating]]) -> Normaliser:
        """Return a normaliser with the statistics that `state_dict` returned.

        Raises:
            CheckpointError: the arrays are not those that `per` needs, or their values are invalid.
        """
        expected = {"mean", "deviation"} if self.per == "corpus" else set()
        if set(state) != expected:
            raise CheckpointError(f"normalisation per={self.per} needs {sorted(expected)}, found {sorted(state)}")
        if not expected:
            return self
        if not all(_is_floating(state[name]) for name in expected):
            raise CheckpointError("normalisation: expected a mean and a deviation of floating-point numbers")
        with np.errstate(over="ignore"):  # infinite values are refused below
            mean, deviation = (np.array(state[name], dtype=np.float32) for name in ("mean", "deviation"))
        good = mean.ndim == 1 and mean.shape == deviation.shape and bool((np.abs(mean) <= _LARGEST).all())
        if not (good and bool(((deviation >= 1 / _LARGEST) & (deviation <= _LARGEST)).all())):
            raise CheckpointError(
                f"normalisation: expected a mean and a deviation of one shape (F,), no value above {_LARGEST:g}, no "
                f"deviation below {1 / _LARGEST:g}; the file is damaged"
            )
        if self.dim is not None and len(mean) != self.dim:
            raise CheckpointError(
                f"normalisation: the statistics have {len(mean)} values per frame, but the features have {self.dim}"
            )
        return self._with(Scale(mean, deviation), self._speakers)

    def _with(self, corpus: Scale | None, speakers: Mapping[str, Scale]) -> Normaliser:
        other = Normaliser(self.per, self.variance, self.dim)
        object.__setattr__(other, "_corpus", corpus)  # no argument of the constructor, so no configuration can set it
        object.__setattr__(other, "_speakers", speakers)
        return other

    def _known(self, speaker: str | None) -> Scale | None:
        """Return the statistics of the corpus or of the speaker; None if the utterance needs its own."""
        if self.per == "corpus":
            if self._corpus is None:
                raise TrainingError("normalisation per=corpus has no statistics yet: fit it on the training frames")
            return self._corpus
        return None if speaker is None else self._speakers.get(speaker)

    def _centred(self, scale: Scale) -> Scale:
        """Return the scale, without its deviation if the variance is not to be normalised."""
        return scale if self.variance else Scale(scale.mean, np.ones_like(scale.deviation))


class _Sums:
    """Count, mean and squared distance from the mean, in float64, merged block by block (Chan et al. 1979)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: NDArray[np.float64] = np.zeros(0)
        self.squares: NDArray[np.float64] = np.zeros(0)

    def add(self, frames: Frames) -> None:
        n = len(frames)
        if n == 0:
            return
        values = frames.astype(np.float64)
        mean = values.mean(axis=0)
        squares = np.square(values - mean).sum(axis=0)
        if self.count == 0:
            self.count, self.mean, self.squares = n, mean, squares
            return
        total, apart = self.count + n, mean - self.mean
        self.mean = self.mean + apart * (n / total)
        self.squares = self.squares + squares + np.square(apart) * (self.count * n / total)
        self.count = total

    def scale(self) -> Scale:
        if self.count == 0:
            raise TrainingError("no frames to take the normalisation statistics from; is the training set empty?")
        deviation = np.maximum(np.sqrt(self.squares / self.count), _SMALLEST_DEVIATION)
        return Scale(self.mean.astype(np.float32), deviation.astype(np.float32))


def _scale_of(blocks: Iterable[Frames]) -> Scale:
    sums = _Sums()
    for block in blocks:
        sums.add(block)
    return sums.scale()


def _is_floating(values: object) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind == "f"
