"""Export the network of a recogniser as an ONNX file, for this package and for other programs.

Inputs, for any B and T:
    frames: (B, T, F) float32, normalised and stacked as in the metadata; the padding may hold anything, even NaN.
    lengths: (B,) int64, 1 <= lengths[b] <= T, in any order.
Outputs:
    log_probs: (B, T', L) float32, natural logarithm, blank at the index that the metadata names.
    out_lengths: (B,) int64; posteriors after the length of an utterance are finite but meaningless.

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

_OPSET, _IR_VERSION = 17, 8  # of 2022: they have all operators used here, and older runtimes read them, too


def export_onnx(
    recogniser: Recogniser, path: Path, store: str = "float32", on_copy: Callable[[Path], object] | None = None
) -> None:
    """Write the network and everything that is needed to use it into an ONNX file; the module describes it.

    Files that the default decoder needs are copied beside it.

    Args:
        recogniser: a recogniser with one of the cells in `asr.recogniser.onnx_operators.ONNX_CELLS`. The file names
            its decoder, which is not part of the network.
        path: the file to write.
        store: the number format of the weights: float32, or int8 for the cells lstm and lstm_peephole. Only onnxruntime
            runs an int8 file, with integer arithmetic: compare the error rates before you use it.
        on_copy: called with the path of each copied file, see `asr.decoding.files.saved_beside`.

    Raises:
        ConfigError: `store` is not one of `STORES`, or ONNX does not support the network.
        MissingExtra: the package onnx is not installed.
        DataError: the file cannot be written; an existing file is left as it was.
    """
    if store not in STORES:
        raise ConfigError(f"an .onnx file cannot store its weights as {store}; give {' or '.join(STORES)}")
    network = recogniser.engines.network
    if network is None:
        raise ConfigError("this model was read from an .onnx file; export the model that the file was made from")
    check_network(network)  # before the package onnx is asked for, which would not help
    config = replace(recogniser.config, decoder=saved_beside(recogniser.config.decoder, path.parent, on_copy))
    metadata = metadata_of(replace(recogniser, config=config), store)
    write_file(path, model_of(network, metadata, int8=store == "int8"))


def model_of(network: Network, metadata: Mapping[str, str], int8: bool = False) -> bytes:
    """Return the content of an ONNX file.

    Args:
        network: a stack of cells that ONNX supports; weights in float16 become float32.
        metadata: the metadata by key.
        int8: store the weights of the layers as int8.

    Raises:
        ConfigError: ONNX does not support the network.
        MissingExtra: the package onnx is not installed.
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
    checker.check_model(model, full_check=not int8)  # it does not know the shapes of onnxruntime's own operator
    return sealed(model.SerializeToString(deterministic=True))
