"""Write files and folders atomically: each is complete, or it does not exist.

All writing to disk happens through calls of `os` in this module. An error of the file system becomes a DataError that
names the file, the reason and the remedy.
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

STALE_SECONDS = 86400.0  # a temporary file this old belongs to no running process
_OURS = re.compile(r"\..*\.ctc-asr-\d+-[0-9a-f]{16}\.tmp", re.DOTALL)
_LONGEST_NAME = 255  # bytes, on every common file system
_SHOWN_NAME = 32  # characters of a file's name that its temporary name repeats; keeps the temporary name short enough
_FULL = (errno.ENOSPC, errno.EDQUOT)


class _Unnamed(io.FileIO):
    """A file that is written under a temporary name in the folder of its final path.

    Attributes:
        path: the final path.
        failure: the first error of a write; torch hides it behind an error of its own.
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
        """Flush the content to the disk (fsync) and close the file."""
        with explained(self.path):
            os.fsync(self.fileno())
            self.close()

    def give_name(self) -> None:
        """Rename the finished file to its final path; replace a file that is there."""
        with explained(self.path):
            os.replace(self._temporary, self.path)

    def discard(self) -> None:
        """Close and remove the file; do nothing if it was renamed already."""
        with suppress(OSError):
            self.close()
        with suppress(OSError):
            os.unlink(self._temporary)


@contextmanager
def _unnamed(path: Path) -> Iterator[_Unnamed]:
    """Yield a file to write and to rename; remove it after an error."""
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
    """Yield a file to write; it is renamed to `path` once it is complete and on the disk.

    After an error the new file is removed, and a previous file at `path` is kept.

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
    """Write a file atomically: readers see the previous file or the complete new one.

    Raises:
        DataError: the file cannot be written; a previous file at `path` is kept.
    """
    with atomic_file(path) as file:
        file.write(content)


def write_json(path: Path, value: Any) -> None:
    """Write a value as an indented JSON document, atomically like `write_file`."""
    write_file(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write several files of a folder; none gets its name before all are complete and on the disk.

    If two processes write the same files at once, the files of one process remain, never a mixture.

    Args:
        folder: the folder; it is created if it does not exist.
        contents: the content of each file, by file name.

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
    """Append bytes to a file; create the file if it does not exist.

    Raises:
        DataError: the file cannot be written; it may end with a part of the content.
    """
    with explained(path, kept="what it held before is kept"):
        _put(path, content, os.O_APPEND)


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents; do nothing if it exists.

    Raises:
        DataError: the folder cannot be created.
    """
    with explained(folder, done="made", kept=""):
        os.makedirs(folder, exist_ok=True)


def make_new_folder(folder: Path) -> bool:
    """Create a folder and its missing parents; return False if a file or folder of this name exists already.

    Raises:
        DataError: the folder cannot be created.
    """
    with explained(folder, done="made", kept=""):
        try:
            os.makedirs(folder)
        except FileExistsError:
            return False
    return True


def write_plain(path: Path, content: bytes) -> None:
    """Write a file of a `staging` folder directly, without a temporary name and fsync; create missing parent folders.

    Raises:
        DataError: the file cannot be written.
    """
    make_folder(path.parent)
    with explained(path, kept=""):
        _put(path, content, os.O_TRUNC)


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Yield a new temporary folder to fill and then pass to `replace_folder`; remove it at the end if it still exists.

    It lies beside `folder`. Files in it may be written with `write_plain`, because no reader knows the folder's name.

    Raises:
        DataError: the folder cannot be created.
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
    """Rename the filled folder `place` to `folder`; remove a file or folder that was there.

    Raises:
        DataError: the folder cannot be renamed.
    """
    old = _temporary(folder)
    with explained(folder):
        if os.path.lexists(folder):
            os.rename(folder, old)  # so that a killed process never leaves half a folder under this name
        os.rename(place, folder)
    shutil.rmtree(old, ignore_errors=True)
    _sync_folder(folder.parent)


def remove(path: Path) -> None:
    """Remove a file or an empty folder; do nothing if that is not possible."""
    with suppress(OSError):
        (os.rmdir if path.is_dir() and not path.is_symlink() else os.unlink)(path)


@contextmanager
def locked(folder: Path, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on a folder inside a `with` block.

    The system releases the lock when the process ends. It has no effect on Windows or on file systems without locks.

    Args:
        folder: an existing folder.
        wait: True to wait until another process releases the lock.

    Raises:
        BlockingIOError: another process holds the lock, and `wait` is False.
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
        except OSError:  # a file system without locks, or a folder that may be written but not read
            pass
        yield


def obstacle(folder: Path) -> str:
    """Return the reason why files cannot be created in a folder, as a clause without subject; empty if they can.

    The folder need not exist yet. Nothing is written.

    >>> obstacle(Path("/dev/null/runs"))
    'is beneath the file /dev/null'
    """
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
    """Return the reason why a file cannot be written, as a clause without subject; empty if it can.

    The folder must exist. To be sure, a temporary file is created in it and removed again.
    """
    if why := obstacle(path.parent):
        return f"cannot be written: {path.parent} {why}"
    if why := _impossible(path) or ("is a folder" if path.is_dir() else ""):
        return why
    if not path.parent.exists():
        return f"cannot be written: there is no folder {path.parent}"
    try:
        _Unnamed(path).discard()  # some folders, such as /proc, refuse files although their permissions allow them
    except DataError as error:
        return f"cannot be written: {path.parent} takes no file ({one_line(error.__cause__ or error)})"
    return ""


def check_readable(path: Path) -> None:
    """Raise a CheckpointError if a file cannot be opened; its reader might call it damaged instead."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror}; it may be undamaged: make the file readable"
        ) from error


def is_leftover(path: Path) -> bool:
    """Return whether a path has the form of this module's temporary names.

    >>> is_leftover(Path("runs/.best.pt.ctc-asr-4711-0123456789abcdef.tmp")), is_leftover(Path("runs/best.pt"))
    (True, False)
    """
    return _OURS.fullmatch(path.name) is not None


def sweep(folder: Path, older_than: float = 0.0) -> None:
    """Remove temporary files and folders that killed processes have left in a folder; keep all other files.

    Args:
        folder: the folder; it need not exist.
        older_than: the least age in seconds; use `STALE_SECONDS` where other processes may be writing.
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
    """Convert an OSError in a `with` block into a DataError that states the reason, what is kept and what to do.

    Args:
        path: the file or folder to name in the message.
        done: the participle for the message `PATH cannot be ...`.
        kept: the clause on what is kept; None to look whether `path` exists; empty for no clause.

    Raises:
        DataError: the block raised an OSError or a ValueError.
    """
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a path that no system call takes
        if kept is None:
            kept = f"the previous {path.name} is kept" if _exists(path) else "nothing was written"
        parts = [f"{path} cannot be {done}: {_reason(path, error)}", kept, _remedy(path, error)]
        raise DataError("; ".join(filter(None, parts))) from error


def _reason(path: Path, error: OSError | ValueError) -> str:
    """Return the reason for an error, without the temporary name that the error itself may contain."""
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
    """Return the reason why a path is invalid on every file system; empty if it is valid."""
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
    """Flush a folder's entries, with a new name, to the disk."""
    if os.name != "posix":
        return
    with suppress(OSError):  # some file systems cannot do this; the file itself is safe
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
