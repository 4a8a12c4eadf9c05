"""Put neighbouring frames side by side and keep every n-th: fewer, wider frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values, shown


@dataclass
class FrameStackConfig:
    """Settings of a frame stack.

    Attributes:
        width: frames side by side, at most 100.
        stride: frames from one stack to the next, at most `width`.
    """

    width: int = 1
    stride: int = 1
    _target_: str = "asr.features.stack.FrameStack"


@dataclass(eq=False)
class FrameStack(FrameStackConfig):
    """Stacks frames t * stride to t * stride + width - 1; beyond the end the last frame is repeated.

    Raises:
        ConfigError: a stride above the width would drop frames, or one of them is out of its range.
    """

    def __post_init__(self) -> None:
        conditions = {
            "width": (1 <= self.width <= 100, "1 to 100 frames"),
            "stride": (1 <= self.stride <= max(1, self.width), f"1 to width ({shown(self.width)}), or frames are lost"),
        }
        check_values(vars(self), conditions)

    def out_length(self, n_frames: int) -> int:
        """ceil(T / stride)."""
        return -(-n_frames // self.stride)

    def __call__(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """(T, F) to (ceil(T / stride), width * F)."""
        if self.width == 1:
            return frames
        starts = np.arange(self.out_length(len(frames))) * self.stride
        rows = np.minimum(starts[:, None] + np.arange(self.width), len(frames) - 1)
        stacked: NDArray[np.float32] = frames[rows].reshape(len(rows), self.width * frames.shape[1])
        return stacked
