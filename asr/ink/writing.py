"""Write text files of ink."""

from __future__ import annotations

import os
from pathlib import Path

from asr.files import write_file


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 file; an older file is replaced only when the new one is complete.

    Raises:
        DataError: the file cannot be written.
    """
    write_file(Path(path), text.encode())
