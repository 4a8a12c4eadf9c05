"""Training a recurrent language model by truncated back-propagation through time, as a task of the training loop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from asr.experiment.text_streams import TextStreams, Windows
from asr.features.grouping import group_by_length
from asr.lm.recurrent_header import LabelModelHeader
from asr.recurrent.cells.cell import State
from asr.recurrent.label_model import LabelModel
from asr.training.task import DevResult, Loss, SavedValue, Units, WeightedSum

DEV_STREAMS = 64
"""The number of streams that the dev text is divided into; each starts from the network's initial state."""
_DEV_WINDOW = 256  # labels


class LanguageModelTask:
    """The task of training a label model on consecutive windows of a text; each starts from the last window's state.

    The loss of a stream is the mean of -log p over the labels of its window. Gradients do not cross the border of a
    window (Williams and Peng 1990). The carried state is a part of every checkpoint.

    Args:
        model: the network, trained in place.
        header: the description of the network for checkpoints.
        examples: the training text.
        dev: (N,) label numbers of the dev text.
    """

    units = Units(items="streams", size="characters")

    def __init__(
        self, model: LabelModel, header: LabelModelHeader, examples: TextStreams, dev: NDArray[np.int64]
    ) -> None:
        self.model, self.examples, self._header, self._dev = model, examples, header, dev
        self._states: list[State] | None = None  # state of each layer after the last step

    def loss(self, batch: Windows) -> Loss:
        """Return the mean negative log likelihood of each stream's window, and keep the state after it."""
        states = self.model.initial_states(len(batch.labels))
        if self._states is not None:
            states = [_mixed(batch.cold, one, other) for one, other in zip(states, self._states, strict=True)]
        log_probs, self._states = self.model(batch.labels, states)
        losses = _losses(log_probs, batch.following)  # (B, W)
        return Loss(losses.mean(1), {"bits": WeightedSum(float(losses.detach().sum()) / math.log(2), batch.size)})

    def after_step(self, loss: Loss) -> str:
        """Return no hint."""
        return ""

    def evaluate_dev(self) -> DevResult:
        """Return the bits per character of the dev text."""
        bits = stream_bits(self.model, self._dev)
        return DevResult(bits, "bits", f"{bits:.3f} bits", {"perplexity": 2**bits})

    def describe(self, logged: Mapping[str, float]) -> str:
        """Return the bits per character of the training text, as text for the progress line."""
        return f"{logged['bits']:.3f} bits"

    def bundle(self) -> Mapping[str, SavedValue]:
        """Return the description of the language model without its weights."""
        return self._header.to_dict()

    def state_dict(self) -> Mapping[str, SavedValue]:
        """Return the state that the next window starts from."""
        return {"states": [list(layer) for layer in self._states or []]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state that `state_dict` returned.

        Raises:
            ValueError: the states have other shapes than those of this network.
        """
        saved = [tuple(layer) for layer in state["states"]]
        if saved:
            expected = [_shapes(layer) for layer in self.model.initial_states(len(saved[0][0]))]
            if [_shapes(layer) for layer in saved] != expected:
                raise ValueError("the saved states of the network have other shapes")
            device = self.model.embedding.weight.device
            self._states = [tuple(one.to(device) for one in layer) for layer in saved]


def _shapes(layer: State) -> list[torch.Size]:
    return [one.shape for one in layer]


def _mixed(cold: Tensor, start: State, state: State) -> State:
    """Return the initial state `start` for the streams in `cold`, and the carried `state` for the others."""
    return tuple(
        torch.where(cold.view(-1, *[1] * (one.ndim - 1)), one, other) for one, other in zip(start, state, strict=True)
    )


def _losses(log_probs: Tensor, following: Tensor) -> Tensor:
    """Return -log p (B, T) of the labels (B, T) under log probabilities (B, T, L)."""
    return F.nll_loss(log_probs.flatten(0, 1), following.flatten(), reduction="none").view(following.shape)


@torch.no_grad()
def stream_bits(model: LabelModel, text: NDArray[np.int64], streams: int = DEV_STREAMS) -> float:
    """Return the mean bits per label of a text that is read continuously, in several parallel streams.

    Args:
        model: the network, in evaluation mode.
        text: (N,) label numbers. The first label of each stream is read, but not predicted.
        streams: the number of streams; fewer are used if they would have less than 1,000 labels each.
    """
    streams = max(1, min(streams, len(text) // 1000))
    length = len(text) // streams
    device = model.embedding.weight.device
    rows = torch.from_numpy(text[: streams * length].reshape(streams, length)).to(device)
    states, total = model.initial_states(streams), 0.0
    for start in range(0, length - 1, _DEV_WINDOW):
        window = rows[:, start : start + _DEV_WINDOW + 1]
        log_probs, states = model(window[:, :-1], states)
        total += float(_losses(log_probs, window[:, 1:]).double().sum())
    return total / (streams * (length - 1)) / math.log(2)


@torch.no_grad()
def line_bits(model: LabelModel, lines: Sequence[NDArray[np.int64]], end: int, batch_labels: int = 16_000) -> float:
    """Return the mean bits per label of lines that are each read on their own, as a decoder does.

    Args:
        model: the network, in evaluation mode.
        lines: the label numbers of each line, with `end` as the last one.
        end: the label that ends a line; the network also reads it before the first label of a line.
        batch_labels: the number of labels to compute together, including padding.
    """
    total, count = 0.0, 0
    for group in group_by_length([len(one) for one in lines], batch_labels, 256):
        chosen = [lines[index] for index in group]
        lengths = torch.tensor([len(one) for one in chosen])
        labels = torch.full((len(chosen), int(lengths.max()) + 1), end)
        for row, one in zip(labels, chosen, strict=True):
            row[1 : len(one) + 1] = torch.from_numpy(one)
        labels = labels.to(model.embedding.weight.device)
        losses = _losses(model.whole(labels[:, :-1], lengths), labels[:, 1:])
        inside = torch.arange(losses.shape[1])[None, :] < lengths[:, None]
        total += float(losses[inside.to(losses.device)].double().sum())
        count += int(lengths.sum())
    return total / count / math.log(2)
