"""The label inventory: what the network's outputs stand for, and transcripts to label indices and back."""

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
    """Ordered labels, blank first.

    Attributes:
        labels: `labels[0]` is the blank, then every label once; the network has one output each, in this order.
        unit: whether an utterance is spelled from the characters of its text or from its own labels (phonemes).
        fold: name of the folding table (`asr.corpus.phonemes.FOLDS`) that its labels go through first, if any.
    """

    labels: tuple[str, ...]
    unit: Unit = "labels"
    fold: str | None = None

    def __post_init__(self) -> None:
        if not self.labels or self.labels[0] != BLANK:
            raise ConfigError(f"an inventory starts with {BLANK!r}, found {shown(self.labels[:1])}")
        if self.unit not in ("characters", "labels"):
            raise ConfigError(f"the unit of an inventory is 'characters' or 'labels', found {shown(self.unit)}")
        if len(set(self.labels)) < len(self.labels) or not all(self.labels):
            raise ConfigError("the labels of an inventory must be different from each other and not empty")
        if odd := next((label for label in self.labels if any(category(one) in ("Cc", "Cs") for one in label)), ""):
            raise ConfigError(f"the label {odd[:20]!r} holds a control character; take it out of the transcripts")
        if self.unit == "characters" and any(len(label) != 1 for label in self.labels[1:]):
            raise ConfigError("an inventory of characters holds a label that is longer than one character")
        if self.fold is not None:
            fold_table(self.fold)
            if self.unit != "labels":
                raise ConfigError("a folding table applies to labels, not to characters")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def blank(self) -> int:
        """Index of the blank: always 0."""
        return 0

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Index of each label, the blank left out: no transcript may spell it."""
        return {label: number for number, label in enumerate(self.labels) if number}

    @classmethod
    def from_utterances(cls, utterances: Iterable[Utterance], unit: Unit, fold: str | None = None) -> Inventory:
        """Collect all symbols that the transcripts use, sorted, behind the blank.

        A folding table fixes the whole set: all its labels are in the inventory, so that a rare phone that only the
        test set holds does not stop a run.

        Raises:
            DataError: an utterance has no transcript of this unit, or a label that the table does not know.
        """
        spelling = cls((BLANK,), unit, fold)
        used = {symbol for utterance in utterances for symbol in spelling.symbols_of(utterance)}
        known = {label for label in fold_table(fold).values() if label is not None} if fold is not None else set()
        return cls((BLANK, *sorted(used | known)), unit, fold)

    def symbols_of(self, utterance: Utterance) -> tuple[str, ...]:
        """Return the transcript in the inventory's unit, normalised and folded; its symbols may be unknown to it.

        Raises:
            DataError: the utterance has no transcript of this unit, or a label that the table does not know.
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
        """Label indices of the transcript; never holds the blank.

        Raises:
            DataError: no transcript, or the first symbol that is not in the inventory, with the utterance.
        """
        symbols = self.symbols_of(utterance)
        if missing := self.missing(symbols):
            raise DataError(f"'{utterance.id}': {self.describe_missing(missing)}")
        return [self.index[symbol] for symbol in symbols]

    def missing(self, symbols: Iterable[str]) -> list[str]:
        """Return the symbols that the inventory does not hold, each once, in the order of their first use."""
        return list(dict.fromkeys(symbol for symbol in symbols if symbol not in self.index))

    def describe_missing(self, symbols: Sequence[str]) -> str:
        """One sentence about symbols outside the inventory, with their code points and what to do."""
        named = ", ".join(f"{symbol!r} ({_code_points(symbol)})" for symbol in symbols)
        verb = "is" if len(symbols) == 1 else "are"
        return f"{named} {verb} not among the {len(self)} labels; correct the transcript or train with such an example"

    def decode(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Return the labels at these indices."""
        return tuple(self.labels[int(index)] for index in indices)

    def text(self, labels: Iterable[str]) -> str:
        """Write labels as people do: characters run together and normalised, whole labels set apart by spaces.

        The text of characters has no space at its ends and never two in a row, whatever the network put there, and
        characters that Unicode composes are composed: "e" and a combining accent are one character of the text.
        """
        return normalise_text("".join(labels)) if self.unit == "characters" else " ".join(labels)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"labels": list(self.labels), "unit": self.unit, "fold": self.fold}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Inventory:
        """Read what `to_dict` gave.

        Raises:
            ConfigError: the values are not an inventory's.
        """
        labels, unit, table = values.get("labels"), values.get("unit"), values.get("fold")
        if not isinstance(labels, list | tuple) or not all(isinstance(label, str) for label in labels):
            raise ConfigError("an inventory's 'labels' must be a list of strings")
        if not isinstance(table, str | None):
            raise ConfigError("an inventory's 'fold' must be the name of a folding table or null")
        return cls(tuple(labels), unit, table)  # type: ignore[arg-type]  # __post_init__ checks the unit
