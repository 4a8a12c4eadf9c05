"""The result of decoding one utterance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.text import normalise_text


@dataclass(frozen=True)
class Span:
    """A label or a word and where it stands.

    Attributes:
        label: the label, or the text of the word.
        start: seconds (audio) or points (ink) from the beginning of the file.
        end: the same unit; the first moment that no longer belongs to it.
        confidence: 0 to 1.
    """

    label: str
    start: float
    end: float
    confidence: float

    def to_dict(self, what: Literal["word", "label"]) -> dict[str, Any]:
        """Return it as plain JSON, with the label under the name of what it is."""
        return {
            what: self.label,
            "start": _rounded(self.start),
            "end": _rounded(self.end),
            "confidence": _rounded(self.confidence),
        }


@dataclass(frozen=True)
class Score:
    """The score of a labelling, as natural logarithms that add up.

    Attributes:
        acoustic: log probability under the posteriors: of the best path for a greedy decoder, of the labelling (all its
            paths) for one that sums. -inf for an impossible one.
        language_model: what language models add, weighted.
        insertion: what bonuses for words or labels add.
        boost: what expected words and phrases add.
    """

    acoustic: float
    language_model: float = 0.0
    insertion: float = 0.0
    boost: float = 0.0

    @property
    def total(self) -> float:
        """The sum, by which hypotheses are ranked."""
        return self.acoustic + self.language_model + self.insertion + self.boost

    def to_dict(self) -> dict[str, float | None]:
        """Return the parts as plain JSON."""
        return {part: _rounded(value) for part, value in asdict(self).items()}


class Trust(NamedTuple):
    """The evidence for a label, a word or an utterance, before a calibration turns it into one confidence.

    Attributes:
        posterior: 0 to 1, the share of the candidates of a search that hold it; 1 where there is one candidate only.
        peak: 0 to 1, the highest posterior of the network in the run of a label; the product of several labels.
    """

    posterior: float
    peak: float


@dataclass(frozen=True)
class Evidence:
    """The evidence for the parts of a hypothesis.

    Attributes:
        labels: one for each label.
        words: one for each word.
        utterance: for the whole hypothesis.
    """

    labels: tuple[Trust, ...]
    words: tuple[Trust, ...]
    utterance: Trust


@dataclass(frozen=True)
class Hypothesis:
    """One labelling of an utterance.

    Spaces that no text shows are in none of its parts: of an inventory of characters, neither `labels` nor `spans`
    begin or end with white space or hold two in a row (see `without_surplus_spaces`), so silence has no labels at all.

    Attributes:
        labels: without blanks, repeats merged, one for each span.
        text: the labels as people write them, `Inventory.text(labels)`. It has one character for each label, except
            where Unicode composes several labels (a letter and a combining accent) into one character.
        score: the total score and its parts.
        spans: one for each label.
        words: one for each word; of an inventory of whole labels (phonemes) each label is one.
        confidence: 0 to 1, of the whole labelling.
        evidence: what the confidences were computed from; None if the decoder gives none.
    """

    labels: tuple[str, ...]
    text: str
    score: Score
    spans: tuple[Span, ...]
    words: tuple[Span, ...] = ()
    confidence: float = 1.0
    evidence: Evidence | None = field(default=None, repr=False, compare=False)

    @property
    def log_probability(self) -> float:
        """The total score."""
        return self.score.total

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON: numbers with four decimals, None for a log probability of -inf.

        >>> found = Hypothesis(("a",), "a", Score(-0.5), (Span("a", 0.25, 0.5, 0.9),))
        >>> found.to_dict()["labels"]
        [{'label': 'a', 'start': 0.25, 'end': 0.5, 'confidence': 0.9}]
        """
        return {
            "text": self.text,
            "confidence": _rounded(self.confidence),
            "log_probability": _rounded(self.log_probability),
            "score": self.score.to_dict(),
            "words": [one.to_dict("word") for one in self.words],
            "labels": [one.to_dict("label") for one in self.spans],
        }


def _rounded(value: float) -> float | None:
    """Four decimals: a tenth of a millisecond. JSON has no infinite numbers."""
    return round(float(value), 4) if math.isfinite(value) else None


def at_points(hypothesis: Hypothesis, places: NDArray[np.int64]) -> Hypothesis:
    """The same hypothesis with spans that count points instead of frames.

    Args:
        hypothesis: its spans count frames, from 0.
        places: (T,) which point each frame came from, T >= 1.
    """

    def moved(span: Span) -> Span:
        first = min(int(span.start), len(places) - 1)
        last = min(max(math.ceil(span.end) - 1, first), len(places) - 1)
        covered = places[first : last + 1]
        return replace(span, start=float(covered.min()), end=float(covered.max()) + 1)

    return replace(
        hypothesis,
        spans=tuple(moved(span) for span in hypothesis.spans),
        words=tuple(moved(span) for span in hypothesis.words),
    )


def without_surplus_spaces(spans: Sequence[Span], unit: Literal["characters", "labels"]) -> tuple[Span, ...]:
    """Leave out the spaces that the text of these spans does not show: at its ends, and all but the first of several.

    What is left keeps its times and confidences. Whole labels are all kept.

    >>> [span.label for span in without_surplus_spaces([Span(c, 0, 1, 1.0) for c in " a  b "], "characters")]
    ['a', ' ', 'b']
    """
    if unit == "labels":
        return tuple(spans)
    kept: list[Span] = []
    for span in spans:
        if not span.label.isspace() or (kept and not kept[-1].label.isspace()):
            kept.append(span)
    if kept and kept[-1].label.isspace():
        kept.pop()
    return tuple(kept)


def words_of(spans: Sequence[Span], unit: Literal["characters", "labels"]) -> tuple[Span, ...]:
    """Join the spans of characters between spaces into words; whole labels stay as they are.

    A word lasts from the start of its first to the end of its last character. Its confidence is the lowest of its
    characters': one wrong character makes the word wrong.

    >>> [word.label for word in words_of([Span(c, 0, 1, 1.0) for c in "to be"], "characters")]
    ['to', 'be']
    """
    if unit == "labels":
        return tuple(spans)
    groups = groupby(spans, key=lambda span: span.label.isspace())
    return tuple(_joined(list(group)) for is_space, group in groups if not is_space)


def _joined(spans: Sequence[Span]) -> Span:
    return Span(
        label=normalise_text("".join(span.label for span in spans)),
        start=spans[0].start,
        end=spans[-1].end,
        confidence=min(span.confidence for span in spans),
    )
