"""Compute the frames of consecutive utterances in parts, the unit that worker processes send back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.extractor import FrameExtractor

_SECONDS = 0.25  # wanted time per part: much longer than sending it, much shorter than a progress display waits
_GROWTH = 4  # largest ratio of the sizes of two successive parts
_MOST = 1024  # largest number of utterances in a part


@dataclass(frozen=True, eq=False)
class Part:
    """Frames of consecutive utterances.

    Attributes:
        lengths: (utterances, speeds) int64, numbers of frames; no rows if there are problems.
        frames: (sum of lengths, F) float32, ordered by utterance, then by speed.
        problems: one sentence for each source that cannot be read.
        n_utterances: number of utterances, including those with problems.
        seconds: time that the computation took.
    """

    lengths: NDArray[np.int64]
    frames: NDArray[np.float32]
    problems: tuple[str, ...]
    n_utterances: int
    seconds: float


def part_of(utterances: Sequence[Utterance], extractor: FrameExtractor, speeds: Sequence[float]) -> Part:
    """Compute the frames of utterances at every speed; sources that cannot be read go to `Part.problems`."""
    began = time.perf_counter()
    frames: list[NDArray[np.float32]] = []
    problems: list[str] = []
    for utterance in utterances:
        try:
            signal = extractor.read(utterance)
            frames += [extractor.compute(extractor.at_speed(signal, speed)) for speed in speeds]
        except DataError as error:
            problems.append(f"{utterance.id}: {error}")
    if problems:
        frames = []  # nothing will be written
    lengths = np.array([len(one) for one in frames], dtype=np.int64).reshape(-1, len(speeds))
    together = np.concatenate(frames, dtype="<f4") if frames else np.zeros((0, extractor.dim), dtype="<f4")
    return Part(lengths, together, tuple(problems), len(utterances), time.perf_counter() - began)


class Pace:
    """Chooses the number of utterances of the next part so that it takes about a quarter of a second."""

    def __init__(self) -> None:
        self.size = 1

    def learn(self, part: Part) -> None:
        """Set the next size from the time that a part took."""
        wanted = int(part.n_utterances * _SECONDS / max(part.seconds, 1e-9))
        self.size = max(1, min(wanted, _GROWTH * part.n_utterances, _MOST))
