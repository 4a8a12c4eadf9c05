"""Checkpoints: whole or not there at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch

from asr.errors import CheckpointError, TrainingError
from asr.files import atomic_file

_FULL = (errno.ENOSPC, errno.EDQUOT)


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write to a temporary name in the same folder, flush to the disk, rename.

    Raises:
        TrainingError: the disk is full or not writable; what stood under `path` before still stands there.
    """
    try:
        with atomic_file(path) as file:
            write(file)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise TrainingError(_explain(path, error)) from error


def _explain(path: Path, error: Exception) -> str:
    kept = f"the previous {path.name} is kept" if os.path.exists(path) else "nothing was written"
    if not isinstance(error, OSError) or error.errno in _FULL:
        remedy = "free some space, then do it again"
    elif isinstance(error, PermissionError) or os.path.isdir(path.parent):
        remedy = "give a place that may be written to"
    else:
        remedy = "give a folder that exists"
    return f"cannot write {path}: {_reason(error)}; {kept}; {remedy}"


def _reason(error: Exception) -> str:
    """Without the name of the temporary file."""
    return str(getattr(error, "strerror", None) or error)


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document atomically."""
    write_atomically(path, lambda file: file.write((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()))


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors and plain values atomically."""
    write_atomically(path, lambda file: torch.save(dict(state), file))


def check_readable(path: Path) -> None:
    """Raise a CheckpointError where a file may not be read: what reads it may call that damaged, or not there."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror}; what it holds may be whole: make the file readable"
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running any code that it may carry.

    Raises:
        CheckpointError: the file is missing, unreadable or damaged, or holds more than tensors and plain values.
    """
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}")
    check_readable(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise almost any error
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"{path} is not a whole checkpoint of this package ({reason}); use another one or train again"
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} holds a {type(state).__name__}, expected a checkpoint of this package")
    return state
