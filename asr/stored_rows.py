"""An array in a file whose rows are read on demand.

The file is not memory-mapped: if somebody truncates a mapped file, reading the missing part ends the process (SIGBUS).
An ordinary read raises an error with a message instead, and costs some microseconds more.
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
    """An array in a file whose rows are read on demand.

    Threads and forked processes may share one object; a pickled copy opens the file again. The file stays open, so
    deleting or replacing it does not disturb a process that reads it.

    Args:
        path: the file.
        dtype: the dtype of the array.
        shape: the shape of the array; its first axis counts the rows.
        offset: the position of the array in the file, in bytes.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, ...], offset: int) -> None:
        self.path, self.shape, self._offset, self.dtype = path, shape, offset, np.dtype(dtype)
        self._open()

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 0

    def read(self, begin: int, end: int) -> NDArray[Any]:
        """Return the rows `begin` to `end` - 1 as a read-only array.

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
                f"{self.path}: was truncated while it was in use: it ends at byte {at + len(content)}; expected bytes"
                f" {at} to {at + wanted}; delete it, create it again and restart"
            )
        return np.frombuffer(content, self.dtype).reshape(end - begin, *self.shape[1:])

    def _bytes(self, wanted: int, at: int) -> bytes:
        """Read `wanted` bytes from position `at`; fewer at the end of the file."""
        if not hasattr(os, "pread"):  # Windows: threads that share a file also share its position
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
