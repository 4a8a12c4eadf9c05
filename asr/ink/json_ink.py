"""Read and write ink as plain JSON, for exchange with other programs:

    {"strokes": [[[10.5, 3], [11, 3.5]], [[12, 0, 0.25], [12, 1, 0.26]]], "resolution": 4.0, "y": "up"}

- `strokes`: one list per stroke, of points `[x, y]` or `[x, y, seconds]`; all points of a stroke have the same form.
- `resolution`: units of the coordinates per millimetre; null or left out if not known.
- `y`: `"up"` (the default), or `"down"` for coordinates of a screen.
- `pages`: instead of `strokes`, one list of strokes per page.

A bare list is taken as `strokes`. Other keys are an error.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import DataError
from asr.ink.assembling import MAX_STROKES, BadStroke, InkBuilder, shown
from asr.ink.ink import Ink
from asr.ink.sheets import Sheet, one_ink, placed_below
from asr.ink.writing import write_text

_KEYS = ("strokes", "pages", "resolution", "y")
_SCHEMA = 'expected {"strokes": [[[x, y], [x, y], ...], ...], "resolution": null}'


def read_json(path: Path, content: bytes) -> tuple[Sheet, ...]:
    """Parse a JSON file and return the pages that have strokes.

    Args:
        path: the file, for error messages.
        content: its bytes.

    Raises:
        DataError: the file is not JSON, has another schema, or has no stroke that can be read.
    """
    record = _parsed(path, content)
    if isinstance(record, list):
        record = {"strokes": record}
    if not isinstance(record, dict):
        raise DataError(f"{path}: {_SCHEMA}")
    pages = _pages(path, record)
    for key in record:
        if key not in _KEYS:
            raise DataError(f"{path}: unknown key {shown(key)}; known are {', '.join(_KEYS)}")
    y_axis = record.get("y", "up")
    if y_axis not in ("up", "down"):
        raise DataError(f'{path}: "y" is {shown(y_axis)}; expected "up" or "down"')
    if sum(map(len, pages)) > MAX_STROKES:
        raise DataError(f"{path}: more than {MAX_STROKES} strokes; cut it into pages")
    builder = InkBuilder(path)
    for number, strokes in enumerate(pages, start=1):
        builder.begin_page(number)
        _add(builder, strokes, y_axis == "down", f"page {number}, " if "pages" in record else "")
    return placed_below(builder.sheets(_resolution(path, record.get("resolution")), y_axis == "down"))


def _pages(path: Path, record: dict[str, Any]) -> list[list[Any]]:
    """Return the strokes of each page."""
    if "pages" not in record:
        pages = [record.get("strokes")]
    elif "strokes" in record:
        raise DataError(f'{path}: holds both "strokes" and "pages"; expected one of the two')
    else:
        pages = record["pages"]
    if not isinstance(pages, list) or not all(isinstance(strokes, list) for strokes in pages):
        raise DataError(f"{path}: {_SCHEMA}")
    return pages


def _add(builder: InkBuilder, strokes: list[Any], is_down: bool, page: str) -> None:
    for number, stroke in enumerate(strokes):
        where = f"{page}stroke {number}, counted from 0"
        with builder.reading(where):
            values = _values(stroke)
            points = values[:, :2] * [1.0, -1.0] if is_down else values[:, :2]
            builder.add(points, values[:, 2] if values.shape[1] == 3 else None, where)


def sheets_of_mapping(record: Mapping[str, Any]) -> tuple[Sheet, ...]:
    """Return the pages of a dictionary with the keys of a JSON file; its lists may also be NumPy arrays or tuples.

    Raises:
        DataError: for the reasons of `read_json`.
    """
    try:
        content = json.dumps(record, default=_listed)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"the dictionary is not an ink: {error}; {_SCHEMA}") from None
    return read_json(Path("<dictionary>"), content.encode())


def ink_of_mapping(record: Mapping[str, Any]) -> Ink:
    """Return the ink of a dictionary with the keys of a JSON file; its pages are placed below each other.

    Raises:
        DataError: for the reasons of `read_json`.

    >>> ink_of_mapping({"strokes": [np.array([[1, 2], [1, 10]])], "y": "down"}).points().tolist()
    [[1.0, -2.0], [1.0, -10.0]]
    """
    return one_ink(sheets_of_mapping(record))


def _listed(value: Any) -> Any:
    """Convert an array to a list, for JSON."""
    if not callable(getattr(value, "tolist", None)):
        raise TypeError(f"it holds {type(value).__name__}")
    return value.tolist()


def write_json(path: str | os.PathLike[str], ink: Ink) -> None:
    """Write an ink as JSON; `read_ink` gives exactly the same ink.

    Raises:
        DataError: the file cannot be written.

    >>> import tempfile
    >>> from asr.ink import read_ink
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(f"{folder}/letter.json", Ink.of([[1, 2], [1, 10]], resolution=4.0))
    ...     ink = read_ink(f"{folder}/letter.json")
    >>> ink.points().tolist(), ink.resolution
    ([[1.0, 2.0], [1.0, 10.0]], 4.0)
    """
    strokes = [
        np.column_stack([stroke.points] if stroke.times is None else [stroke.points, stroke.times]).tolist()
        for stroke in ink.strokes
    ]
    text = json.dumps({"strokes": strokes, "resolution": ink.resolution, "y": "up"}) + "\n"
    write_text(path, text)


def _parsed(path: Path, content: bytes) -> Any:
    try:
        # read whole numbers as floats too: Python refuses integers of more than 4300 digits
        return json.loads(content.decode("utf-8-sig"), parse_int=float)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: line {error.lineno}: not JSON: {error.msg}; was it cut or edited?") from None
    except RecursionError:
        raise DataError(f"{path}: lists are nested too deeply; {_SCHEMA}") from None


def _values(stroke: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the numbers of a stroke, (N, 2) or (N, 3)."""
    if not isinstance(stroke, list):
        raise BadStroke(f"is not a list of points; {_SCHEMA}")
    if not stroke:
        return np.zeros((0, 2))
    width = len(stroke[0]) if isinstance(stroke[0], list) else 0
    for number, point in enumerate(stroke):
        if not isinstance(point, list) or not all(isinstance(value, float) for value in point):
            raise BadStroke(f"point {number} is not a list of numbers; expected [x, y] or [x, y, seconds]")
        if len(point) not in (2, 3) or len(point) != width:
            raise BadStroke(
                f"point {number} has {len(point)} numbers, point 0 has {width}; expected [x, y]"
                " throughout the stroke, or [x, y, seconds]"
            )
    return np.array(stroke, dtype=np.float64)


def _resolution(path: Path, value: Any) -> float | None:
    if value is not None and not isinstance(value, float):
        raise DataError(f'{path}: "resolution" is {shown(value)}; expected units per millimetre, or null')
    return value
