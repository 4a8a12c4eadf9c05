"""The network of a recogniser as an ONNX file: for this package, and for programs that know nothing of it.

Inputs, any B and T:
    frames: (B, T, F) float32, normalised and stacked as the metadata says; the padding may hold anything, even NaN.
    lengths: (B,) int64, 1 <= lengths[b] <= T, in any order.
Outputs:
    log_probs: (B, T', L) float32, natural logarithm, blank at the index that the metadata names.
    out_lengths: (B,) int64; what stands behind an utterance's length is finite and means nothing.

`asr.recogniser.onnx_metadata` lists the metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from asr.decoding.files import saved_beside
from asr.engines.engine import Network
from asr.engines.onnx_file import MICROSOFT, sealed
from asr.errors import ConfigError
from asr.extras import require
from asr.files import write_file
from asr.recogniser.onnx_graph import graph_of
from asr.recogniser.onnx_metadata import metadata_of
from asr.recogniser.onnx_operators import check_network
from asr.recogniser.recogniser import Recogniser
from asr.version import __version__

STORES = ("float32", "int8")
"""The number formats in which a file may store the weights."""

_OPSET, _IR_VERSION = 17, 8  # of 2022: every operator used is in it, and runtimes read old files but not newer ones


def export_onnx(
    recogniser: Recogniser, path: Path, store: str = "float32", on_copy: Callable[[Path], object] | None = None
) -> None:
    """Write the network with all that is needed to use it; see this module.

    Files that the default decoder needs are copied beside it.

    Args:
        recogniser: of any size, with one of the cells in `asr.recogniser.onnx_operators.ONNX_CELLS`; its decoder is
            named only: it is not part of the network.
        path: the file to write.
        store: how the weights are kept: float32, or int8 for the cells lstm and lstm_peephole. The network of an int8
            file is run by onnxruntime alone, and computes with whole numbers: compare its error rates first.
        on_copy: hears of each file that is copied, see `saved_beside`.

    Raises:
        ConfigError: the package onnx is missing, or the network is no stack of cells that ONNX has.
        DataError: the file cannot be written; what stood there before still stands there.
    """
    if store not in STORES:
        raise ConfigError(f"an .onnx file keeps its weights as {' or '.join(STORES)}, not as {store}")
    network = recogniser.engines.network
    if network is None:
        raise ConfigError("this model was read from an .onnx file; export the model that the file was made of")
    check_network(network)  # first: the package onnx, asked for next, would be installed in vain
    config = replace(recogniser.config, decoder=saved_beside(recogniser.config.decoder, path.parent, on_copy))
    metadata = metadata_of(replace(recogniser, config=config), store)
    write_file(path, model_of(network, metadata, int8=store == "int8"))


def model_of(network: Network, metadata: Mapping[str, str], int8: bool = False) -> bytes:
    """Return the content of a file.

    Args:
        network: a stack of cells that ONNX has; weights of float16 become float32.
        metadata: by key.
        int8: keep the weights of the layers as int8.

    Raises:
        ConfigError: as `export_onnx`.
    """
    require("onnx", what="writing an .onnx file")
    from onnx import checker, helper

    domains = ["", *([MICROSOFT] if int8 else [])]
    model = helper.make_model(
        graph_of(network, int8),
        producer_name="ctc-asr",
        producer_version=__version__,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid(domain, 1 if domain else _OPSET) for domain in domains],
    )
    helper.set_model_props(model, dict(metadata))
    checker.check_model(model, full_check=not int8)  # it knows nothing of what onnxruntime's own operator gives
    return sealed(model.SerializeToString(deterministic=True))
