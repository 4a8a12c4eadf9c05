"""The options of the stack and its cells with their checks, and the variants of the LSTM.

This module does not import torch, so that a network can be described and checked without it. The modules of the classes
that these options configure import them from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asr.config import check_values, one_of, shown

BATCH_TOLERANCE = 5e-4
"""The largest difference of a log posterior of an utterance alone to that in a batch, or to another engine. The largest
one seen with the models of the package is 1.5e-4."""

DIRECTIONS = {"both": (True, True), "forward": (True, False), "backward": (False, True)}
"""For each direction, whether a layer has a forward cell and a backward cell."""

ACTIVATIONS = ("tanh", "relu")
"""The activation functions of the simple cell."""


@dataclass
class StackConfig:
    """Options of `RecurrentStack`."""

    _target_: str = "asr.recurrent.stack.RecurrentStack"
    cell: Any = None  # a node of the group model/cell, or of a user's own cell; None: LstmConfig
    hidden: int = 128  # units of a cell; each direction has a cell
    layers: int = 3
    direction: str = "both"  # reading direction of the layers: both, forward, backward
    skips: bool = False  # add the input of a layer to its output, from the second layer on
    dropout: float = 0.0  # share of the outputs that are zeroed in training, for all layers but the last
    time_reduction: int = 1  # concatenate this number of frames to one frame; 1: no reduction
    time_reduction_after: int = 1  # the layer after which frames are concatenated, counted from 1


@dataclass
class LabelModelConfig:
    """Options of `LabelModel`."""

    _target_: str = "asr.recurrent.label_model.LabelModel"
    cell: Any = None  # a node of the group model/cell, or of a user's own cell; None: LstmConfig
    hidden: int = 512  # units of a layer
    layers: int = 1
    skips: bool = False  # add the input of a layer to its output, from the second layer on
    dropout: float = 0.0  # share of the outputs that are zeroed in training, for all layers but the last
    embedding: int = 64  # size of the vector of a label


@dataclass
class SimpleConfig:
    """Options of `SimpleCell`."""

    _target_: str = "asr.recurrent.cells.simple.SimpleCell"
    activation: str = "tanh"  # or relu


@dataclass
class LstmConfig:
    """Options of `LstmCell`."""

    _target_: str = "asr.recurrent.cells.lstm.LstmCell"
    forget_bias: float = 1.0  # the forget gate starts open, so that gradients reach far back from the first step on


@dataclass
class PeepholeLstmConfig:
    """Options of `PeepholeLstmCell`."""

    _target_: str = "asr.recurrent.cells.lstm_peephole.PeepholeLstmCell"
    forget_bias: float = 1.0  # the forget gate starts open, so that gradients reach far back from the first step on


@dataclass
class OdysseyConfig:
    """Options of `OdysseyCell`."""

    _target_: str = "asr.recurrent.cells.odyssey.OdysseyCell"
    variant: str = "V"  # V, NIG, NFG, NOG, NIAF, NOAF, CIFG, NP, FGR
    forget_bias: float = 1.0  # initial bias of the forget gate, if the variant has one


@dataclass
class ProjectedLstmConfig:
    """Options of `ProjectedLstmCell`."""

    _target_: str = "asr.recurrent.cells.lstm_projected.ProjectedLstmCell"
    projection: int | None = None  # size of an output frame, below model.hidden; None: half of model.hidden
    forget_bias: float = 1.0  # the forget gate starts open, so that gradients reach far back from the first step on


@dataclass
class LayerNormLstmConfig:
    """Options of `LayerNormLstmCell`."""

    _target_: str = "asr.recurrent.cells.lstm_layernorm.LayerNormLstmCell"
    forget_bias: float = 1.0  # the forget gate starts open, so that gradients reach far back from the first step on


@dataclass
class ZoneoutLstmConfig:
    """Options of `ZoneoutLstmCell`."""

    _target_: str = "asr.recurrent.cells.lstm_zoneout.ZoneoutLstmCell"
    cell_zoneout: float = 0.1  # probability that a cell keeps its value; the paper recommends 0.05 to 0.2
    output_zoneout: float = 0.05  # probability that an output keeps its value
    forget_bias: float = 1.0  # the forget gate starts open, so that gradients reach far back from the first step on


@dataclass
class GruConfig:
    """Options of `GruCell`: none."""

    _target_: str = "asr.recurrent.cells.gru.GruCell"


@dataclass
class GruBeforeConfig:
    """Options of `GruBeforeCell`: none."""

    _target_: str = "asr.recurrent.cells.gru_before.GruBeforeCell"


@dataclass
class LightGruConfig:
    """Options of `LightGruCell`: none."""

    _target_: str = "asr.recurrent.cells.ligru.LightGruCell"


@dataclass
class ConvLstmConfig:
    """Options of `ConvLstmCell`."""

    _target_: str = "asr.recurrent.cells.conv_lstm.ConvLstmCell"
    channels: int = 4  # output channels; model.hidden / channels must be the number of bands of the features
    kernel: int = 5  # width of the convolution in bands, odd
    forget_bias: float = 1.0  # the forget gate starts open, so that gradients reach far back from the first step on


@dataclass
class AttentionLstmConfig:
    """Options of `AttentionLstmCell`."""

    _target_: str = "asr.recurrent.cells.attention_lstm.AttentionLstmCell"
    window: int = 16  # number of last steps to attend to
    forget_bias: float = 1.0  # the forget gate starts open, so that gradients reach far back from the first step on


@dataclass(frozen=True)
class Variant:
    """The parts of a variant of the LSTM; the defaults are those of the LSTM with peepholes."""

    gates: str = "ifgo"  # the gates that have weights
    peepholes: str = "ifo"  # the gates that have peepholes
    squash_in: bool = True  # whether g goes through tanh before it enters the cell
    squash_out: bool = True  # whether the cell goes through tanh for the output
    coupled: bool = False  # whether f = 1 - i
    full_recurrence: bool = False  # whether gates also see the gates of the step before


VARIANTS = {
    "V": Variant(),
    "NIG": Variant(gates="fgo", peepholes="fo"),
    "NFG": Variant(gates="igo", peepholes="io"),
    "NOG": Variant(gates="ifg", peepholes="if"),
    "NIAF": Variant(squash_in=False),
    "NOAF": Variant(squash_out=False),
    "CIFG": Variant(gates="igo", peepholes="io", coupled=True),
    "NP": Variant(peepholes=""),
    "FGR": Variant(full_recurrence=True),
}
"""The variants of the LSTM by their names in `OdysseyConfig`."""


def check_stack(
    hidden: int, layers: int, direction: str, dropout: float, time_reduction: int, time_reduction_after: int
) -> None:
    """Raise a ConfigError that lists every option of a stack that is out of range."""
    values = {
        "hidden": hidden, "layers": layers, "direction": direction, "dropout": dropout,
        "time_reduction": time_reduction, "time_reduction_after": time_reduction_after,
    }  # fmt: skip
    conditions = {
        "hidden": (1 <= hidden <= 2**20, f"1 to {2**20}"),
        "layers": (1 <= layers <= 100, "1 to 100"),
        "direction": one_of(direction, DIRECTIONS),
        "dropout": (0.0 <= dropout < 1.0, "0 to below 1"),
        "time_reduction": (1 <= time_reduction <= 100, "1 to 100"),
        "time_reduction_after": (1 <= time_reduction_after <= max(1, layers), f"a layer, 1 to {shown(layers)}"),
    }
    check_values(values, conditions)


def check_embedding(embedding: int) -> None:
    """Raise a ConfigError if the size of the embedding is out of range."""
    check_values({"embedding": embedding}, {"embedding": (1 <= embedding <= 2**16, f"1 to {2**16}")})


def stack_of(config: LabelModelConfig) -> StackConfig:
    """Return the options of the forward stack in a label model."""
    return StackConfig(
        cell=config.cell,
        hidden=config.hidden,
        layers=config.layers,
        direction="forward",
        skips=config.skips,
        dropout=config.dropout,
    )


def check_activation(activation: str) -> None:
    """Raise a ConfigError if the activation is not one of `ACTIVATIONS`."""
    check_values({"activation": activation}, {"activation": one_of(activation, ACTIVATIONS)})


def variant_named(name: str) -> Variant:
    """Return the variant of the LSTM with this name; raise a ConfigError if there is none.

    >>> variant_named("CIFG").gates
    'igo'
    """
    check_values({"variant": name}, {"variant": one_of(name, VARIANTS)})
    return VARIANTS[name]


def projection_of(projection: int | None, hidden: int) -> int:
    """Return the size of a projected output: `projection`, or half of `hidden` if it is None.

    Raises:
        ConfigError: the size is not within 1 to `hidden` - 1.

    >>> projection_of(None, hidden=256)
    128
    """
    projection = hidden // 2 if projection is None else projection
    expected = f"1 or more, below model.hidden ({hidden})"
    check_values({"projection": projection}, {"projection": (1 <= projection < hidden, expected)})
    return projection
