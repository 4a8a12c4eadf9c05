from __future__ import annotations

import numpy as np
import pytest

from asr.features.sound.framing import Framing


def windows(n_samples: int, edges: str, window: int = 4, shift: int = 2) -> list[list[int]]:
    framing = Framing(window, shift, edges)
    cut = framing.windows(np.arange(1, n_samples + 1))
    assert len(cut) == framing.n_frames(n_samples)
    return cut.tolist()


def test_inside_by_hand():
    assert windows(7, "inside") == [[1, 2, 3, 4], [3, 4, 5, 6]]
    assert windows(4, "inside") == [[1, 2, 3, 4]]
    assert windows(3, "inside") == [[1, 2, 3, 0]]  # shorter than a window: zeros


def test_mirrored_repeats_the_end_samples():
    assert windows(6, "mirrored") == [[1, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 6]]
    assert windows(1, "mirrored") == [[1, 1, 1, 1]]


def test_centred_reflects_about_the_end_samples():
    assert windows(5, "centred") == [[3, 2, 1, 2], [1, 2, 3, 4], [3, 4, 5, 4]]
    assert windows(1, "centred") == [[1, 1, 1, 1]]
    assert windows(2, "centred") == [[1, 2, 1, 2], [1, 2, 1, 2]]


@pytest.mark.parametrize("edges", ["inside", "mirrored", "centred"])
def test_nothing_has_no_frames(edges):
    assert Framing(400, 160, edges).n_frames(0) == 0


def test_windows_may_be_shorter_than_the_shift():
    assert windows(9, "inside", window=2, shift=3) == [[1, 2], [4, 5], [7, 8]]
    assert windows(6, "mirrored", window=1, shift=3) == [[2], [5]]
