"""The network of a recogniser as an ONNX file, for programs that have no torch.

The graph is built node by node from the weights, not traced: tracers lose the packing of padded batches, or the result
at other lengths and batch sizes than the example's (pytorch/pytorch#48460, #41774, #62240). ONNX's own operators
LSTM, GRU and RNN take the lengths and read each utterance backwards within its own, as our layer does.

Inputs, any B and T:
    frames: (B, T, F) float32, normalised and stacked as the metadata says; the padding may hold anything, even NaN.
    lengths: (B,) int64, 1 <= lengths[b] <= T, in any order.
Outputs:
    log_probs: (B, T', L) float32, natural logarithm, blank at the index that the metadata names.
    out_lengths: (B,) int64; what stands behind an utterance's length is finite and means nothing.

Metadata, strings; all but the plain numbers and words are JSON:
    format, version: of this layout (`FORMAT`) and of ctc-asr.
    labels, blank, unit, fold: the inventory, as in `asr.corpus.inventory.Inventory`.
    frame_seconds: from one posterior to the next.
    features: every setting of the extractor, defaults written out.
    normaliser: its settings; with per=corpus `statistics` holds `mean` and `deviation`, F values each before stacking.
        Otherwise each utterance gives its own: mean and population deviation of its frames.
    stacking: its settings.
    card: what is known of the weights: data, licence, error rates.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from asr.config import Component
from asr.errors import ConfigError
from asr.files import write_file
from asr.recogniser.recogniser import Recogniser
from asr.recurrent.cells.gated import with_two_biases
from asr.recurrent.cells.gru import GruCell
from asr.recurrent.cells.gru_before import GruBeforeCell
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.cells.lstm_peephole import PeepholeLstmCell
from asr.recurrent.cells.simple import SimpleCell
from asr.recurrent.layer import RecurrentLayer
from asr.recurrent.stack import RecurrentStack
from asr.version import __version__

FORMAT = "ctc-asr-onnx-1"
_OPSET, _IR_VERSION = 17, 8  # of 2022: every operator used is in it, and runtimes read old files but not newer ones


def export_onnx(recogniser: Recogniser, path: Path) -> None:
    """Write the network with all that is needed to feed it and to read its output; see the top of this file.

    Args:
        recogniser: of any size, with one of the cells in `OPERATORS`; its weights are written as float32, its decoder
            is not.
        path: where to.

    Raises:
        ConfigError: the package onnx is missing, or the network is no stack of cells that ONNX has.
        DataError: the file cannot be written; what stood there before still stands there.
    """
    stack = _exportable(recogniser.model)
    try:
        from onnx import checker, helper
    except ImportError as error:
        raise ConfigError("writing ONNX needs the package onnx: pip install 'ctc-asr[export]'") from error
    model = helper.make_model(
        _graph_of(stack),
        producer_name="ctc-asr",
        producer_version=__version__,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    helper.set_model_props(model, _metadata(recogniser))
    checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    write_file(path, content)


def _exportable(model: nn.Module) -> RecurrentStack:
    if type(model) is not RecurrentStack:
        raise ConfigError(
            f"ONNX export knows asr.recurrent.stack.RecurrentStack, not {type(model).__name__}; "
            "export a .safetensors bundle instead"
        )
    return model


def _metadata(recogniser: Recogniser) -> dict[str, str]:
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
        "features": json.dumps(recogniser.extractor.settings()),
        "normaliser": json.dumps(normaliser),
        "stacking": json.dumps(_settings(recogniser.stacking, recogniser.config.stacking)),
        "card": json.dumps(recogniser.card.to_dict()),
    }


def _settings(part: Any, component: Component) -> dict[str, Any]:
    """The configuration node of a part, completed with the defaults that it leaves out."""
    known = {one.name: getattr(part, one.name) for one in fields(part) if one.init} if is_dataclass(part) else {}
    return known | component.to_node()


class _Graph:
    """Nodes and constants so far; each method adds one and returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: NDArray[Any], name: str | None = None) -> str:
        from onnx import numpy_helper

        name = name or f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def integers(self, *values: int) -> str:
        """A list of int64."""
        return self.constant(np.array(values, dtype=np.int64))

    def node(self, operator: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        out = out or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [out], name=out, **attributes))
        return out


def _graph_of(stack: RecurrentStack) -> Any:
    """`RecurrentStack.forward` in evaluation, line by line; time-major inside, as there."""
    from onnx import TensorProto, helper

    graph, lengths, n_inputs = _Graph(), "lengths", stack.n_features
    hidden = graph.node("Transpose", "frames", perm=[1, 0, 2])  # (T, B, F)
    valid = _valid(graph, hidden, lengths)
    hidden = _mask(graph, hidden, valid)
    for number, layer in enumerate(stack.layers, start=1):
        assert isinstance(layer, RecurrentLayer)
        outputs = _mask(graph, _layer(graph, f"layers.{number}", layer, hidden, lengths), valid)  # (T, B, O)
        skips = stack.skips and number > 1 and layer.output_size == n_inputs
        hidden, n_inputs = graph.node("Add", outputs, hidden) if skips else outputs, layer.output_size
        if number == stack.time_reduction_after and stack.time_reduction > 1:
            hidden = _join_frames(graph, hidden, n_inputs, stack.time_reduction)  # (T', B, O * reduction)
            n_inputs *= stack.time_reduction
            lengths = _reduced_length(graph, lengths, stack.time_reduction)
            valid = _valid(graph, hidden, lengths)
    weight = graph.constant(_array(stack.output.weight).T, "output.weight")  # (O, L)
    bias = graph.constant(_array(stack.output.bias), "output.bias")
    scores = graph.node("Add", graph.node("MatMul", hidden, weight), bias)
    graph.node("LogSoftmax", graph.node("Transpose", scores, perm=[1, 0, 2]), axis=-1, out="log_probs")
    graph.node("Identity", lengths, out="out_lengths")

    out_time = "time" if stack.time_reduction == 1 else "out_time"
    value, real, integer = helper.make_tensor_value_info, TensorProto.FLOAT, TensorProto.INT64
    return helper.make_graph(
        graph.nodes,
        "ctc-asr",
        [value("frames", real, ["batch", "time", stack.n_features]), value("lengths", integer, ["batch"])],
        [value("log_probs", real, ["batch", out_time, stack.n_labels]), value("out_lengths", integer, ["batch"])],
        initializer=graph.constants,
    )


def _valid(graph: _Graph, frames: str, lengths: str) -> str:
    """(T, B, 1) bool, true on the frames of (T, B, F), false on the padding."""
    zero, one = (graph.constant(np.array(value, dtype=np.int64)) for value in (0, 1))
    n_frames = graph.node("Gather", graph.node("Shape", frames), zero)
    time = graph.node("Unsqueeze", graph.node("Range", zero, n_frames, one), graph.integers(1, 2))  # (T, 1, 1)
    return graph.node("Less", time, graph.node("Unsqueeze", lengths, graph.integers(0, 2)))


def _mask(graph: _Graph, frames: str, valid: str) -> str:
    """Zeros on the padding, whatever stood there; ONNX does not say what its operators leave there."""
    return graph.node("Where", valid, frames, graph.constant(np.zeros((), dtype=np.float32)))


class _Operator(NamedTuple):
    """One direction in ONNX's words."""

    name: str
    weights: dict[str, NDArray[np.float32]]  # W (G, F), R (G, H), B (2G,) of both biases, P (3H,) of peepholes
    attributes: dict[str, Any]
    activations: tuple[str, ...] = ()  # those of one direction, where they are not the operator's own


def _lstm(cell: LstmCell) -> _Operator:
    return _Operator("LSTM", _onnx_weights(cell.to_torch(), 4, (0, 3, 1, 2)), {})


def _peephole_lstm(cell: PeepholeLstmCell) -> _Operator:
    weights = _onnx_weights(with_two_biases(cell), 4, (0, 3, 1, 2))
    weights["P"] = _reordered(cell.peepholes.flatten(), 3, (0, 2, 1))
    return _Operator("LSTM", weights, {})


def _gru(cell: GruCell) -> _Operator:
    return _Operator("GRU", _onnx_weights(cell.to_torch(), 3, (1, 0, 2)), {"linear_before_reset": 1})


def _gru_before(cell: GruBeforeCell) -> _Operator:
    return _Operator("GRU", _onnx_weights(with_two_biases(cell), 3, (1, 0, 2)), {"linear_before_reset": 0})


def _simple(cell: SimpleCell) -> _Operator:
    return _Operator("RNN", _onnx_weights(cell.to_torch(), 1, (0,)), {}, (cell.activation.capitalize(),))


OPERATORS: dict[type, tuple[str, Callable[[Any], _Operator]]] = {
    LstmCell: ("lstm", _lstm),
    PeepholeLstmCell: ("lstm_peephole", _peephole_lstm),
    GruCell: ("gru", _gru),
    GruBeforeCell: ("gru_before", _gru_before),
    SimpleCell: ("simple", _simple),
}
"""The cells that ONNX has: their names in the group `model/cell`, and their operators."""


def _operator(cell: Any) -> _Operator:
    if type(cell) not in OPERATORS:  # a derived cell may compute something else with the same weights
        names = ", ".join(name for name, _ in OPERATORS.values())
        raise ConfigError(
            f"ONNX export knows the cells {names}, this model's cell is {type(cell).__name__}; "
            "export a .safetensors bundle instead"
        )
    return OPERATORS[type(cell)][1](cell)


def _layer(graph: _Graph, name: str, layer: RecurrentLayer, frames: str, lengths: str) -> str:
    """(T, B, F) to (T, B, O), forward direction first."""
    from onnx import TensorProto

    operators = [_operator(cell) for cell in layer.cells]
    first, hidden = operators[0], layer.cells[0].hidden
    direction = "bidirectional" if len(operators) == 2 else "reverse" if layer.forward_cell is None else "forward"
    parts = {
        part: graph.constant(np.stack([one.weights[part] for one in operators]), f"{name}.{part}")
        for part in first.weights
    }
    lengths32 = graph.node("Cast", lengths, to=TensorProto.INT32)  # the only type that the operators take
    inputs = [parts["W"], parts["R"], parts["B"], lengths32, *(["", "", parts["P"]] if "P" in parts else [])]
    attributes = first.attributes | ({"activations": first.activations * len(operators)} if first.activations else {})
    attributes |= {"direction": direction, "hidden_size": hidden}
    outputs = graph.node(first.name, frames, *inputs, out=f"{name}.{first.name.lower()}", **attributes)  # (T, D, B, H)
    outputs = graph.node("Transpose", outputs, perm=[0, 2, 1, 3])
    return graph.node("Reshape", outputs, graph.integers(0, 0, layer.output_size))  # 0: as it is


def _onnx_weights(given: Mapping[str, Tensor], n_gates: int, order: Sequence[int]) -> dict[str, NDArray[np.float32]]:
    """One direction: W (G, F), R (G, H), and both biases B (2G,), with the gates in ONNX's order."""
    ours = {name: _reordered(values, n_gates, order) for name, values in given.items()}
    return {
        "W": ours["weight_ih"],
        "R": ours["weight_hh"],
        "B": np.concatenate([ours["bias_ih"], ours["bias_hh"]]),
    }


def _reordered(weights: Tensor, n_gates: int, order: Sequence[int]) -> NDArray[np.float32]:
    """(G, ...) with the gates in another order: the first becomes what was at order[0]."""
    gates = np.split(_array(weights), n_gates)
    return np.concatenate([gates[at] for at in order])


def _join_frames(graph: _Graph, frames: str, size: int, factor: int) -> str:
    """(T, B, F) to (ceil(T / factor), B, factor * F): neighbours side by side, zeros fill the last group."""
    frames = graph.node("Transpose", frames, perm=[1, 0, 2])  # (B, T, F): neighbours now follow each other in memory
    n_frames = graph.node("Gather", graph.node("Shape", frames), graph.integers(1))
    missing = graph.node("Mod", graph.node("Neg", n_frames), graph.integers(factor))  # 0 <= missing < factor
    pads = graph.node("Concat", graph.integers(0, 0, 0, 0), missing, graph.integers(0), axis=0)  # begins, then ends
    joined = graph.node("Reshape", graph.node("Pad", frames, pads), graph.integers(0, -1, factor * size))
    return graph.node("Transpose", joined, perm=[1, 0, 2])


def _reduced_length(graph: _Graph, lengths: str, factor: int) -> str:
    """ceil(lengths / factor)."""
    raised = graph.node("Add", lengths, graph.integers(factor - 1))
    return graph.node("Div", raised, graph.integers(factor))


def _array(values: Tensor) -> NDArray[np.float32]:
    return values.detach().to("cpu", torch.float32).numpy()
