"""Score the transcripts of any system: one trn file against another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asr.config import nearest
from asr.errors import ConfigError, DataError, Problems
from asr.scoring.edits import ErrorCounts
from asr.scoring.lattice import Lattice
from asr.scoring.named_rates import RATES, Fold, InventoryUnit, count, count_alternatives, rates_of_unit
from asr.scoring.rates import Rate, rate_of, unit_of
from asr.scoring.trn import Transcript, TrnFile, TrnUnit, read_trn


def score_transcripts(reference: Path, hypothesis: Path, rates: Sequence[str], fold: Fold) -> dict[str, Rate]:
    """Report error rates of one trn file against another.

    The order of the lines does not matter. Each reference needs its hypothesis (an empty one is a line with the id
    alone), and no hypothesis may be without a reference. Where a file says what its tokens are (`;; unit: words`), the
    rates must be of that unit; other files hold words, or labels where the rate counts labels.

    Args:
        reference: trn file of references, with speakers.
        hypothesis: trn file of hypotheses.
        rates: names in `asr.scoring.named_rates.RATES`.
        fold: see `Fold`.

    Raises:
        ConfigError: a rate is not known, or does not count what the files hold.
        DataError: a file cannot be read, the files hold different units, or a label cannot be folded.
        Problems: names that stand in one file only, all of them.
    """
    references, hypotheses = read_trn(reference), read_trn(hypothesis)
    unit = _common_unit(references, hypotheses)
    for rate in rates:
        _check(rate, unit, references if references.unit else hypotheses)
    problems = [
        f"'{name}' has no hypothesis in {hypothesis}" for name in references.lines if name not in hypotheses.lines
    ]
    problems += [
        f"'{name}' has no reference in {reference}" for name in hypotheses.lines if name not in references.lines
    ]
    if problems:
        raise Problems(problems, f"{hypothesis} against {reference}")
    speakers = [one.speaker for one in references.lines.values()]
    return {
        rate: rate_of(
            [_count(rate, name, one, hypotheses.lines[name], unit, fold) for name, one in references.lines.items()],
            speakers,
            unit_of(rate),
        )
        for rate in rates
    }


def _common_unit(references: TrnFile, hypotheses: TrnFile) -> TrnUnit | None:
    if references.unit and hypotheses.unit and references.unit != hypotheses.unit:
        raise DataError(
            f"{references.path} holds {references.unit} and {hypotheses.path} holds {hypotheses.unit}; give two files"
            " of the same unit"
        )
    return references.unit or hypotheses.unit


def _check(rate: str, unit: TrnUnit | None, stated_by: TrnFile) -> None:
    """Raise a ConfigError for a rate that is not known or not of this unit."""
    if rate not in RATES:
        raise ConfigError(f"there is no rate '{rate}'{nearest(rate, RATES)}; known: {', '.join(RATES)}")
    of: InventoryUnit = "characters" if unit == "words" else "labels"
    if unit is not None and of not in RATES[rate].of:
        raise ConfigError(
            f"{stated_by.path} holds {unit}, from which '{rate}' cannot be counted; choose among"
            f" {', '.join(rates_of_unit(of))}"
        )


def _count(
    rate: str, name: str, reference: Transcript, hypothesis: Transcript, unit: TrnUnit | None, fold: Fold
) -> ErrorCounts:
    of: InventoryUnit = "labels" if RATES[rate].counts == "labels" or unit == "labels" else "characters"
    one, other = reference.tokens, hypothesis.tokens
    try:
        if isinstance(one, Lattice) or isinstance(other, Lattice):
            return count_alternatives(rate, one, other, of, fold)
        if of == "characters":
            one, other = tuple(" ".join(one)), tuple(" ".join(other))
        return count(rate, one, other, of, fold)
    except DataError as error:
        raise DataError(f"'{name}': {error}") from error
