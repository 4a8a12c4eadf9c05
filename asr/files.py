"""The one place that writes: files and folders that are whole or not there at all.

Everything that reaches the disk is a call of `os` in this module. An error of the disk becomes a DataError that names
the file, the reason and the remedy.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from asr.errors import CheckpointError, DataError, one_line

STALE_SECONDS = 86400.0  # what was left unfinished for so long belongs to no process that is still running
_OURS = re.compile(r"\..*\.ctc-asr-\d+-[0-9a-f]{16}\.tmp", re.DOTALL)
_LONGEST_NAME = 255  # bytes, on every common file system
_SHOWN_NAME = 32  # characters of a file's name that its temporary name repeats, so that this one never is too long
_FULL = (errno.ENOSPC, errno.EDQUOT)


class _Unnamed(io.FileIO):
    """A file under a temporary name beside its final one.

    Attributes:
        path: the final name.
        failure: the first error of a write. torch replaces what a write raises by an error of its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure: BaseException | None = None
        with explained(path):
            self._temporary = _temporary(path)
            super().__init__(self._temporary, "xb", opener=lambda name, flags: os.open(name, flags, 0o666))

    def write(self, data: Any, /) -> int:
        try:
            with explained(self.path):
                return os.write(self.fileno(), data)
        except BaseException as error:
            self.failure = self.failure or error
            raise

    def finish(self) -> None:
        """Put the content on the disk and close the file."""
        with explained(self.path):
            os.fsync(self.fileno())
            self.close()

    def give_name(self) -> None:
        """Rename the finished file; a file that has the name already is replaced."""
        with explained(self.path):
            os.replace(self._temporary, self.path)

    def discard(self) -> None:
        """Close and remove the file; nothing happens where it has its name already."""
        with suppress(OSError):
            self.close()
        with suppress(OSError):
            os.unlink(self._temporary)


@contextmanager
def _unnamed(path: Path) -> Iterator[_Unnamed]:
    """A file to fill and to name; after an error nothing remains of it."""
    file = _Unnamed(path)
    try:
        yield file
    except BaseException as error:
        file.discard()
        if file.failure is not None and file.failure is not error:
            raise file.failure from None
        raise


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that gets its name when it is complete and on the disk.

    After an error nothing remains of it, and what stood under `path` before still stands there.

    Raises:
        DataError: the file cannot be written.
    """
    with _unnamed(path) as raw:
        file = io.BufferedWriter(raw)
        yield file
        file.flush()
        raw.finish()
        raw.give_name()
    _sync_folder(path.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write a file that gets its name when it is complete and on the disk.

    Raises:
        DataError: the file cannot be written; what stood under `path` before still stands there.
    """
    with atomic_file(path) as file:
        file.write(content)


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document as `write_file` does."""
    write_file(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write several files of a folder; none gets its name before all are complete and on the disk.

    Of two processes that write the same files, the files of one stay, never a mixture.

    Args:
        folder: made where it is missing.
        contents: by the file's name.

    Raises:
        DataError: one of the files cannot be written.
    """
    make_folder(folder)
    with ExitStack() as stack:
        files = [stack.enter_context(_unnamed(folder / name)) for name in contents]
        for file, content in zip(files, contents.values(), strict=True):
            buffered = io.BufferedWriter(file)
            buffered.write(content)
            buffered.flush()
            file.finish()
        with locked(folder):
            for file in files:
                file.give_name()
    _sync_folder(folder)


def append(path: Path, content: bytes) -> None:
    """Add bytes to the end of a file, which is made where it is missing.

    Raises:
        DataError: the file cannot be written; it may end with a part of the content.
    """
    with explained(path, kept="what it held before is kept"):
        _put(path, content, os.O_APPEND)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing; nothing happens where it is there.

    Raises:
        DataError: the folder cannot be made.
    """
    with explained(folder, done="made", kept=""):
        os.makedirs(folder, exist_ok=True)


def make_new_folder(folder: Path) -> bool:
    """Make a folder; False where something has its name already.

    Raises:
        DataError: the folder cannot be made.
    """
    with explained(folder, done="made", kept=""):
        try:
            os.makedirs(folder)
        except FileExistsError:
            return False
    return True


def write_plain(path: Path, content: bytes) -> None:
    """Write a file in a `staging` folder, with the folders above it: at once under its name, and left to the system.

    Raises:
        DataError: the file cannot be written.
    """
    make_folder(path.parent)
    with explained(path, kept=""):
        _put(path, content, os.O_TRUNC)


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A folder to fill, beside the one whose place it will take; it is removed at the end where it still is there.

    Files in it may be written plainly: no reader knows the folder's name.

    Raises:
        DataError: the folder cannot be made.
    """
    make_folder(folder.parent)
    place = _temporary(folder)
    with explained(folder, done="made", kept=""):
        os.mkdir(place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def replace_folder(place: Path, folder: Path) -> None:
    """Give a filled folder its name; what stood there before is removed.

    Raises:
        DataError: it cannot be renamed.
    """
    old = _temporary(folder)
    with explained(folder):
        if os.path.lexists(folder):
            os.rename(folder, old)  # a kill while a tree is removed would leave half of it under its name
        os.rename(place, folder)
    shutil.rmtree(old, ignore_errors=True)
    _sync_folder(folder.parent)


def remove(path: Path) -> None:
    """Remove a file or an empty folder; nothing happens where that is not possible."""
    with suppress(OSError):
        (os.rmdir if path.is_dir() and not path.is_symlink() else os.unlink)(path)


@contextmanager
def locked(folder: Path, wait: bool = True) -> Iterator[None]:
    """Keep other processes that ask for the same lock out of a folder.

    The lock ends with the process. Without effect on Windows, and on file systems that have no locks.

    Args:
        folder: must be there.
        wait: until another process gives the lock back.

    Raises:
        BlockingIOError: another process has the lock, and `wait` is False.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with ExitStack() as stack:
        try:
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks, or a folder that may be written and not read
            pass
        yield


def obstacle(folder: Path) -> str:
    """Say why files cannot be made in a folder, which need not be there yet; empty where they can. Write nothing."""
    folder = folder.absolute()
    if why := _impossible(folder):
        return why
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not os.path.exists(there):
        return "is a link to nothing" if there == folder else f"is beneath {there}, a link to nothing"
    if not there.is_dir():
        return "is a file" if there == folder else f"is beneath the file {there}"
    if os.access(there, os.W_OK | os.X_OK):
        return ""
    denied = "is on a read-only file system" if _is_read_only(there) else "may not be written"
    return denied if there == folder else f"cannot be made: {there} {denied}"


def obstacle_to_file(path: Path) -> str:
    """Say why a file cannot be written; empty where it can: its folder is there, and takes a file, which is removed."""
    if why := obstacle(path.parent):
        return f"cannot be written: {path.parent} {why}"
    if why := _impossible(path) or ("is a folder" if path.is_dir() else ""):
        return why
    if not path.parent.exists():
        return f"cannot be written: there is no folder {path.parent}"
    try:
        _Unnamed(path).discard()  # some folders, such as /proc, refuse though their permissions do not say so
    except DataError as error:
        return f"cannot be written: {path.parent} takes no file ({one_line(error.__cause__ or error)})"
    return ""


def check_readable(path: Path) -> None:
    """Raise a CheckpointError if a file may not be read, which its reader might call damaged or missing."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror}; what it holds may be whole: make the file readable"
        ) from error


def is_leftover(path: Path) -> bool:
    """Whether the name is one under which this module writes before a file or folder gets its own."""
    return _OURS.fullmatch(path.name) is not None


def sweep(folder: Path, older_than: float = 0.0) -> None:
    """Remove what processes that were killed while they wrote have left in a folder; other files are not touched.

    Args:
        folder: need not be there.
        older_than: seconds since the last change; where other processes may be writing, `STALE_SECONDS`.
    """
    with suppress(OSError):
        for left in filter(is_leftover, list(folder.iterdir())):
            with suppress(OSError):
                if time.time() - left.lstat().st_mtime < older_than:
                    continue
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    os.unlink(left)


@contextmanager
def explained(path: Path, done: str = "written", kept: str | None = None) -> Iterator[None]:
    """Turn an error of the disk into a DataError: what cannot be done, why, what is kept, and what helps.

    Args:
        path: of the file or folder.
        done: what was to be done with it.
        kept: what of it remains; None to look.
    """
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a path that no system call takes
        if kept is None:
            kept = f"the previous {path.name} is kept" if _exists(path) else "nothing was written"
        parts = [f"{path} cannot be {done}: {_reason(path, error)}", kept, _remedy(path, error)]
        raise DataError("; ".join(filter(None, parts))) from error


def _reason(path: Path, error: OSError | ValueError) -> str:
    """Without the name of the temporary file."""
    why = _impossible(path)
    return f"it {why}" if why else str(getattr(error, "strerror", None) or error)


def _remedy(path: Path, error: OSError | ValueError) -> str:
    code = getattr(error, "errno", None)
    if code in _FULL:
        return "free some space, then do it again"
    if code == errno.ENAMETOOLONG:
        return "give a shorter name"
    if not isinstance(error, OSError) or code in (errno.EISDIR, errno.EEXIST):
        return "give another name"
    if isinstance(error, PermissionError) or os.path.isdir(path.parent):
        return "give a place that may be written to"
    return "give a folder that exists"


def _impossible(path: Path) -> str:
    """Say why no file system has such a path; empty where one can."""
    try:
        parts = [os.fsencode(part) for part in path.parts]
    except UnicodeEncodeError:
        return "has a character that no file name can hold"
    if any(b"\0" in part for part in parts):
        return "has a NUL character in its name"
    if any(len(part) > _LONGEST_NAME for part in parts):
        return f"has a name of more than {_LONGEST_NAME} bytes in it"
    return ""


def _is_read_only(place: Path) -> bool:
    return hasattr(os, "statvfs") and bool(os.statvfs(place).f_flag & os.ST_RDONLY)


def _put(path: Path, content: bytes, flag: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | flag | getattr(os, "O_BINARY", 0), 0o666)
    try:
        while content:
            content = content[os.write(handle, content) :]
    finally:
        os.close(handle)


def _exists(path: Path) -> bool:
    with suppress(OSError, ValueError):
        return os.path.exists(path)
    return False


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name[:_SHOWN_NAME]}.ctc-asr-{os.getpid()}-{os.urandom(8).hex()}.tmp")


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
