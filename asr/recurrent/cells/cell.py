"""The base class of recurrent cells; also derive a cell of your own from it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F

State = tuple[Tensor, ...]


class Cell(nn.Module, ABC):
    """One direction of one recurrent layer.

    A step has three parts, so that the expensive one can be done outside the time loop: `project` multiplies all frames
    of a batch with the input weights at once, `recur` computes the product that depends on the step before, and `point`
    is elementwise. A cell that cannot be split like this overrides `step`, which does the last two.

    A cell defines its own state, with two restrictions: the first dimension of each tensor is the utterance, and the
    entries of an utterance depend only on that utterance.

    Args:
        n_inputs: size of an input frame.
        hidden: H, units of the cell.

    Attributes:
        output_size: O, size of an output frame: H, unless a derived class changes it.
    """

    weight_ih: nn.Parameter
    weight_hh: nn.Parameter
    bias: nn.Parameter

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__()
        self.n_inputs = n_inputs
        self.hidden = hidden
        self.output_size = hidden

    def project(self, rows: Tensor) -> Tensor:
        """Return the input product plus bias, (N, G), of all frames of a batch without padding, (N, n_inputs)."""
        return F.linear(rows, self.weight_ih, self.bias)

    @abstractmethod
    def initial_state(self, like: Tensor) -> State:
        """Return the state before the first frame, tensors (B, ...), with the type and device of `like` (B, G)."""

    def step(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        """Turn the projection (B, G) of a frame and the last state into the output (B, O) and the next state."""
        return self.point(projected, self.recur(state), state)

    def recur(self, state: State) -> Tensor:
        """Return the product (B, G) of the last output, `state[0]` (B, O), with the recurrent weights."""
        return F.linear(state[0], self.weight_hh)

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        """Turn the two products (B, G) and the last state into the output (B, O) and the next state, elementwise."""
        raise NotImplementedError(f"{type(self).__name__} must define `point` or `step`")
