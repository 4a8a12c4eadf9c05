"""Long short-term memory with zoneout: in training, units randomly keep their last value.

Krueger et al. 2017, "Zoneout: regularizing RNNs by randomly preserving hidden activations", section 3. With i, f, g, o
as in lstm.py, and masks k and m of zeros and ones, drawn for each utterance, frame and unit with the probabilities of
the options:

    c'_t = f c_{t-1} + i g                     h'_t = o tanh(c'_t)
    c_t = k c_{t-1} + (1 - k) c'_t             h_t = m h_{t-1} + (1 - m) h'_t

In evaluation, the masks are replaced by their expectations, the probabilities.

The rows of the weights are in the order i, f, g, o.
"""

from __future__ import annotations

import torch
from torch import Tensor

from asr.config import check_values
from asr.recurrent.cells.cell import State
from asr.recurrent.cells.lstm import LstmGates, lstm_step
from asr.recurrent.options import ZoneoutLstmConfig as ZoneoutLstmConfig


class ZoneoutLstmCell(LstmGates):
    """LSTM with zoneout; the equations are at the top of this file.

    Parameters: `weight_ih` (4H, n_inputs), `weight_hh` (4H, H), `bias` (4H,). Like those of dropout, the masks come
    from torch's global generator, so in training they depend on the batch.

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
        cell_zoneout: probability that a cell keeps its value, within [0, 1).
        output_zoneout: probability that an output keeps its value, within [0, 1).
        forget_bias: initial bias of the forget gate.

    Raises:
        ConfigError: a probability is out of range.
    """

    def __init__(
        self,
        n_inputs: int,
        hidden: int,
        cell_zoneout: float = 0.1,
        output_zoneout: float = 0.05,
        forget_bias: float = 1.0,
    ) -> None:
        values = {"cell_zoneout": cell_zoneout, "output_zoneout": output_zoneout}
        check_values(values, {name: (0.0 <= value < 1.0, "0 to below 1") for name, value in values.items()})
        super().__init__(n_inputs, hidden, forget_bias)
        self.cell_zoneout = cell_zoneout
        self.output_zoneout = output_zoneout

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        last_output, last_cell = state
        output, cell = lstm_step(projected + recurrent, last_cell)
        keep_cell, keep_output = self.kept(len(cell))
        cell = keep_cell * last_cell + (1 - keep_cell) * cell
        output = keep_output * last_output + (1 - keep_output) * output
        return output, (output, cell)

    def kept(self, n_rows: int) -> tuple[Tensor, Tensor]:
        """Return the masks k and m of `n_rows` frames, or their expectations in evaluation, each (n_rows, H)."""
        masks = [
            (torch.rand(n_rows, self.hidden, device=self.bias.device) < probability).to(self.bias.dtype)
            if self.training
            else self.bias.new_full((n_rows, self.hidden), probability)
            for probability in (self.cell_zoneout, self.output_zoneout)
        ]
        return masks[0], masks[1]
