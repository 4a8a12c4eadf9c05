"""Zero mean and unit variance for every value of a frame: per utterance, per speaker or over the training set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values, one_of
from asr.errors import CheckpointError, TrainingError

KINDS = ("utterance", "speaker", "corpus", "none")
_SMALLEST_DEVIATION = 1e-5  # a value that never changes becomes 0, not noise blown up
_LARGEST = 1e12  # of statistics that are loaded: what frames have, far from what would overflow float32

Frames = NDArray[np.float32]


@dataclass
class NormaliserConfig:
    """Settings of the normalisation.

    Attributes:
        per: whose mean and deviation: `utterance`, `speaker` (all utterances of one), `corpus` (the training set; needs
            to be kept with the model) or `none`.
        variance: divide by the standard deviation, too.
    """

    per: str = "utterance"
    variance: bool = True
    _target_: str = "asr.features.normalise.Normaliser"


@dataclass(frozen=True, eq=False)
class Scale:
    """What frames are normalised with; its arrays become read-only, so that many threads may share it.

    Attributes:
        mean: (F,) float32, subtracted; zeros to leave the mean as it is.
        deviation: (F,) float32, above 0, divided by; ones to leave the variance as it is.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    def __post_init__(self) -> None:
        for values in (self.mean, self.deviation):
            values.setflags(write=False)

    def apply(self, frames: Frames) -> Frames:
        """Normalise frames (T, F) float32, some or all of an utterance: (T, F) float32, an array of its own."""
        normal = np.subtract(frames, self.mean, dtype=np.float32)
        return np.divide(normal, self.deviation, out=normal)


_AS_IT_IS = Scale(np.zeros(1, dtype=np.float32), np.ones(1, dtype=np.float32))  # for frames of any size


@dataclass(frozen=True, eq=False)
class Normaliser:
    """Normalises frames; training, evaluation and a bundle use the same object. It never changes: methods that gather
    statistics return another one.

    per=corpus: `fitted` on the training frames, keep `state_dict()` with the model. per=speaker: `fitted` or
    `having_heard` every list of utterances before its frames are asked for; nothing is kept with the model, and an
    utterance of a speaker not heard (or None: a single file at recognition) is normalised by itself.

    Attributes:
        per, variance: the fields of `NormaliserConfig`.
        dim: F of the frames, to notice statistics of other features; None for any.

    Raises:
        ConfigError: `per` is unknown.
    """

    per: str = "utterance"
    variance: bool = True
    dim: int | None = None
    _corpus: Scale | None = field(default=None, init=False, repr=False)
    _speakers: Mapping[str, Scale] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check_values(vars(self), {"per": one_of(self.per, KINDS)})

    def fitted(self, pairs: Iterable[tuple[str | None, Frames]]) -> Normaliser:
        """Return a normaliser with the statistics that `per` needs, from (speaker, frames (T, F)) of many utterances.

        Sums are in float64. per=corpus: replaces the corpus statistics. per=speaker: as `having_heard`. Otherwise the
        pairs are not even asked for.

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
        """Return a normaliser that knows the speakers in (speaker, frames (T, F)), and those known before.

        The statistics of a speaker who was known before are replaced. Without per=speaker the pairs are not even asked
        for.
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
        """Whether per=speaker, and the speaker is one of those heard."""
        return speaker in self._speakers

    def scale_of(self, blocks: Iterable[Frames], speaker: str | None = None) -> Scale:
        """Return what an utterance is normalised with whose frames come block by block.

        Args:
            blocks: the utterance's frames, (T, F) float32 each, T >= 1 in all; read once, one at a time, and not even
                asked for where the statistics are known already.
            speaker: of whom, for per=speaker.

        Returns:
            The scale. Its values depend on where the frames are cut by at most one unit in the last place of float32:
            the sums are in float64, and only their rounding differs.

        Raises:
            TrainingError: per=corpus without statistics, or no frames.
        """
        if self.per == "none":
            return _AS_IT_IS
        return self._centred(self._known(speaker) or _scale_of(blocks))

    def apply(self, frames: Frames, speaker: str | None = None) -> Frames:
        """Normalise the frames of one utterance.

        Args:
            frames: (T, F) float32, T >= 1; left as they are.
            speaker: of whom, for per=speaker.

        Returns:
            (T, F) float32, an array of its own.

        Raises:
            TrainingError: per=corpus, and neither `fitted` nor `with_state` made this normaliser.
        """
        return self.scale_of((frames,), speaker).apply(frames)

    def state_dict(self) -> dict[str, NDArray[np.float32]]:
        """Return what is kept with a model: `mean` and `deviation`, (F,) float32, for per=corpus; else nothing."""
        if self._corpus is None:
            return {}
        return {"mean": self._corpus.mean.copy(), "deviation": self._corpus.deviation.copy()}

    def with_state(self, state: Mapping[str, NDArray[np.floating]]) -> Normaliser:
        """Return a normaliser with the statistics that `state_dict` gave.

        Raises:
            CheckpointError: the arrays are not those that `per` needs, or hold what no statistics are.
        """
        expected = {"mean", "deviation"} if self.per == "corpus" else set()
        if set(state) != expected:
            raise CheckpointError(f"normalisation per={self.per} needs {sorted(expected)}, found {sorted(state)}")
        if not expected:
            return self
        if not all(_is_floating(state[name]) for name in expected):
            raise CheckpointError("normalisation: expected a mean and a deviation of floating-point numbers")
        with np.errstate(over="ignore"):  # becomes infinite, and is refused
            mean, deviation = (np.array(state[name], dtype=np.float32) for name in ("mean", "deviation"))
        good = mean.ndim == 1 and mean.shape == deviation.shape and bool((np.abs(mean) <= _LARGEST).all())
        if not (good and bool(((deviation >= 1 / _LARGEST) & (deviation <= _LARGEST)).all())):
            raise CheckpointError(
                f"normalisation: expected a mean and a deviation of one shape (F,), no value above {_LARGEST:g}, no "
                f"deviation below {1 / _LARGEST:g}; the file is damaged"
            )
        if self.dim is not None and len(mean) != self.dim:
            raise CheckpointError(f"normalisation of {len(mean)} values a frame, but the features have {self.dim}")
        return self._with(Scale(mean, deviation), self._speakers)

    def _with(self, corpus: Scale | None, speakers: Mapping[str, Scale]) -> Normaliser:
        other = Normaliser(self.per, self.variance, self.dim)
        object.__setattr__(other, "_corpus", corpus)  # not fields of the constructor: a configuration cannot set them
        object.__setattr__(other, "_speakers", speakers)
        return other

    def _known(self, speaker: str | None) -> Scale | None:
        """Return the mean and the deviation that do not depend on the utterance, if there are such."""
        if self.per == "corpus":
            if self._corpus is None:
                raise TrainingError("normalisation per=corpus has no statistics yet: fit it on the training frames")
            return self._corpus
        return None if speaker is None else self._speakers.get(speaker)

    def _centred(self, scale: Scale) -> Scale:
        """Return the scale that leaves the variance as it is, unless the variance is normalised, too."""
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
