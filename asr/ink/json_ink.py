"""Ink as plain JSON, for programs of one's own:

    {"strokes": [[[10.5, 3], [11, 3.5]], [[12, 0, 0.25], [12, 1, 0.26]]], "resolution": 4.0, "y": "up"}

`strokes`: one list a stroke, of points `[x, y]` or `[x, y, seconds]`, the same throughout a stroke. `resolution`: units
of the coordinates in a millimetre, null or left out where not known. `y`: `"up"` (as left out) or `"down"` for
coordinates of a screen. A bare list is taken as `strokes`. Other keys are an error, since they would say something that
is not read.
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
from asr.ink.writing import write_text

_KEYS = ("strokes", "resolution", "y")
_SCHEMA = 'expected {"strokes": [[[x, y], [x, y], ...], ...], "resolution": null}'


def read_json(path: Path, content: bytes) -> Ink:
    """The ink of a JSON file.

    Raises:
        DataError: not JSON, another schema, no stroke that can be read; names the file and the stroke.
    """
    record = _parsed(path, content)
    if isinstance(record, list):
        record = {"strokes": record}
    if not isinstance(record, dict) or not isinstance(record.get("strokes"), list):
        raise DataError(f"{path}: {_SCHEMA}")
    for key in record:
        if key not in _KEYS:
            raise DataError(f"{path}: unknown key {shown(key)}; known are {', '.join(_KEYS)}")
    y_axis = record.get("y", "up")
    if y_axis not in ("up", "down"):
        raise DataError(f'{path}: "y" is {shown(y_axis)}; expected "up" or "down"')
    if len(record["strokes"]) > MAX_STROKES:
        raise DataError(f"{path}: more than {MAX_STROKES} strokes; cut it into pages")
    builder = InkBuilder(path)
    for number, stroke in enumerate(record["strokes"]):
        where = f"stroke {number} (from 0)"
        with builder.reading(where):
            values = _values(stroke)
            points = values[:, :2] * [1.0, -1.0] if y_axis == "down" else values[:, :2]
            builder.add(points, values[:, 2] if values.shape[1] == 3 else None, where)
    return builder.ink(_resolution(path, record.get("resolution")))


def ink_of_mapping(record: Mapping[str, Any]) -> Ink:
    """The ink of a dictionary that is built as the files are; its lists may also be NumPy arrays or tuples.

    Raises:
        DataError: as `read_json`.
    """
    try:
        content = json.dumps(record, default=_listed)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"a dictionary that is no ink: {error}; {_SCHEMA}") from None
    return read_json(Path("<dictionary>"), content.encode())


def _listed(value: Any) -> Any:
    """An array as a list, for JSON."""
    if not callable(getattr(value, "tolist", None)):
        raise TypeError(f"it holds {type(value).__name__}")
    return value.tolist()


def write_json(path: str | os.PathLike[str], ink: Ink) -> None:
    """Write an ink as JSON; `read_json` gives the same ink back, exactly.

    Raises:
        DataError: the file cannot be written.
    """
    strokes = [
        np.column_stack([stroke.points] if stroke.times is None else [stroke.points, stroke.times]).tolist()
        for stroke in ink.strokes
    ]
    text = json.dumps({"strokes": strokes, "resolution": ink.resolution, "y": "up"}) + "\n"
    write_text(path, text)


def _parsed(path: Path, content: bytes) -> Any:
    try:
        # whole numbers too become floats: Python would refuse those of more than 4300 digits
        return json.loads(content.decode("utf-8-sig"), parse_int=float)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: line {error.lineno}: not JSON: {error.msg}; was it cut or edited?") from None
    except RecursionError:
        raise DataError(f"{path}: lists within lists within lists; {_SCHEMA}") from None


def _values(stroke: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(N, 2) or (N, 3) numbers of a stroke."""
    if not isinstance(stroke, list):
        raise BadStroke(f"is no list of points; {_SCHEMA}")
    if not stroke:
        return np.zeros((0, 2))
    width = len(stroke[0]) if isinstance(stroke[0], list) else 0
    for number, point in enumerate(stroke):
        if not isinstance(point, list) or not all(isinstance(value, float) for value in point):
            raise BadStroke(f"point {number} is no list of numbers; expected [x, y] or [x, y, seconds]")
        if len(point) not in (2, 3) or len(point) != width:
            raise BadStroke(
                f"point {number} has {len(point)} numbers, point 0 has {width}; expected [x, y]"
                " throughout the stroke, or [x, y, seconds]"
            )
    return np.array(stroke, dtype=np.float64)


def _resolution(path: Path, value: Any) -> float | None:
    if value is not None and not isinstance(value, float):
        raise DataError(f'{path}: "resolution" is {shown(value)}; expected units in a millimetre, or null')
    return value
