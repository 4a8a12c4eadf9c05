"""Recognise a page of handwriting: cut it into lines, and recognise each line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from asr.decoding.hypothesis import Hypothesis
from asr.errors import DataError
from asr.ink import Ink, analyse
from asr.ink.layout import Layout, Mark
from asr.recogniser.batching import transcribe_each
from asr.recogniser.doubts import all_lines, settled
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.sources import NOT_INK

MAX_STROKES = 20_000  # of a page; a page full of writing has about 1,000
MAX_INK = 60_000.0  # length of the ink of a page / height of its lines; a thousand long lines have as much
_STRETCH_PAGES = 64  # kept in memory


@dataclass(frozen=True)
class PageLine:
    """One line of a page.

    Attributes:
        strokes: indices of its strokes on the page, rising.
        hypothesis: the text of the line; its spans count the points of these strokes.
        alternatives: the best hypotheses, this one first.
    """

    strokes: tuple[int, ...]
    hypothesis: Hypothesis
    alternatives: Sequence[Hypothesis] = ()


@dataclass(frozen=True)
class TranscribedPage:
    """The lines and marks of a page.

    Attributes:
        lines: in reading order.
        marks: ink that is not writing, in the order of their first strokes.
    """

    lines: tuple[PageLine, ...]
    marks: tuple[Mark, ...] = ()


def transcribe_page(recogniser: Recogniser, page: Ink, n_best: int = 1) -> TranscribedPage:
    """Recognise all lines of a page, as `asr.ink.layout` finds them.

    Args:
        recogniser: with its decoder.
        page: the ink.
        n_best: greatest number of hypotheses per line.

    Raises:
        DataError: the recogniser was trained on recordings, or the page has too much ink.
    """
    found = next(transcribe_pages(recogniser, [page], batched=False, n_best=n_best))
    if isinstance(found, DataError):
        raise found
    return found


def transcribe_pages(
    recogniser: Recogniser, pages: Iterable[Ink | DataError], batched: bool = True, n_best: int = 1
) -> Iterator[TranscribedPage | DataError]:
    """Recognise the lines of many pages.

    Args:
        recogniser: with its decoder.
        pages: the pages, read as they are needed; an error in place of a page is passed on.
        batched: read many pages ahead, so that lines of similar length on all of them are recognised together; else
            the lines of one page at a time.
        n_best: greatest number of hypotheses per line.

    Returns:
        The result of each page, in order, or the reason why it could not be read.

    Raises:
        DataError: the recogniser was trained on recordings.
    """
    if not recogniser.reads_ink:
        raise DataError(NOT_INK)
    return _transcribed(recogniser, iter(pages), batched, n_best)


def _transcribed(
    recogniser: Recogniser, pages: Iterator[Ink | DataError], batched: bool, n_best: int
) -> Iterator[TranscribedPage | DataError]:
    while stretch := list(islice(pages, _STRETCH_PAGES if batched else 1)):
        cut = [page if isinstance(page, DataError) else _cut(page) for page in stretch]
        lines = [line for page in cut if not isinstance(page, DataError) for line in all_lines(page)]
        found = transcribe_each(recogniser, (line.ink for line in lines), n_best=n_best)
        for page in cut:
            yield page if isinstance(page, DataError) else _page(page, list(islice(found, len(all_lines(page)))))


def _cut(page: Ink) -> Layout | DataError:
    """Return the lines of a page, or an error if it has so much ink that recognition would take minutes."""
    if len(page.strokes) > MAX_STROKES:
        return DataError(f"a page with {len(page.strokes)} strokes, more than {MAX_STROKES}; cut it into smaller pages")
    layout = analyse(page)
    ink = sum(_relative_length(line.ink) for line in layout.lines)
    if ink > MAX_INK:
        return DataError(
            f"a page whose ink is {ink:.0f} times as long as its lines are high, more than {MAX_INK:.0f}: a scribble,"
            " or many pages; cut it into pages, or leave the scribble out"
        )
    return layout


def _relative_length(ink: Ink) -> float:
    """Return the length of the ink of a line / its height (or a hundredth of its width, if that is more)."""
    left, bottom, right, top = ink.bounds()
    side = max(top - bottom, (right - left) / 100)
    if not 0 < side < math.inf:
        return 0.0
    return float(sum(np.hypot(*(np.diff(stroke.points, axis=0) / side).T).sum() for stroke in ink.strokes))


def _page(layout: Layout, found: Sequence[list[Hypothesis] | DataError]) -> TranscribedPage | DataError:
    lines = []
    for line, hypotheses in settled(layout, found):
        if isinstance(hypotheses, DataError):
            return hypotheses
        lines.append(PageLine(line.strokes, hypotheses[0], tuple(hypotheses)))
    return TranscribedPage(tuple(lines), layout.marks)
