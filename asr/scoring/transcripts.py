"""Score the transcripts of any system: compare one trn file with another."""

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
    """Compute error rates of a trn file of hypotheses.

    Each reference needs a hypothesis (an empty one is a line with only the id), and each hypothesis a reference; the
    order of the lines does not matter. If a file names its unit (`;; unit: words`), the rates must fit it. Otherwise
    the tokens are labels for rates of labels, and words for all others.

    Args:
        reference: the trn file of references, with speakers.
        hypothesis: the trn file of hypotheses.
        rates: names in `asr.scoring.named_rates.RATES`.
        fold: see `Fold`.

    Returns:
        The rates by name.

    Raises:
        ConfigError: a rate is unknown, or does not fit the unit of the files.
        DataError: a file cannot be read, the files have different units, or a label cannot be folded.
        Problems: ids that are in one file only, all of them.

    >>> from tempfile import TemporaryDirectory
    >>> from asr.corpus.phonemes import fold
    >>> with TemporaryDirectory() as folder:
    ...     files = Path(folder, "ref.trn"), Path(folder, "hyp.trn")
    ...     for file, text in zip(files, ("two cats", "two hats")):
    ...         _ = file.write_text(f"{text} (anna-1)\\n")
    ...     found = score_transcripts(*files, rates=["wer"], fold=fold)
    >>> found["wer"].counts
    ErrorCounts(correct=1, substitutions=1, deletions=0, insertions=0)
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
            f"{references.path} has {references.unit} and {hypotheses.path} has {hypotheses.unit}; give two files with"
            " the same unit"
        )
    return references.unit or hypotheses.unit


def _check(rate: str, unit: TrnUnit | None, stated_by: TrnFile) -> None:
    """Raise a ConfigError if a rate is unknown or does not fit the unit, which `stated_by` names."""
    if rate not in RATES:
        raise ConfigError(f"no rate is named '{rate}'{nearest(rate, RATES)}; expected one of {', '.join(RATES)}")
    of: InventoryUnit = "characters" if unit == "words" else "labels"
    if unit is not None and of not in RATES[rate].of:
        raise ConfigError(
            f"{stated_by.path} has {unit}, from which '{rate}' cannot be computed; choose one of"
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
