"""The rule of the benchmark of pages that tells segments with several lines."""

from __future__ import annotations

import numpy as np
import pytest

from asr.ink import Ink
from benchmarks.unipen_lines import holds_several_lines, size_of
from tests.ink.composed_pages import compose
from tests.ink.synthetic_lines import synthetic_lines


@pytest.mark.parametrize("style", ["print", "script"])
def test_single_lines_are_told_from_pages(style: str) -> None:
    lines = synthetic_lines(style)
    assert not [line.text for line in lines if holds_several_lines(line.ink)]
    for seed in range(8):
        assert holds_several_lines(compose([lines[0], lines[3]], "plain", seed).page)


def test_short_lines_are_told_by_their_height() -> None:
    letter = np.array([[0.0, 1.0], [0.0, 0.0], [0.5, 0.5]])
    row = [letter, letter + np.array([1.0, 0.0])]
    assert not holds_several_lines(Ink.of(*row))
    assert holds_several_lines(Ink.of(*row, *(shape - [0.0, 3.0 * k] for k in (1, 2) for shape in row)))


def test_dots_have_no_size() -> None:
    assert size_of(Ink.of([[0, 0]], [[5, 5]])) == 0.0
    assert not holds_several_lines(Ink.of([[0, 0]], [[5, 5]]))
