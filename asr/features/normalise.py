"""Zero mean and unit variance for every value of a frame: per utterance, per speaker or over the training set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.config import check_values, one_of
from asr.errors import CheckpointError, TrainingError

KINDS = ("utterance", "speaker", "corpus", "none")
_SMALLEST_DEVIATION = 1e-5  # a value that never changes becomes 0, not noise blown up
_LARGEST = 1e12  # of statistics that are loaded: what frames have, far from what would overflow float32

Frames = Tensor | NDArray[np.float32]


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


@dataclass(eq=False)
class Normaliser(NormaliserConfig):
    """Normalises frames; training, evaluation and a bundle use the same object. Takes the fields of `NormaliserConfig`.

    per=corpus: `fit` on the training frames, keep `state_dict()` with the model. per=speaker: `fit` on every list of
    utterances before its frames are asked for; nothing is kept with the model, and an utterance of a speaker not seen
    (or None: a single file at recognition) is normalised by itself.

    Attributes:
        dim: F of the frames, to notice statistics of other features; None for any.

    Raises:
        ConfigError: `per` is unknown.
    """

    dim: int | None = None

    def __post_init__(self) -> None:
        check_values(vars(self), {"per": one_of(self.per, KINDS)})
        self._corpus: _Scale | None = None
        self._speakers: dict[str, _Scale] = {}

    def fit(self, pairs: Iterable[tuple[str | None, Frames]]) -> Normaliser:
        """Gather the statistics that `per` needs from (speaker, frames (T, F)) of many utterances; float64 sums.

        per=corpus: replaces the corpus statistics. per=speaker: as `hear`. Otherwise the pairs are not even asked for.
        """
        if self.per == "corpus":
            total = _Sums()
            for _, frames in pairs:
                total.add(frames)
            self._corpus = total.scale()
        self.hear(pairs)
        return self

    def hear(self, pairs: Iterable[tuple[str | None, Frames]]) -> None:
        """Gather the statistics of the speakers in (speaker, frames (T, F)), and replace those of speakers known.

        Without per=speaker the pairs are not even asked for.
        """
        if self.per != "speaker":
            return
        sums: dict[str, _Sums] = {}
        for speaker, frames in pairs:
            if speaker is not None:
                sums.setdefault(speaker, _Sums()).add(frames)
        self._speakers.update({speaker: each.scale() for speaker, each in sums.items()})

    def apply(self, frames: Frames, speaker: str | None = None) -> Tensor:
        """Normalise the frames of one utterance.

        Args:
            frames: (T, F) float32, T >= 1; left as they are.
            speaker: of whom, for per=speaker.

        Returns:
            (T, F) float32, a tensor of its own.

        Raises:
            TrainingError: per=corpus, and neither `fit` nor `load_state_dict` was called.
        """
        values = _as_array(frames)
        if self.per == "none":
            return torch.from_numpy(values.astype(np.float32))  # a copy
        scale = self._scale_for(values, speaker)
        normal = values - scale.mean
        if self.variance:
            normal /= scale.deviation
        return torch.from_numpy(normal)

    def knows(self, speaker: str) -> bool:
        """Whether per=speaker, and the speaker is one of those fitted."""
        return speaker in self._speakers

    def state_dict(self) -> dict[str, Tensor]:
        """Return what is kept with a model: `mean` and `deviation`, (F,) float32, for per=corpus; else nothing."""
        if self._corpus is None:
            return {}
        return {
            "mean": torch.from_numpy(self._corpus.mean.copy()),
            "deviation": torch.from_numpy(self._corpus.deviation.copy()),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take what `state_dict` gave.

        Raises:
            CheckpointError: the tensors are not those that `per` needs, or hold what no statistics are.
        """
        expected = {"mean", "deviation"} if self.per == "corpus" else set()
        if set(state) != expected:
            raise CheckpointError(f"normalisation per={self.per} needs {sorted(expected)}, found {sorted(state)}")
        if not expected:
            return
        if not all(_is_plain(state[name]) for name in expected):
            raise CheckpointError("normalisation: expected a mean and a deviation of floating-point numbers")
        mean, deviation = (state[name].detach().cpu().float().numpy() for name in ("mean", "deviation"))
        good = mean.ndim == 1 and mean.shape == deviation.shape and bool((np.abs(mean) <= _LARGEST).all())
        if not (good and bool(((deviation >= 1 / _LARGEST) & (deviation <= _LARGEST)).all())):
            raise CheckpointError(
                f"normalisation: expected a mean and a deviation of one shape (F,), no value above {_LARGEST:g}, no "
                f"deviation below {1 / _LARGEST:g}; the file is damaged"
            )
        if self.dim is not None and len(mean) != self.dim:
            raise CheckpointError(f"normalisation of {len(mean)} values a frame, but the features have {self.dim}")
        self._corpus = _Scale(mean.copy(), deviation.copy())

    def _scale_for(self, values: NDArray[np.float32], speaker: str | None) -> _Scale:
        if self.per == "corpus":
            if self._corpus is None:
                raise TrainingError("normalisation per=corpus has no statistics yet: fit it on the training frames")
            return self._corpus
        if self.per == "speaker" and speaker is not None and speaker in self._speakers:
            return self._speakers[speaker]
        alone = _Sums()
        alone.add(values)
        return alone.scale()


@dataclass(frozen=True)
class _Scale:
    mean: NDArray[np.float32]  # (F,)
    deviation: NDArray[np.float32]  # (F,)


class _Sums:
    """Count, mean and squared distance from the mean, in float64, merged block by block (Chan et al. 1979)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: NDArray[np.float64] = np.zeros(0)
        self.squares: NDArray[np.float64] = np.zeros(0)

    def add(self, frames: Frames) -> None:
        values = _as_array(frames).astype(np.float64)
        n, mean = len(values), values.mean(axis=0)
        squares = np.square(values - mean).sum(axis=0)
        if self.count == 0:
            self.count, self.mean, self.squares = n, mean, squares
            return
        total, apart = self.count + n, mean - self.mean
        self.mean = self.mean + apart * (n / total)
        self.squares = self.squares + squares + np.square(apart) * (self.count * n / total)
        self.count = total

    def scale(self) -> _Scale:
        if self.count == 0:
            raise TrainingError("no frames to take the normalisation statistics from; is the training set empty?")
        deviation = np.maximum(np.sqrt(self.squares / self.count), _SMALLEST_DEVIATION)
        return _Scale(self.mean.astype(np.float32), deviation.astype(np.float32))


def _is_plain(tensor: object) -> bool:
    return isinstance(tensor, Tensor) and tensor.is_floating_point() and tensor.layout == torch.strided


def _as_array(frames: Frames) -> NDArray[np.float32]:
    return frames.numpy() if isinstance(frames, Tensor) else frames
