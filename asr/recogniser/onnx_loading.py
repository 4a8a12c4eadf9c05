"""Load an exported `.onnx` file: a recogniser from its metadata, with onnxruntime as its engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.config import shown
from asr.decoding.choice import Wish
from asr.engines.engine import EngineChoice
from asr.engines.names import AUTO
from asr.engines.onnx import OnnxEngine
from asr.engines.onnx_file import LARGEST, OnnxFile, checked
from asr.engines.pool import Engines
from asr.errors import CheckpointError, ConfigError, one_line
from asr.files import check_readable
from asr.recogniser.assembly import joined
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.parts import Parts
from asr.recogniser.recogniser import Recogniser


class OnnxModel(NamedTuple):
    """The content of an ONNX file, from `read_onnx`.

    Attributes:
        header: plain values, for `asr.recogniser.header.read_header`.
        statistics: the statistics of the normaliser, (F,) float32 each.
        file: the checked network, for `asr.engines.onnx.OnnxEngine`.
    """

    header: object
    statistics: dict[str, NDArray[np.float32]]
    file: OnnxFile


def load_onnx(path: Path, plugins: Sequence[str] = (), engine: str = AUTO, decoder: Wish = None) -> Recogniser:
    """Check and load an exported file; onnxruntime runs it.

    Args:
        path: the file.
        plugins: modules of the user that the configuration may name.
        engine: `auto` or `onnx`.
        decoder: the decoder to use; None: the default that the file names.

    Raises:
        CheckpointError: the file is missing or damaged, or another program wrote it.
        MissingExtra: onnxruntime is not installed.
        ConfigError: the engine is another one, or the decoder or one of its options does not exist.
    """
    if engine not in (AUTO, "onnx"):
        raise ConfigError(f"engine={shown(engine)}; only onnx runs {path}: load the bundle that it was made from")
    model = read_onnx(path)

    def engines(config: RecogniserConfig, parts: Parts) -> Engines:
        sizes = (parts.n_features, len(config.inventory))
        if (model.file.n_features, model.file.n_labels) != sizes:
            raise CheckpointError(
                f"its network has {model.file.n_features} features and {model.file.n_labels} labels, its configuration "
                f"{sizes[0]} and {sizes[1]}; export the model again"
            )
        return Engines(None, only=(OnnxEngine(model.file), EngineChoice("onnx", "the model is an .onnx file")))

    return joined(path, model.header, model.statistics, plugins, engines, decoder)


def read_onnx(path: Path) -> OnnxModel:
    """Read and check an exported file; nothing in it is executed, and neither onnx nor onnxruntime is needed.

    Raises:
        CheckpointError: the file is missing, too large or damaged, or another program or version wrote it.
    """
    content = _content(path)
    try:
        file = checked(content)
        return OnnxModel(_header(file.metadata), _statistics(file.metadata), file)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise CheckpointError(f"no .onnx file at {path}")
    check_readable(path)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise CheckpointError(f"{path} has {size / 1e9:.1f} GB; expected an ONNX file of at most 2.1 GB")
        return path.read_bytes()
    except (OSError, MemoryError) as error:
        raise CheckpointError(f"{path} cannot be read: {one_line(error)}") from error


def _header(metadata: Mapping[str, str]) -> object:
    header, card = _read(metadata, "recogniser"), _read(metadata, "card")
    return header | {"card": card}


def _statistics(metadata: Mapping[str, str]) -> dict[str, NDArray[np.float32]]:
    found = _read(metadata, "normaliser").get("statistics")
    try:
        return {name: np.array(values, dtype=np.float32) for name, values in dict(found or {}).items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"the statistics of its normaliser are damaged: {one_line(error)}") from error


def _read(metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    """Return the JSON object of a metadata entry."""
    try:
        value = json.loads(metadata[key])
    except (KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"its metadata has no valid {key!r}: {one_line(error)}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"its metadata has no valid {key!r}: expected a JSON object")
    return value
