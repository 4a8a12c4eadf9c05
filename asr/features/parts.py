"""Frames of a stretch of utterances, one below the other: what processes that compute frames hand on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.extractor import FrameExtractor

_SECONDS = 0.25  # of computing a part: long beside the way to another process, short beside a progress display's wait
_GROWTH = 4  # times as many utterances as in the part before, at most
_MOST = 1024  # utterances in a part


@dataclass(frozen=True, eq=False)
class Part:
    """Frames of consecutive utterances.

    Attributes:
        lengths: (utterances, speeds) int64 frames; without rows where there are problems.
        frames: (sum of lengths, F) float32, by utterance, then by speed.
        problems: what is wrong with the sources, a sentence each.
        n_utterances: how many utterances this part is of, with those that have problems.
        seconds: that computing it took.
    """

    lengths: NDArray[np.int64]
    frames: NDArray[np.float32]
    problems: tuple[str, ...]
    n_utterances: int
    seconds: float


def part_of(utterances: Sequence[Utterance], extractor: FrameExtractor, speeds: Sequence[float]) -> Part:
    """Compute the frames of consecutive utterances, at every speed."""
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
    """How many utterances the next part should have, to take about a quarter of a second."""

    def __init__(self) -> None:
        self.size = 1

    def learn(self, part: Part) -> None:
        """Take into account how long a part took."""
        wanted = int(part.n_utterances * _SECONDS / max(part.seconds, 1e-9))
        self.size = max(1, min(wanted, _GROWTH * part.n_utterances, _MOST))
