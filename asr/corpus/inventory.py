"""The label inventory: the meaning of each network output; converts transcripts to label indices and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from unicodedata import category

from asr.config import shown
from asr.corpus.phonemes import fold, fold_table
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.text import normalise_text

BLANK = "<blank>"
Unit = Literal["characters", "labels"]


def _code_points(symbol: str) -> str:
    return " ".join(f"U+{ord(character):04X}" for character in symbol)


@dataclass(frozen=True)
class Inventory:
    """The ordered set of labels of a network, blank first.

    Attributes:
        labels: the blank, then every other label once. The network has one output per label, in this order.
        unit: "characters" if transcripts are the characters of `Utterance.text`, "labels" if they are
            `Utterance.labels` (phonemes).
        fold: name of a folding table in `asr.corpus.phonemes.FOLDS`, applied to labels first; None for no folding.

    Raises:
        ConfigError: the labels do not start with the blank, repeat, are empty or hold control characters; or `unit`
            or `fold` is unknown.

    >>> from pathlib import Path
    >>> inventory = Inventory(("<blank>", "a", "b", "c"), unit="characters")
    >>> inventory.encode(Utterance("u1", Path("u1.wav"), text="cab"))
    [3, 1, 2]
    >>> inventory.decode([3, 1, 2])
    ('c', 'a', 'b')
    """

    labels: tuple[str, ...]
    unit: Unit = "labels"
    fold: str | None = None

    def __post_init__(self) -> None:
        if not self.labels or self.labels[0] != BLANK:
            raise ConfigError(f"the inventory starts with {shown(self.labels[:1])}; expected {BLANK!r}")
        if self.unit not in ("characters", "labels"):
            raise ConfigError(f"the unit of the inventory is {shown(self.unit)}; expected 'characters' or 'labels'")
        if len(set(self.labels)) < len(self.labels) or not all(self.labels):
            raise ConfigError("the inventory has repeated or empty labels; expected different labels")
        if odd := next((label for label in self.labels if any(category(one) in ("Cc", "Cs") for one in label)), ""):
            raise ConfigError(f"the label {odd[:20]!r} holds a control character; take it out of the transcripts")
        if self.unit == "characters" and any(len(label) != 1 for label in self.labels[1:]):
            raise ConfigError("the inventory has a label of several characters; expected single characters")
        if self.fold is not None:
            fold_table(self.fold)
            if self.unit != "labels":
                raise ConfigError("a folding table applies to labels, not to characters; set fold to null")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def blank(self) -> int:
        """Index of the blank: always 0."""
        return 0

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Index of each label except the blank, which no transcript may contain."""
        return {label: number for number, label in enumerate(self.labels) if number}

    @classmethod
    def from_utterances(cls, utterances: Iterable[Utterance], unit: Unit, fold: str | None = None) -> Inventory:
        """Build an inventory of the blank and all symbols that occur in the transcripts, sorted.

        With a folding table the inventory also contains every label of the table. A rare phone that occurs in the
        test set only then does not stop a run.

        Raises:
            DataError: an utterance has no transcript of this unit, or a label that the folding table does not have.
        """
        spelling = cls((BLANK,), unit, fold)
        used = {symbol for utterance in utterances for symbol in spelling.symbols_of(utterance)}
        known = {label for label in fold_table(fold).values() if label is not None} if fold is not None else set()
        return cls((BLANK, *sorted(used | known)), unit, fold)

    def symbols_of(self, utterance: Utterance) -> tuple[str, ...]:
        """Return the transcript as normalised characters or folded labels, which may be outside the inventory.

        Raises:
            DataError: the utterance has no transcript of this unit, or a label that the folding table does not have.
        """
        if self.unit == "characters":
            if utterance.text is None:
                raise DataError(f"'{utterance.id}' has no text; a model of characters needs one")
            return tuple(normalise_text(utterance.text))
        if utterance.labels is None:
            raise DataError(f"'{utterance.id}' has no labels; train on characters or prepare a corpus that has them")
        if self.fold is None:
            return utterance.labels
        try:
            return fold(utterance.labels, self.fold)
        except DataError as error:
            raise DataError(f"'{utterance.id}': {error}") from error

    def encode(self, utterance: Utterance) -> list[int]:
        """Return the label indices of the transcript, without blanks.

        Raises:
            DataError: the utterance has no transcript, or symbols outside the inventory (the message lists them).
        """
        symbols = self.symbols_of(utterance)
        if missing := self.missing(symbols):
            raise DataError(f"'{utterance.id}': {self.describe_missing(missing)}")
        return [self.index[symbol] for symbol in symbols]

    def missing(self, symbols: Iterable[str]) -> list[str]:
        """Return the symbols outside the inventory, each once, in order of first occurrence."""
        return list(dict.fromkeys(symbol for symbol in symbols if symbol not in self.index))

    def describe_missing(self, symbols: Sequence[str]) -> str:
        """Return a sentence that names symbols outside the inventory with their code points, and the remedy."""
        named = ", ".join(f"{symbol!r} ({_code_points(symbol)})" for symbol in symbols)
        verb = "is" if len(symbols) == 1 else "are"
        return f"{named} {verb} not among the {len(self)} labels; correct the transcript or train with such an example"

    def decode(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Return the labels at these indices."""
        return tuple(self.labels[int(index)] for index in indices)

    def text(self, labels: Iterable[str]) -> str:
        """Join labels to a text: characters without separator, other labels with a space between them.

        Characters are also normalised: no space at the ends, no two spaces in a row, and combining accents composed
        with their letter (Unicode NFC).
        """
        return normalise_text("".join(labels)) if self.unit == "characters" else " ".join(labels)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return {"labels": list(self.labels), "unit": self.unit, "fold": self.fold}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Inventory:
        """Build the inventory from the values that `to_dict` returned.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        labels, unit, table = values.get("labels"), values.get("unit"), values.get("fold")
        if not isinstance(labels, list | tuple) or not all(isinstance(label, str) for label in labels):
            raise ConfigError("an inventory's 'labels' must be a list of strings")
        if not isinstance(table, str | None):
            raise ConfigError("an inventory's 'fold' must be the name of a folding table or null")
        return cls(tuple(labels), unit, table)  # type: ignore[arg-type]  # __post_init__ checks the unit
