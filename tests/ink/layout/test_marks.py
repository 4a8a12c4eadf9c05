"""Marks of every kind that geometry knows, drawn beside, over and under writing."""

from __future__ import annotations

import numpy as np
import pytest

from asr.ink import Ink, Layout, analyse, read_ink
from asr.seeds import generator
from tests.ink import drawn_marks as drawn
from tests.ink.layout.test_lines import write_page

UNIT = 25.0
LINES = ["hillsong non", "snoping till", "non noons hop"]


def analysed(mark: list[np.ndarray], lines: list[str] = LINES) -> tuple[Layout, list[list[int]], list[int]]:
    """The layout of three lines and then a mark in units of the x-height, with the origin where the first line begins;
    the true lines and the strokes of the mark."""
    page, line_of = write_page(lines, pitch=4)
    added = Ink.of(*(np.asarray(points) * UNIT + [300, 700] for points in mark)).strokes
    n = len(page.strokes)
    truth = [[k for k in range(n) if line_of[k] == line] for line in range(len(lines))]
    return analyse(Ink((*page.strokes, *added))), truth, list(range(n, n + len(added)))


RANDOM = generator(3, "marks")
TURN = np.linspace(0, 2 * np.pi, 16)
MARKS = {
    "underline": drawn.underline(0.5, 6.0, -8.6, RANDOM),
    "strike_through": drawn.strike_through(0.5, 6.0, 0.55, RANDOM),
    "box": [drawn.path([[-1, -1.6], [-1, 2.9], [13.5, 2.9], [13.5, -1.6], [-1, -1.6]], RANDOM)],
    "margin": drawn.margin(-1.5, -10.0, 3.0, RANDOM),
    "rule": [drawn.level(-4.0, 20.0, -11.0, RANDOM)],
    "bracket": [np.array([[-1.0, 2.0], [-1.5, 2.0], [-1.5, -4.5], [-1.0, -4.5]])],
    "dot": [np.array([[30.0, -9.6]])],
    "arrow": [np.array([[16.0, 0.5], [19.0, 0.5]]), np.array([[18.3, 1.0], [19.0, 0.5], [18.3, 0.0]])],
    "scribble": [np.array([[16 + 0.3 * k, 1.0 + 2.2 * (-1) ** k] for k in range(12)])],
}


@pytest.mark.parametrize("kind", MARKS)
def test_a_mark_changes_no_line(kind: str) -> None:
    layout, lines, mark = analysed(MARKS[kind])
    assert [list(line.strokes) for line in layout.lines] == lines
    assert [k for one in layout.marks for k in one.strokes] == mark
    assert {one.kind for one in layout.marks} == {kind}


def test_a_box_of_four_sides() -> None:
    corners = np.array([[-1, -1.6], [-1, 2.9], [14.5, 2.9], [14.5, -1.6], [-1, -1.6]])
    layout, lines, mark = analysed([corners[k : k + 2] for k in range(4)])
    assert [list(line.strokes) for line in layout.lines] == lines
    assert [one.strokes for one in layout.marks] == [tuple(mark)]


def test_bullets_below_each_other() -> None:
    page, line_of = write_page(LINES, pitch=4)
    strokes, truth, bullets = [], [[] for _ in LINES], []
    for k, (stroke, line) in enumerate(zip(page.strokes, line_of, strict=True)):
        if k == 0 or line != line_of[k - 1]:
            (ring,) = drawn.bullet(-1.6, 0.5 - 4 * line, np.random.default_rng(9))
            bullets.append(len(strokes))
            strokes.append(ring * UNIT + [300, 700])
        truth[line].append(len(strokes))
        strokes.append(stroke.points)
    layout = analyse(Ink.of(*strokes))
    assert [list(line.strokes) for line in layout.lines] == truth
    assert [(one.kind, one.strokes) for one in layout.marks] == [("bullet", (k,)) for k in bullets]


@pytest.mark.parametrize("shape", ["ring", "dash", "box"])
def test_bullets_drawn_after_all_lines(shape: str) -> None:
    path = {
        "ring": 0.2 * np.column_stack([np.cos(TURN), np.sin(TURN)]),
        "dash": np.array([[-0.35, 0.0], [0.35, 0.02]]),
        "box": 0.4 * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1], [-1, -1]]),
    }[shape]
    layout, lines, marks = analysed([np.add(path, [-1.6, 0.5 - 4 * line]) for line in range(len(LINES))])
    assert [list(line.strokes) for line in layout.lines] == lines
    assert [(one.kind, one.strokes) for one in layout.marks] == [("bullet", (k,)) for k in marks]


def test_a_sign_of_equality_is_no_pair_of_bullets() -> None:
    layout, _, signs = analysed([np.array([[-2.4, y], [-1.7, y + 0.02]]) for y in (0.7, 0.3)])
    assert layout.marks == ()
    assert set(signs) <= set(layout.lines[0].strokes)


@pytest.mark.parametrize(
    "stroke",
    [[[13.8, 0.5], [14.5, 0.52]], [[15.0, 0.4], [16.5, 0.4]], [[14.0, 0.0], [14.02, 0.05]], [[14.5, 0], [14.5, 2.2]]],
    ids=["hyphen", "dash", "full stop", "l"],
)
def test_what_is_writing_stays(stroke: list[list[float]]) -> None:
    layout, _, (mark,) = analysed([np.asarray(stroke)], ["hillsong non hilling"])
    assert layout.marks == ()
    assert mark in layout.lines[0].strokes


@pytest.mark.parametrize("strokes", [[[[0, 0], [9, 0]]], [[[0, 0], [0, 9]], [[5, 0], [5, 9]]], [[[0, 5], [90, 5]]] * 3])
def test_a_page_of_nothing_but_marks_is_writing(strokes: list[list[list[float]]]) -> None:
    layout = analyse(Ink.of(*strokes))
    assert layout.lines
    assert layout.marks == ()


def test_cases(shared_cases) -> None:  # type: ignore[no-untyped-def]
    for name, marks, n_lines in [
        ("stray_dot/x_one_point_stroke.xopp", ["dot"], 1),
        ("boxed_or_ruled/x_boxed.xopp", ["box"], 2),
        ("boxed_or_ruled/x_ruled_by_pen.xopp", ["rule", "underline"], 2),
    ]:
        layout = analyse(read_ink(shared_cases / name))
        kinds = [mark.kind for mark in layout.marks]
        assert kinds, name
        assert set(kinds) <= set(marks), name
        assert len(layout.lines) == n_lines, name


def test_scale_and_place_change_nothing() -> None:
    page, _ = write_page(LINES, pitch=4)
    marks = [np.asarray(points) * UNIT + [300, 700] for kind in MARKS for points in MARKS[kind]]
    strokes = [stroke.points for stroke in page.strokes] + marks
    first = analyse(Ink.of(*strokes))
    second = analyse(Ink.of(*(points * 7.0 + [-5000, 1234] for points in strokes)))
    assert [line.strokes for line in first.lines] == [line.strokes for line in second.lines]
    assert first.marks == second.marks


def test_grid_paper_scribbles_and_dots_are_answered() -> None:
    random = np.random.default_rng(1)
    grid = [[[0, 10 * k], [1000, 10 * k]] for k in range(100)] + [[[10 * k, 0], [10 * k, 1000]] for k in range(100)]
    turn = np.linspace(0, 900, 20_000)
    spiral = np.column_stack([turn * np.cos(turn), turn * np.sin(turn)])
    for strokes in (grid, [spiral, [[0, 0], [1, 1]]], [random.uniform(0, 900, (1, 2)) for _ in range(3000)]):
        layout = analyse(Ink.of(*strokes))
        found = sorted(k for one in (*layout.lines, *layout.marks) for k in one.strokes)
        assert found == list(range(len(strokes)))


def _with(mark: list[np.ndarray], at: int | None = None) -> list[tuple[str, tuple[int, ...]]]:
    """The marks found where strokes round the first letter of three lines are drawn: last, or as stroke `at`."""
    page, _ = write_page(["n hillsong non", "snoping till", "non noons hop"], pitch=4)
    corner = page.strokes[0].points.min(axis=0)
    strokes = list(page.strokes)
    at = len(strokes) if at is None else at
    strokes[at:at] = Ink.of(*(points * UNIT + corner for points in mark)).strokes
    return [(one.kind, one.strokes) for one in analyse(Ink(tuple(strokes))).marks]


@pytest.mark.parametrize(("kind", "y", "left"), [("underline", -0.3, -0.2), ("strike_through", 0.45, -0.5)])
def test_one_letter_is_marked_when_the_pen_comes_back(kind: str, y: float, left: float) -> None:
    bar = np.array([[left, y], [0.5 - left, y + 0.02]])
    n = len(write_page(["n hillsong non", "snoping till", "non noons hop"], pitch=4)[0].strokes)
    assert _with([bar]) == [(kind, (n,))]


def test_a_bar_drawn_at_once_is_of_its_letter() -> None:
    bar = np.array([[-0.5, 0.45], [1.0, 0.47]])
    assert _with([bar], at=1) == []


def test_a_dot_high_above_the_writing_is_a_stray() -> None:
    n = len(write_page(["n hillsong non", "snoping till", "non noons hop"], pitch=4)[0].strokes)
    assert _with([np.array([[0.2, 4.2]])]) == [("dot", (n,))]


def test_a_touch_is_no_writing_that_it_could_be_near_to() -> None:
    layout, _, touch = analysed([np.array([[30.0, -9.6], [30.1, -9.1]])])
    assert [(one.kind, list(one.strokes)) for one in layout.marks] == [("dot", touch)]


def test_a_stop_far_from_the_word_that_it_ends_stays() -> None:
    page, _ = write_page(["hillsong non"], pitch=4)
    right = max(stroke.points[:, 0].max() for stroke in page.strokes)
    stop = Ink.of([[right + 2.9 * UNIT, 700]]).strokes
    assert analyse(Ink((*page.strokes, *stop))).marks == ()


@pytest.mark.parametrize(("y", "kind"), [(0.5, "strike_through"), (1.0, None)], ids=["strike", "bar"])
def test_a_bar_far_past_the_last_letter_strikes_it_if_it_is_in_its_middle(y: float, kind: str | None) -> None:
    page, line_of = write_page(["hillson  o", "snoping till"], pitch=4)
    last = line_of.index(1)
    left, bottom = page.strokes[last - 1].points.min(axis=0)
    bar = Ink.of(np.array([[-2.0, y], [2.5, y + 0.02]]) * UNIT + [left, bottom]).strokes
    layout = analyse(Ink((*page.strokes[:last], *bar, *page.strokes[last:])))
    assert [(one.kind, one.strokes) for one in layout.marks] == ([] if kind is None else [(kind, (last,))])


def test_an_underline_drawn_with_the_line_below_it_is_none_of_its_bars() -> None:
    page, line_of = write_page(["hillson non", "snoos noon"], pitch=2.6)
    last = line_of.index(1)
    left, bottom = page.strokes[0].points.min(axis=0)
    under = Ink.of(np.array([[0.0, -0.35], [3.5, -0.33]]) * UNIT + [left, bottom]).strokes
    layout = analyse(Ink((*page.strokes[: last + 1], *under, *page.strokes[last + 1 :])))
    assert [(one.kind, one.strokes) for one in layout.marks] == [("underline", (last + 1,))]


@pytest.mark.parametrize(
    "arrow",
    [
        [[16.0, 0.5], [17.6, 0.5], [16.7, 1.1], [17.6, 0.5], [16.7, -0.1]],
        [[16, 0], [18, 3], [17.2, 2.5], [18, 3], [18, 2]],
    ],
    ids=["short", "steep"],
)
def test_arrows_in_one_stroke(arrow: list[list[float]]) -> None:
    layout, lines, mark = analysed([drawn.path(arrow, generator(1, "arrow"), 0.01)])
    assert [list(line.strokes) for line in layout.lines] == lines
    assert [(one.kind, list(one.strokes)) for one in layout.marks] == [("arrow", mark)]


@pytest.mark.parametrize("n_strokes", [1, 4])
def test_a_box_round_one_letter(n_strokes: int) -> None:
    page, _ = write_page(["n hillsong non", "snoping till", "non noons hop"], pitch=4)
    (left, bottom), (right, top) = np.array([[-0.4, -0.4], np.ptp(page.strokes[0].points, axis=0) / UNIT + 0.4])
    corners = np.array([[left, bottom], [left, top], [right, top], [right, bottom], [left, bottom]])
    drawn_box = [corners] if n_strokes == 1 else [corners[k : k + 2] for k in range(4)]
    n = len(page.strokes)
    assert _with(drawn_box) == [("box", tuple(range(n, n + n_strokes)))]


def test_a_low_zigzag_is_a_scribble() -> None:
    zigzag = np.array([[20 + 0.3 * k, 0.5 + 0.6 * (-1) ** k] for k in range(9)])
    n = len(write_page(["n hillsong non", "snoping till", "non noons hop"], pitch=4)[0].strokes)
    assert _with([zigzag]) == [("scribble", (n,))]
