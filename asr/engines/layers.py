"""Checked options and weights of a stack of recurrent layers, for engines without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from asr.config import Component, Faults, configured
from asr.engines.engine import FloatArray, Network
from asr.engines.fitting import Expected, fitted
from asr.errors import ConfigError
from asr.recurrent.options import (
    DIRECTIONS,
    GruBeforeConfig,
    GruConfig,
    LstmConfig,
    OdysseyConfig,
    PeepholeLstmConfig,
    ProjectedLstmConfig,
    SimpleConfig,
    StackConfig,
    check_activation,
    check_stack,
    projection_of,
    variant_named,
)

CellConfig = (
    SimpleConfig | LstmConfig | PeepholeLstmConfig | OdysseyConfig | ProjectedLstmConfig | GruConfig | GruBeforeConfig
)

CELLS: Mapping[str, type[CellConfig]] = {
    one._target_: one
    for one in (
        SimpleConfig,
        LstmConfig,
        PeepholeLstmConfig,
        OdysseyConfig,
        ProjectedLstmConfig,
        GruConfig,
        GruBeforeConfig,
    )
}
"""The config dataclasses of the supported cells, by the import path of the cell's class."""

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class CellWeights:
    """One direction of one layer.

    Attributes:
        config: the options of the cell; their class identifies the cell.
        hidden: H, the number of units.
        output_size: O, the size of an output frame.
        backward: whether the cell reads from the last frame to the first.
        weights: float32 arrays by their names in the torch cell (`weight_ih`, `weight_hh`, `bias`, ...), which are
            described in its file in `asr.recurrent.cells`.
    """

    config: CellConfig
    hidden: int
    output_size: int
    backward: bool
    weights: Mapping[str, FloatArray]


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """One layer.

    Attributes:
        cells: the forward cell, the backward cell, or both in this order.
        n_inputs: the size of an input frame.
        skip: whether the input of the layer is added to its output.
        time_reduction: the number of output frames to concatenate to one frame; 1 for no reduction.
    """

    cells: Sequence[CellWeights]
    n_inputs: int
    skip: bool
    time_reduction: int

    @property
    def output_size(self) -> int:
        """The size of an output frame, before the time reduction."""
        return sum(cell.output_size for cell in self.cells)


@dataclass(frozen=True, eq=False)
class StackWeights:
    """The whole network.

    Attributes:
        layers: the layers; the first one reads the features.
        time_reduction: the number of input frames for each output frame.
        output_weight: (L, O) float32, the weights of the output layer.
        output_bias: (L,) float32, the bias of the output layer.
    """

    layers: Sequence[LayerWeights]
    time_reduction: int
    output_weight: FloatArray
    output_bias: FloatArray


def why_not(network: Network) -> str:
    """Return the reason why this module does not support a network, as a clause; empty if it does."""
    if network.component.target != StackConfig._target_:
        return f"the network is a {_short(network.component.target)}"
    cell = cell_of(network.component)
    return "" if cell.target in CELLS else f"the cell is a {_short(cell.target)}"


def cell_of(stack: Component) -> Component:
    """Return the cell in the options of a stack; an LSTM if they have none.

    Raises:
        ConfigError: the option `cell` is not a node with a `_target_`.
    """
    faults = Faults()
    with faults.noted("model"):
        cell = Component.of(LstmConfig() if stack.options.get("cell") is None else stack.options["cell"])
    faults.check()
    return cell


def _short(target: str) -> str:
    return repr(target.rpartition(".")[2][:60])


def layers_of(network: Network) -> StackWeights:
    """Return the layers and weights of a network, after checking its options and weights.

    Raises:
        ConfigError: `why_not` has a reason; or an option does not exist or is refused, as by `RecurrentStack`.
        CheckpointError: a weight is missing or unknown, has another shape or type, or is not finite.
    """
    reason = why_not(network)
    if reason:
        raise ConfigError(f"this engine does not support the network: {reason}; use the engine torch")
    stack, config = _options(network.component)
    layers = _layers(stack, config, network.n_features)
    shapes = {
        f"{prefix}.{name}": shape
        for number, layer in enumerate(layers)
        for cell in layer.cells
        for prefix in [_prefix(number, cell)]
        for name, shape in _shapes(config, layer.n_inputs, cell.hidden, cell.output_size).items()
    }
    last = layers[-1].output_size * layers[-1].time_reduction
    shapes |= {"output.weight": (network.n_labels, last), "output.bias": (network.n_labels,)}
    weights = fitted(network.weights, {name: Expected(shape) for name, shape in shapes.items()})
    return StackWeights(
        [_with_weights(number, layer, weights) for number, layer in enumerate(layers)],
        stack.time_reduction,
        weights["output.weight"],
        weights["output.bias"],
    )


def _options(component: Component) -> tuple[StackConfig, CellConfig]:
    """Return the options of the stack and of its cell."""
    faults = Faults()
    with faults.noted("model"):
        stack = configured(component, StackConfig)
        check_stack(
            stack.hidden, stack.layers, stack.direction, stack.dropout, stack.time_reduction, stack.time_reduction_after
        )
    faults.check()
    cell = cell_of(component)
    with faults.noted("model.cell"):
        config = configured(cell, CELLS[cell.target])
        _output_size(config, stack.hidden)
    faults.check()
    return stack, config


def _output_size(config: CellConfig, hidden: int) -> int:
    """Return O; raise a ConfigError if an option of the cell is out of range."""
    if isinstance(config, ProjectedLstmConfig):
        return projection_of(config.projection, hidden)
    if isinstance(config, SimpleConfig):
        check_activation(config.activation)
    if isinstance(config, OdysseyConfig):
        variant_named(config.variant)
    return hidden


def _layers(stack: StackConfig, config: CellConfig, n_features: int) -> list[LayerWeights]:
    """Return the layers without weights."""
    output_size, n_inputs = _output_size(config, stack.hidden), n_features
    layers: list[LayerWeights] = []
    for number in range(1, stack.layers + 1):
        cells = [
            CellWeights(config, stack.hidden, output_size, backward, {})
            for backward, wanted in zip((False, True), DIRECTIONS[stack.direction], strict=True)
            if wanted
        ]
        skip = stack.skips and number > 1 and n_inputs == len(cells) * output_size
        reduction = stack.time_reduction if number == stack.time_reduction_after else 1
        layers.append(LayerWeights(cells, n_inputs, skip, reduction))
        n_inputs = layers[-1].output_size * reduction
    return layers


def _shapes(config: CellConfig, n_inputs: int, hidden: int, output_size: int) -> Shapes:
    """Return the shapes of the weights of a cell, by name."""
    match config:
        case SimpleConfig():
            return _gated(1, n_inputs, hidden, output_size)
        case GruConfig():
            return _gated(3, n_inputs, hidden, output_size) | {"bias_hn": (hidden,)}
        case GruBeforeConfig():
            return _gated(3, n_inputs, hidden, output_size)
        case PeepholeLstmConfig():
            return _gated(4, n_inputs, hidden, output_size) | {"peepholes": (3, hidden)}
        case ProjectedLstmConfig():
            return _gated(4, n_inputs, hidden, output_size) | {"weight_hr": (output_size, hidden)}
        case OdysseyConfig():
            has = variant_named(config.variant)
            shapes = _gated(len(has.gates), n_inputs, hidden, output_size) | {"peepholes": (len(has.peepholes), hidden)}
            return shapes | ({"weight_gates": (3 * hidden, 3 * hidden)} if has.full_recurrence else {})
        case LstmConfig():
            return _gated(4, n_inputs, hidden, output_size)


def _gated(n_gates: int, n_inputs: int, hidden: int, output_size: int) -> Shapes:
    rows = n_gates * hidden
    return {"weight_ih": (rows, n_inputs), "weight_hh": (rows, output_size), "bias": (rows,)}


def _prefix(number: int, cell: CellWeights) -> str:
    return f"layers.{number}.{'backward' if cell.backward else 'forward'}_cell"


def _with_weights(number: int, layer: LayerWeights, weights: Mapping[str, Any]) -> LayerWeights:
    cells = []
    for cell in layer.cells:
        prefix = _prefix(number, cell) + "."
        own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        cells.append(replace(cell, weights=own))
    return replace(layer, cells=cells)
