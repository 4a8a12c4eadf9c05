"""Pages with known lines and marks, composed from lines of ink that somebody wrote one by one.

Lengths are in h, the size of the writing: the height of the middle 80 % of the ink of a level line, in the median of
the lines. The lines of a page keep the sizes that their writer gave them, unless they are very different; they lose
their own slope, and are laid below each other. What they get instead depends on the layer:

| layer | lines | marks |
|---|---|---|
| plain | 2.2 to 3 h apart, all the same, within 1 degree of level | none |
| sloped | the page is turned by up to 8 degrees | none |
| tight | 1.2 to 2 h apart, but the middle 80 % of their ink never overlap | none |
| uneven | 1.5 to 4.5 h apart, each gap another | none |
| drift | each line leans by up to 2 degrees of its own and bends by up to 0.5 h | none |
| indents | begin up to 12 h to the right; paragraphs are 1 to 3 h further apart | none |
| columns | two or three columns of short lines, 2 to 6 h between them, written one after the other | none |
| correction | words stand above some lines, half between the lines | none |
| list, underline, strike_through, box, margin, rule, ruled, arrow, bracket, dot, scribble | as plain | of this kind |
| everything | of some layers together | of some kinds |

Strokes stand in the order of writing: line after line, rules of the paper before, a mark of other kinds behind its line
or at any time after it. Marks stand where people put them, and what nobody could tell in the picture is not composed:

- Dots are 1.5 h from all ink, and 3 h from the ends of the lines at whose height they are: nearer to letters they may
  be those of an i, and beside a line full stops. Arrows are 0.5 h from all ink, scribbles 0.7 h.
- What is underlined, struck through or boxed has the ink of a letter at least, so it is no comma and no dot.
- A list has two items at least: a dash before one line may be its first sign.

Highlighters are not there: the formats that know them leave them out when they are read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from asr.ink import Ink, Stroke
from asr.seeds import generator
from tests.ink import drawn_marks as drawn

Floats = NDArray[np.float64]
Random = np.random.Generator

_SIZES = (0.6, 1.6)  # of a line, against the median of the page

LINE_LAYERS = ("plain", "sloped", "tight", "uneven", "drift", "indents", "columns", "correction")
MARK_LAYERS = (
    "list", "underline", "strike_through", "box", "margin", "rule", "ruled", "arrow", "bracket", "dot", "scribble",
)  # fmt: skip
LAYERS = (*LINE_LAYERS, *MARK_LAYERS, "everything")


@dataclass(frozen=True)
class Written:
    """A line that was written alone: its ink and text."""

    ink: Ink
    text: str


@dataclass(frozen=True)
class ComposedLine:
    """A line of a page as it should be found.

    Attributes:
        strokes: its strokes on the page, rising.
        text: what they say.
        column: from 0, from left to right.
        corrects: the line that this correction stands above, an index of `ComposedPage.lines`: it may be found as a
            line of its own or in that line.
    """

    strokes: tuple[int, ...]
    text: str
    column: int = 0
    corrects: int | None = None


@dataclass(frozen=True)
class ComposedMark:
    """A mark as it should be found: its kind and its strokes on the page, rising."""

    kind: str
    strokes: tuple[int, ...]


@dataclass(frozen=True)
class ComposedPage:
    """A page with its truth.

    Attributes:
        page: the ink.
        lines: in reading order: column after column, from top to bottom; a correction before its line.
        marks: in the order of writing.
        layer: of `LAYERS`.
        size: h, in units of the page.
    """

    page: Ink
    lines: tuple[ComposedLine, ...]
    marks: tuple[ComposedMark, ...]
    layer: str
    size: float


def compose(lines: Sequence[Written], layer: str, seed: int | str) -> ComposedPage:
    """Lay some lines of one writer out on a page.

    Args:
        lines: two or more, from top to bottom; of columns each takes its share.
        layer: of `LAYERS`.
        seed: the same gives the same page.
    """
    random = generator("composed page", layer, seed)
    sheet = _laid(_normal(lines), layer, random)
    for kind in _kinds(layer, random):
        _MARKS[kind](sheet, random)
    return _page(sheet, layer, random)


def composed_pages(
    writers: Sequence[Sequence[Written]], n_pages: int, seed: int | str, layers: Sequence[str] = LAYERS
) -> Iterator[ComposedPage]:
    """Yield pages of 2 to 25 lines, each of one writer, the layers in turn.

    Args:
        writers: the lines of each writer; who has fewer than two is left out.
        n_pages: how many.
        seed: the same gives the same pages.
        layers: of `LAYERS`.
    """
    able = [lines for lines in writers if len(lines) >= 2]
    for number in range(n_pages):
        layer = layers[number % len(layers)]
        random = generator("composed pages", seed, number)
        lines = able[int(random.integers(len(able)))]
        if layer == "columns":
            narrow = [lines[k] for k, one in enumerate(_normal(lines)) if one.box()[2] <= 25.0]
            lines = narrow if len(narrow) >= 4 else lines
        n_lines = min(int(random.integers(4 if layer == "columns" else 2, 26)), len(lines))
        chosen = random.choice(len(lines), size=n_lines, replace=False)
        yield compose([lines[k] for k in chosen], layer, f"{seed} {number}")


# ---- lines


@dataclass
class _Placed:
    """A line on the sheet: its strokes, text, column, and its middle height where it begins."""

    strokes: list[Floats]
    text: str
    height: float
    column: int = 0
    corrects: int | None = None

    def box(self) -> drawn.Box:
        """Its bounds."""
        return _bounds(self.strokes)


@dataclass
class _Drawn:
    """A mark on the sheet; `after` is the line behind which it may be written, -1 for before all."""

    kind: str
    strokes: list[Floats]
    after: int
    at_once: bool = False


@dataclass
class _Sheet:
    """A page that is being composed, level, in units of h, y upwards."""

    lines: list[_Placed]
    marks: list[_Drawn] = field(default_factory=list)

    def ink(self) -> list[Floats]:
        """All strokes of lines and marks."""
        of_lines = [stroke for line in self.lines for stroke in line.strokes]
        return of_lines + [stroke for mark in self.marks for stroke in mark.strokes]

    def box(self) -> drawn.Box:
        """The bounds of all writing."""
        return _bounds([stroke for line in self.lines for stroke in line.strokes])


def _bounds(strokes: Sequence[Floats]) -> drawn.Box:
    points = np.concatenate(strokes)
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    return float(left), float(bottom), float(right), float(top)


def _ink_of(points: Floats) -> Floats:
    return np.hypot(*np.diff(points, axis=0).T) if len(points) > 1 else np.zeros(0)


def _places(strokes: Sequence[Floats]) -> tuple[Floats, Floats]:
    """(M, 2) middles of the pieces of ink and (M,) their lengths."""
    pieces = [(points[1:] + points[:-1]) / 2 for points in strokes if len(points) > 1]
    lengths = [_ink_of(points) for points in strokes if len(points) > 1]
    if not pieces:
        return np.concatenate([points[:1] for points in strokes]), np.ones(len(strokes))
    return np.concatenate(pieces), np.concatenate(lengths)


def _normal(lines: Sequence[Written]) -> list[_Placed]:
    """The lines in units of h, level, beginning at x = 0 with the middle of their ink at y = 0."""
    level = [_level([stroke.points for stroke in line.ink.strokes]) for line in lines]
    sizes = np.array([max(_edges(strokes, 0.9)[0] - _edges(strokes, 0.1)[0], 1e-9) for strokes in level])
    shares = np.clip(sizes / np.median(sizes), *_SIZES) / sizes
    placed = []
    for line, strokes, share in zip(lines, level, shares, strict=True):
        corner = np.array([_bounds(strokes)[0], _edges(strokes, 0.5)[0]])
        placed.append(_Placed([(points - corner) * share for points in strokes], line.text, 0.0))
    return placed


def _level(strokes: list[Floats]) -> list[Floats]:
    """The strokes of a line without its slope, if it is long enough to have one."""
    places, lengths = _places(strokes)
    low, high = _edges(strokes, 0.1, 0.9)
    if np.ptp(places[:, 0]) < 6.0 * (high - low) or lengths.sum() == 0:
        return strokes
    slope = float(np.polyfit(places[:, 0], places[:, 1], 1, w=np.sqrt(lengths))[0])
    return [points - np.outer(points[:, 0], [0.0, slope]) for points in strokes]


def _edges(strokes: Sequence[Floats], *shares: float) -> list[float]:
    """The heights below which these shares of the ink are."""
    places, lengths = _places(strokes)
    order = np.argsort(places[:, 1])
    below = np.cumsum(lengths[order]) / max(float(lengths.sum()), 1e-9)
    return [float(one) for one in np.interp(shares, below, places[order, 1])]


def _laid(lines: list[_Placed], layer: str, random: Random) -> _Sheet:
    """The lines below each other."""
    if layer == "drift" or (layer == "everything" and random.random() < 0.4):
        lines = [_bent(line, random) for line in lines]
    n_columns = 1
    if layer == "columns" or (layer == "everything" and len(lines) >= 8 and random.random() < 0.25):
        n_columns = 3 if len(lines) >= 9 and random.random() < 0.3 else 2
    left, laid = 0.0, []
    for column, share in enumerate(np.array_split(np.arange(len(lines)), n_columns)):
        part = _below_each_other([lines[k] for k in share], layer, random)
        laid += [_moved(line, left, 0.0, column) for line in part]
        left = max(line.box()[2] for line in laid) + random.uniform(2.0, 6.0)
    sheet = _Sheet(laid)
    if layer == "correction" or (layer == "everything" and random.random() < 0.2):
        _correct(sheet, random)
    return sheet


def _below_each_other(lines: list[_Placed], layer: str, random: Random) -> list[_Placed]:
    own, at, placed = _below(lines[0]), 0.0, []
    pitch = random.uniform(2.2, 3.0)
    indents = layer == "indents" or (layer == "everything" and random.random() < 0.3)
    for number, line in enumerate(lines):
        gap, room = pitch * random.uniform(0.97, 1.03), 1.5
        if layer == "tight":
            gap, room = random.uniform(1.2, 2.0), 1.25
        if layer == "uneven" or (layer == "everything" and random.random() < 0.2):
            gap = random.uniform(1.5, 4.5)
        x = random.uniform(0.0, 0.8)
        if indents:
            x, gap = random.uniform(0.0, 12.0), gap + (random.uniform(1.0, 3.0) if random.random() < 0.25 else 0.0)
        if number:
            at -= max(gap, room * (own + _edges(line.strokes, 0.9)[0]))
        own = _below(line)
        placed.append(_moved(replace(line, height=at), x, at, 0))
    return placed


def _below(line: _Placed) -> float:
    """How far the lower edge of a line is below its middle."""
    return -_edges(line.strokes, 0.1)[0]


def _moved(line: _Placed, x: float, y: float, column: int) -> _Placed:
    shift = np.array([x, y])
    return replace(line, strokes=[points + shift for points in line.strokes], column=column)


def _bent(line: _Placed, random: Random) -> _Placed:
    """The line with a slope and a bend of its own."""
    rise, bend = math.tan(math.radians(random.uniform(-2, 2))), random.uniform(-0.5, 0.5)
    length, phase = random.uniform(15.0, 50.0), random.uniform(0, 2 * np.pi)

    def moved(points: Floats) -> Floats:
        x = points[:, 0]
        return points + np.outer(rise * x + bend * (np.sin(2 * np.pi * x / length + phase) - np.sin(phase)), [0.0, 1.0])

    return replace(line, strokes=[moved(points) for points in line.strokes])


def _correct(sheet: _Sheet, random: Random) -> None:
    """Put the first word of some lines, smaller, above others."""
    words = [word for line in sheet.lines if (word := _first_word(line)) is not None]
    corrected = set(_some(sheet, 0.3, random)) if words else set()
    lines: list[_Placed] = []
    for n, line in enumerate(sheet.lines):
        if n in corrected:
            written, text = words[int(random.integers(len(words)))]
            left, _, right, _ = line.box()
            x, y = left + random.uniform(0.1, 0.8) * (right - left), line.height + random.uniform(1.15, 1.35)
            size = random.uniform(0.65, 0.9)
            strokes = [points * size + np.array([x, y]) for points in written]
            lines.append(_Placed(strokes, text, y, line.column, len(lines) + 1))
        lines.append(line)
    sheet.lines = lines


def _first_word(line: _Placed) -> tuple[list[Floats], str] | None:
    """The strokes of a line's first word around its beginning, and its text; None where its gaps do not tell it."""
    words = _words(line)
    texts = line.text.split()
    if len(words) != len(texts) or not 2 <= len(texts[0]) <= 8:
        return None
    corner = np.array([words[0][0], line.height])
    return [points - corner for points in line.strokes if points[:, 0].mean() <= words[0][1]], texts[0]


def _words(line: _Placed) -> list[tuple[float, float]]:
    """Left and right end of the parts of a line between gaps of 0.5 h."""
    spans = sorted((float(points[:, 0].min()), float(points[:, 0].max())) for points in line.strokes)
    words = [spans[0]]
    for left, right in spans[1:]:
        if left - words[-1][1] >= 0.5:
            words.append((left, right))
        else:
            words[-1] = (words[-1][0], max(words[-1][1], right))
    return words


# ---- marks


def _kinds(layer: str, random: Random) -> list[str]:
    if layer in MARK_LAYERS:
        return [layer]
    if layer != "everything":
        return []
    n_kinds = int(random.integers(1, 5))
    kinds = [str(kind) for kind in random.choice(MARK_LAYERS, size=n_kinds, replace=False)]
    order = ("rule", "list")  # rules move lines, so they come before all marks; brackets stand beside bullets
    return sorted(kinds, key=lambda kind: order.index(kind) if kind in order else len(order))


def _some(sheet: _Sheet, share: float, random: Random) -> list[int]:
    """Some of the lines, one at least."""
    lines = [n for n, line in enumerate(sheet.lines) if line.corrects is None]
    chosen = [n for n in lines if random.random() < share]
    return chosen or [lines[int(random.integers(len(lines)))]]


def _part(line: _Placed, random: Random) -> tuple[float, float]:
    """Left and right end of a word, of some words or of the whole line.

    The first has ink of a letter at least: nobody underlines a comma, and a bar through a dot is a sign of its own.
    """
    words = _words(line)
    able = [n for n, word in enumerate(words) if _has_letter(line, word)]
    if not able or random.random() < 0.3:
        return words[0][0], words[-1][1]
    first = able[int(random.integers(len(able)))]
    last = min(first + int(random.integers(3)), len(words) - 1)
    return words[first][0], words[last][1]


def _has_letter(line: _Placed, word: tuple[float, float]) -> bool:
    own = [points for points in line.strokes if word[0] <= points[:, 0].mean() <= word[1]]
    if not own:
        return False
    _, bottom, _, top = _bounds(own)
    return top - bottom >= 0.7 and sum(float(_ink_of(points).sum()) for points in own) >= 1.2


def _feet(line: _Placed, left: float, right: float, share: float) -> float:
    """The height below which a share of the ink of the strokes between two places is."""
    inside = [points for points in line.strokes if left <= points[:, 0].mean() <= right]
    return _edges(inside or line.strokes, share)[0]


def _underlines(sheet: _Sheet, random: Random) -> None:
    for n in _some(sheet, 0.4, random):
        line = sheet.lines[n]
        left, right = _part(line, random)
        y = _feet(line, left, right, 0.1) - random.uniform(0.2, 0.5)
        grown = left - random.uniform(-0.1, 0.3), right + random.uniform(-0.1, 0.3)
        sheet.marks.append(_Drawn("underline", drawn.underline(*grown, y, random), n))


def _strikes(sheet: _Sheet, random: Random) -> None:
    for n in _some(sheet, 0.3, random):
        line = sheet.lines[n]
        left, right = _part(line, random)
        if right - left < 1.5:
            left, right = left - 0.5, right + 0.5
        y = _feet(line, left, right, 0.5)
        sheet.marks.append(_Drawn("strike_through", drawn.strike_through(left - 0.2, right + 0.2, y, random), n))


def _boxes(sheet: _Sheet, random: Random) -> None:
    for n in _some(sheet, 0.25, random):
        line = sheet.lines[n]
        left, right = _part(line, random)
        inside = _bounds([points for points in line.strokes if left <= points[:, 0].mean() <= right] or line.strokes)
        room = random.uniform(0.1, 0.4, 4)
        box = (inside[0] - room[0], inside[1] - room[1], inside[2] + room[2], inside[3] + room[3])
        sheet.marks.append(_Drawn("box", drawn.frame(box, random), n))


def _margins(sheet: _Sheet, random: Random) -> None:
    left, bottom, right, top = sheet.box()
    strokes = drawn.margin(left - random.uniform(0.5, 2.0), bottom - 1.5, top + 1.5, random)
    if random.random() < 0.2:
        strokes += drawn.margin(right + random.uniform(0.5, 2.0), bottom - 1.5, top + 1.5, random)
    sheet.marks.append(_Drawn("margin", strokes, -1 if random.random() < 0.7 else len(sheet.lines) - 1))


def _rules(sheet: _Sheet, random: Random) -> None:
    """Rules between some lines, which make room for them."""
    left, _, right, _ = sheet.box()
    for n in _some(sheet, 0.2, random):
        room = random.uniform(0.5, 1.2)
        line = sheet.lines[n]
        for later in sheet.lines[n + 1 :]:
            if later.column == line.column:
                later.strokes = [points - [0.0, room] for points in later.strokes]
                later.height -= room
        own = _bounds([points for one in sheet.lines if one.column == line.column for points in one.strokes])
        ends = (own[0] - 0.5, own[2] + 0.5) if line.column or random.random() < 0.5 else (left - 1.0, right + 1.0)
        y = _feet(line, -math.inf, math.inf, 0.02) - room / 2
        sheet.marks.append(_Drawn("rule", [drawn.level(*ends, y, random)], n))


def _ruled(sheet: _Sheet, random: Random) -> None:
    """The rules of the paper, below each line and some more."""
    left, _, right, _ = sheet.box()
    heights = sorted({round(_feet(line, -math.inf, math.inf, 0.12) - 0.1, 1) for line in sheet.lines}, reverse=True)
    kept = [y for n, y in enumerate(heights) if n == 0 or heights[n - 1] - y >= 0.8]
    kept += [kept[-1] - random.uniform(2, 3)] * (random.random() < 0.5)
    strokes = [drawn.level(left - 2.0, right + 2.0, y, random) for y in kept]
    sheet.marks.append(_Drawn("rule", strokes, -1))


def _brackets(sheet: _Sheet, random: Random) -> None:
    column = int(random.integers(max(line.column for line in sheet.lines) + 1))
    lines = [n for n, line in enumerate(sheet.lines) if line.column == column]
    first = int(random.integers(max(1, len(lines) - 1)))
    chosen = lines[first : first + int(random.integers(2, 5))]
    beside = [points for mark in sheet.marks if mark.kind == "bullet" and not column for points in mark.strokes]
    own = _bounds([points for n in chosen for points in sheet.lines[n].strokes])
    box = (min([own[0], *(float(points[:, 0].min()) for points in beside)]), *own[1:])
    gap, opens_right = random.uniform(0.6, 1.5), bool(random.random() < 0.5)
    x = box[0] - gap if opens_right else box[2] + gap
    sheet.marks.append(_Drawn("bracket", drawn.bracket(x, box[1] + 0.2, box[3] - 0.2, opens_right, random), chosen[-1]))


def _bullets(sheet: _Sheet, random: Random) -> None:
    """One kind of bullet before some lines that follow each other, or before all."""
    lines = [n for n, line in enumerate(sheet.lines) if line.corrects is None and line.column == 0]
    if random.random() < 0.5:
        first = int(random.integers(max(1, len(lines) - 1)))  # one dash alone may be the first sign of a line
        lines = lines[first : first + int(random.integers(2, 8))]
    x = min(sheet.lines[n].box()[0] for n in lines) - random.uniform(0.9, 1.8)
    seed = int(random.integers(1 << 30))
    for n in lines:
        line = sheet.lines[n]
        y = _feet(line, -math.inf, line.box()[0] + 3.0, 0.5)
        sheet.marks.append(_Drawn("bullet", drawn.bullet(x, y, np.random.default_rng(seed)), n - 1, at_once=True))


def _arrows(sheet: _Sheet, random: Random) -> None:
    def draw(x: float, y: float) -> list[Floats]:
        length = random.uniform(2, 6) * random.choice([-1, 1])
        return drawn.arrow([x, y], [x + length, y + random.normal()], random)

    for _ in range(int(random.integers(1, 4))):
        _free(sheet, "arrow", 0.5, random, draw)


def _dots(sheet: _Sheet, random: Random) -> None:
    for _ in range(int(random.integers(1, 5))):
        _free(sheet, "dot", 1.5, random, lambda x, y: drawn.dot(x, y, random), _ASIDE)


def _scribbles(sheet: _Sheet, random: Random) -> None:
    for _ in range(int(random.integers(1, 3))):
        _free(sheet, "scribble", 0.7, random, lambda x, y: drawn.scribble(x, y, random))


_ASIDE = 3.0  # h: a dot beside a line, and nearer to it, may be a full stop or an apostrophe after a blank
_BESIDE = 1.3  # h up and down from the middle of a line


def _free(
    sheet: _Sheet,
    kind: str,
    distance: float,
    random: Random,
    draw: Callable[[float, float], list[Floats]],
    aside: float = 0.0,
) -> None:
    """Draw a mark where nothing else is within a distance: on the page, or up to 6 h beside it.

    Args:
        aside: the same of the lines at whose height it is, from side to side.
    """
    left, bottom, right, top = sheet.box()
    there = np.concatenate(sheet.ink())
    for beside in [0, 6] * 20:
        x, y = random.uniform([left - beside, bottom - beside], [right + beside, top + beside])
        strokes = draw(float(x), float(y))
        box = _bounds(strokes)
        outside = np.maximum([box[0] - there[:, 0], box[1] - there[:, 1]], [there[:, 0] - box[2], there[:, 1] - box[3]])
        is_beside = any(abs(line.height - y) <= _BESIDE and _gap(line.box(), box) < aside for line in sheet.lines)
        if float(np.hypot(*np.maximum(outside, 0.0)).min()) >= distance and not is_beside:
            sheet.marks.append(_Drawn(kind, strokes, int(random.integers(len(sheet.lines)))))
            return


def _gap(one: drawn.Box, other: drawn.Box) -> float:
    """Width between two boxes, below 0 where they overlap from side to side."""
    return max(one[0] - other[2], other[0] - one[2])


_MARKS: dict[str, Callable[[_Sheet, Random], None]] = {
    "list": _bullets,
    "underline": _underlines,
    "strike_through": _strikes,
    "box": _boxes,
    "margin": _margins,
    "rule": _rules,
    "ruled": _ruled,
    "arrow": _arrows,
    "bracket": _brackets,
    "dot": _dots,
    "scribble": _scribbles,
}


# ---- the page


def _page(sheet: _Sheet, layer: str, random: Random) -> ComposedPage:
    """The strokes in the order of writing, turned, in some unit."""
    order = _order(sheet, random)
    degrees = random.uniform(-8, 8) if layer == "sloped" else random.uniform(-1, 1)
    if layer == "everything" and random.random() < 0.3:
        degrees = random.uniform(-8, 8)
    size = float(np.exp(random.uniform(math.log(8), math.log(400))))
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = size * np.array([[cos, sin], [-sin, cos]])  # of rows
    shift = random.uniform(-20, 20, 2) * size
    strokes: list[Stroke] = []
    lines: list[list[int]] = [[] for _ in sheet.lines]
    marks: list[list[int]] = [[] for _ in sheet.marks]
    for is_mark, number, points in order:
        (marks if is_mark else lines)[number].append(len(strokes))
        strokes.append(Stroke(points @ turn + shift))
    found = tuple(
        ComposedLine(tuple(own), line.text, line.column, line.corrects)
        for own, line in zip(lines, sheet.lines, strict=True)
    )
    kinds = sorted(zip(marks, sheet.marks, strict=True), key=lambda pair: pair[0])
    return ComposedPage(
        Ink(tuple(strokes)), found, tuple(ComposedMark(mark.kind, tuple(own)) for own, mark in kinds), layer, size
    )


def _order(sheet: _Sheet, random: Random) -> list[tuple[bool, int, Floats]]:
    """Whether it is of a mark, which line or mark, and the stroke, of all strokes in the order of writing."""
    due: dict[int, list[int]] = {}
    for number, mark in enumerate(sheet.marks):
        line = mark.after
        if line >= 0 and not mark.at_once and random.random() < 0.4:
            line = int(random.integers(line, len(sheet.lines)))
        due.setdefault(line, []).append(number)
    order: list[tuple[bool, int, Floats]] = []
    corrections: list[tuple[bool, int, Floats]] = []
    for n in range(-1, len(sheet.lines)):
        if n >= 0:
            own = [(False, n, points) for points in sheet.lines[n].strokes]
            if sheet.lines[n].corrects is None:
                order += own
            elif random.random() < 0.5:
                corrections += own  # when all is written
            else:
                order += own
        order += [(True, mark, points) for mark in due.get(n, []) for points in sheet.marks[mark].strokes]
    return order + corrections
