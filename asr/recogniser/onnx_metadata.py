"""What an exported `.onnx` file says beside its network: all that is needed to feed it and to read its output.

Metadata, strings; all but the plain numbers and words are JSON:
    format, version: of the layout (`asr.engines.onnx_file.FORMAT`) and of ctc-asr.
    labels, blank, unit, fold: the inventory, as in `asr.corpus.inventory.Inventory`.
    frame_seconds: from one posterior to the next (ink: in frames of the extractor).
    time_reduction: frames that become one posterior.
    weights: float32 or int8.
    features: every setting of the extractor, defaults written out.
    normaliser: its settings; with per=corpus `statistics` holds `mean` and `deviation`, F values each before stacking.
        Otherwise each utterance gives its own: mean and population deviation of its frames.
    stacking: its settings.
    card: what is known of the weights: data, licence, error rates.
    recogniser: what a bundle says of its recogniser; with card and statistics this package needs nothing else.
    sha256: of all bytes of the file before this entry; it is the last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.config import Component
from asr.engines.onnx_file import FORMAT, LARGEST, OnnxFile, checked
from asr.errors import CheckpointError, one_line
from asr.recogniser.recogniser import Recogniser
from asr.version import __version__


class OnnxModel(NamedTuple):
    """What `read_onnx` returns.

    Attributes:
        header: of a bundle: format, config, inventory, card.
        statistics: state of the normaliser, float32 (F,) each.
        file: the network, checked; for `asr.engines.onnx.OnnxEngine`.
    """

    header: dict[str, Any]
    statistics: dict[str, NDArray[np.float32]]
    file: OnnxFile


def metadata_of(recogniser: Recogniser, header: Mapping[str, Any], weights: str) -> dict[str, str]:
    """Return the metadata of a recogniser's file, but for its checksum.

    Args:
        recogniser: the recogniser.
        header: its `asr.recogniser.loading.state_of`.
        weights: how the file keeps them, float32 or int8.
    """
    inventory = recogniser.inventory
    statistics = {name: values.tolist() for name, values in recogniser.normaliser.state_dict().items()}
    normaliser = _settings(recogniser.normaliser, recogniser.config.normaliser) | {"statistics": statistics}
    return {
        "format": FORMAT,
        "version": __version__,
        "labels": json.dumps(inventory.labels),
        "blank": str(inventory.blank),
        "unit": inventory.unit,
        "fold": json.dumps(inventory.fold),
        "frame_seconds": repr(recogniser.frame_seconds),
        "time_reduction": str(recogniser.engine.time_reduction),
        "weights": weights,
        "features": json.dumps(recogniser.extractor.settings()),
        "normaliser": json.dumps(normaliser),
        "stacking": json.dumps(_settings(recogniser.stacking, recogniser.config.stacking)),
        "card": json.dumps(header["card"]),
        "recogniser": json.dumps({key: header[key] for key in ("format", "config", "inventory")}),
    }


def read_onnx(path: Path) -> OnnxModel:
    """Read an exported file; nothing in it is executed, and neither onnx nor onnxruntime is needed.

    Raises:
        CheckpointError: missing, too large, damaged, of another version, or written by something else.
    """
    content = _content(path)
    try:
        file = checked(content)
        return OnnxModel(_header(file.metadata), _statistics(file.metadata), file)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise CheckpointError(f"no ONNX file at {path}")
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise CheckpointError(f"{path} has {size / 1e9:.1f} GB; no ONNX file of one piece has more than 2.1")
        return path.read_bytes()
    except (OSError, MemoryError) as error:
        raise CheckpointError(f"{path} cannot be read: {one_line(error)}") from error


def _header(metadata: Mapping[str, str]) -> dict[str, Any]:
    header, card = _read(metadata, "recogniser"), _read(metadata, "card")
    return header | {"card": card}


def _statistics(metadata: Mapping[str, str]) -> dict[str, NDArray[np.float32]]:
    found = _read(metadata, "normaliser").get("statistics")
    try:
        return {name: np.array(values, dtype=np.float32) for name, values in dict(found or {}).items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"its statistics of the normaliser are damaged: {one_line(error)}") from error


def _read(metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    """A value that holds a JSON object."""
    try:
        value = json.loads(metadata[key])
    except (KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"its metadata have no whole {key!r}: {one_line(error)}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"its metadata have no whole {key!r}: expected a JSON object")
    return value


def _settings(part: Any, component: Component) -> dict[str, Any]:
    """The configuration node of a part, completed with the defaults that it leaves out."""
    known = {one.name: getattr(part, one.name) for one in fields(part) if one.init} if is_dataclass(part) else {}
    return known | component.to_node()
