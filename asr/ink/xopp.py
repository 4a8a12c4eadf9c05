"""Read notebooks of Xournal++ and Xournal (`.xopp`, `.xoj`): gzip-compressed XML.

    <xournal creator="Xournal++ 1.2.3" fileversion="4">
      <page width="595.3" height="841.9">
        <layer>
          <stroke tool="pen" color="#000000ff" width="1.41">10 20 30 40 50 60</stroke>

The unit is 1/72 inch, so there are 72/25.4 units per millimetre. In the file, y grows downwards from the top of the
page; it is negated here. The strokes of the pen are read, on all layers in order. Highlighter strokes are kept apart,
in `Sheet.highlights`; eraser (correction fluid), typed text and pictures are left out. As one ink, pages are placed
below each other. There are no times. Decimal commas, which some versions wrote in some languages, are accepted.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.ink.assembling import BadStroke, InkBuilder, shown
from asr.ink.numbers import plain_numbers
from asr.ink.sheets import Sheet
from asr.ink.xml import Element

ROOT = "xournal"
_RESOLUTION = 72 / 25.4
_A4 = 841.89  # height of a page
_HIGHEST = 1e6  # largest accepted height of a page, about 350 m


def read_xopp(path: Path, root: Element) -> tuple[Sheet, ...]:
    """Return the pages of a parsed notebook that have ink; layers are numbered from the lowest.

    Args:
        path: the file, for error messages.
        root: its root element.

    Raises:
        DataError: there is no pen stroke that can be read.
    """
    builder = InkBuilder(path)
    top = 0.0
    for n_page, page in enumerate(root.all("page"), start=1):
        builder.begin_page(n_page, top)
        layers = enumerate(page.all("layer"), start=1)
        strokes = [(layer, stroke) for layer, element in layers for stroke in element.all("stroke")]
        for number, (layer, stroke) in enumerate(strokes):
            tool = stroke.attributes.get("tool", "pen")
            where = f"page {n_page}, stroke {number}, counted from 0 (line {stroke.line})"
            if tool == "pen":
                with builder.reading(where):
                    builder.add(_points(stroke.text), None, where, layer)
            elif tool == "highlighter":
                with suppress(BadStroke):
                    builder.highlight(_points(stroke.text), layer)
        top += _height(page, builder)
    return builder.sheets(_RESOLUTION)


def _points(text: str) -> NDArray[np.float64]:
    """Parse the points of a stroke, (N, 2), and turn y upwards."""
    values = _numbers(text)
    if values is None:
        raise BadStroke("holds something else than numbers; expected x y x y ...")
    if len(values) % 2:
        raise BadStroke(f"{len(values)} coordinates; expected x and y for every point")
    return values.reshape(-1, 2) * [1.0, -1.0]


def _numbers(text: str) -> NDArray[np.float64] | None:
    return plain_numbers(text.replace(",", ".") if "," in text and "." not in text else text)


def _height(page: Element, builder: InkBuilder) -> float:
    """Return the height of a page; that of A4, with a warning, if it is not given."""
    text = page.attributes.get("height", "")
    height = _numbers(text)
    if height is None or len(height) != 1 or not 0 < height[0] <= _HIGHEST:
        builder.note(f"line {page.line}: a page of height {shown(text)}; expected a number above 0; {_A4:g} is used")
        return _A4
    return float(height[0])
