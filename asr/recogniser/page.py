"""A page of handwriting: cut into lines, and each line recognised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from asr.decoding.hypothesis import Hypothesis
from asr.errors import DataError
from asr.ink import Ink, Line, analyse
from asr.recogniser.batching import transcribe_each
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.sources import NOT_INK

_STRETCH_PAGES = 64  # kept in memory


@dataclass(frozen=True)
class PageLine:
    """One line of a page.

    Attributes:
        strokes: indices of its strokes on the page, rising.
        hypothesis: the text of the line; its spans count the points of these strokes.
        alternatives: the best hypotheses, this one first, where several were wanted.
    """

    strokes: tuple[int, ...]
    hypothesis: Hypothesis
    alternatives: Sequence[Hypothesis] = ()


def transcribe_page(recogniser: Recogniser, page: Ink, n_best: int = 1) -> list[PageLine]:
    """Recognise all lines of a page, from top to bottom; `asr.ink.layout` cuts it into lines.

    Args:
        recogniser: with its decoder.
        page: the ink.
        n_best: how many hypotheses of a line are wanted at most.

    Raises:
        DataError: the recogniser has learned from recordings.
    """
    lines = next(transcribe_pages(recogniser, [page], batched=False, n_best=n_best))
    if isinstance(lines, DataError):
        raise lines
    return lines


def transcribe_pages(
    recogniser: Recogniser, pages: Iterable[Ink | DataError], batched: bool = True, n_best: int = 1
) -> Iterator[list[PageLine] | DataError]:
    """Recognise the lines of many pages.

    Args:
        recogniser: with its decoder.
        pages: the pages, read as they are needed; an error in place of a page is passed on.
        batched: recognise lines of similar length together, see `transcribe_each`; else one by one.
        n_best: how many hypotheses of a line are wanted at most.

    Returns:
        for each page, in order, its lines, or why they could not be read.

    Raises:
        DataError: the recogniser has learned from recordings.
    """
    if not recogniser.reads_ink:
        raise DataError(NOT_INK)
    return _transcribed(recogniser, iter(pages), batched, n_best)


def _transcribed(
    recogniser: Recogniser, pages: Iterator[Ink | DataError], batched: bool, n_best: int
) -> Iterator[list[PageLine] | DataError]:
    while stretch := list(islice(pages, _STRETCH_PAGES if batched else 1)):
        cut = [page if isinstance(page, DataError) else analyse(page).lines for page in stretch]
        lines = [line for page in cut if not isinstance(page, DataError) for line in page]
        found = transcribe_each(recogniser, (line.ink for line in lines), batched=batched, n_best=n_best)
        for page in cut:
            yield page if isinstance(page, DataError) else _page(page, list(islice(found, len(page))))


def _page(lines: Sequence[Line], found: Sequence[list[Hypothesis] | DataError]) -> list[PageLine] | DataError:
    page = []
    for line, hypotheses in zip(lines, found, strict=True):
        if isinstance(hypotheses, DataError):
            return hypotheses
        page.append(PageLine(line.strokes, hypotheses[0], tuple(hypotheses)))
    return page
