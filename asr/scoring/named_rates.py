"""The error rates that have a name: what each of them compares, and after which folding.

| rate | inventory of | compares |
|---|---|---|
| `wer` | characters | words of the text |
| `cer` | characters | characters of the text, spaces included (as jiwer counts them) |
| `wer_folded`, `cer_folded` | characters | the same in lower case |
| `per` | labels | labels of the inventory |
| `per_39` | labels | TIMIT's labels folded to 39 (Lee and Hon 1989), silence counted as a label |
| `per_39_no_sil` | labels | the same with silence removed from reference and hypothesis |
| `ser` | both | whole utterances: wrong in anything |

A text is normalised before it is compared (`asr.text`). The folding tables belong to the corpus, so whoever counts
passes the function that folds (`asr.corpus.phonemes.fold`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from asr.config import check_values, nearest, one_of
from asr.errors import ConfigError, DataError
from asr.scoring.edits import ErrorCounts, count_errors
from asr.scoring.lattice import Lattice, count_errors_between
from asr.text import normalise_text

Tokens = tuple[str, ...]
InventoryUnit = Literal["characters", "labels"]
Fold = Callable[[Sequence[str], str], Tokens]
"""Replaces labels by what the table of this name says; raises a DataError for a label that the table lacks."""


@dataclass(frozen=True)
class NamedRate:
    """What a rate counts.

    Attributes:
        counts: one of these is one error at most.
        lower: compare in lower case.
        fold: name of the folding table that labels go through first, if any.
        without: labels that are removed from both sides.
    """

    counts: Literal["words", "characters", "labels", "utterances"]
    lower: bool = False
    fold: str | None = None
    without: str | None = None

    @property
    def of(self) -> tuple[InventoryUnit, ...]:
        """The units of inventories that have this rate."""
        if self.counts == "utterances":
            return ("characters", "labels")
        return ("labels",) if self.counts == "labels" else ("characters",)


RATES: Mapping[str, NamedRate] = MappingProxyType(
    {
        "wer": NamedRate("words"),
        "cer": NamedRate("characters"),
        "wer_folded": NamedRate("words", lower=True),
        "cer_folded": NamedRate("characters", lower=True),
        "per": NamedRate("labels"),
        "per_39": NamedRate("labels", fold="timit61_to_39"),
        "per_39_no_sil": NamedRate("labels", fold="timit61_to_39", without="sil"),
        "ser": NamedRate("utterances"),
    }
)


def rates_of_unit(unit: InventoryUnit) -> list[str]:
    """Names of the rates that an inventory of this unit has."""
    return [name for name, rate in RATES.items() if unit in rate.of]


def tokens(rate: str, symbols: Sequence[str], unit: InventoryUnit, fold: Fold) -> Tokens:
    """What a rate compares of a reference or a hypothesis.

    Args:
        rate: a name in `RATES` that an inventory of this unit has.
        symbols: of the inventory.
        unit: whether they are the characters of a text or labels.
        fold: see `Fold`.

    Raises:
        DataError: a label that the rate's folding table lacks.
    """
    named = RATES[rate]
    if unit == "labels":
        return ("\n".join(symbols),) if named.counts == "utterances" else _labels(named, symbols, fold)
    text = normalise_text("".join(symbols))
    if named.lower:
        text = text.lower()
    if named.counts == "utterances":
        return (text,)
    return tuple(text.split()) if named.counts == "words" else tuple(text)


def _labels(named: NamedRate, symbols: Sequence[str], fold: Fold) -> Tokens:
    folded = tuple(symbols) if named.fold is None else fold(symbols, named.fold)
    return tuple(label for label in folded if label != named.without)


def count(
    rate: str, reference: Sequence[str], hypothesis: Sequence[str], unit: InventoryUnit, fold: Fold
) -> ErrorCounts:
    """Count the errors of an utterance under a rate; arguments and errors are those of `tokens`."""
    return count_errors(tokens(rate, reference, unit, fold), tokens(rate, hypothesis, unit, fold))


def count_alternatives(
    rate: str, reference: Tokens | Lattice, hypothesis: Tokens | Lattice, unit: InventoryUnit, fold: Fold
) -> ErrorCounts:
    """Count the errors of an utterance of which a side may hold alternatives.

    Args:
        rate, unit, fold: see `tokens`.
        reference: words where the unit is characters, else labels.
        hypothesis: the same.
    """
    named = RATES[rate]
    if named.counts == "utterances":
        wrong = count_errors_between(reference, hypothesis).errors > 0
        return ErrorCounts(substitutions=1) if wrong else ErrorCounts(correct=1)
    ways = (
        _folded(named, side if isinstance(side, Lattice) else Lattice.of(side), fold)
        for side in (reference, hypothesis)
    )
    return count_errors_between(*(each.characters() if named.counts == "characters" else each for each in ways))


def _folded(named: NamedRate, ways: Lattice, fold: Fold) -> Lattice:
    if named.counts != "labels":
        return ways.replace(str.lower) if named.lower else ways
    return ways.replace(lambda label: next(iter(_labels(named, [label], fold)), None))


def check_rates(names: Sequence[str], unit: str) -> None:
    """Raise a ConfigError for a rate that an inventory of `unit` does not have."""
    check_values({"unit": unit}, {"unit": one_of(unit, get_args(InventoryUnit))})
    known = rates_of_unit(unit)  # type: ignore[arg-type]  # one of the two, as was just checked
    strangers = [name for name in names if name not in known]
    close = nearest(strangers[0], known) if strangers else ""
    expected = f"one or more of the rates that an inventory of {unit} has: {', '.join(known)}{close}"
    check_values({"rates": list(names)}, {"rates": (bool(names) and not strangers, expected)})


def check_labels(names: Sequence[str], labels: Sequence[str], unit: InventoryUnit, fold: Fold) -> None:
    """Raise a ConfigError for a rate that cannot fold all of these labels, before anything is trained."""
    for name in names:
        try:
            tokens(name, labels, unit, fold)
        except DataError as error:
            raise ConfigError(f"scoring.rates: {name} is not for these labels: {error}; choose per") from error
