"""Composed pages say the truth about themselves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from asr.ink import Ink
from tests.ink.composed_pages import LAYERS, LINE_LAYERS, MARK_LAYERS, ComposedPage, compose, composed_pages
from tests.ink.synthetic_lines import TEXTS, synthetic_lines

SEEDS = range(6)


@pytest.fixture(scope="module", params=["print", "script"])
def pages(request: pytest.FixtureRequest) -> list[ComposedPage]:
    lines = synthetic_lines(request.param)
    return [compose(lines, layer, seed) for layer in LAYERS for seed in SEEDS]


def heights(page: ComposedPage, strokes: tuple[int, ...]) -> tuple[float, float]:
    """Lowest and highest y, in h."""
    points = np.concatenate([page.page.strokes[k].points for k in strokes])
    return float(points[:, 1].min()) / page.size, float(points[:, 1].max()) / page.size


def test_every_stroke_is_of_one_line_or_mark(pages: list[ComposedPage]) -> None:
    for page in pages:
        parts = [line.strokes for line in page.lines] + [mark.strokes for mark in page.marks]
        assert sorted(k for part in parts for k in part) == list(range(len(page.page.strokes)))
        for part in parts:
            assert list(part) == sorted(part)


def test_lines_are_those_given_in_their_order(pages: list[ComposedPage]) -> None:
    for page in pages:
        assert [line.text for line in page.lines if line.corrects is None] == list(TEXTS)
        columns = [line.column for line in page.lines]
        assert columns == sorted(columns)
        assert (max(columns) > 0) == (page.layer == "columns") or page.layer == "everything"


def test_a_line_keeps_its_shape() -> None:
    """The points of a line that is neither turned nor bent are those given, scaled and shifted, but for its slope."""
    lines = synthetic_lines()
    page = compose(lines, "sloped", 3)
    for line, given in zip(page.lines, lines, strict=True):
        own = Ink(tuple(page.page.strokes[k] for k in line.strokes)).points()
        assert own.shape == given.ink.points().shape
        source = np.column_stack([given.ink.points(), np.ones(len(own))])
        fitted, *_ = np.linalg.lstsq(source, own, rcond=None)
        assert np.abs(source @ fitted - own).max() < 1e-6 * page.size
        stretch = np.linalg.svd(fitted[:2], compute_uv=False)
        assert stretch[0] < 1.2 * stretch[1]


def test_marks_are_of_the_kind_of_the_layer(pages: list[ComposedPage]) -> None:
    names = {"list": "bullet", "ruled": "rule"}
    for page in pages:
        kinds = {mark.kind for mark in page.marks}
        if page.layer in MARK_LAYERS and page.layer not in ("dot", "scribble", "arrow"):
            assert kinds == {names.get(page.layer, page.layer)}
        elif page.layer in MARK_LAYERS:  # there may be no room for any
            assert kinds <= {page.layer}
        elif page.layer in LINE_LAYERS:
            assert not kinds
    drawn = {mark.kind for page in pages for mark in page.marks}
    assert drawn == {names.get(layer, layer) for layer in MARK_LAYERS}


def test_dots_stand_apart(pages: list[ComposedPage]) -> None:
    checked = 0
    for page in pages:
        if page.layer != "dot":
            continue
        writing = np.concatenate([page.page.strokes[k].points for line in page.lines for k in line.strokes])
        for mark in page.marks:
            for k in mark.strokes:
                points = page.page.strokes[k].points
                apart = np.hypot(*(writing[:, None] - points[None]).transpose(2, 0, 1)).min()
                assert apart >= 0.9 * page.size  # the box around it keeps 1 h; the page is turned a little
                checked += 1
    assert checked > 5


def test_lines_that_are_tight_lie_below_each_other(pages: list[ComposedPage]) -> None:
    for page in pages:
        if page.layer == "tight":
            points = [np.concatenate([page.page.strokes[k].points for k in line.strokes]) for line in page.lines]
            middles = [float(np.median(own[own[:, 0] < own[:, 0].min() + 8 * page.size, 1])) for own in points]
            gaps = [(above - below) / page.size for above, below in pairwise(middles)]
            assert min(gaps) > 0.8
            assert np.median(gaps) < 2.6


def test_corrections_stand_above_their_line(pages: list[ComposedPage]) -> None:
    corrections = [
        (page, line) for page in pages if page.layer == "correction" for line in page.lines if line.corrects is not None
    ]
    assert len(corrections) > 5
    for page, line in corrections:
        assert line.corrects is not None
        corrected = page.lines[line.corrects]
        assert corrected.corrects is None
        assert line.text in [text.split()[0] for text in TEXTS]
        above, below = heights(page, line.strokes), heights(page, corrected.strokes)
        assert np.mean(above) > np.mean(below)


def test_marks_are_written_behind_their_lines_or_before_all() -> None:
    lines = synthetic_lines()
    late = 0
    for seed in range(12):
        page = compose(lines, "underline", seed)
        first_of_second_line = page.lines[1].strokes[0]
        for mark in page.marks:
            assert mark.strokes[0] > page.lines[0].strokes[-1]
            late += mark.strokes[0] > first_of_second_line
        assert compose(lines, "ruled", seed).marks[0].strokes[0] == 0
    assert late > 0


def test_the_seed_says_all() -> None:
    lines = synthetic_lines()
    assert compose(lines, "everything", 5) == compose(lines, "everything", 5)
    assert compose(lines, "everything", 5) != compose(lines, "everything", 6)


def test_pages_take_the_layers_in_turn_and_one_writer_each() -> None:
    writers = [synthetic_lines("print"), synthetic_lines("mixed")[:3], synthetic_lines("script")[:1]]
    made = list(composed_pages(writers, 2 * len(LAYERS), seed=1))
    assert [page.layer for page in made] == [*LAYERS, *LAYERS]
    counts = [sum(line.corrects is None for line in page.lines) for page in made]
    assert min(counts) >= 2
    assert max(counts) > 3
    assert [one.page for one in composed_pages(writers, 3, seed=1)] == [one.page for one in made[:3]]
