"""InkML, the W3C's Ink Markup Language (Recommendation of 20 September 2011).

Read are the traces of a file in their order, with the channels that their `traceFormat` declares (X and Y where there
is none), in all encodings of the standard: explicit values, first (') and second (") differences, `*`, `?`, hexadecimal
numbers, booleans, channels that are absent at times. What the standard leaves open or real files do otherwise:

- **y** grows downwards (section 3.1: "increasing downward for +ve orientation"), as in all files seen, and is
  turned round; with `orientation="-ve"` it grows upwards already.
- **Times**: channel T in its `units`, milliseconds where none are stated, plus the trace's `timeOffset`.
- **Resolution**: from the property `resolution` of channel X, else from its `units`; not known where neither is there
  (the standard's default, millimetres, is not true of real files, which count pixels).
- Traces of pen-ups and those inside `definitions` are left out. A trace that continues another (`continuation`,
  `priorRef`) goes on with its stroke. A point whose X or Y is unknown (`?`) is left out.
- Some programs write `x,y x,y` instead of `x y, x y`, and drafts of the standard used no commas at all: both are read
  where the counts leave no doubt.
- A file may declare more channels than its points have: the last ones are then taken as absent, where all points of a
  trace have the same number of values and X and Y are among them.
- Mappings and canvas transforms are not applied: coordinates are those of the traces.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.ink.assembling import InkBuilder
from asr.ink.ink import Ink, Stroke
from asr.ink.numbers import plain_numbers
from asr.ink.writing import write_text
from asr.ink.xml import Element

ROOT = "ink"
_PER_MILLIMETRE = {"m": 0.001, "cm": 0.1, "mm": 1.0, "in": 1 / 25.4, "pt": 72 / 25.4, "pc": 6 / 25.4, "himetric": 100.0}
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_VALUE = re.compile(
    r"""\s*([!'"]?)\s*([-+]?)\s*(?:([0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)|\#([0-9A-Fa-f]{1,12})|([TF*?]))\s*"""
)
_LETTERS: Mapping[str, float | str | None] = {"T": 1.0, "F": 0.0, "*": "*", "?": None}


@dataclass(frozen=True)
class _Format:
    """What the values of a point are.

    Attributes:
        channels: names, those that may be absent at the end.
        n_regular: how many of them are in every point.
        x_sign, y_sign: -1 where the values grow to the left, downwards.
        seconds: of one unit of channel T.
        resolution: units of X in a millimetre.
    """

    channels: tuple[str, ...] = ("X", "Y")
    n_regular: int = 2
    x_sign: float = 1.0
    y_sign: float = -1.0
    seconds: float = 1e-3
    resolution: float | None = None


def read_inkml(path: Path, root: Element) -> Ink:
    """The ink of a parsed file.

    Raises:
        DataError: no ink, unknown contexts, values that do not fit the channels; names file, trace and line.
    """
    return _Reader(path, root).ink()


class _Reader:
    """Walks through one file with the formats that are in force."""

    def __init__(self, path: Path, root: Element) -> None:
        self.path, self.root = path, root
        self.by_id = {element.attributes["id"]: element for element in root.everything() if "id" in element.attributes}
        self.strokes: list[tuple[NDArray[np.float64], NDArray[np.float64] | None, str]] = []
        self.of_trace: dict[str, int] = {}  # id of a trace to its stroke
        self.resolutions: set[float | None] = set()
        self.n_traces = 0

    def ink(self) -> Ink:
        self.walk(self.root, _Format())
        builder = InkBuilder(self.path)
        for points, times, where in self.strokes:
            builder.add(points, times, where)
        return builder.ink(self.resolutions.pop() if len(self.resolutions) == 1 else None)

    def walk(self, parent: Element, current: _Format) -> None:
        """Traces of an element; a format or context among its children holds for those after it."""
        for child in parent.children:
            if child.name == "traceFormat":
                current = self.trace_format(child)
            elif child.name == "context":
                current = self.context(child, current)
            elif child.name == "traceGroup":
                self.walk(child, self.referred(child, current))
            elif child.name == "trace":
                self.trace(child, self.referred(child, current))

    def referred(self, element: Element, current: _Format) -> _Format:
        """The format that an element's `contextRef` leads to, else the current one."""
        reference = element.attributes.get("contextRef")
        if reference is None:
            return current
        if reference.lstrip("#") == "DefaultContext":
            return _Format()
        return self.context(self.find(element, "contextRef"), _Format())

    def find(self, element: Element, key: str) -> Element:
        name = element.attributes[key].rpartition("#")[2]
        if name not in self.by_id:
            raise DataError(f"{self.path}: line {element.line}: {key} to {name[:40]!r}, which is not in the file")
        return self.by_id[name]

    def context(self, context: Element, inherited: _Format, depth: int = 0) -> _Format:
        """The format of a context: its own, that of its source, or that of the context it refers to."""
        if depth > 20:
            raise DataError(f"{self.path}: line {context.line}: contexts refer to each other in a circle")
        found = inherited
        if "contextRef" in context.attributes and context.attributes["contextRef"] != "#DefaultContext":
            found = self.context(self.find(context, "contextRef"), inherited, depth + 1)
        sources = context.all("inkSource")
        if "inkSourceRef" in context.attributes:
            sources.append(self.find(context, "inkSourceRef"))
        formats = context.all("traceFormat") or [one for source in sources for one in source.all("traceFormat")]
        if "traceFormatRef" in context.attributes:
            formats.append(self.find(context, "traceFormatRef"))
        if formats:
            found = self.trace_format(formats[-1])
        return _with_resolution(found, sources)

    def trace_format(self, element: Element) -> _Format:
        if "href" in element.attributes and not element.children:
            element = self.find(element, "href")
        regular = element.all("channel")
        channels = regular + [one for group in element.all("intermittentChannels") for one in group.all("channel")]
        if not channels:
            return _Format()
        names = tuple(channel.attributes.get("name", "").upper() for channel in channels)
        for name in ("X", "Y"):
            if names[: len(regular)].count(name) != 1:
                raise DataError(
                    f"{self.path}: line {element.line}: a traceFormat with the channels {' '.join(names)[:80]};"
                    " expected one X and one Y"
                )
        by_name: Mapping[str, Mapping[str, str]] = {
            name: channel.attributes for name, channel in zip(names, channels, strict=True)
        }
        time_units = by_name.get("T", {}).get("units", "ms")
        if time_units not in _SECONDS:
            raise DataError(
                f"{self.path}: line {element.line}: times in {time_units[:40]!r}; expected one of {', '.join(_SECONDS)}"
            )
        return _Format(
            names,
            len(regular),
            x_sign=-1.0 if by_name["X"].get("orientation") == "-ve" else 1.0,
            y_sign=1.0 if by_name["Y"].get("orientation") == "-ve" else -1.0,
            seconds=_SECONDS[time_units],
            resolution=_PER_MILLIMETRE.get(by_name["X"].get("units", "")),
        )

    def trace(self, trace: Element, form: _Format) -> None:
        where = f"trace {trace.attributes.get('id', self.n_traces)!s:.40} (line {trace.line})"
        self.n_traces += 1
        if trace.attributes.get("type", "penDown") != "penDown":
            return
        try:
            values = _values(trace.text, form)
        except ValueError as error:
            raise DataError(f"{self.path}: {where}: {error}; correct it or leave the trace out") from None
        known = ~np.isnan(values[:, [form.channels.index("X"), form.channels.index("Y")]]).any(axis=1)
        values = values[known]
        x, y = (values[:, form.channels.index(name)] for name in "XY")
        points = np.column_stack([form.x_sign * x, form.y_sign * y])
        times = self.times(trace, form, values, where)
        if len(points):
            self.resolutions.add(form.resolution)
        prior = trace.attributes.get("priorRef", "").rpartition("#")[2]
        if trace.attributes.get("continuation") in ("middle", "end") and prior in self.of_trace:
            index = self.of_trace[prior]
            before, times_before, first_where = self.strokes[index]
            both = None if times is None or times_before is None else np.concatenate([times_before, times])
            self.strokes[index] = (np.concatenate([before, points]), both, first_where)
        else:
            index = len(self.strokes)
            self.strokes.append((points, times, where))
        if "id" in trace.attributes:
            self.of_trace[trace.attributes["id"]] = index

    def times(
        self, trace: Element, form: _Format, values: NDArray[np.float64], where: str
    ) -> NDArray[np.float64] | None:
        if "T" not in form.channels:
            return None
        times = values[:, form.channels.index("T")] * form.seconds
        if np.isnan(times).any():
            return None
        offset = plain_numbers(trace.attributes.get("timeOffset", "0"))
        if offset is None or len(offset) != 1:
            raise DataError(f"{self.path}: {where}: a timeOffset that is no number of milliseconds")
        return times + offset[0] * 1e-3 if offset[0] else times


def _with_resolution(form: _Format, sources: Sequence[Element]) -> _Format:
    """With the property `resolution` of channel X of an ink source, such as 1000 in units of 1/cm."""
    for source in sources:
        for one in (p for group in source.all("channelProperties") for p in group.all("channelProperty")):
            attributes = one.attributes
            if attributes.get("channel", "").upper() == "X" and attributes.get("name") == "resolution":
                value = plain_numbers(attributes.get("value", ""))
                scale = _PER_MILLIMETRE.get(attributes.get("units", "").replace(" ", "").removeprefix("1/"))
                if value is not None and len(value) == 1 and scale is not None and 0 < value[0] * scale < np.inf:
                    return replace(form, resolution=float(value[0] * scale))
    return form


def _values(text: str, form: _Format) -> NDArray[np.float64]:
    """(N, channels) values of a trace, NaN where not reported. Raises ValueError with what is wrong."""
    text = text.strip().rstrip(",").rstrip()
    if not text:
        return np.zeros((0, len(form.channels)))
    values = plain_numbers(text.replace(",", " "))
    points = text.split(",")
    if values is not None:
        table = _table(values, points, text, form)
        if table is not None:
            return table
    return _decoded(points, form)


def _table(values: NDArray[np.float64], points: list[str], text: str, form: _Format) -> NDArray[np.float64] | None:
    """Explicit values between whitespace and commas; None where they need a closer look."""
    n_channels = len(form.channels)
    counts = {len(point.split()) for point in points}
    if counts == {n_channels}:
        return values.reshape(-1, n_channels)
    if len(counts) == 1 and max(form.channels.index(name) for name in "XY") < min(counts) < n_channels:
        table = np.full((len(points), n_channels), np.nan)  # declared, but never written
        table[:, : min(counts)] = values.reshape(len(points), -1)
        return table
    if len(points) == 1 and n_channels == form.n_regular and len(values) > n_channels:  # drafts: no commas at all
        if len(values) % n_channels:
            raise ValueError(
                f"{len(values)} values without commas cannot be points of {n_channels} channels"
                f" ({' '.join(form.channels)})"
            )
        return values.reshape(-1, n_channels)
    if len(counts) <= 2 and all(word.count(",") == n_channels - 1 for word in text.split()):  # x,y x,y
        return values.reshape(-1, n_channels)
    return None


def _decoded(points: list[str], form: _Format) -> NDArray[np.float64]:
    """Values by the standard's whole grammar, differences added up."""
    n_channels = len(form.channels)
    orders = ["!"] * n_channels  # an encoding holds for its channel until another is named
    value, speed, given = [0.0] * n_channels, [0.0] * n_channels, [0.0] * n_channels
    rows = np.full((len(points), n_channels), np.nan)
    for number, point in enumerate(points):
        tokens = _tokens(point, number)
        if not form.n_regular <= len(tokens) <= n_channels:
            raise ValueError(
                f"point {number} (from 0) has {len(tokens)} values; expected {n_channels}, one a channel"
                f" ({' '.join(form.channels)})"
            )
        for c, (order, token) in enumerate(tokens):
            if token is None:  # not reported
                continue
            orders[c] = order or orders[c]
            given[c] = given[c] if token == "*" else float(token)
            if orders[c] == "!":
                value[c], speed[c] = given[c], 0.0
            else:
                speed[c] = given[c] if orders[c] == "'" else speed[c] + given[c]
                value[c] += speed[c]
            rows[number, c] = value[c]
    if np.isinf(rows).any():
        raise ValueError("values or sums of differences that are too large for a number")
    return rows


def _tokens(point: str, number: int) -> list[tuple[str, float | str | None]]:
    """(encoding or "", number, "*" or None for unknown) of a point."""
    tokens: list[tuple[str, float | str | None]] = []
    position = 0
    while position < len(point) and (match := _VALUE.match(point, position)):
        order, sign, decimal, hexadecimal, letter = match.groups()
        position = match.end()
        if letter:
            tokens.append((order, _LETTERS[letter]))
        else:
            size = float(decimal) if decimal else float(int(hexadecimal, 16))
            tokens.append((order, -size if sign == "-" else size))
    if position < len(point) and point.strip():
        raise ValueError(
            f"point {number} (from 0) holds {point[position : position + 20].strip()!r}, which is no value"
        )
    return tokens


def write_inkml(path: str | os.PathLike[str], ink: Ink) -> None:
    """Write an ink as InkML; reading it gives the same ink back, exactly: times are in seconds, y grows downwards.

    Raises:
        DataError: the file cannot be written.
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
