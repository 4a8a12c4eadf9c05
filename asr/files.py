"""Files that are whole or not there at all."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

STALE_SECONDS = 86400.0  # what a process left unfinished for so long belongs to none that is running


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that gets its name when it is complete and on the disk.

    After an error nothing remains of it, and what stood under `path` before still stands there; an OSError is the
    caller's to explain.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def obstacle(folder: Path) -> str:
    """Why files cannot be made in a folder, which need not be there yet; empty where they can. Nothing is written."""
    folder = folder.absolute()
    there = next(place for place in (folder, *folder.parents) if os.path.exists(place))
    if not there.is_dir():
        return "is a file" if there == folder else f"is beneath the file {there}"
    if os.access(there, os.W_OK | os.X_OK):
        return ""
    return "may not be written" if there == folder else f"cannot be made: {there} may not be written"


def sweep(folder: Path, older_than: float = 0.0) -> None:
    """Remove what processes that were killed while they wrote have left in a folder.

    Args:
        folder: where.
        older_than: seconds since the last byte was written; where other processes may be writing, `STALE_SECONDS`.
    """
    for left in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime >= older_than:
                left.unlink()


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk too, where the system can."""
    if os.name != "posix":
        return
    with suppress(OSError):  # some file systems cannot; the file itself is safe
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
