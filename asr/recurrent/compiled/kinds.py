"""The cells that have kernels, and the properties of cells that kernels need. This module does not need numba."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from asr.recurrent.cells.attention_lstm import AttentionLstmCell
from asr.recurrent.cells.cell import Cell
from asr.recurrent.cells.conv_lstm import ConvLstmCell
from asr.recurrent.cells.gru import GruCell
from asr.recurrent.cells.gru_before import GruBeforeCell
from asr.recurrent.cells.ligru import LightGruCell
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.cells.lstm_layernorm import LayerNormLstmCell
from asr.recurrent.cells.lstm_peephole import PeepholeLstmCell
from asr.recurrent.cells.lstm_projected import ProjectedLstmCell
from asr.recurrent.cells.lstm_zoneout import ZoneoutLstmCell
from asr.recurrent.cells.odyssey import OdysseyCell
from asr.recurrent.cells.simple import SimpleCell

LSTM, GRU, LAYERNORM, ATTENTION = "lstm", "gru", "layernorm", "attention"

# How a cell of the LSTM family differs from the LSTM without peepholes.
NO_INPUT = 1  # i = 1
NO_FORGET = 2  # f = 1
NO_OUTPUT = 4  # o = 1
FORGET_FOLLOWS = 8  # f = 1 - i
INPUT_FOLLOWS = 16  # i = 1 - f
FORGETS = 32  # f = 0
LINEAR_IN = 64  # g is not squashed
RECTIFIED_IN = 128  # g goes through max(0, .) instead of tanh
LINEAR_OUT = 256  # c is not squashed for the output
PEEPHOLES = 512
FULL_RECURRENCE = 1024
ZONEOUT = 2048
PAIRS = 4096  # not a property of a cell: outputs and recurrent weights are multiplied in bfloat16

# The reset of a GRU comes after the product; without this flag, before it.
RESET_AFTER = 1


class Kind(NamedTuple):
    """A family of time loops, the options that are compiled into them, and how inputs are projected."""

    family: str
    flags: int = 0  # for an attention LSTM, its window
    plain_inputs: bool = True  # `project` is the one of `Cell`: one product and `bias`


def kind_of(cell: Cell) -> Kind | None:
    """Return the kind of a cell; None if it has no kernel. Derived classes have none: they may override the step."""
    found = _KINDS.get(type(cell))
    return found(cell) if callable(found) else found


def can_continue(cell: Cell) -> bool:
    """Return whether a kernel can continue a cell from a given state: an LSTM with the state (output, cell)."""
    kind = kind_of(cell)
    plain = kind is not None and kind.family == LSTM and not kind.flags & (ZONEOUT | FULL_RECURRENCE)
    return plain and isinstance(cell, LstmCell | PeepholeLstmCell | OdysseyCell)


def recurrent_weights(cell: Cell) -> Tensor:
    """Return the recurrent weights (G, H); they multiply the output before its projection, if it has one."""
    if isinstance(cell, ConvLstmCell):
        return cell.recurrent_matrix()
    if isinstance(cell, ProjectedLstmCell):  # R (P h) = (R P) h: outputs are projected after the time loop
        return cell.weight_hh @ cell.weight_hr
    return cell.weight_hh


def other_weights(cell: Cell, n_rows: int) -> tuple[Tensor, ...]:
    """Return the other inputs of a loop in the order of the flags: weights, or values for `n_rows` frames."""
    if isinstance(cell, GruCell):
        return (cell.bias_hn,)
    if isinstance(cell, AttentionLstmCell):
        return cell.weight_keys, cell.scorer
    if isinstance(cell, LayerNormLstmCell):
        return (torch.cat([cell.gain_hh, cell.gain_cell, cell.bias_cell]),)
    if isinstance(cell, ZoneoutLstmCell):
        return cell.kept(n_rows)
    if isinstance(cell, OdysseyCell) and cell.has.full_recurrence:
        return cell.peepholes, cell.gate_matrix()
    if isinstance(cell, OdysseyCell):
        return (cell.peepholes,) if cell.has.peepholes else ()
    return (cell.peepholes,) if isinstance(cell, PeepholeLstmCell | ConvLstmCell) else ()


def project_outputs(cells: Sequence[Cell], outputs: Tensor) -> Tensor:
    """Turn the outputs of the loops (N, D * H) into those of the layer (N, O): apply the cells' projections, if any."""
    if not isinstance(cells[0], ProjectedLstmCell):
        return outputs
    parts = outputs.chunk(len(cells), dim=1)
    return torch.cat([F.linear(part, cell.weight_hr) for part, cell in zip(parts, cells, strict=True)], dim=1)  # type: ignore[arg-type]


def _simple(cell: Cell) -> Kind:
    """Return the kind of an LSTM whose input and output gates are held at 1 and whose forget gate is held at 0."""
    squash = RECTIFIED_IN if cast(SimpleCell, cell).activation == "relu" else 0
    return Kind(LSTM, NO_INPUT | NO_OUTPUT | FORGETS | LINEAR_OUT | squash)


def _variant(cell: Cell) -> Kind:
    has = cast(OdysseyCell, cell).has
    differences = {
        NO_INPUT: "i" not in has.gates,
        NO_FORGET: "f" not in has.gates and not has.coupled,
        NO_OUTPUT: "o" not in has.gates,
        FORGET_FOLLOWS: has.coupled,
        LINEAR_IN: not has.squash_in,
        LINEAR_OUT: not has.squash_out,
        PEEPHOLES: bool(has.peepholes),
        FULL_RECURRENCE: has.full_recurrence,
    }
    return Kind(LSTM, sum(flag for flag, differs in differences.items() if differs))


_KINDS: dict[type[Cell], Kind | Callable[[Cell], Kind]] = {
    SimpleCell: _simple,
    LstmCell: Kind(LSTM),
    PeepholeLstmCell: Kind(LSTM, PEEPHOLES),
    OdysseyCell: _variant,
    ProjectedLstmCell: Kind(LSTM),
    ZoneoutLstmCell: Kind(LSTM, ZONEOUT),
    ConvLstmCell: Kind(LSTM, PEEPHOLES, plain_inputs=False),
    GruCell: Kind(GRU, RESET_AFTER),
    GruBeforeCell: Kind(GRU),
    AttentionLstmCell: lambda cell: Kind(ATTENTION, cast(AttentionLstmCell, cell).window),
    LayerNormLstmCell: Kind(LAYERNORM, plain_inputs=False),
    LightGruCell: Kind(LSTM, INPUT_FOLLOWS | NO_OUTPUT | LINEAR_OUT | RECTIFIED_IN, plain_inputs=False),
}
