"""Rows of an array in a file, read piece by piece as they are asked for.

Such a file is not mapped into memory: the system ends a process (SIGBUS) that reads what somebody has cut off a mapped
file. Reading says it in a sentence, and takes some microseconds more.
"""

from __future__ import annotations

import math
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from asr.errors import DataError


class StoredRows:
    """The rows of an array; threads and forked processes may share them, and a copy that is sent opens the file anew.

    The file stays open: whoever deletes or replaces it does not disturb a process that uses it.

    Args:
        path: the file.
        dtype: of the array.
        shape: of the array, whose first axis are the rows.
        offset: bytes of the file before the array.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, ...], offset: int) -> None:
        self.path, self.shape, self._offset, self.dtype = path, shape, offset, np.dtype(dtype)
        self._open()

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 0

    def read(self, begin: int, end: int) -> NDArray[Any]:
        """Return rows `begin` to `end` - 1, which nobody can write to.

        Raises:
            DataError: the file has become shorter, or the disk fails.
        """
        size = math.prod(self.shape[1:]) * self.dtype.itemsize
        wanted, at = (end - begin) * size, self._offset + begin * size
        try:
            content = self._bytes(wanted, at)
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read: {error.strerror}; is its disk still there?") from error
        if len(content) < wanted:
            raise DataError(
                f"{self.path}: was cut while it was in use: it ends at byte {at + len(content)}, and bytes {at} to"
                f" {at + wanted} were expected; delete it, make it anew and start again"
            )
        return np.frombuffer(content, self.dtype).reshape(end - begin, *self.shape[1:])

    def _bytes(self, wanted: int, at: int) -> bytes:
        """Read bytes of the file; fewer at its end."""
        if not hasattr(os, "pread"):  # Windows: a place in a file that is shared would be everybody's
            with self.path.open("rb") as file:
                file.seek(at)
                return file.read(wanted)
        content = os.pread(self._file, wanted, at)
        while len(content) < wanted and (more := os.pread(self._file, wanted - len(content), at + len(content))):
            content += more
        return content

    def _open(self) -> None:
        if hasattr(os, "pread"):
            self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            weakref.finalize(self, os.close, self._file)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._open()
