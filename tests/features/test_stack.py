from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.errors import ConfigError
from asr.features.stack import FrameStack


def test_by_hand():
    frames = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]], dtype=np.float32)
    assert FrameStack(2, 2)(frames).tolist() == [[1, 10, 2, 20], [3, 30, 3, 30]]
    assert FrameStack(3, 1)(frames).tolist() == [[1, 10, 2, 20, 3, 30], [2, 20, 3, 30, 3, 30], [3, 30, 3, 30, 3, 30]]
    assert FrameStack(1, 1)(frames) is frames
    assert FrameStack(2, 2)(frames).dtype == np.float32


@settings(deadline=None)
@given(n_frames=st.integers(1, 30), stride=st.integers(1, 5), more=st.integers(0, 3))
def test_every_frame_is_in_a_stack(n_frames, stride, more):
    stack = FrameStack(stride + more, stride)
    stacked = stack(np.arange(n_frames, dtype=np.float32)[:, None])
    assert stacked.shape == (stack.out_length(n_frames), stride + more)
    assert np.unique(stacked).tolist() == list(range(n_frames))


@pytest.mark.parametrize(("width", "stride"), [(1, 2), (0, 0), (2, 0)])
def test_a_stride_that_drops_frames_is_refused(width, stride):
    with pytest.raises(ConfigError, match=rf"stride={stride}; expected 1 to width \({width}\)"):
        FrameStack(width, stride)
