"""Notebooks of Xournal++ and Xournal (`.xopp`, `.xoj`): gzip-compressed XML.

    <xournal creator="Xournal++ 1.2.3" fileversion="4">
      <page width="595.3" height="841.9">
        <layer>
          <stroke tool="pen" color="#000000ff" width="1.41">10 20 30 40 50 60</stroke>

Coordinates are points of 1/72 inch, so 72/25.4 units in a millimetre; y grows downwards from the top of the page and is
turned round. Read are the strokes of the pen, on all layers in their order; highlighter, eraser (correction fluid),
typed text and pictures are left out. Pages follow below each other, as if on one long sheet. There are no times.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np

from asr.errors import DataError
from asr.ink.assembling import MAX_BYTES, InkBuilder
from asr.ink.ink import Ink
from asr.ink.numbers import plain_numbers
from asr.ink.xml import Element

ROOT = "xournal"
GZIP = b"\x1f\x8b"
_RESOLUTION = 72 / 25.4


def decompressed(path: Path, content: bytes) -> bytes:
    """What a gzip file holds, at most `MAX_BYTES`.

    Raises:
        DataError: damaged, cut, or more than that; names the file.
    """
    whole = bytearray()
    while content:
        stream = zlib.decompressobj(wbits=31)
        try:
            whole += stream.decompress(content, MAX_BYTES + 1 - len(whole))
        except zlib.error as error:
            raise DataError(f"{path}: damaged gzip file: {error}; copy it again") from None
        if len(whole) > MAX_BYTES:
            raise DataError(f"{path}: holds more than {MAX_BYTES} bytes when unpacked; cut it into pages")
        if not stream.eof:
            raise DataError(f"{path}: truncated gzip file; copy it again")
        content = stream.unused_data.lstrip(b"\0")
    return bytes(whole)


def read_xopp(path: Path, root: Element) -> Ink:
    """The ink of a parsed notebook.

    Raises:
        DataError: no pen strokes, an odd count of coordinates, other text than numbers; names the file and the stroke.
    """
    builder = InkBuilder(path)
    top = 0.0
    for n_page, page in enumerate(root.all("page"), start=1):
        strokes = [stroke for layer in page.all("layer") for stroke in layer.all("stroke")]
        for number, stroke in enumerate(strokes):
            if stroke.attributes.get("tool", "pen") != "pen":
                continue
            where = f"page {n_page}, stroke {number} from 0 (line {stroke.line})"
            values = plain_numbers(stroke.text)
            if values is None:
                raise DataError(f"{path}: {where}: other text than numbers; expected x y x y ...")
            if len(values) % 2:
                raise DataError(f"{path}: {where}: {len(values)} coordinates; expected x and y for every point")
            builder.add(values.reshape(-1, 2) * [1.0, -1.0] - [0.0, top], None, where)
        top += _height(path, page)
    return builder.ink(_RESOLUTION)


def _height(path: Path, page: Element) -> float:
    text = page.attributes.get("height", "")
    height = plain_numbers(text)
    if height is None or len(height) != 1 or not (math.isfinite(height[0]) and height[0] > 0):
        raise DataError(f"{path}: line {page.line}: a page of height {text[:40]!r}; expected a number above 0")
    return float(np.float64(height[0]))
