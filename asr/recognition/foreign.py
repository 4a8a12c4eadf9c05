"""Score what another system recognised: two trn files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asr.errors import Problems
from asr.recognition.rates import tokens
from asr.scoring.rates import Rate, rate_of_pairs, unit_of
from asr.scoring.trn import Transcript, read_trn


def score_transcripts(reference: Path, hypothesis: Path, rates: Sequence[str]) -> dict[str, Rate]:
    """Error rates of one trn file against another.

    The order of the lines does not matter; each reference needs its hypothesis (an empty one is a line with the id
    alone) and no hypothesis may be without reference.

    Raises:
        Problems: ids that stand in one file only, all of them.
    """
    references = {one.id: one for one in read_trn(reference)}
    hypotheses = {one.id: one for one in read_trn(hypothesis)}
    problems = [f"'{one}' has no hypothesis in {hypothesis}" for one in references if one not in hypotheses]
    problems += [f"'{one}' has no reference in {reference}" for one in hypotheses if one not in references]
    if problems:
        raise Problems(problems, f"{hypothesis} against {reference}")
    return {
        rate: rate_of_pairs(
            [
                (tokens(rate, _symbols(rate, one)), tokens(rate, _symbols(rate, hypotheses[one.id])), one.speaker)
                for one in references.values()
            ],
            unit_of(rate),
        )
        for rate in rates
    }


def _symbols(rate: str, transcript: Transcript) -> tuple[str, ...]:
    """The tokens of a trn line are words for word and character rates, labels for the others."""
    return tuple(" ".join(transcript.tokens)) if rate in ("wer", "cer") else transcript.tokens
