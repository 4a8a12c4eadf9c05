"""Draw recognised pages as SVG, or as HTML for a browser.

Each line has its own colour, and its words alternate between two shades of it. Marks are grey, with their kind as a
tooltip; highlighter strokes are wide, yellow and translucent, behind the ink. The text of a line is in its colour to
the right of the page, at the height of the line or below the text above. All text from files is escaped, and there are
no scripts or links. Sizes are bounded: a page is drawn on 1,000 units with about `MOST_POINTS` points at most, and a
text has at most `MOST_CHARACTERS` characters.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.printable import printable
from asr.recogniser.document import Document, ReadLine, ReadMark, ReadPage

MOST_POINTS = 50_000  # of a page
MOST_CHARACTERS = 200  # of a line
_SIDE = 1000.0  # of the larger side of a page
_ROOM = 20.0  # around it
_TEXT = 18.0  # height of letters
_STEP = 1.3 * _TEXT  # from a text to the next below it
_WIDE = 0.62  # width of a letter / its height
_SHADES = (
    ("#0050b0", "#4d9be6"), ("#1a7a2e", "#63bd6b"), ("#7a2ea0", "#bd7ede"), ("#b05000", "#ee9a4d"),
    ("#00707a", "#4dbdc7"), ("#a01a50", "#e66f9f"),
)  # fmt: skip
_MARK = "#8a8a8a"
_HIGHLIGHTER = "#ffd500"
_PEN = 'stroke-width="2"'
_WIDE_PEN = 'stroke-width="16" stroke-opacity="0.4"'
_REST = "#000000"  # ink of a line that is in no word
_NO_XML = re.compile("[\ufffe\uffff]")

Floats = NDArray[np.float64]


def svg_lines(document: Document, name: str) -> Iterator[str]:
    """Yield the lines of an SVG file with all pages below each other.

    Args:
        document: what was recognised.
        name: name of the file, for the title.
    """
    drawn = [_Drawing.of(page) for page in document.pages]
    width = max(one.width for one in drawn)
    height = sum(one.height for one in drawn)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_number(width)} {_number(height)}"'
        f' width="{_number(width)}" height="{_number(height)}" font-family="sans-serif" font-size="{_number(_TEXT)}">'
    )
    yield f"<title>{escaped(name)}</title>"
    yield '<rect width="100%" height="100%" fill="white"/>'
    top = 0.0
    for one in drawn:
        yield f'<g transform="translate(0 {_number(top)})">'
        yield from one.lines()
        yield "</g>"
        top += one.height
    yield "</svg>"


def html_lines(documents: Iterable[tuple[str, Document]]) -> Iterator[str]:
    """Yield the lines of an HTML file with the pages of some files, their texts, and counts of their marks.

    Args:
        documents: the name of each file and its recognised pages, consumed one by one.
    """
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8"><title>Recognised ink</title>'
    yield "<style>body{font-family:sans-serif;margin:2em}h1{overflow-wrap:anywhere}"
    yield "svg{max-width:100%;height:auto;border:1px solid #ccc}</style>"
    yield "</head><body>"
    for name, document in documents:
        yield f"<h1>{escaped(name)}</h1>"
        yield from svg_lines(document, name)
        for page in document.pages:
            yield f"<h2>Page {page.sheet.number}</h2><ol>"
            for number, line in enumerate(page.lines):
                yield f'<li style="color:{_shades(number)[0]}">{"".join(_spans(line))}</li>'
            yield "</ol>"
            if page.marks:
                yield f"<p>Marks: {_counted(page.marks)}</p>"
    yield "</body></html>"


def escaped(text: str) -> str:
    r"""Escape a text for XML and HTML, also in attributes.

    >>> escaped('<b> & "\x1b"')
    '&lt;b&gt; &amp; &quot;\\x1b&quot;'
    """
    return html.escape(_NO_XML.sub("\ufffd", printable(text)))


def _spans(line: ReadLine) -> Iterator[str]:
    """Yield the words of a line as HTML, each with its confidence as a tooltip."""
    for number, word in enumerate(line.words):
        percent = round(100 * word.span.confidence)
        yield f'{" " if number else ""}<span title="{percent} %">{escaped(word.span.label)}</span>'
    if not line.words:
        yield escaped(line.hypothesis.text)


def _counted(marks: Sequence[ReadMark]) -> str:
    kinds = [mark.kind for mark in marks]
    return ", ".join(f"{escaped(kind)} ({kinds.count(kind)})" for kind in sorted(set(kinds)))


def _shades(number: int) -> tuple[str, str]:
    return _SHADES[number % len(_SHADES)]


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class _Drawing:
    """A page in units of the picture, y downwards.

    Attributes:
        page: the recognised page.
        strokes: (N, 2) points of each stroke.
        highlights: (N, 2) points of each highlighter stroke.
        text_left: x at which all texts begin.
        feet: y of the base line of each text.
        width, height: of the drawing.
    """

    page: ReadPage
    strokes: list[Floats]
    highlights: list[Floats]
    text_left: float
    feet: list[float]
    width: float
    height: float

    @classmethod
    def of(cls, page: ReadPage) -> _Drawing:
        """Scale a page to the size of the picture."""
        sheet, turn = page.sheet, [1.0, -1.0] if page.flipped else [1.0, 1.0]
        drawn = [one.points * turn for one in (*sheet.ink.strokes, *(one.stroke for one in sheet.highlights))]
        fitted, wide, high = _fitted(drawn)
        strokes, highlights = fitted[: len(sheet.ink.strokes)], fitted[len(sheet.ink.strokes) :]
        longest = max((len(_shown(line)) for line in page.lines), default=0)
        text_left, feet = wide + 2 * _ROOM, _feet([_middle(strokes, line) for line in page.lines])
        width = text_left + longest * _WIDE * _TEXT + _ROOM
        return cls(page, strokes, highlights, text_left, feet, width, max([high + _ROOM, *feet]) + _ROOM)

    def lines(self) -> Iterator[str]:
        """Yield the SVG elements; those of highlighters come first, so that they are behind the ink."""
        yield from (self._mark(mark) for mark in self.page.marks if mark.highlights)
        for number, (line, foot) in enumerate(zip(self.page.lines, self.feet, strict=True)):
            yield f"<g><title>{escaped(_shown(line))}</title>"
            yield from self._words(line, _shades(number))
            place = f'x="{_number(self.text_left)}" y="{_number(foot)}" fill="{_shades(number)[0]}"'
            yield f"<text {place}>{escaped(_shown(line))}</text></g>"
        yield from (self._mark(mark) for mark in self.page.marks if not mark.highlights)

    def _mark(self, mark: ReadMark) -> str:
        highlights = _path([self.highlights[k] for k in mark.highlights], _HIGHLIGHTER, _WIDE_PEN)
        strokes = _path([self.strokes[k] for k in mark.strokes], _MARK)
        return f"<g><title>{escaped(mark.kind)}</title>{highlights}{strokes}</g>"

    def _words(self, line: ReadLine, shades: tuple[str, str]) -> Iterator[str]:
        drawn: set[int] = set()
        for number, word in enumerate(line.words):
            own = [k for k in word.strokes if k not in drawn]
            drawn.update(own)
            yield _path([self.strokes[k] for k in own], shades[number % 2])
        yield _path([self.strokes[k] for k in line.strokes if k not in drawn], _REST)


def _middle(strokes: Sequence[Floats], line: ReadLine) -> float:
    return float(np.mean([strokes[k][:, 1].mean() for k in line.strokes]))


def _feet(middles: Sequence[float]) -> list[float]:
    """Return the base line of each text: at its line, and at least a step below the text above."""
    feet, last = [0.0] * len(middles), 0.0
    for number in sorted(range(len(middles)), key=lambda number: middles[number]):  # not so in columns
        feet[number] = last = max(last + _STEP, middles[number] + _TEXT / 3)
    return feet


def _shown(line: ReadLine) -> str:
    text = line.hypothesis.text
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "\u2026"


def _fitted(strokes: Sequence[Floats]) -> tuple[list[Floats], float, float]:
    """Return the strokes in units of the picture, with fewer points if there are many, and their width and height."""
    points = np.concatenate(strokes)
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    scale = max(right / 2 - left / 2, top / 2 - bottom / 2)  # halves, because the whole may overflow
    scale = scale if scale > 0 else 1.0
    step = max(1, -(-len(points) // MOST_POINTS))
    fitted = []
    for stroke in strokes:
        kept = stroke[np.unique(np.append(np.arange(0, len(stroke), step), len(stroke) - 1))]
        share = np.column_stack([kept[:, 0] / 2 - left / 2, top / 2 - kept[:, 1] / 2]) / scale
        fitted.append(share * _SIDE + _ROOM)
    wide, high = (side / scale * _SIDE for side in (right / 2 - left / 2, top / 2 - bottom / 2))
    return fitted, wide, high


def _path(strokes: Sequence[Floats], colour: str, pen: str = _PEN) -> str:
    """Return the SVG element of some strokes; empty if there are none."""
    if not strokes:
        return ""
    parts = []
    for stroke in strokes:
        rounded = [f"{_number(x)} {_number(y)}" for x, y in stroke.tolist()]
        kept = [place for n, place in enumerate(rounded) if n == 0 or place != rounded[n - 1]]
        parts.append("M" + "L".join(kept if len(kept) > 1 else kept * 2))
    return f'<path fill="none" stroke="{colour}" {pen} stroke-linecap="round" d="{"".join(parts)}"/>'
