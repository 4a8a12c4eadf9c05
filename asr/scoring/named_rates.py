"""The error rates by name: the tokens that each compares, and how they are folded first.

| rate | inventory of | compares |
|---|---|---|
| `wer` | characters | words of the text |
| `cer` | characters | characters of the text, spaces included (as jiwer counts them) |
| `wer_folded`, `cer_folded` | characters | words or characters in lower case |
| `per` | labels | labels of the inventory |
| `per_39` | labels | TIMIT's labels folded to 39 (Lee and Hon 1989), silence counted as a label |
| `per_39_no_sil` | labels | like `per_39`, with silence removed from reference and hypothesis |
| `ser` | both | whole utterances, each wrong if it has any error |

Texts are normalised before they are compared (`asr.text`). The folding tables belong to the corpus, so callers pass the
function that folds labels (`asr.corpus.phonemes.fold`).
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
"""A function `fold(labels, table)` that replaces labels by a named table; it raises a DataError for a label that the
table lacks."""


@dataclass(frozen=True)
class NamedRate:
    """The definition of an error rate.

    Attributes:
        counts: the tokens that are compared.
        lower: whether texts are compared in lower case.
        fold: the name of the table by which labels are folded first; None: no folding.
        without: a label that is removed from both sides; None: none.
    """

    counts: Literal["words", "characters", "labels", "utterances"]
    lower: bool = False
    fold: str | None = None
    without: str | None = None

    @property
    def of(self) -> tuple[InventoryUnit, ...]:
        """The units of inventories for which this rate is defined."""
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
    """Return the names of the rates that are defined for an inventory of this unit.

    >>> rates_of_unit("characters")
    ['wer', 'cer', 'wer_folded', 'cer_folded', 'ser']
    """
    return [name for name, rate in RATES.items() if unit in rate.of]


def tokens(rate: str, symbols: Sequence[str], unit: InventoryUnit, fold: Fold) -> Tokens:
    """Return the tokens of a reference or a hypothesis that a rate compares.

    Args:
        rate: a name in `RATES` that is defined for the unit.
        symbols: the symbols of the inventory: the characters of a text, or labels.
        unit: the unit of the inventory.
        fold: see `Fold`.

    Raises:
        DataError: the folding table of the rate lacks a label.

    >>> from asr.corpus.phonemes import fold
    >>> tokens("wer_folded", list("Two cats"), "characters", fold)
    ('two', 'cats')
    >>> tokens("per_39_no_sil", ["h#", "ao", "l"], "labels", fold)
    ('aa', 'l')
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
    """Count the errors of an utterance under a rate; `tokens` describes the arguments and errors.

    >>> from asr.corpus.phonemes import fold
    >>> count("wer", "two cats", "two hats", "characters", fold)
    ErrorCounts(correct=1, substitutions=1, deletions=0, insertions=0)
    """
    return count_errors(tokens(rate, reference, unit, fold), tokens(rate, hypothesis, unit, fold))


def count_alternatives(
    rate: str, reference: Tokens | Lattice, hypothesis: Tokens | Lattice, unit: InventoryUnit, fold: Fold
) -> ErrorCounts:
    """Count the errors of an utterance if the reference or the hypothesis has alternatives.

    Args:
        rate: see `tokens`.
        reference: words if the unit is characters, otherwise labels; or a lattice of them.
        hypothesis: the same.
        unit: see `tokens`.
        fold: see `tokens`.
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
    """Raise a ConfigError if a rate is unknown or not defined for an inventory of `unit`, or if there are no rates."""
    check_values({"unit": unit}, {"unit": one_of(unit, get_args(InventoryUnit))})
    known = rates_of_unit(unit)  # type: ignore[arg-type]  # one of the two, as was just checked
    strangers = [name for name in names if name not in known]
    close = nearest(strangers[0], known) if strangers else ""
    expected = f"one or more of the rates for an inventory of {unit}: {', '.join(known)}{close}"
    check_values({"rates": list(names)}, {"rates": (bool(names) and not strangers, expected)})


def check_labels(names: Sequence[str], labels: Sequence[str], unit: InventoryUnit, fold: Fold) -> None:
    """Raise a ConfigError if the folding table of a rate lacks one of these labels."""
    for name in names:
        try:
            tokens(name, labels, unit, fold)
        except DataError as error:
            raise ConfigError(f"scoring.rates: {name} does not fit these labels: {error}; choose per") from error
