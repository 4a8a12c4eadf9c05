"""Resolve the contexts, trace formats, brushes and canvas transforms of an InkML file.

Each element is evaluated once, however many traces refer to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from asr.ink.assembling import BadStroke, InkBuilder, shown
from asr.ink.inkml_format import Affine, Format
from asr.ink.numbers import plain_numbers
from asr.ink.xml import Element

_PER_MILLIMETRE = {"m": 0.001, "cm": 0.1, "mm": 1.0, "in": 1 / 25.4, "pt": 72 / 25.4, "pc": 6 / 25.4, "himetric": 100.0}
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_OF_THE_DEVICE = "dev"  # unit of the device, of unknown size
_MOST_CHANNELS = 64
_DEEPEST = 20  # longest chain of contexts that refer to contexts
_TRANSPARENT = 0.25  # transparency from which a brush is a highlighter; pencils have up to a tenth
_DEFAULT = "DefaultContext"


@dataclass(frozen=True)
class _Parts:
    """The own statements of a context; None or empty if it says nothing.

    Attributes:
        refers: the element of the context that it refers to.
        form: its trace format, or that of its ink source.
        resolutions: units per millimetre of X and Y, ticks per second of T, by channel.
        canvas: the canvas transform, None for the identity.
        has_canvas: whether it has a canvas transform.
        highlighter: whether its brush is a highlighter.
        sheet: name of its canvas; empty if none is named.
    """

    refers: Element | None
    form: Format | None
    resolutions: Mapping[str, float]
    canvas: Affine | None
    has_canvas: bool
    highlighter: bool | None
    sheet: str


class Contexts:
    """Resolver of the formats that apply to the elements of a file.

    Args:
        root: root element of the file.
        builder: collects warnings about parts that are ignored.
    """

    def __init__(self, root: Element, builder: InkBuilder) -> None:
        self._by_id = {element.attributes["id"]: element for element in root.everything() if "id" in element.attributes}
        self._builder = builder
        self._formats: dict[int, Format] = {}  # keys are ids of elements, which live as long as the root
        self._parts: dict[int, _Parts] = {}
        self._highlighters: dict[int, bool] = {}
        self._contexts: dict[tuple[int, Format], Format] = {}

    def referred(self, element: Element, current: Format) -> Format:
        """Return the format that the `contextRef` and `brushRef` of an element give, or `current` without them."""
        reference = element.attributes.get("contextRef")
        if reference is not None:
            try:
                plain = reference.lstrip("#") == _DEFAULT
                current = Format() if plain else self.context(self._find(element, "contextRef"), Format())
            except BadStroke as error:
                return Format(wrong=str(error))
        if "brushRef" in element.attributes:
            highlighter = self._is_highlighter(self._named(element, "brushRef"))
            if highlighter != current.highlighter:
                current = replace(current, highlighter=highlighter)
        return current

    def context(self, context: Element, inherited: Format) -> Format:
        """Return the format of a context: its own, that of its ink source, or that of the context it refers to."""
        key = (id(context), inherited)
        if key not in self._contexts:
            try:
                self._contexts[key] = self._context(context, inherited, 0)
            except BadStroke as error:
                self._contexts[key] = Format(wrong=str(error))
        return self._contexts[key]

    def trace_format(self, element: Element) -> Format:
        """Return the format that an element `traceFormat` describes."""
        if id(element) not in self._formats:
            try:
                self._formats[id(element)] = self._trace_format(element)
            except BadStroke as error:
                self._formats[id(element)] = Format(wrong=str(error))
        return self._formats[id(element)]

    def _named(self, element: Element, key: str) -> Element | None:
        return self._by_id.get(element.attributes[key].rpartition("#")[2])

    def _find(self, element: Element, key: str) -> Element:
        found = self._named(element, key)
        if found is None:
            name = shown(element.attributes[key].rpartition("#")[2])
            raise BadStroke(f"line {element.line}: {key} names {name}, which is not in the file")
        return found

    def _context(self, context: Element, inherited: Format, depth: int) -> Format:
        if depth > _DEEPEST:
            raise BadStroke(f"line {context.line}: contexts refer to each other in a cycle")
        if id(context) not in self._parts:
            self._parts[id(context)] = self._own_parts(context)
        parts = self._parts[id(context)]
        found = inherited if parts.refers is None else self._context(parts.refers, inherited, depth + 1)
        if parts.form is not None:
            found = replace(parts.form, canvas=found.canvas, highlighter=found.highlighter, sheet=found.sheet)
        found = _with_resolutions(found, parts.resolutions)
        if parts.has_canvas:
            found = replace(found, canvas=parts.canvas)
        if parts.sheet:
            found = replace(found, sheet=parts.sheet)
        return found if parts.highlighter is None else replace(found, highlighter=parts.highlighter)

    def _own_parts(self, context: Element) -> _Parts:
        refers = None
        if context.attributes.get("contextRef", f"#{_DEFAULT}").lstrip("#") != _DEFAULT:
            refers = self._find(context, "contextRef")
        sources = context.all("inkSource")
        if "inkSourceRef" in context.attributes:
            sources.append(self._find(context, "inkSourceRef"))
        formats = context.all("traceFormat") or [one for source in sources for one in source.all("traceFormat")]
        if "traceFormatRef" in context.attributes:
            formats.append(self._find(context, "traceFormatRef"))
        transforms = context.all("canvasTransform")
        if "canvasTransformRef" in context.attributes:
            transforms.append(self._find(context, "canvasTransformRef"))
        brushes = context.all("brush")
        if "brushRef" in context.attributes and (named := self._named(context, "brushRef")) is not None:
            brushes.append(named)
        return _Parts(
            refers,
            self.trace_format(formats[-1]) if formats else None,
            _resolutions(sources),
            self._canvas(transforms[-1]) if transforms else None,
            bool(transforms),
            self._is_highlighter(brushes[-1]) if brushes else None,
            next((one.attributes.get("id", "") for one in context.all("canvas")), _name(context, "canvasRef")),
        )

    def _trace_format(self, element: Element) -> Format:
        if "href" in element.attributes and not element.children:
            element = self._find(element, "href")
        regular = element.all("channel")
        channels = regular + [one for group in element.all("intermittentChannels") for one in group.all("channel")]
        if not channels:
            return Format()
        names = tuple(channel.attributes.get("name", "").upper() for channel in channels)
        if len(names) > _MOST_CHANNELS or any(names[: len(regular)].count(name) != 1 for name in ("X", "Y")):
            raise BadStroke(
                f"line {element.line}: the traceFormat has the channels {shown(' '.join(names))[1:-1]}; expected one X"
                f" and one Y, and at most {_MOST_CHANNELS} channels"
            )
        x, y = (channels[names.index(name)].attributes for name in "XY")
        x_units, y_units = (_PER_MILLIMETRE.get(one.get("units", "")) for one in (x, y))
        return Format(
            names,
            len(regular),
            x_sign=-1.0 if x.get("orientation") == "-ve" else 1.0,
            y_sign=1.0 if y.get("orientation") == "-ve" else -1.0,
            seconds=self._seconds(channels[names.index("T")]) if "T" in names else None,
            x_resolution=x_units,
            y_resolution=x_units if y_units is None or x_units is None else y_units,
        )

    def _seconds(self, channel: Element) -> float | None:
        units = channel.attributes.get("units", "ms")
        if units not in _SECONDS and units != _OF_THE_DEVICE:
            self._builder.note(
                f"line {channel.line}: times in {shown(units)} are ignored; expected one of {', '.join(_SECONDS)}, dev"
            )
        return _SECONDS.get(units)

    def _is_highlighter(self, brush: Element | None, depth: int = 0) -> bool:
        """Return whether a brush, or the brush that it refers to, is a highlighter."""
        if brush is None or depth > _DEEPEST:
            return False
        if id(brush) not in self._highlighters:
            refers = self._named(brush, "brushRef") if "brushRef" in brush.attributes else None
            properties = {one.attributes.get("name"): one.attributes.get("value") for one in brush.all("brushProperty")}
            marks = _highlights(properties.get("rasterOp"), properties.get("transparency"))
            self._highlighters[id(brush)] = self._is_highlighter(refers, depth + 1) if marks is None else marks
        return self._highlighters[id(brush)]

    def _canvas(self, transform: Element) -> Affine | None:
        """Return the matrix of a canvas transform; None for the identity or an unsupported mapping."""
        mappings = transform.all("mapping")  # a second mapping is the inverse
        mapping = mappings[0] if mappings else None
        if mapping is not None and "mappingRef" in mapping.attributes:
            mapping = self._named(mapping, "mappingRef")
        if mapping is None or mapping.attributes.get("type") == "identity":
            return None
        matrix = _matrix(mapping) if mapping.attributes.get("type", "affine") == "affine" else None
        if matrix is None:
            self._builder.note(
                f"line {mapping.line}: a canvasTransform of type {shown(mapping.attributes.get('type', 'unknown'))} is"
                " ignored; expected an affine one of x and y"
            )
        return matrix


def _name(element: Element, reference: str) -> str:
    return element.attributes.get(reference, "").rpartition("#")[2]


def _highlights(raster: str | None, transparency: str | None) -> bool | None:
    """Return whether these properties make a brush a highlighter; None if neither property is given."""
    if raster is None and transparency is None:
        return None
    value = plain_numbers(transparency or "")
    share = float(value[0]) if value is not None and len(value) == 1 else 0.0
    share = share / 255 if share > 1 else share  # some programs write a share, others a byte
    return (raster or "").lower() == "maskpen" or share >= _TRANSPARENT


def _resolutions(sources: Sequence[Element]) -> dict[str, float]:
    """Return the property `resolution` of the channels X, Y and T of ink sources, per millimetre or second."""
    found: dict[str, float] = {}
    for source in sources:
        for one in (p for group in source.all("channelProperties") for p in group.all("channelProperty")):
            attributes = one.attributes
            channel = attributes.get("channel", "").upper()
            if attributes.get("name") == "resolution" and channel in ("X", "Y", "T") and channel not in found:
                scales = {name: 1 / size for name, size in _SECONDS.items()} if channel == "T" else _PER_MILLIMETRE
                value = plain_numbers(attributes.get("value", ""))
                scale = scales.get(attributes.get("units", "").replace(" ", "").removeprefix("1/"))
                if value is not None and len(value) == 1 and scale is not None and 0 < value[0] * scale < np.inf:
                    found[channel] = float(value[0] * scale)
    return found


def _with_resolutions(form: Format, of: Mapping[str, float]) -> Format:
    """Set the resolutions of a format; Y has the resolution of X if it has none of its own."""
    if "X" in of:
        form = replace(form, x_resolution=of["X"], y_resolution=of.get("Y", of["X"]))
    return replace(form, seconds=1 / of["T"]) if "T" in of and "T" in form.channels else form


def _matrix(mapping: Element) -> Affine | None:
    """Return the rows for x and y of an affine mapping; None if they use other channels or are not invertible."""
    texts = [mapping.text, *(one.text for one in mapping.children if one.name in ("affine", "matrix"))]
    values = plain_numbers(" ".join(texts).replace(",", " "))
    binds = mapping.all("bind")[:_MOST_CHANNELS]
    sources = [one.attributes["source"].upper() for one in binds if "source" in one.attributes] or ["X", "Y"]
    targets = [one.attributes["target"].upper() for one in binds if "target" in one.attributes] or ["X", "Y"]
    if not all(names.count(name) == 1 for names in (sources, targets) for name in "XY"):
        return None
    width = len(sources) + 1
    if values is None or len(values) != len(targets) * width or not np.isfinite(values).all():
        return None
    rows = values.reshape(-1, width)[[targets.index("X"), targets.index("Y")]]
    own = rows[:, [sources.index("X"), sources.index("Y"), width - 1]]
    others = np.delete(rows, [sources.index("X"), sources.index("Y"), width - 1], axis=1)
    (a, b, c), (d, e, f) = own.tolist()
    area = a * e - b * d
    return None if others.any() or area == 0 or not math.isfinite(area) else (a, b, c, d, e, f)
