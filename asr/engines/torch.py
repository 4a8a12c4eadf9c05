"""Run a network with torch: any cell, many utterances at once, on the CPU or a GPU."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


class TorchEngine:
    """A network that torch runs.

    Args:
        model: takes frames (B, T, F) and lengths (B,), gives log posteriors (B, T', L) and lengths (B,).
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    @torch.no_grad()
    def posteriors(
        self, frames: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Compute the log posteriors of a batch.

        Args:
            frames: (B, T, F) float32, normalised and stacked; the padding may hold anything.
            lengths: (B,) int64, 1 <= lengths[b] <= T.

        Returns:
            (B, T', L) float32 natural logarithms, and (B,) int64 lengths.
        """
        self.model.eval()
        device = next(self.model.parameters()).device
        log_probs, out_lengths = self.model(torch.from_numpy(frames).to(device), torch.from_numpy(lengths))
        return log_probs.cpu().numpy(), out_lengths.numpy()

    def prepare(self, bfloat16: bool = False) -> bool:
        """Recognise faster from now on, which takes a second or two first: see `RecurrentStack.prepare`.

        Returns:
            Whether there is a faster way on this machine, and for this network.
        """
        prepare = getattr(self.model, "prepare", None)  # a network of the user's own may have none
        return bool(prepare is not None and prepare(bfloat16))
