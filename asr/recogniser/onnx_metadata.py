"""The metadata of an exported `.onnx` file: everything that is needed to compute its inputs and to read its outputs.

All values are strings: plain numbers, words, or JSON.
    format, version: the format of the metadata (`asr.engines.onnx_file.FORMAT`), and the version of ctc-asr.
    labels, blank, unit, fold: the inventory, see `asr.corpus.inventory.Inventory`.
    frame_seconds: the time from one posterior to the next (for ink, in frames of the extractor).
    time_reduction: how many stacked frames become one posterior.
    weights: float32 or int8.
    features: every setting of the extractor, defaults included.
    normaliser: its settings. With per=corpus, `statistics` has `mean` and `deviation`, F values each before stacking;
        otherwise each utterance is normalised with the mean and population deviation of its own frames.
    stacking: its settings.
    card: the model card: data, licence, error rates.
    recogniser: the header of a bundle; with card and statistics, it is all that this package needs.
    sha256: the checksum of all bytes of the file before this entry, which is the last.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

from asr.config import Component
from asr.engines.onnx_file import FORMAT
from asr.recogniser.header import Header
from asr.recogniser.recogniser import Recogniser
from asr.version import __version__


def metadata_of(recogniser: Recogniser, weights: str) -> dict[str, str]:
    """Return the metadata of the file of a recogniser, without the checksum.

    Args:
        recogniser: the recogniser.
        weights: the number format of the weights in the file, float32 or int8.
    """
    inventory = recogniser.inventory
    header = Header(recogniser.config, recogniser.card).to_dict()
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


def _settings(part: Any, component: Component) -> dict[str, Any]:
    """Return the configuration node of a part, with the defaults that it leaves out."""
    known = {one.name: getattr(part, one.name) for one in fields(part) if one.init} if is_dataclass(part) else {}
    return known | component.to_node()
