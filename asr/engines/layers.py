"""A stack of recurrent layers as it is kept: its options and weights, checked, for engines that do without torch."""

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
"""The config dataclasses of the cells that can be described here, by the class of the cell."""

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class CellWeights:
    """One direction of one layer.

    Attributes:
        config: the options of the cell; its class says which cell it is.
        hidden: H, units.
        output_size: O, values of an output frame.
        backward: whether it reads from the last frame to the first.
        weights: float32, by their names in the cell of torch (`weight_ih`, `weight_hh`, `bias`, ...); its file in
            `asr.recurrent.cells` says what they are.
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
        cells: the forward cell, then the backward cell; one or both.
        n_inputs: values of an input frame.
        skip: whether the input of the layer is added to its output.
        time_reduction: frames of its output that become one frame by concatenation, 1: none.
    """

    cells: Sequence[CellWeights]
    n_inputs: int
    skip: bool
    time_reduction: int

    @property
    def output_size(self) -> int:
        """Values of an output frame, before the time reduction."""
        return sum(cell.output_size for cell in self.cells)


@dataclass(frozen=True, eq=False)
class StackWeights:
    """The whole network.

    Attributes:
        layers: the first reads the features.
        time_reduction: frames that become one posterior.
        output_weight: (L, O) float32 of the layer that gives the labels' scores.
        output_bias: (L,) float32.
    """

    layers: Sequence[LayerWeights]
    time_reduction: int
    output_weight: FloatArray
    output_bias: FloatArray


def why_not(network: Network) -> str:
    """Say what about a network cannot be described here, as a clause; empty if nothing."""
    if network.component.target != StackConfig._target_:
        return f"the network is a {_short(network.component.target)}"
    cell = cell_of(network.component)
    return "" if cell.target in CELLS else f"the cell is a {_short(cell.target)}"


def cell_of(stack: Component) -> Component:
    """Return the cell that the options of a stack name, an LSTM where they name none.

    Raises:
        ConfigError: it is no class with options.
    """
    faults = Faults()
    with faults.noted("model"):
        cell = Component.of(LstmConfig() if stack.options.get("cell") is None else stack.options["cell"])
    faults.check()
    return cell


def _short(target: str) -> str:
    return repr(target.rpartition(".")[2][:60])


def layers_of(network: Network) -> StackWeights:
    """Describe a network, for which `why_not` has no reason.

    Raises:
        ConfigError: an option that the stack or its cell does not have or refuses, as `RecurrentStack` does.
        CheckpointError: a weight is missing or unknown, has another shape or type, or is not finite.
    """
    reason = why_not(network)
    if reason:
        raise ConfigError(f"the network cannot be described by its layers: {reason}")
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
    """Return O; raise a ConfigError for an option of the cell that is out of its range."""
    if isinstance(config, ProjectedLstmConfig):
        return projection_of(config.projection, hidden)
    if isinstance(config, SimpleConfig):
        check_activation(config.activation)
    if isinstance(config, OdysseyConfig):
        variant_named(config.variant)
    return hidden


def _layers(stack: StackConfig, config: CellConfig, n_features: int) -> list[LayerWeights]:
    """Return the layers, still without weights."""
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
    """Return the weights that a cell has."""
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
