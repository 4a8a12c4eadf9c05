"""Read and write the `.lm` file of a recurrent model: a safetensors file with the weights and a header as metadata."""

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
        model: the model to save.
        path: the file to write.
        store: the number format of the weights, one of `STORES`.

    Raises:
        ConfigError: `store` is not one of `STORES`, or the name does not end in `.lm`.
        DataError: the file cannot be written; an existing file is left as it was.
    """
    from safetensors.numpy import save

    if store not in STORES:
        raise ConfigError(f"a recurrent language model cannot store its weights as {store}; give {' or '.join(STORES)}")
    if path.suffix != ".lm":
        raise ConfigError(f"{path}: expected a name that ends in .lm for a recurrent language model")
    tensors = {name: np.ascontiguousarray(value, dtype=store) for name, value in model.weights.items()}
    write_file(path, save(tensors, {KEY: json.dumps(model.header.to_dict(), ensure_ascii=False)}))


def load_recurrent(path: Path) -> RecurrentModel:
    """Read a `.lm` file with a recurrent model; nothing in the file is executed.

    Raises:
        CheckpointError: the file is missing or damaged, or another program wrote it.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise CheckpointError(f"no language model at {path}")
    check_readable(path)
    try:
        with safe_open(str(path), framework="np") as file:
            header = json.loads((file.metadata() or {}).get(KEY, "null"))
            # Copied: tensors may be mapped from the file, and truncating a mapped file would end this process.
            weights = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} is not a complete language model: {one_line(error)}") from error
    return model_of_file(path, header, weights)


def model_of_file(path: Path, header: object, weights: dict[str, NDArray[Any]]) -> RecurrentModel:
    """Make a model of the content of a file.

    Args:
        path: the file, for messages.
        header: the description of the model; it is checked here.
        weights: the weights by name.

    Raises:
        CheckpointError: the header is malformed, or the weights do not fit it.
    """
    try:
        return RecurrentModel(LabelModelHeader.from_dict(header), weights)
    except AsrError as error:
        raise CheckpointError(f"{path} is not a complete language model: {error}") from error
