"""A recurrent language model: it reads labels, and gives the log probabilities of the label after each of them.

Mikolov, Karafiat, Burget, Cernocky and Khudanpur 2010, "Recurrent neural network based language model"; for characters,
Graves 2013, "Generating sequences with recurrent neural networks". An embedding turns labels into vectors, and a
forward `RecurrentStack` reads these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from asr.recurrent.cells.cell import State
from asr.recurrent.options import LabelModelConfig as LabelModelConfig
from asr.recurrent.options import check_embedding, stack_of
from asr.recurrent.stack import RecurrentStack


class LabelModel(nn.Module):
    """A network that predicts each label from the labels before it.

    Args:
        n_labels: L, the number of labels.
        cell, hidden, layers, skips, dropout: options of the stack, see `RecurrentStack`.
        embedding: E, the size of a label's vector.
        plugins: the user's modules that may hold the class of the cell.

    Raises:
        ConfigError: an option is out of range.
    """

    def __init__(
        self,
        n_labels: int,
        cell: Any = None,
        hidden: int = 512,
        layers: int = 1,
        skips: bool = False,
        dropout: float = 0.0,
        embedding: int = 64,
        plugins: Sequence[str] = (),
    ) -> None:
        super().__init__()
        check_embedding(embedding)
        config = stack_of(LabelModelConfig(cell=cell, hidden=hidden, layers=layers, skips=skips, dropout=dropout))
        options = {name: value for name, value in vars(config).items() if name != "_target_"}
        self.embedding = nn.Embedding(n_labels, embedding)
        self.stack = RecurrentStack(embedding, n_labels, **options, plugins=plugins)

    @property
    def n_labels(self) -> int:
        """The number of labels."""
        return self.stack.n_labels

    def initial_states(self, batch_size: int) -> list[State]:
        """Return the state of each layer before the first label of B texts."""
        return self.stack.initial_states(batch_size)

    def forward(self, labels: Tensor, states: Sequence[State]) -> tuple[Tensor, list[State]]:
        """Read the next labels of B texts; no gradient flows into the states.

        Args:
            labels: (B, T) int64.
            states: the state of each layer, from `initial_states` or the last call.

        Returns:
            (B, T, L) log probabilities of the label after each label, and the states after the last label, detached.
        """
        log_probs, after = self.stack.carry(self.embedding(labels), states)
        return log_probs, after

    def whole(self, labels: Tensor, lengths: Tensor) -> Tensor:
        """Read whole texts, each from the initial state.

        Args:
            labels: (B, T) int64, padded on the right with any label.
            lengths: (B,) int64 on the CPU, 1 <= lengths[b] <= T.

        Returns:
            (B, T, L) log probabilities as from `forward`; ignore rows beyond a text's length.
        """
        log_probs: Tensor = self.stack(self.embedding(labels), lengths)[0]
        return log_probs
