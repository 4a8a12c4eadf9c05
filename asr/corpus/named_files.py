"""Check paths that a manifest or a table names before anything opens them."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def quoted(text: str, most: int = 80) -> str:
    r"""Return text from outside as error messages show it: in quotes, escaped, and cut after `most` characters.

    >>> quoted("a\x07b"), quoted("abcdef", most=3)
    ("'a\\x07b'", "'abc'...")
    """
    return repr(text) if len(text) <= most else f"{text[:most]!r}..."


def path_problem(written: str) -> str:
    r"""Return why a string cannot be a path, as the end of a sentence; "" if it can.

    >>> path_problem("wav/a.wav"), path_problem("a\0b")
    ('', 'holds a NUL character')
    """
    if not written.strip():
        return "is empty"
    if "\0" in written:
        return "holds a NUL character"
    try:
        encoded = written.encode("utf-8")
    except UnicodeEncodeError:
        return "is not UTF-8"
    if len(encoded) > 4096 or any(len(part) > 255 for part in encoded.split(b"/")):
        return "is too long (a path may have 4096 bytes, each name in it 255)"
    return ""


def file_problem(path: Path) -> str:
    """Return why a path is not a regular file, as the end of a sentence; "" if it is one.

    Devices and pipes are refused, because reading them may never end.

    >>> file_problem(Path("/nowhere/a.wav")), file_problem(Path("/"))
    ('does not exist', 'is a folder')
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "does not exist"
    except (OSError, ValueError) as error:
        return f"cannot be accessed: {getattr(error, 'strerror', None) or error}"
    if stat.S_ISREG(mode):
        return ""
    return "is a folder" if stat.S_ISDIR(mode) else "is a device or a pipe"


def below(written: str, base: Path) -> Path | None:
    """Return the absolute form of a path; None if it is relative and leads out of the folder `base`.

    Args:
        written: the path as it is written, relative to `base` or absolute.
        base: a folder, with symbolic links resolved.

    >>> below("wav/../a.wav", Path("/data")), below("../a.wav", Path("/data"))
    (PosixPath('/data/a.wav'), None)
    """
    path = Path(os.path.normpath(base / written))
    return path if Path(written).is_absolute() or path.resolve().is_relative_to(base) else None
