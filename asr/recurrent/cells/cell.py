"""The interface of a recurrent cell; a user's own cell derives from `Cell` and runs through the generic loop."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F

State = tuple[Tensor, ...]


class Cell(nn.Module, ABC):
    """One direction of one recurrent layer.

    A step is split in three so that the expensive parts can leave the time loop: `project` multiplies the frames of
    the whole batch with the input weights at once, `recur` is the one product that has to wait for the step before,
    and `point` is elementwise. A cell that does not come apart like that overrides `step`, which joins the last two.

    A cell defines its own state, with two restrictions: the first dimension of each of its tensors is the utterance,
    and the entries of one utterance depend on that utterance only.

    Args:
        n_inputs: size of an input frame.
        hidden: H, units of the cell.

    Attributes:
        output_size: O, size of an output frame: H, unless a derived cell sets another.
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
        """Return the input product and bias (N, G) of all frames (N, n_inputs) of a batch, without padding."""
        return F.linear(rows, self.weight_ih, self.bias)

    @abstractmethod
    def initial_state(self, like: Tensor) -> State:
        """Return the state before the first frame, each (B, ...), of the type and device of `like` (B, G)."""

    def step(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        """Turn the projection (B, G) of a frame and the last state into the output (B, O) and the next state."""
        return self.point(projected, self.recur(state), state)

    def recur(self, state: State) -> Tensor:
        """Return the product (B, G) of the last output, `state[0]` (B, O), with the recurrent weights."""
        return F.linear(state[0], self.weight_hh)

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        """Turn two (B, G) products and the last state into the output (B, O) and the next state, elementwise."""
        raise NotImplementedError(f"{type(self).__name__} needs `point`, or a `step` of its own")
