"""Read and write the ink cache `.inks`: one file of many inks, each of which is read in a fraction of a millisecond.

The file is in the safetensors format, so it cannot contain code. It has the metadata `{"format": "ctc-asr-inks-1"}` and
these tensors:

    points       (N, 2)   int16, float32 or float64, the smallest exact type; the points of all inks in order
    times        (N,)     float64 seconds, NaN if not known; left out if no time is known
    ends         (N,)     uint8, 1 at the last point of a stroke, else 0
    starts       (inks,)  int64, index of the first point of each ink
    resolutions  (inks,)  float64 units per millimetre, NaN if not known

The pair (start, n_points) identifies an ink. `write_store` returns it, and a manifest keeps it as `start` and
`duration`.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.files import atomic_file
from asr.ink.formats import CACHE_SUFFIX
from asr.ink.ink import MAX_POINTS, Ink, Stroke
from asr.stored_rows import StoredRows

_FORMAT = "ctc-asr-inks-1"
_DTYPES = {"i2": "I16", "i8": "I64", "u1": "U8", "f4": "F32", "f8": "F64"}  # names of NumPy and of safetensors
_OPEN_FILES = 16
_AGAIN = "prepare the corpus again"


def write_store(path: str | os.PathLike[str], inks: Iterable[Ink]) -> list[tuple[int, int]]:
    """Write an ink cache; an older file is replaced only when the new one is complete.

    Args:
        path: the file; its name ends in `.inks`.
        inks: at least one; iterated once. The memory needed is about 17 bytes per point, or 13 if coordinates are small
            integers.

    Returns:
        (first point, number of points) of each ink, in order.

    Raises:
        DataError: there are no inks, the file has another suffix, or it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     places = write_store(f"{folder}/two.inks", [Ink.of([[0, 0], [0, 10]]), Ink.of([[5, 5]])])
    ...     read_store(f"{folder}/two.inks", start=2).points().tolist()
    [[5.0, 5.0]]
    >>> places
    [(0, 2), (2, 1)]
    """
    path = Path(path)
    if path.suffix != CACHE_SUFFIX:
        raise DataError(
            f"{path}: the name of an ink cache ends in {CACHE_SUFFIX}; use {path.with_suffix(CACHE_SUFFIX).name}"
        )
    points: list[NDArray[Any]] = []
    times: list[NDArray[np.float64]] = []
    ends: list[NDArray[np.uint8]] = []
    places: list[tuple[int, int]] = []
    resolutions: list[float] = []
    begin = 0
    for ink in inks:
        places.append((begin, ink.n_points))
        begin += ink.n_points
        points.append(_smallest(ink.points()))
        times.append(_times(ink))
        ends.append(_ends(ink))
        resolutions.append(math.nan if ink.resolution is None else ink.resolution)
    if not places:
        raise DataError(f"{path}: no inks to write; check what was selected from the corpus")
    tensors: dict[str, NDArray[Any]] = {
        "points": _joined(points),
        "ends": np.concatenate(ends),
        "starts": np.array([start for start, _ in places], dtype=np.int64),
        "resolutions": np.array(resolutions, dtype=np.float64),
    }
    if not all(np.isnan(some).all() for some in times):
        tensors["times"] = np.concatenate(times)
    _write(path, tensors)
    return places


def read_store(path: str | os.PathLike[str], start: int | None = None, n_points: int | None = None) -> Ink:
    """Read one ink of a cache; the checked header is kept in memory until the file changes.

    Args:
        path: a `.inks` file.
        start: index of the ink's first point; None if the cache holds only one ink.
        n_points: the expected number of points of the ink; None for no check.

    Raises:
        DataError: the file is missing, not an ink cache or damaged; no ink begins at `start`; or the ink has another
            number of points.
    """
    store = _opened(path)
    begin, count, resolution = store.place(start, n_points)
    end = begin + count
    last = np.flatnonzero(store.ends.read(begin, end))
    if len(last) == 0 or last[-1] != count - 1:
        raise DataError(f"{store.path}: damaged: the ink at point {begin} ends inside a stroke; {_AGAIN}")
    points = store.points.read(begin, end).astype(np.float64)
    times = None if store.times is None else store.times.read(begin, end)
    bounds = [0, *(last + 1).tolist()]
    try:
        return Ink(tuple(_stroke(points[a:b], times, a, b) for a, b in pairwise(bounds)), resolution)
    except DataError as error:
        raise DataError(f"{store.path}: damaged: the ink at point {begin}: {error}; {_AGAIN}") from None


def store_places(path: str | os.PathLike[str]) -> list[tuple[int, int]]:
    """List (first point, number of points) of every ink, as `write_store` returned them.

    Raises:
        DataError: the file is missing, not an ink cache, or damaged.
    """
    return _opened(path).places()


def store_points(path: str | os.PathLike[str], start: int | None = None, n_points: int | None = None) -> int:
    """Return the number of points of one ink, without reading its points.

    Raises:
        DataError: for the reasons of `read_store`.
    """
    return _opened(path).place(start, n_points)[1]


class _Store:
    """A cache whose header was read and checked against the file's size."""

    def __init__(self, path: Path) -> None:
        self.path = path
        tensors = _tensors(path)
        missing = [name for name in ("points", "ends", "starts", "resolutions") if name not in tensors]
        if missing:
            raise DataError(f"{path}: damaged: an ink cache without {', '.join(missing)}; {_AGAIN}")
        self.points, self.ends = tensors["points"], tensors["ends"]
        self.times = tensors.get("times")
        self._starts, self._resolutions = _whole(tensors["starts"]), _whole(tensors["resolutions"])
        n_points = len(self.points)
        shapes_fit = (
            self.points.shape == (n_points, 2)
            and self.ends.shape == (n_points,)
            and (self.times is None or self.times.shape == (n_points,))
            and self._starts.ndim == 1
            and self._starts.shape == self._resolutions.shape
            and self._starts.dtype == np.int64
            and self._resolutions.dtype == np.float64
        )
        if not shapes_fit or len(self._starts) == 0:
            raise DataError(f"{path}: damaged: the tensors of this ink cache do not fit together; {_AGAIN}")
        self._stops = np.append(self._starts[1:], n_points)
        if self._starts[0] != 0 or not (self._starts < self._stops).all():
            raise DataError(f"{path}: damaged: the inks of this cache are not in order; {_AGAIN}")

    def places(self) -> list[tuple[int, int]]:
        """Return first point and number of points of every ink."""
        return list(zip(self._starts.tolist(), (self._stops - self._starts).tolist(), strict=True))

    def place(self, start: int | None, n_points: int | None) -> tuple[int, int, float | None]:
        """Return first point, number of points and resolution of one ink."""
        if start is None:
            if len(self._starts) > 1:
                raise DataError(
                    f"{self.path}: holds {len(self._starts)} inks; give the first point of one (`start` in a manifest)"
                )
            start = 0
        index = int(np.searchsorted(self._starts, start))
        if index == len(self._starts) or self._starts[index] != start:
            raise DataError(
                f"{self.path}: no ink begins at point {start}; the cache does not belong to this manifest; {_AGAIN}"
            )
        count = int(self._stops[index]) - int(start)
        if n_points is not None and n_points != count:
            raise DataError(
                f"{self.path}: the ink at point {start} has {count} points, not {n_points}; the cache does not belong"
                f" to this manifest; {_AGAIN}"
            )
        if count > MAX_POINTS:
            raise DataError(
                f"{self.path}: the ink at point {start} has {count} points, more than {MAX_POINTS}; {_AGAIN}"
            )
        resolution = float(self._resolutions[index])
        return int(start), count, None if math.isnan(resolution) else resolution


def _stroke(points: NDArray[np.float64], times: NDArray[np.float64] | None, begin: int, end: int) -> Stroke:
    if times is None or np.isnan(times[begin:end]).any():
        return Stroke(points)
    return Stroke(points, times[begin:end])


def _opened(path: str | os.PathLike[str]) -> _Store:
    try:
        now = os.stat(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such ink cache; {_AGAIN}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    return _open(os.fspath(path), now.st_ino, now.st_mtime_ns, now.st_size)


@lru_cache(maxsize=_OPEN_FILES)
def _open(path: str, inode: int, changed: int, size: int) -> _Store:
    return _Store(Path(path))


def _whole(rows: StoredRows) -> NDArray[Any]:
    return rows.read(0, len(rows))


def _tensors(path: Path) -> Mapping[str, StoredRows]:
    """Open the tensors of a file without loading them; safetensors checks the header against the file's size."""
    from safetensors import SafetensorError, safe_open  # here, because other formats do not need it

    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise DataError(
                    f"{path}: not an ink cache of this version (format {metadata.get('format')!r}, expected"
                    f" {_FORMAT!r}); {_AGAIN}"
                )
        return _stored(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not an ink cache, or damaged: {error}; {_AGAIN}") from error


def _stored(path: Path) -> dict[str, StoredRows]:
    """Find the tensors in a safetensors file: size of the header, header, data."""
    with path.open("rb") as file:
        n_header = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(n_header))
    types = {name: np.dtype(f"<{numpy_name}") for numpy_name, name in _DTYPES.items()}
    return {
        name: StoredRows(path, types[entry["dtype"]], tuple(entry["shape"]), 8 + n_header + entry["data_offsets"][0])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _write(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write a safetensors file tensor by tensor; `safetensors.numpy.save` would need memory for a second copy."""
    header: dict[str, Any] = {"__metadata__": {"format": _FORMAT}}
    ordered = sorted(tensors.items(), key=lambda item: -item[1].itemsize)  # large types first, so that all are aligned
    offset = 0
    for name, tensor in ordered:
        dtype = _DTYPES[tensor.dtype.str[1:]]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with atomic_file(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, tensor in ordered:
            little = np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<"))
            file.write(little.data.cast("B"))


def _smallest(values: NDArray[np.float64]) -> NDArray[Any]:
    """Convert numbers to the smallest of int16, float32 and float64 that represents all of them exactly."""
    for dtype in (np.int16, np.float32):
        with np.errstate(over="ignore", invalid="ignore"):
            smaller = values.astype(dtype)
        if np.array_equal(smaller.astype(np.float64), values):
            return smaller
    return values


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Concatenate parts of different types in a type that represents all of them exactly."""
    together = np.result_type(*{part.dtype for part in parts})
    return np.concatenate(parts, dtype=together)


def _times(ink: Ink) -> NDArray[np.float64]:
    unknown = [np.full(len(stroke), np.nan) if stroke.times is None else stroke.times for stroke in ink.strokes]
    return np.concatenate(unknown)


def _ends(ink: Ink) -> NDArray[np.uint8]:
    ends = np.zeros(ink.n_points, dtype=np.uint8)
    ends[ink.stroke_ends() - 1] = 1
    return ends
