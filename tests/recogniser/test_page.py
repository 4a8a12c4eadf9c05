"""Pages of ink, one or many."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import asr
from asr.decoding.hypothesis import Hypothesis
from asr.errors import DataError
from asr.ink import Ink
from asr.recogniser import page as pages_of
from asr.recogniser.page import PageLine, TranscribedPage, transcribe_page, transcribe_pages
from asr.recogniser.recogniser import Recogniser


@pytest.fixture(scope="module")
def pen() -> Recogniser:
    return asr.load("quickstart_pen")


def page(n_lines: int) -> Ink:
    """Lines of two strokes, far below each other."""
    shapes = [[[0, 0], [10, 40], [20, 0]], [[5, 20], [15, 20]]]
    return Ink.of(*(np.add(shape, [30 * k, -200 * i]) for i in range(n_lines) for k in range(4) for shape in shapes))


@pytest.mark.parametrize("batched", [True, False])
def test_many_pages_give_what_each_gives_and_errors_keep_their_places(
    pen: Recogniser, batched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_of, "_STRETCH_PAGES", 2)
    error = DataError("b.svg: is empty")
    found = list(transcribe_pages(pen, iter([page(2), error, page(1), page(3)]), batched))
    assert found[1] is error
    lines = [found[0], found[2], found[3]]
    for one, n_lines in zip(lines, (2, 1, 3), strict=True):
        expected = transcribe_page(pen, page(n_lines))
        assert isinstance(one, TranscribedPage)
        assert len(expected.lines) == n_lines
        assert [(line.strokes, line.hypothesis.text) for line in one.lines] == [
            (line.strokes, line.hypothesis.text) for line in expected.lines
        ]
        assert one.marks == expected.marks


def test_a_line_that_cannot_be_read_refuses_its_page(pen: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    error = DataError("the line is too long")

    def each(recogniser: Recogniser, inks: Iterator[Ink], n_best: int) -> Iterator[list[Hypothesis] | DataError]:
        for number, ink in enumerate(inks):
            yield error if number == 1 else pen.alternatives(ink, n_best)

    monkeypatch.setattr(pages_of, "transcribe_each", each)
    first, second = transcribe_pages(pen, [page(3), page(1)])
    assert first is error
    assert isinstance(second, TranscribedPage)
    assert isinstance(second.lines[0], PageLine)
    with pytest.raises(DataError, match="the line is too long"):
        transcribe_page(pen, page(2))


def test_a_model_of_recordings_reads_no_pages() -> None:
    with pytest.raises(DataError, match="this model reads recordings, not ink"):
        transcribe_pages(asr.load("quickstart"), [page(1)])
