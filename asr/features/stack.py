"""Stack neighbouring frames side by side and keep every n-th stack, which gives fewer and wider frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values, shown


@dataclass
class FrameStackConfig:
    """Settings of a frame stack.

    Attributes:
        width: number of frames side by side, at most 100.
        stride: number of frames from one stack to the next, at most `width`.
    """

    width: int = 1
    stride: int = 1
    _target_: str = "asr.features.stack.FrameStack"


@dataclass(eq=False)
class FrameStack(FrameStackConfig):
    """Stack of the frames t * stride to t * stride + width - 1; the last frame is repeated beyond the end.

    Raises:
        ConfigError: width or stride is out of its range; a stride above the width would drop frames.

    >>> FrameStack(width=2, stride=2)(np.array([[1], [2], [3]], dtype=np.float32)).tolist()
    [[1.0, 2.0], [3.0, 3.0]]
    """

    def __post_init__(self) -> None:
        conditions = {
            "width": (1 <= self.width <= 100, "1 to 100 frames"),
            "stride": (1 <= self.stride <= max(1, self.width), f"1 to width ({shown(self.width)}), or frames are lost"),
        }
        check_values(vars(self), conditions)

    def out_length(self, n_frames: int) -> int:
        """Return the number of stacks, ceil(n_frames / stride)."""
        return -(-n_frames // self.stride)

    def __call__(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Stack frames (T, F); returns (ceil(T / stride), width * F)."""
        if self.width == 1:
            return frames
        starts = np.arange(self.out_length(len(frames))) * self.stride
        rows = np.minimum(starts[:, None] + np.arange(self.width), len(frames) - 1)
        stacked: NDArray[np.float32] = frames[rows].reshape(len(rows), self.width * frames.shape[1])
        return stacked
