"""What every recurrent cell offers; a user's own cell derives from `Cell` and runs through the generic loop."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional as F

State = tuple[Tensor, ...]


class Cell(nn.Module, ABC):
    """One direction of one recurrent layer.

    A step is split in three so that the expensive parts can leave the time loop: `project` multiplies the frames of
    the whole batch with the input weights at once, `recur` is the one product that has to wait for the step before,
    and `point` is elementwise.

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
    """

    weight_ih: nn.Parameter
    weight_hh: nn.Parameter
    bias: nn.Parameter

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__()
        self.n_inputs = n_inputs
        self.hidden = hidden

    def project(self, frames: Tensor) -> Tensor:
        """(..., n_inputs) to (..., G): input product and bias of every frame, G rows of gates."""
        return F.linear(frames, self.weight_ih, self.bias)

    def recur(self, state: State) -> Tensor:
        """The product of the last output, `state[0]` (B, H), with the recurrent weights: (B, G)."""
        return F.linear(state[0], self.weight_hh)

    @abstractmethod
    def initial_state(self, like: Tensor) -> State:
        """The state before the first frame, each (B, H), of the type and device of `like` (B, G); output first."""

    @abstractmethod
    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        """One elementwise step: two (B, G) products and the last state to the output (B, H) and the next state."""
