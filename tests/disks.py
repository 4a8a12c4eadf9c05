"""A disk that fills, or a process that is killed, at a chosen call of `asr.files`."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from asr import files
from asr.errors import AsrError

CALLS = ("open", "write", "fsync", "replace", "rename", "mkdir", "makedirs", "rmdir", "unlink")
_NEED_SPACE = ("write", "fsync", "mkdir", "makedirs")
_FULL_DISK = ("No space left on device", "free some space, then do it again")
FULL, KILLED = "the disk is full", "the process is killed"


class Killed(BaseException):
    """What a process that was killed does: nothing more, not even tidying up."""


class Disk:
    """Stands for the module `os` in `asr.files`.

    Args:
        at: the call at which it happens, counted from 0.
        fault: FULL: from this call on nothing can be written, until the disk is exchanged; half of the bytes of the
            first write still fit. KILLED: half of the bytes are written, and no call after this one does anything.

    Attributes:
        calls: names of the calls so far.
    """

    def __init__(self, at: int, fault: str) -> None:
        self.at, self.fault = at, fault
        self.calls: list[str] = []

    @property
    def struck(self) -> bool:
        """Whether it has happened."""
        return len(self.calls) > self.at

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._faulty(name, real) if name in CALLS else real

    def _faulty(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            if self.struck and self.fault == KILLED:
                raise Killed
            self.calls.append(name)
            if not self.struck:
                return real(*arguments, **more)
            if len(self.calls) == self.at + 1 and name == "write":
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            if self.fault == KILLED:
                raise Killed
            if name in _NEED_SPACE or (name == "open" and arguments[1] & os.O_CREAT):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **more)

        return call

    def rmtree(self, *arguments: Any, **more: Any) -> None:
        """Stands for `shutil.rmtree`."""
        if self.struck and self.fault == KILLED:
            raise Killed
        shutil.rmtree(*arguments, **more)


@contextmanager
def exchanged(disk: Disk) -> Iterator[None]:
    """Let `asr.files` write on this disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "os", disk)
        patch.setattr(files, "shutil", disk)
        yield


def interrupted(command: Callable[[], object], fault: str, at: int) -> Disk:
    """Run a command on a disk with a fault, which must end it with an error for the user, and return the disk."""
    disk = Disk(at, fault)
    with exchanged(disk), suppress(Killed):
        try:
            command()
        except AsrError as error:
            if not disk.struck or not all(words in str(error) for words in _FULL_DISK):
                raise
    return disk
