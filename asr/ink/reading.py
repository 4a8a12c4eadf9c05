"""Read files of ink; the format is detected from the content, not from the name."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from asr.errors import DataError
from asr.ink import gzip
from asr.ink.assembling import MAX_BYTES, shown
from asr.ink.formats import CACHE_SUFFIX, FORMATS
from asr.ink.ink import Ink, Stroke
from asr.ink.json_ink import read_json
from asr.ink.sheets import Sheet, one_ink
from asr.ink.store import read_store, store_points

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def read_ink(path: str | os.PathLike[str], start: int | None = None, n_points: int | None = None) -> Ink:
    """Read the ink of a file, or a segment of it; the pages of a notebook are placed below each other.

    Args:
        path: a file of any supported format.
        start: first point of the segment, counted from 0; None for the first point of the file.
        n_points: number of points of the segment; None for all up to the end. Strokes are cut at the segment's ends.

    Raises:
        DataError: the file is missing, empty, too large, damaged or of an unknown format, or the segment is outside
            of it.
    """
    path = Path(path)
    if path.suffix == CACHE_SUFFIX:
        return read_store(path, start, n_points)
    ink = one_ink(_parsed(path, _content(path)))
    return ink if start is None and n_points is None else _segment(path, ink, start or 0, n_points)


def read_sheets(path: str | os.PathLike[str]) -> tuple[Sheet, ...]:
    """Read the pages of a file that have ink; formats without pages give one page.

    Raises:
        DataError: for the reasons of `read_ink`.
    """
    path = Path(path)
    if path.suffix == CACHE_SUFFIX:
        return (Sheet(read_store(path, None, None), y_down=False),)
    return _parsed(path, _content(path))


def read_sheets_bytes(content: bytes, name: str) -> tuple[Sheet, ...]:
    """Read the pages of a file held in memory, of any format except an ink cache.

    Args:
        content: the bytes of the file.
        name: name of the file in error messages.

    Raises:
        DataError: for the reasons of `read_ink`.
    """
    if len(content) > MAX_BYTES:
        raise DataError(f"{name}: more than {MAX_BYTES} bytes; cut it into pages")
    if not content.strip():
        raise DataError(f"{name}: is empty; write it again or leave it out")
    return _parsed(Path(name), content)


def read_ink_bytes(content: bytes, name: str) -> Ink:
    """Read the ink of a file held in memory, of any format except an ink cache.

    Args:
        content: the bytes of the file.
        name: name of the file in error messages.

    Raises:
        DataError: for the reasons of `read_ink`.

    >>> ink = read_ink_bytes(b'{"strokes": [[[0, 0], [0, 10]], [[-3, 7], [3, 7]]]}', "letter.json")
    >>> len(ink.strokes), ink.n_points
    (2, 4)
    """
    return one_ink(read_sheets_bytes(content, name))


def ink_points(path: str | os.PathLike[str], start: int | None = None, n_points: int | None = None) -> int:
    """Return the number of points that `read_ink` would give; an ink cache is asked without reading points.

    Raises:
        DataError: for the reasons of `read_ink`.
    """
    path = Path(path)
    if path.suffix == CACHE_SUFFIX:
        return store_points(path, start, n_points)
    return read_ink(path, start, n_points).n_points


def _parsed(path: Path, content: bytes) -> tuple[Sheet, ...]:
    if content.startswith(gzip.MAGIC):
        content = gzip.decompressed(path, content)
    start = content[:4096].replace(b"\0", b"")  # the zeros of UTF-16, which XML may use
    for mark in _BYTE_ORDER_MARKS:
        start = start.removeprefix(mark)
    start = start.lstrip()
    if start[:1] in (b"{", b"["):
        return read_json(path, content)
    if start[:1] == b"<":
        return _read_xml(path, content)
    if re.search(rb"^\.[A-Z]", content[:4096].removeprefix(_BYTE_ORDER_MARKS[0]), re.MULTILINE):
        from asr.ink.unipen import read_unipen

        return (Sheet(read_unipen(path, content.removeprefix(_BYTE_ORDER_MARKS[0])), y_down=False),)
    if content[8:9] == b"{" and b"ctc-asr-inks" in content[:4096]:
        raise DataError(f"{path}: is an ink cache with another suffix; rename it to *{CACHE_SUFFIX}")
    raise DataError(f"{path}: cannot be read as ink; expected {FORMATS}")


def _read_xml(path: Path, content: bytes) -> tuple[Sheet, ...]:
    from asr.ink import iam_ondb, inkml, svg, xopp  # here, because other formats do not need these slow imports
    from asr.ink.xml import parse_xml

    root = parse_xml(path, content)
    if root.name in (inkml.ROOT, xopp.ROOT):
        return inkml.read_inkml(path, root) if root.name == inkml.ROOT else xopp.read_xopp(path, root)
    if root.name in (iam_ondb.ROOT, svg.ROOT):
        return (Sheet(iam_ondb.read_iam_ondb(path, root) if root.name == iam_ondb.ROOT else svg.read_svg(path, root)),)
    raise DataError(
        f"{path}: XML with the root element <{shown(root.name)[1:-1]}>, which is not ink; expected {FORMATS}"
    )


def _content(path: Path) -> bytes:
    """Read all bytes of a regular file of bounded size."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # opening a FIFO would block
            raise DataError(f"{path}: not a file; name a file of ink")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DataError(f"{path}: cannot be read: {error}") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"{path}: {status.st_size} bytes, more than {MAX_BYTES}; cut it into pages")
    if not content.strip():
        raise DataError(f"{path}: is empty; write it again or leave it out")
    return content


def _segment(path: Path, ink: Ink, start: int, n_points: int | None) -> Ink:
    stop = ink.n_points if n_points is None else start + n_points
    if not 0 <= start < stop <= ink.n_points:
        raise DataError(
            f"{path}: the segment of points {start} to {stop} lies outside the file, which has {ink.n_points}; correct"
            " start and duration in the manifest"
        )
    strokes = []
    begin = 0
    for stroke in ink.strokes:
        a, b = max(start - begin, 0), min(stop - begin, len(stroke))
        if a < b:
            strokes.append(Stroke(stroke.points[a:b], None if stroke.times is None else stroke.times[a:b]))
        begin += len(stroke)
    return Ink(tuple(strokes), ink.resolution)
