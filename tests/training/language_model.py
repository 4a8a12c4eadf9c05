"""A second task: a recurrent language model of characters, with nothing of a recogniser in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from asr.training.task import DevResult, Loss, SavedValue, Units, WeightedSum

_PADDING = 0  # also what stands before the first character
_WORDS = ("sun", "moon", "noon", "soon", "mouse")


@dataclass(frozen=True)
class Sentences:
    """Sentences of different lengths.

    Attributes:
        ids: their names.
        characters: (B, U) int64, zeros beyond each length.
        size: characters without padding.
    """

    ids: tuple[str, ...]
    characters: Tensor
    size: int

    def to(self, device: str) -> Sentences:
        """Return the same sentences on a device."""
        return Sentences(self.ids, self.characters.to(device), self.size)


class SentenceExamples:
    """Sentences of two to five words."""

    def __init__(self, count: int, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        lengths = torch.randint(2, 6, (count,), generator=random).tolist()
        chosen = [torch.randint(0, len(_WORDS), (n,), generator=random).tolist() for n in lengths]
        self._texts = [" ".join(_WORDS[i] for i in row) for row in chosen]
        self.alphabet = sorted(set(" ".join(_WORDS)))
        self.sizes = [len(text) for text in self._texts]

    def load_batch(self, indices: Sequence[int], epoch: int) -> Sentences:
        """Make one batch; every epoch reads the same sentences."""
        rows = [torch.tensor([1 + self.alphabet.index(one) for one in self._texts[i]]) for i in indices]
        padded = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=_PADDING)
        return Sentences(tuple(f"line{i}" for i in indices), padded, sum(len(row) for row in rows))


class CharacterModel(nn.Module):
    """Predict each character from those before it."""

    def __init__(self, n_characters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_characters + 1, 8)
        self.recurrent = nn.GRU(8, 16, batch_first=True)
        self.dropout = nn.Dropout(0.1)
        self.output = nn.Linear(16, n_characters + 1)

    def forward(self, characters: Tensor) -> Tensor:
        """Return (B, U, characters + 1) scores of the character at each place of (B, U) characters."""
        before = nn.functional.pad(characters[:, :-1], (1, 0), value=_PADDING)
        states, _ = self.recurrent(self.embedding(before))
        return self.output(self.dropout(states))  # type: ignore[no-any-return]


class LanguageTask:
    """Train the model; its perplexity a character on other sentences picks the best epoch."""

    units = Units(items="sentences", size="characters")

    def __init__(self) -> None:
        self.examples, self._dev = SentenceExamples(40, seed=1), SentenceExamples(10, seed=2)
        torch.manual_seed(5)
        self.model = CharacterModel(len(self.examples.alphabet))
        self._read = 0

    def loss(self, batch: Sentences) -> Loss:
        """Return the negative log likelihood of each sentence."""
        scores = self.model(batch.characters).transpose(1, 2)  # (B, characters, U), as cross_entropy wants it
        losses = nn.functional.cross_entropy(scores, batch.characters, reduction="none", ignore_index=_PADDING).sum(1)
        bits = WeightedSum(float(losses.detach().sum()) / math.log(2), batch.size)
        return Loss(losses, {"bits": bits})

    def after_step(self, loss: Loss) -> str:
        """Report each thousand characters."""
        before, self._read = self._read, self._read + int(loss.logged["bits"].weight)
        return f"{self._read} characters read" if self._read // 1000 > before // 1000 else ""

    def evaluate_dev(self) -> DevResult:
        """Return the perplexity a character."""
        batch = self._dev.load_batch(range(len(self._dev.sizes)), epoch=0)
        nats = float(self.loss(batch).per_item.sum()) / batch.size
        perplexity = math.exp(nats)
        return DevResult(perplexity, "perplexity", f"perplexity {perplexity:.2f}", {"nats": nats})

    def describe(self, logged: Mapping[str, float]) -> str:
        """Return the bits a character."""
        return f"{logged['bits']:.2f} bits"

    def bundle(self) -> Mapping[str, SavedValue]:
        """Return the alphabet."""
        return {"alphabet": list(self.examples.alphabet)}

    def state_dict(self) -> Mapping[str, SavedValue]:
        """Return the count of characters."""
        return {"read": self._read}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        self._read = int(state["read"])
