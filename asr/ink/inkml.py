"""Read and write InkML, the W3C's Ink Markup Language (Recommendation of 20 September 2011).

The reader takes the traces of a file in order, with the channels of their `traceFormat` (X and Y if there is none). It
supports all encodings of the standard: explicit values, first (') and second (") differences, `*`, `?`, hexadecimal
numbers, booleans, intermittent channels. Where the standard is open, or real files differ from it:

- **y** grows downwards (section 3.1: "increasing downward for +ve orientation"), as in all files seen, and is negated;
  with `orientation="-ve"` it grows upwards already.
- **Times** are the channel T in its `units` (milliseconds if none are given) plus the trace's `timeOffset`. With units
  of the device (`dev`) the ink has no times.
- **Resolution** comes from the property `resolution` of the channels X and Y, or else from their `units`. Without
  either it is not known: the standard's default is millimetres, but real files count pixels. If X and Y differ, Y is
  scaled to X; if contexts differ, all traces are scaled to the first one.
- **Canvas**: an affine `canvasTransform` of the context is applied. The canvas has one unit for x and y, and its y
  grows downwards. Other mappings are ignored with a warning.
- **Highlighters** are brushes with the `rasterOp` `maskPen`, or with a transparency of a quarter or more. Their traces
  are kept apart from the ink, in `Sheet.highlights`.
- **Pages**: traces are on different pages if their contexts name different canvases (`canvasRef`), or if they are in
  different trace groups that are marked as pages (`<annotation type="page">`, or an id such as `page-2`). Pages keep
  the order of the file; as one ink they are placed below each other.
- Traces of pen-ups and traces inside `definitions` are left out. A trace that continues another (`continuation`,
  `priorRef`) is appended to its stroke. A point whose X or Y is unknown (`?`) is left out.
- Some programs write `x,y x,y` instead of `x y, x y`, and drafts of the standard had no commas at all. Both are
  accepted if the counts are unambiguous.
- A file may declare more channels than its points have. The last channels then count as absent, if all points of a
  trace have the same number of values and X and Y are among them.
- A trace that cannot be read, because of its values or its context, is left out with a warning.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.ink.assembling import BadStroke, InkBuilder
from asr.ink.ink import Ink, Stroke
from asr.ink.inkml_context import Contexts
from asr.ink.inkml_format import Format
from asr.ink.inkml_values import trace_values
from asr.ink.numbers import plain_numbers
from asr.ink.sheets import Sheet, placed_below
from asr.ink.writing import write_text
from asr.ink.xml import Element

ROOT = "ink"
_PAGE = re.compile(r"page[-_ .]?\d+$", re.IGNORECASE)


@dataclass
class _Trace:
    """A stroke in pieces: a trace and the traces that continue it.

    Attributes:
        where: the trace, for messages.
        resolution: units per millimetre, None if not known.
        page: name of its page; see `_page_of`.
        points: (N, 2) for each piece, x to the right and y upwards.
        times: (N,) seconds for each piece, None if not known.
    """

    where: str
    resolution: float | None
    page: str = ""
    points: list[NDArray[np.float64]] = field(default_factory=list)
    times: list[NDArray[np.float64] | None] = field(default_factory=list)

    def all_points(self, common: float | None) -> NDArray[np.float64]:
        """Return the points, (N, 2), scaled to the resolution of the file if both are known."""
        points = np.concatenate(self.points)
        scale = 1.0 if common is None or self.resolution is None else common / self.resolution
        return points if scale == 1.0 else points * scale

    def all_times(self) -> NDArray[np.float64] | None:
        known = [times for times in self.times if times is not None]
        return np.concatenate(known) if len(known) == len(self.times) else None


@dataclass
class _Traces:
    """The strokes of one tool, in the order of the file.

    Attributes:
        strokes: those with points.
        by_id: the stroke that each trace with an id belongs to.
    """

    strokes: list[_Trace] = field(default_factory=list)
    by_id: dict[str, _Trace] = field(default_factory=dict)

    def add(self, trace: Element, new: _Trace) -> None:
        """Add a stroke of one piece, or append its piece to the stroke that the trace continues."""
        stroke = self.by_id.get(trace.attributes.get("priorRef", "").rpartition("#")[2])
        is_first = len(new.points[0]) > 0
        if stroke is None or trace.attributes.get("continuation") not in ("middle", "end"):
            stroke = new
        else:
            is_first = is_first and not any(map(len, stroke.points))  # it continues a trace without points
            stroke.points += new.points
            stroke.times += new.times
        if is_first:
            self.strokes.append(stroke)
        if "id" in trace.attributes:
            self.by_id[trace.attributes["id"]] = stroke


def read_inkml(path: Path, root: Element) -> tuple[Sheet, ...]:
    """Return the pages of a parsed file that have ink.

    Args:
        path: the file, for error messages.
        root: its root element.

    Raises:
        DataError: there is no trace that can be read.
    """
    return _Reader(path, root).sheets()


class _Reader:
    """Reader of one file; keeps track of the format that applies to each trace."""

    def __init__(self, path: Path, root: Element) -> None:
        self.root = root
        self.builder = InkBuilder(path)
        self.contexts = Contexts(root, self.builder)
        self.pen, self.highlighter = _Traces(), _Traces()
        self.n_traces = 0

    def sheets(self) -> tuple[Sheet, ...]:
        self.walk(self.root, Format(), "")
        strokes = self.pen.strokes
        known = [trace.resolution for trace in strokes if trace.resolution is not None]
        common = known[0] if len(known) == len(strokes) and known else None
        pages = {page: number for number, page in enumerate(dict.fromkeys(one.page for one in strokes), start=1)}
        for trace in strokes:
            self.builder.begin_page(pages[trace.page])
            self.builder.add(trace.all_points(common), trace.all_times(), trace.where)
        for trace in self.highlighter.strokes:
            if trace.page in pages:
                self.builder.begin_page(pages[trace.page])
                with np.errstate(over="ignore"):
                    self.builder.highlight(trace.all_points(common))
        return placed_below(self.builder.sheets(common))

    def walk(self, parent: Element, current: Format, page: str) -> None:
        """Read the traces of an element; a format or context among its children applies to the later children."""
        for child in parent.children:
            if child.name == "traceFormat":
                current = self.contexts.trace_format(child)
            elif child.name == "context":
                current = self.contexts.context(child, current)
            elif child.name == "traceGroup":
                self.walk(child, self.contexts.referred(child, current), _page_of(child, page))
            elif child.name == "trace":
                where = f"trace {_trace_name(child, self.n_traces)} (line {child.line})"
                self.n_traces += 1
                form = self.contexts.referred(child, current)
                if child.attributes.get("type", "penDown") != "penDown":
                    continue
                if form.highlighter:
                    with suppress(BadStroke), np.errstate(over="ignore", invalid="ignore"):
                        self.highlighter.add(child, _read(child, form, where, page))
                else:
                    with self.builder.reading(where):
                        self.pen.add(child, _read(child, form, where, page))


def _read(trace: Element, form: Format, where: str, page: str) -> _Trace:
    """Return the stroke of one trace."""
    if form.wrong:
        raise BadStroke(form.wrong)
    values = trace_values(trace.text, form)
    values = values[~np.isnan(values[:, [form.x, form.y]]).any(axis=1)]
    points, resolution = form.placed(values)
    return _Trace(where, resolution, page or form.sheet, [points], [_times(trace, form, values)])


def _page_of(group: Element, page: str) -> str:
    """Return a name for the page of a trace group: its own if it is a page, else `page`, the page around it."""
    annotations = [one.attributes.get("type", "") for one in group.children if one.name.startswith("annotation")]
    named = _PAGE.match(group.attributes.get("id", "")) is not None
    return f"group {id(group)}" if named or any(one.lower() == "page" for one in annotations) else page


def _trace_name(trace: Element, number: int) -> str:
    """Return the id of a trace for a message, or its number if it has no id."""
    return repr(trace.attributes.get("id", str(number))[:40])[1:-1]


def _times(trace: Element, form: Format, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    if "T" not in form.channels or form.seconds is None:
        return None
    times = values[:, form.channels.index("T")] * form.seconds
    if np.isnan(times).any():
        return None
    offset = plain_numbers(trace.attributes.get("timeOffset", "0"))
    if offset is None or len(offset) != 1:
        raise BadStroke("its timeOffset is not a number of milliseconds")
    return times + offset[0] * 1e-3 if offset[0] else times


def write_inkml(path: str | os.PathLike[str], ink: Ink) -> None:
    """Write an ink as InkML, with times in seconds and y downwards; `read_ink` gives exactly the same ink.

    Raises:
        DataError: the file cannot be written.

    >>> import tempfile
    >>> from asr.ink import read_ink
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_inkml(f"{folder}/letter.inkml", Ink.of([[1, 2, 0.0], [1, 10, 0.5]]))
    ...     stroke = read_ink(f"{folder}/letter.inkml").strokes[0]
    >>> stroke.points.tolist(), stroke.times.tolist()
    ([[1.0, 2.0], [1.0, 10.0]], [0.0, 0.5])
    """
    kinds = sorted({stroke.times is not None for stroke in ink.strokes})
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<ink xmlns="http://www.w3.org/2003/InkML">', "<definitions>"]
    lines += [_context(timed, ink.resolution) for timed in kinds]
    lines += ["</definitions>", *(_trace(number, stroke) for number, stroke in enumerate(ink.strokes)), "</ink>", ""]
    write_text(path, "\n".join(lines))


def _context(timed: bool, resolution: float | None) -> str:
    name = "xyt" if timed else "xy"
    time = '<channel name="T" type="double" units="s"/>' if timed else ""
    scale = (
        "<channelProperties>"
        + "".join(
            f'<channelProperty channel="{channel}" name="resolution" value="{resolution!r}" units="1/mm"/>'
            for channel in "XY"
        )
        + "</channelProperties>"
        if resolution is not None
        else ""
    )
    return (
        f'<context xml:id="{name}"><inkSource xml:id="{name}-pen"><traceFormat><channel name="X" type="double"/>'
        f'<channel name="Y" type="double"/>{time}</traceFormat>{scale}</inkSource></context>'
    )


def _trace(number: int, stroke: Stroke) -> str:
    columns = [stroke.points * [1.0, -1.0]] + ([] if stroke.times is None else [stroke.times[:, None]])
    points = ", ".join(" ".join(map(repr, point)) for point in np.hstack(columns).tolist())
    kind = "xy" if stroke.times is None else "xyt"
    return f'<trace xml:id="t{number}" contextRef="#{kind}">{points}</trace>'
