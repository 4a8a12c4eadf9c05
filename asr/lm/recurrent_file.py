"""The `.lm` file of a recurrent model: a safetensors file with its weights, and its header as metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.errors import AsrError, CheckpointError, ConfigError, one_line
from asr.files import check_readable, write_file
from asr.lm.recurrent import RecurrentModel
from asr.lm.recurrent_header import KEY, LabelModelHeader

STORES = ("float32", "float16")
"""The number formats in which a file may store the weights; loading converts them to float32."""


def save_recurrent(model: RecurrentModel, path: Path, store: str = "float32") -> None:
    """Write a `.lm` file.

    Args:
        model: what to save.
        path: the file to write.
        store: the number format of the weights, one of `STORES`.

    Raises:
        ConfigError: there is no such `store`, or the name does not end in `.lm`.
        DataError: the file cannot be written; an existing file is left as it was.
    """
    from safetensors.numpy import save

    if store not in STORES:
        raise ConfigError(f"a recurrent language model keeps its weights as {' or '.join(STORES)}, not as {store}")
    if path.suffix != ".lm":
        raise ConfigError(f"{path}: the name of a recurrent language model ends in .lm")
    tensors = {name: np.ascontiguousarray(value, dtype=store) for name, value in model.weights.items()}
    write_file(path, save(tensors, {KEY: json.dumps(model.header.to_dict(), ensure_ascii=False)}))


def load_recurrent(path: Path) -> RecurrentModel:
    """Read a `.lm` file; nothing in it is executed.

    Raises:
        CheckpointError: the file is missing, damaged, or of another program.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise CheckpointError(f"no language model at {path}")
    check_readable(path)
    try:
        with safe_open(str(path), framework="np") as file:
            header = json.loads((file.metadata() or {}).get(KEY, "null"))
            # Copied, because they may be mapped from the file: cutting it short would end this process.
            weights = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} is not a whole language model: {one_line(error)}") from error
    return model_of_file(path, header, weights)


def model_of_file(path: Path, header: object, weights: dict[str, NDArray[Any]]) -> RecurrentModel:
    """Make the model of a file that was read.

    Args:
        path: of the file, for messages.
        header: plain values, from anywhere.
        weights: by name.

    Raises:
        CheckpointError: header and weights do not fit each other.
    """
    try:
        return RecurrentModel(LabelModelHeader.from_dict(header), weights)
    except AsrError as error:
        raise CheckpointError(f"{path} is not a whole language model: {error}") from error
