"""Files that a manifest or a table names: what was written by somebody else is looked at before it is opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def quoted(text: str, most: int = 80) -> str:
    """A piece of outside text as a message shows it: in quotes, escaped, and never longer than a line."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}..."


def path_problem(written: str) -> str:
    """Why no file can be called so, as the end of a sentence; empty where one can."""
    if not written.strip():
        return "is empty"
    if "\0" in written:
        return "holds a NUL character"
    try:
        encoded = written.encode("utf-8")
    except UnicodeEncodeError:
        return "is not UTF-8"
    if len(encoded) > 4096 or any(len(part) > 255 for part in encoded.split(b"/")):
        return "is longer than a path or a name in it may be (4096 and 255 bytes)"
    return ""


def file_problem(path: Path) -> str:
    """Why a path is no file that can be read, as the end of a sentence; empty where it is one.

    Devices and pipes are none: reading them may never end.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "does not exist"
    except (OSError, ValueError) as error:
        return f"cannot be looked at: {getattr(error, 'strerror', None) or error}"
    if stat.S_ISREG(mode):
        return ""
    return "is a folder" if stat.S_ISDIR(mode) else "is a device or a pipe"


def below(written: str, base: Path) -> Path | None:
    """The absolute path that a relative or absolute one means, None where a relative one leaves `base` (resolved)."""
    path = Path(os.path.normpath(base / written))
    return path if Path(written).is_absolute() or path.resolve().is_relative_to(base) else None
