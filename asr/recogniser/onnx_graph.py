"""Build the ONNX graph of a recurrent stack in evaluation mode.

The graph is built node by node from the weights, not traced: tracers lose the packing of padded batches, or give wrong
results for other lengths and batch sizes than those of the example (pytorch/pytorch#48460, #41774, #62240). Arrays
within the graph are time-major, because ONNX's recurrent operators require it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.engines.engine import Network
from asr.engines.layers import LayerWeights, layers_of
from asr.engines.onnx_file import INT8_LSTM, MICROSOFT
from asr.errors import ConfigError
from asr.recogniser.onnx_int8 import int8_columns
from asr.recogniser.onnx_operators import check_network, operator_of


def graph_of(network: Network, int8: bool = False) -> Any:
    """Build the graph of a network.

    Args:
        network: a stack of cells that ONNX supports.
        int8: store the weights of the layers as int8, for onnxruntime's own operator.

    Returns:
        An `onnx.GraphProto`.

    Raises:
        ConfigError: ONNX does not support the network, or onnxruntime has no int8 operator for its cell.
        CheckpointError: the weights do not fit the network.
    """
    from onnx import TensorProto, helper

    check_network(network)
    stack, graph = layers_of(network), _Graph()
    lengths = "lengths"
    hidden = graph.node("Transpose", "frames", perm=[1, 0, 2])  # (T, B, F)
    valid = _valid(graph, hidden, lengths)
    hidden = _mask(graph, hidden, valid)
    for number, described in enumerate(stack.layers, start=1):
        layer, reduction = _Layer(graph, f"layers.{number}", described), described.time_reduction
        outputs = _mask(graph, layer.int8(hidden, lengths) if int8 else layer.float32(hidden, lengths), valid)
        hidden = graph.node("Add", outputs, hidden) if described.skip else outputs
        if reduction > 1:
            hidden = _join_frames(graph, hidden, described.output_size, reduction)  # (T', B, O * reduction)
            lengths = _reduced_length(graph, lengths, reduction)
            valid = _valid(graph, hidden, lengths)
    weight = graph.constant(stack.output_weight.T, "output.weight")  # (O, L)
    bias = graph.constant(stack.output_bias, "output.bias")
    scores = graph.node("Add", graph.node("MatMul", hidden, weight), bias)
    graph.node("LogSoftmax", graph.node("Transpose", scores, perm=[1, 0, 2]), axis=-1, out="log_probs")
    graph.node("Identity", lengths, out="out_lengths")

    out_time = "time" if stack.time_reduction == 1 else "out_time"
    value, real, integer = helper.make_tensor_value_info, TensorProto.FLOAT, TensorProto.INT64
    return helper.make_graph(
        graph.nodes,
        "ctc-asr",
        [value("frames", real, ["batch", "time", network.n_features]), value("lengths", integer, ["batch"])],
        [value("log_probs", real, ["batch", out_time, network.n_labels]), value("out_lengths", integer, ["batch"])],
        initializer=graph.constants,
    )


class _Graph:
    """The nodes and constants of a graph; each method adds one and returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: NDArray[Any], name: str | None = None) -> str:
        from onnx import numpy_helper

        name = name or f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def integers(self, *values: int) -> str:
        """Add a vector of int64."""
        return self.constant(np.array(values, dtype=np.int64))

    def number(self, value: int) -> str:
        """Add a scalar int64."""
        return self.constant(np.array(value, dtype=np.int64))

    def node(self, operator: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        out = out or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [out], name=out, **attributes))
        return out


class _Layer:
    """One layer, which maps (T, B, F) to (T, B, O), the forward direction first."""

    def __init__(self, graph: _Graph, name: str, layer: LayerWeights) -> None:
        directions = [operator_of(cell) for cell in layer.cells]
        self._graph, self._name, self._first = graph, name, directions[0]
        self._output_size = layer.output_size
        self._parts = {part: np.stack([one.weights[part] for one in directions]) for part in self._first.weights}
        self._attributes: dict[str, Any] = self._first.attributes | {
            "direction": _direction(layer),
            "hidden_size": layer.cells[0].hidden,
        }
        if self._first.activations:
            self._attributes["activations"] = self._first.activations * len(directions)

    def float32(self, frames: str, lengths: str) -> str:
        weights = [self._constant("W"), self._constant("R"), self._constant("B")]
        peepholes = ["", "", self._constant("P")] if "P" in self._parts else []
        return self._joined(self._first.name, frames, *weights, self._int32(lengths), *peepholes, **self._attributes)

    def int8(self, frames: str, lengths: str) -> str:
        if self._first.name != "LSTM":
            raise ConfigError(
                f"onnxruntime supports int8 weights for the cells lstm and lstm_peephole, not for {self._first.name}; "
                "export without --store int8"
            )
        kept = {part: int8_columns(self._parts[part]) for part in ("W", "R")}
        weights = [self._graph.constant(kept[part].values, f"{self._name}.{part}") for part in ("W", "R")]
        scales = [
            self._graph.constant(values, f"{self._name}.{part}.{what}")
            for part in ("W", "R")
            for what, values in (("scale", kept[part].scale), ("zero", kept[part].zero))
        ]
        peepholes = self._constant("P") if "P" in self._parts else ""
        inputs = [*weights, self._constant("B"), self._int32(lengths), "", "", peepholes, *scales]
        return self._joined(INT8_LSTM, frames, *inputs, domain=MICROSOFT, **self._attributes)

    def _constant(self, part: str) -> str:
        return self._graph.constant(self._parts[part], f"{self._name}.{part}")

    def _int32(self, lengths: str) -> str:
        """Convert lengths to int32, the only type that the recurrent operators accept."""
        from onnx import TensorProto

        return self._graph.node("Cast", lengths, to=TensorProto.INT32)

    def _joined(self, operator: str, *inputs: str, **attributes: Any) -> str:
        out = f"{self._name}.{self._first.name.lower()}"
        outputs = self._graph.node(operator, *inputs, out=out, **attributes)  # (T, D, B, H)
        outputs = self._graph.node("Transpose", outputs, perm=[0, 2, 1, 3])
        return self._graph.node("Reshape", outputs, self._graph.integers(0, 0, self._output_size))  # 0: keep the size


def _direction(layer: LayerWeights) -> str:
    if len(layer.cells) == 2:
        return "bidirectional"
    return "reverse" if layer.cells[0].backward else "forward"


def _valid(graph: _Graph, frames: str, lengths: str) -> str:
    """Add a mask (T, B, 1) for frames (T, B, F): true within the lengths, false on the padding."""
    zero, one = graph.number(0), graph.number(1)
    n_frames = graph.node("Gather", graph.node("Shape", frames), zero)
    time = graph.node("Unsqueeze", graph.node("Range", zero, n_frames, one), graph.integers(1, 2))  # (T, 1, 1)
    return graph.node("Less", time, graph.node("Unsqueeze", lengths, graph.integers(0, 2)))


def _mask(graph: _Graph, frames: str, valid: str) -> str:
    """Set the padding to zero, because ONNX does not specify what its operators write there."""
    return graph.node("Where", valid, frames, graph.constant(np.zeros((), dtype=np.float32)))


def _join_frames(graph: _Graph, frames: str, size: int, factor: int) -> str:
    """Join each `factor` neighbouring frames, with zeros at the end: (T, B, F) to (ceil(T / factor), B, factor * F)."""
    frames = graph.node("Transpose", frames, perm=[1, 0, 2])  # (B, T, F): neighbours now follow each other in memory
    n_frames = graph.node("Gather", graph.node("Shape", frames), graph.integers(1))
    missing = graph.node("Mod", graph.node("Neg", n_frames), graph.integers(factor))  # 0 <= missing < factor
    pads = graph.node("Concat", graph.integers(0, 0, 0, 0), missing, graph.integers(0), axis=0)  # begins, then ends
    joined = graph.node("Reshape", graph.node("Pad", frames, pads), graph.integers(0, -1, factor * size))
    return graph.node("Transpose", joined, perm=[1, 0, 2])


def _reduced_length(graph: _Graph, lengths: str, factor: int) -> str:
    """Compute ceil(lengths / factor)."""
    raised = graph.node("Add", lengths, graph.integers(factor - 1))
    return graph.node("Div", raised, graph.integers(factor))
