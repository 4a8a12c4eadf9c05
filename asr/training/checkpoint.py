"""Write checkpoints atomically, and read them safely."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from asr.errors import CheckpointError, one_line
from asr.files import atomic_file, check_readable

_LONGEST = 60  # characters of a record's name in a message


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors and plain values atomically.

    Raises:
        DataError: the file cannot be written; a previous file at `path` is kept.
    """
    with atomic_file(path) as file:
        torch.save(dict(state), file)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running any code that it may carry.

    Raises:
        CheckpointError: the file is missing, unreadable or damaged, or contains more than tensors and plain values.
    """
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}")
    check_readable(path)
    _check_whole(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise almost any error
        raise _damaged(path, one_line(error)) from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} contains a {type(state).__name__}; expected a checkpoint of this package")
    return state


def _check_whole(path: Path) -> None:
    """Verify the checksums of a checkpoint's records, because torch does not.

    Compressed records are refused: torch never writes them, and they could unpack to a thousand times the file's size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
                raise _damaged(path, "its records are compressed")
            if bad := archive.testzip():
                raise _damaged(path, f"the record {bad[:_LONGEST]!r} is damaged")
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError, zlib.error, NotImplementedError) as error:
        raise _damaged(path, one_line(error)) from error


def _damaged(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a complete checkpoint of this package ({reason}); use another one or train again"
    )
