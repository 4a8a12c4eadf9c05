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
from dataclasses import fields, is_dataclass
from typing import Any

from asr.config import Component
from asr.engines.onnx_file import FORMAT
from asr.recogniser.header import Header
from asr.recogniser.recogniser import Recogniser
from asr.version import __version__


def metadata_of(recogniser: Recogniser, weights: str) -> dict[str, str]:
    """Return the metadata of a recogniser's file, but for its checksum.

    Args:
        recogniser: the recogniser.
        weights: how the file keeps them, float32 or int8.
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
    """The configuration node of a part, completed with the defaults that it leaves out."""
    known = {one.name: getattr(part, one.name) for one in fields(part) if one.init} if is_dataclass(part) else {}
    return known | component.to_node()
