"""A stack of recurrent layers and an output layer, which turns frames into log posteriors of the labels.

Graves, Mohamed and Hinton 2013, "Speech recognition with deep recurrent neural networks", sections 2 to 3.1. Skips
follow Wu et al. 2016, "Google's neural machine translation system", section 3.1: the input of a layer is added to its
output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asr.config import Component, Faults, build
from asr.errors import ConfigError
from asr.recurrent import forked, paths, threads
from asr.recurrent.cells.cell import Cell, State
from asr.recurrent.layer import RecurrentLayer
from asr.recurrent.layout import Layout, reduced_length
from asr.recurrent.options import DIRECTIONS, LstmConfig, check_stack
from asr.recurrent.options import StackConfig as StackConfig

LayerRun = Callable[[int, Tensor, Layout], Tensor]


class RecurrentStack(nn.Module):
    """A deep recurrent network that turns frames into log posteriors.

    Args:
        n_features: F, the size of a frame.
        n_labels: L, the number of labels with the blank.
        cell: the configuration node of the cells; None for `LstmConfig()`.
        hidden: H, the number of units per direction.
        layers: the number of layers.
        direction: the reading direction of the layers: `both`, `forward` or `backward`.
        skips: whether to add the input of a layer to its output. The first layer has no skip, and neither has a layer
            whose input and output differ in size.
        dropout: the dropout between layers, within [0, 1).
        time_reduction: the number of frames to concatenate to one frame; 1 for no reduction.
        time_reduction_after: the layer after which frames are concatenated, counted from 1.
        plugins: the user's modules that may hold the class of the cell.

    Raises:
        ConfigError: an option is out of range.

    >>> stack = RecurrentStack(n_features=4, n_labels=3, hidden=8, layers=2)
    >>> log_probs, lengths = stack(torch.zeros(2, 5, 4), torch.tensor([5, 2]))
    >>> tuple(log_probs.shape), lengths.tolist()
    ((2, 5, 3), [5, 2])
    """

    def __init__(
        self,
        n_features: int,
        n_labels: int,
        cell: Any = None,
        hidden: int = 128,
        layers: int = 3,
        direction: str = "both",
        skips: bool = False,
        dropout: float = 0.0,
        time_reduction: int = 1,
        time_reduction_after: int = 1,
        plugins: Sequence[str] = (),
    ) -> None:
        super().__init__()
        check_stack(hidden, layers, direction, dropout, time_reduction, time_reduction_after)
        self.n_features = n_features
        self.n_labels = n_labels
        self.hidden = hidden
        self.skips = skips
        self.time_reduction = time_reduction
        self.time_reduction_after = time_reduction_after
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList()
        component = Component.of(LstmConfig() if cell is None else cell)
        n_inputs = n_features
        for number in range(1, layers + 1):
            layer = RecurrentLayer(
                *(_cell(component, plugins, n_inputs, hidden) if wanted else None for wanted in DIRECTIONS[direction])
            )
            self.layers.append(layer)
            n_inputs = layer.output_size
            if number == time_reduction_after:
                n_inputs *= time_reduction
        cells = [cell for layer in self.layers for cell in cast(RecurrentLayer, layer).cells]
        self._weights_a_cell = sum(weight.numel() for cell in cells for weight in cell.parameters()) // len(cells)
        self.output = nn.Linear(n_inputs, n_labels)
        # torch's initial output weights are kept. On AN4 (2 x 48, 400 steps of 8 utterances, AdamW 5e-3, two seeds) the
        # final loss per label was 2.05 and 2.15 with them, 2.37 and 2.44 with an output layer close to zero, and 2.57
        # and 2.58 with all weights within +-0.1 (Graves 2013).

    def out_length(self, n_frames: int) -> int:
        """Return the number of output frames for an utterance of `n_frames` frames."""
        return int(reduced_length(n_frames, self.time_reduction))

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the log posteriors of a padded batch; no result depends on the padding.

        An utterance has the same result in a batch as alone, up to rounding. Without `prepare`, oneDNN computes a
        single utterance and the kernels a batch, and log posteriors differ by less than `BATCH_TOLERANCE`. After
        `prepare`, the kernels compute both, and the outputs of the layers are equal bit for bit.

        Args:
            frames: (B, T, F) float, padded on the right; the padding may contain anything, even NaN.
            lengths: (B,) int64 on the CPU, 1 <= lengths[b] <= T, in any order.

        Returns:
            Log posteriors (B, T', L) as natural logarithms, float32 (float64 if the weights are), and their lengths
            (B,) int64, with T' = out_length(T). Ignore rows beyond an utterance's length.

        Raises:
            ValueError: a shape, a type or a length is not as above.
        """
        self._check_shapes(frames, lengths)
        layout = Layout(lengths, frames.shape[1], frames.device)
        log_probs, layout = self.through(layout.pack(frames), layout, self._whole)
        return log_probs, layout.lengths

    def initial_states(self, batch_size: int) -> list[State]:
        """Return the state of each layer before the first frame, for `carry`.

        Raises:
            ConfigError: a layer does not only read forwards, or frames are concatenated by `time_reduction`.
        """
        return [
            cell.initial_state(cell.weight_ih.new_zeros(batch_size, len(cell.weight_ih)))
            for cell in self._forward_cells()
        ]

    def carry(self, frames: Tensor, states: Sequence[State]) -> tuple[Tensor, list[State]]:
        """Compute the log posteriors of the next frames of utterances, from the states after the frames before.

        No gradient flows into the states: this is truncated back-propagation through time (Williams and Peng 1990).

        Args:
            frames: (B, T, F) float, without padding.
            states: the state of each layer, from `initial_states` or the last `carry`.

        Returns:
            Log posteriors (B, T, L), and the states after the last frame, detached.

        Raises:
            ConfigError: a layer does not only read forwards, or frames are concatenated by `time_reduction`.
        """
        cells, after = self._forward_cells(), []
        lengths = torch.full((len(frames),), frames.shape[1])
        self._check_shapes(frames, lengths)
        layout = Layout(lengths, frames.shape[1], frames.device)

        def run(number: int, rows: Tensor, layout: Layout) -> Tensor:
            outputs, state = paths.carry(cells[number - 1], rows, layout, states[number - 1])
            after.append(state)
            return outputs

        log_probs, _ = self.through(layout.pack(frames), layout, run)
        return log_probs, after

    def _forward_cells(self) -> list[Cell]:
        layers = [cast(RecurrentLayer, layer) for layer in self.layers]
        cells = [layer.forward_cell for layer in layers if layer.forward_cell is not None]
        if (
            len(cells) < len(layers)
            or any(layer.backward_cell is not None for layer in layers)
            or self.time_reduction > 1
        ):
            raise ConfigError("only a stack with direction=forward and time_reduction=1 can carry a state")
        return cells

    def prepare(self, bfloat16: bool = False) -> bool:
        """Make recognition faster with the current weights; call it again after the weights have changed.

        The compiled kernels then also run single utterances, instead of oneDNN, and use packed weights for the LSTM and
        its variants. Loading the kernels takes a second or two. Training the stack, or moving it to another device or
        type, undoes the preparation.

        Args:
            bfloat16: whether to round the factors of products to bfloat16, which takes about 0.6 of the time (LSTM and
                its variants only). benchmarks/README.md reports the effect on error rates.

        Returns:
            Whether all layers are prepared; if False, nothing has changed. This requires kernels for the cell on this
            machine; `bfloat16` also requires a cell whose weights are packed (`compiled.prepared`) and a processor with
            bfloat16 products.
        """
        layers = [cast(RecurrentLayer, layer) for layer in self.layers]
        runs = [paths.prepared(layer.cells, bfloat16) for layer in layers]
        if None in runs:
            return False
        for layer, run in zip(layers, runs, strict=True):
            layer.prepared = run
        return True

    def through(self, rows: Tensor, layout: Layout, run: LayerRun) -> tuple[Tensor, Layout]:
        """Compute log posteriors (B, T', L) of rows (N, F), and their layout, with `run` for each layer.

        Args:
            rows: (N, F).
            layout: the layout of the rows.
            run: a function of the number of a layer (from 1), its rows (N, F) and their layout, which returns (N, O).
        """
        forked.warn_once()
        with self.threads_for(rows, layout):
            for number in range(1, len(self.layers) + 1):
                given = self.dropout(rows) if number > 1 else rows
                outputs = run(number, given, layout)  # (N, O), O = 2H for two directions of most cells
                skips = self.skips and number > 1 and outputs.shape == rows.shape
                rows = outputs + rows if skips else outputs
                if number == self.time_reduction_after and self.time_reduction > 1:
                    rows, layout = layout.join(rows, self.time_reduction)  # (N', O * time_reduction)
            scores = self.output(layout.unpack(rows).transpose(0, 1))  # (T', B, L), the order in memory
            log_probs = F.log_softmax(scores, dim=-1, dtype=torch.promote_types(scores.dtype, torch.float32))
        return log_probs.transpose(0, 1), layout

    def threads_for(self, rows: Tensor, layout: Layout) -> AbstractContextManager[None]:
        """Return the context to run the layers in; it changes the threads for a single utterance, see `threads`."""
        if layout.batch_size > 1 or torch.is_grad_enabled() or rows.device.type != "cpu":
            return nullcontext()
        prepared = all(cast(RecurrentLayer, layer).prepared is not None for layer in self.layers)
        return threads.for_one_utterance(layout.n_rows * self._weights_a_cell, kernels=prepared)

    def _whole(self, number: int, rows: Tensor, layout: Layout) -> Tensor:
        outputs: Tensor = self.layers[number - 1](rows, layout)
        return outputs

    def _check_shapes(self, frames: Tensor, lengths: Tensor) -> None:
        if frames.ndim != 3 or frames.shape[2] != self.n_features:
            raise ValueError(f"frames must be (B, T, {self.n_features}), got {tuple(frames.shape)}")
        if lengths.shape != frames.shape[:1] or lengths.dtype != torch.int64 or lengths.device.type != "cpu":
            raise ValueError(
                f"lengths must be ({len(frames)},) int64 on the CPU, "
                f"got {tuple(lengths.shape)} {lengths.dtype} on {lengths.device}"
            )
        if len(lengths) == 0 or int(lengths.min()) < 1 or int(lengths.max()) > frames.shape[1]:
            raise ValueError(f"lengths must lie within 1..{frames.shape[1]}, got {lengths.tolist()}")


def _cell(component: Component, plugins: Sequence[str], n_inputs: int, hidden: int) -> Cell:
    faults = Faults()
    with faults.noted("cell"):
        cell: Cell = build(component, plugins, n_inputs=n_inputs, hidden=hidden)
    faults.check()
    return cell
