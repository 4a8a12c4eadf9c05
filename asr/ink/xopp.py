"""Notebooks of Xournal++ and Xournal (`.xopp`, `.xoj`): gzip-compressed XML.

    <xournal creator="Xournal++ 1.2.3" fileversion="4">
      <page width="595.3" height="841.9">
        <layer>
          <stroke tool="pen" color="#000000ff" width="1.41">10 20 30 40 50 60</stroke>

Coordinates are points of 1/72 inch, so 72/25.4 units in a millimetre; y grows downwards from the top of the page and is
turned round. Read are the strokes of the pen, on all layers in their order; highlighter, eraser (correction fluid),
typed text and pictures are left out. As one ink, pages follow below each other. There are no times.
Decimal commas, as some versions wrote them by the language of the system, are read as points.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.ink.assembling import BadStroke, InkBuilder, shown
from asr.ink.numbers import plain_numbers
from asr.ink.sheets import Sheet
from asr.ink.xml import Element

ROOT = "xournal"
_RESOLUTION = 72 / 25.4
_A4 = 841.89  # height
_HIGHEST = 1e6  # of a page: some 350 m


def read_xopp(path: Path, root: Element) -> tuple[Sheet, ...]:
    """The pages of a parsed notebook that have ink; layers are numbered from the lowest.

    Raises:
        DataError: no pen stroke that can be read; names the file and the stroke.
    """
    builder = InkBuilder(path)
    top = 0.0
    for n_page, page in enumerate(root.all("page"), start=1):
        builder.begin_page(n_page, top)
        layers = enumerate(page.all("layer"), start=1)
        strokes = [(layer, stroke) for layer, element in layers for stroke in element.all("stroke")]
        for number, (layer, stroke) in enumerate(strokes):
            if stroke.attributes.get("tool", "pen") != "pen":
                continue
            where = f"page {n_page}, stroke {number} from 0 (line {stroke.line})"
            with builder.reading(where):
                builder.add(_points(stroke.text) * [1.0, -1.0], None, where, layer)
        top += _height(page, builder)
    return builder.sheets(_RESOLUTION)


def _points(text: str) -> NDArray[np.float64]:
    """(N, 2) points of a stroke, y downwards."""
    values = _numbers(text)
    if values is None:
        raise BadStroke("other text than numbers; expected x y x y ...")
    if len(values) % 2:
        raise BadStroke(f"{len(values)} coordinates; expected x and y for every point")
    return values.reshape(-1, 2)


def _numbers(text: str) -> NDArray[np.float64] | None:
    return plain_numbers(text.replace(",", ".") if "," in text and "." not in text else text)


def _height(page: Element, builder: InkBuilder) -> float:
    """How far below the top of a page the next one begins; a usual sheet's height where it is not stated."""
    text = page.attributes.get("height", "")
    height = _numbers(text)
    if height is None or len(height) != 1 or not 0 < height[0] <= _HIGHEST:
        builder.note(f"line {page.line}: a page of height {shown(text)}; expected a number above 0, {_A4:g} is taken")
        return _A4
    return float(height[0])
