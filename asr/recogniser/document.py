"""Recognise all pages of files: lines, words and marks with their strokes and boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from asr.decoding.hypothesis import Hypothesis, Span
from asr.errors import DataError
from asr.ink import Ink
from asr.ink.layout import Mark
from asr.ink.sheets import Sheet
from asr.recogniser.flip import Flip
from asr.recogniser.orientation import flipped, is_upside_down
from asr.recogniser.page import PageLine, TranscribedPage, transcribe_pages
from asr.recogniser.page_words import words_in
from asr.recogniser.recogniser import Recogniser

HIGHLIGHTER = "highlighter"
"""The kind of mark of a highlighter stroke, which is known from the file."""

Box = tuple[float, float, float, float]
"""Least x, least y, width and height, in the coordinates of the file."""


@dataclass(frozen=True)
class ReadWord:
    """A word of a line.

    Attributes:
        span: its text, its points in the line, and its confidence.
        strokes: indices of its strokes on the page, rising; a stroke that continues into the next word is in both.
        box: around its ink; None if the network assigned no points to it.
    """

    span: Span
    strokes: tuple[int, ...]
    box: Box | None


@dataclass(frozen=True)
class ReadLine:
    """A line of a page.

    Attributes:
        strokes: indices of its strokes on the page, rising.
        box: around its strokes.
        hypothesis: the text; its spans count the points of these strokes.
        words: one for each of `hypothesis.words`.
        alternatives: the best hypotheses, this one first.
    """

    strokes: tuple[int, ...]
    box: Box
    hypothesis: Hypothesis
    words: tuple[ReadWord, ...]
    alternatives: Sequence[Hypothesis] = ()


@dataclass(frozen=True)
class ReadMark:
    """A mark on a page.

    Attributes:
        kind: one of `asr.ink.layout.KINDS`, or `highlighter`.
        strokes: indices of its strokes on the page, rising; empty for a highlighter.
        box: around its strokes.
        highlights: indices of its strokes in `Sheet.highlights`, for a highlighter.
    """

    kind: str
    strokes: tuple[int, ...]
    box: Box
    highlights: tuple[int, ...] = ()


@dataclass(frozen=True)
class ReadPage:
    """A recognised page.

    Attributes:
        sheet: the ink as it is in the file.
        lines: in reading order.
        marks: in the order of writing, then one for each highlighter stroke.
        flipped: whether it was read upside down (y negated), see `asr.recogniser.orientation`.
    """

    sheet: Sheet
    lines: tuple[ReadLine, ...]
    marks: tuple[ReadMark, ...] = ()
    flipped: bool = False


@dataclass(frozen=True)
class Document:
    """The pages of a file that have ink, in the order of the file."""

    pages: tuple[ReadPage, ...]

    @property
    def lines(self) -> list[ReadLine]:
        """The lines of all pages."""
        return [line for page in self.pages for line in page.lines]


def transcribe_documents(
    recogniser: Recogniser,
    documents: Iterable[Sequence[Sheet] | DataError],
    batched: bool = True,
    n_best: int = 1,
    flip: Flip = "auto",
) -> Iterator[Document | DataError]:
    """Recognise all pages of many files.

    Args:
        recogniser: with its decoder.
        documents: the pages of each file, read as they are needed; an error in place of a file is passed on.
        batched: read many pages ahead, see `transcribe_pages`; else one by one.
        n_best: greatest number of hypotheses per line.
        flip: whether pages are read upside down (y negated); `auto` calls `is_upside_down` for each page.

    Returns:
        The result of each file, in order, or the reason why it could not be read.

    Raises:
        DataError: the recogniser was trained on recordings.
    """
    waiting: list[list[tuple[Sheet, bool]] | DataError] = []

    def pages() -> Iterator[Ink | DataError]:
        for document in documents:
            if isinstance(document, DataError):
                waiting.append(document)
                yield document
                continue
            turned = [(sheet, _turned(recogniser, sheet, flip)) for sheet in document]
            waiting.append(turned)
            yield from (flipped(sheet.ink) if over else sheet.ink for sheet, over in turned)

    return _gathered(transcribe_pages(recogniser, pages(), batched, n_best), waiting)


def _turned(recogniser: Recogniser, sheet: Sheet, flip: Flip) -> bool:
    return flip == "yes" or (flip == "auto" and recogniser.reads_ink and is_upside_down(recogniser, sheet.ink))


def _gathered(
    found: Iterator[TranscribedPage | DataError], waiting: list[list[tuple[Sheet, bool]] | DataError]
) -> Iterator[Document | DataError]:
    """Collect the pages of each file, as they are recognised."""
    for first in found:
        document = waiting.pop(0)
        if isinstance(document, DataError):
            yield document
            continue
        # the document comes first in zip, so that no page of the next document is taken
        pages = [page for _, page in zip(document, chain([first], found), strict=False)]
        yield _document(document, pages)


def _document(
    sheets: Sequence[tuple[Sheet, bool]], pages: Sequence[TranscribedPage | DataError]
) -> Document | DataError:
    read = []
    for (sheet, over), page in zip(sheets, pages, strict=True):
        if isinstance(page, DataError):
            return page
        lines = tuple(_line(sheet, line) for line in page.lines)
        marks = tuple(_mark(sheet, mark) for mark in page.marks)
        read.append(ReadPage(sheet, lines, marks + _highlighted(sheet), over))
    return Document(tuple(read))


def _line(sheet: Sheet, line: PageLine) -> ReadLine:
    ink = Ink(tuple(sheet.ink.strokes[k] for k in line.strokes), sheet.ink.resolution)
    words = []
    for span, own in zip(line.hypothesis.words, words_in(ink, line.hypothesis.words), strict=True):
        strokes = tuple(line.strokes[k] for k in own.strokes)
        words.append(ReadWord(span, strokes, box_of(own.points, sheet.y_down) if len(own.points) else None))
    box = box_of(ink.points(), sheet.y_down)
    return ReadLine(line.strokes, box, line.hypothesis, tuple(words), line.alternatives)


def _mark(sheet: Sheet, mark: Mark) -> ReadMark:
    points = np.concatenate([sheet.ink.strokes[k].points for k in mark.strokes])
    return ReadMark(mark.kind, mark.strokes, box_of(points, sheet.y_down))


def _highlighted(sheet: Sheet) -> tuple[ReadMark, ...]:
    """Return one mark for each highlighter stroke of a page."""
    return tuple(
        ReadMark(HIGHLIGHTER, (), box_of(one.stroke.points, sheet.y_down), (k,))
        for k, one in enumerate(sheet.highlights)
    )


def box_of(points: NDArray[np.float64], y_down: bool) -> Box:
    """Return the box around (N, 2) points of an ink, in the coordinates of its file.

    >>> box_of(np.array([[1.0, -2.0], [4.0, -8.0]]), y_down=True)
    (1.0, 2.0, 3.0, 6.0)
    """
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    least = -top if y_down else bottom
    with np.errstate(over="ignore"):
        return float(left), float(least) + 0.0, float(right - left), float(top - bottom)
