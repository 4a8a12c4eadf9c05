"""A feature of one's own: mel energies raised to a power, in place of their logarithms.

    python examples/custom_feature.py recording.wav                 # what its frames look like
    PYTHONPATH=examples asr-train features._target_=custom_feature.PowerLaw plugins=[custom_feature]

Small exponents compress loudness much as the logarithm does, but do not stretch silence towards minus infinity.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asr.corpus.utterance import Utterance
from asr.features.sound.spectral import SpectralFeatures


@dataclass(eq=False)
class PowerLaw(SpectralFeatures):
    """Log mel energies x become exp(x * exponent); the options of `features=mel64` apply, without differences."""

    exponent: float = 1 / 15

    def compute(self, signal: np.ndarray) -> np.ndarray:  # (N,) samples to (T, F) frames
        return np.exp(self.exponent * super().compute(signal))

    def compute_blocks(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:  # the same, piece by piece
        return (np.exp(self.exponent * frames) for frames in super().compute_blocks(blocks))

    def settings(self) -> dict:  # the cache's name is a hash over it
        return super().settings() | {"exponent": self.exponent}


if __name__ == "__main__":
    feature = PowerLaw(n_mels=64)
    frames = feature.compute(feature.read(Utterance("one", Path(sys.argv[1]))))
    print(f"{len(frames)} frames of {frames.shape[1]} values between {frames.min():.2f} and {frames.max():.2f}")
