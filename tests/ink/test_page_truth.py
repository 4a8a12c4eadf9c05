"""The measure of cut pages, on pages small enough to count by hand."""

from __future__ import annotations

import pytest

from asr.ink import Ink
from tests.ink.composed_pages import ComposedLine, ComposedMark, ComposedPage
from tests.ink.page_truth import Judgement, judge, wrong_lines


def page(lines: list[tuple[int, ...]], marks: list[tuple[int, ...]] = [], corrects: dict[int, int] | None = None):  # noqa: B006
    """A page of dots with these lines and marks."""
    n_strokes = sum(map(len, lines)) + sum(map(len, marks))
    return ComposedPage(
        Ink.of(*([[k, 0]] for k in range(n_strokes))),
        tuple(ComposedLine(line, "a", corrects=(corrects or {}).get(n)) for n, line in enumerate(lines)),
        tuple(ComposedMark("dot", mark) for mark in marks),
        "plain",
        1.0,
    )


TWO = page([(0, 1, 2), (3, 4)], [(5,), (6, 7)])


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ([[0, 1, 2], [3, 4]], []),
        ([[3, 4], [0, 1, 2]], []),  # order is another matter
        ([[0, 1, 2, 5], [3, 4], [6]], []),  # so are marks
        ([[0, 2], [3, 4]], []),  # and strokes taken for marks
        ([[0, 1], [2], [3, 4]], [0]),  # cut
        ([[0, 1, 2, 3, 4]], [0, 1]),  # joined
        ([[0, 1], [2, 3, 4]], [0, 1]),  # a stroke in the wrong line
        ([[0, 1, 2]], [1]),  # lost
    ],
)
def test_lines_are_right_or_wrong(lines: list[list[int]], wrong: list[int]) -> None:
    assert wrong_lines(TWO, lines) == wrong


def test_a_correction_may_be_in_its_line_or_a_line_of_its_own() -> None:
    corrected = page([(2,), (0, 1), (3,)], corrects={0: 1})
    assert wrong_lines(corrected, [[2], [0, 1], [3]]) == []
    assert wrong_lines(corrected, [[0, 1, 2], [3]]) == []
    assert wrong_lines(corrected, [[0, 1], [2, 3]]) == [0, 2]


def test_strokes_of_marks_and_of_writing_are_counted() -> None:
    found = judge(TWO, [[0, 1, 2, 6], [4]], [[5, 7], [3]])
    assert found == Judgement(2, 0, 0, mark_strokes=3, in_text=1, writing_strokes=5, taken=1)


def test_lines_out_of_order_are_counted() -> None:
    three = page([(0,), (1,), (2,)])
    assert judge(three, [[0], [1], [2]]).out_of_order == 0
    assert judge(three, [[0], [2], [1]]).out_of_order == 1
    assert judge(three, [[2], [1], [0]]).out_of_order == 2


def test_judgements_add_up() -> None:
    one = judge(TWO, [[0, 1, 2, 3, 4, 5]])
    assert one + one == Judgement(4, 4, 0, 6, 2, 10, 0)
    assert sum([one, one], Judgement()) == one + one
