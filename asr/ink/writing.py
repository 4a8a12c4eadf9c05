"""Text files of ink, whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

from asr.errors import DataError
from asr.files import atomic_file


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 file that gets its name when it is complete.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        with atomic_file(Path(path)) as file:
            file.write(text.encode())
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written: {error.strerror or error}; check the folder and its space"
        ) from None
