"""A page of handwriting: cut into lines, and each line recognised."""

from __future__ import annotations

from dataclasses import dataclass

from asr.decoding.hypothesis import Hypothesis
from asr.errors import DataError
from asr.ink import Ink
from asr.ink.page import cut_lines
from asr.recogniser.recogniser import Recogniser


@dataclass(frozen=True)
class PageLine:
    """One line of a page.

    Attributes:
        strokes: indices of its strokes on the page, rising.
        hypothesis: what they say; its spans count the points of these strokes.
    """

    strokes: tuple[int, ...]
    hypothesis: Hypothesis


def transcribe_page(recogniser: Recogniser, page: Ink) -> list[PageLine]:
    """Recognise all lines of a page, from top to bottom; `asr.ink.page` has the rule by which it is cut.

    Raises:
        DataError: the recogniser has learned from recordings.
    """
    if not recogniser.reads_ink:
        raise DataError("this model reads recordings, not ink; load one that has learned from pen strokes")
    return [PageLine(line.strokes, recogniser.transcribe(line.ink)) for line in cut_lines(page)]
