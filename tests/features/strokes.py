"""Extractors of another kind than ours, in a module of their own: worker processes import it."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.corpus.utterance import Utterance
from asr.errors import DataError


@dataclass
class Strokes:
    """A `FrameExtractor` of another kind: points of a pen as text, one frame a point."""

    scale: float = 1.0
    dim: int = 2
    blocks: int = 1
    centres: None = None
    frame_shift: float = 1.0

    def check(self, utterance: Utterance) -> None:
        self.read(utterance)

    def read(self, utterance: Utterance) -> NDArray[np.float32]:
        points = np.loadtxt(utterance.source, ndmin=2, dtype=np.float32)
        if points.shape[1] != 2:
            raise DataError(f"{utterance.source}: points have two coordinates")
        return points

    def at_speed(self, signal: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
        return signal

    def compute(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        return signal * np.float32(self.scale)

    def settings(self) -> dict[str, Any]:
        return {"_target_": "Strokes", "scale": self.scale}


class Unchecked(Strokes):
    """Finds what is wrong with a file when it is read, not before."""

    def check(self, utterance: Utterance) -> None: ...


class Deadly(Unchecked):
    """Ends its process, as a system without memory does, when it reads the file `3.txt`."""

    def read(self, utterance: Utterance) -> NDArray[np.float32]:
        if utterance.source.name == "3.txt":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(utterance)


class Faulty(Strokes):
    """Has a bug that the file `3.txt` shows."""

    def compute(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        if signal[0, 0] == 3:
            raise ZeroDivisionError("float division by zero")
        return super().compute(signal)


class Slow(Unchecked):
    """Reads the file `0.txt` slowly, so that others are ready before it."""

    def read(self, utterance: Utterance) -> NDArray[np.float32]:
        if utterance.source.name == "0.txt":
            time.sleep(1.0)
        return super().read(utterance)


class Witness(Strokes):
    """Frames that say in which process they were computed, and whether torch and the tests were imported there."""

    def compute(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        print("printing harms nobody")
        there = any(name in sys.modules for name in ("torch", "pytest"))
        return np.full((len(signal), 2), (os.getpid(), there), dtype=np.float32)
