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
    """A label or a word with its time and confidence.

    Attributes:
        label: the label, or the text of the word.
        start: where it begins: seconds (audio) or points (ink) from the beginning of the file.
        end: where it ends, in the same unit; the first moment that no longer belongs to it.
        confidence: 0 to 1.
    """

    label: str
    start: float
    end: float
    confidence: float

    def to_dict(self, what: Literal["word", "label"]) -> dict[str, Any]:
        """Return the span as plain JSON; `what` is the key of the label.

        >>> Span("TWO", 0.25, 0.5, 0.9).to_dict("word")
        {'word': 'TWO', 'start': 0.25, 'end': 0.5, 'confidence': 0.9}
        """
        return {
            what: self.label,
            "start": _rounded(self.start),
            "end": _rounded(self.end),
            "confidence": _rounded(self.confidence),
        }


@dataclass(frozen=True)
class Score:
    """The score of a labelling, as a sum of natural logarithms.

    Attributes:
        acoustic: the log probability under the posteriors: of the best path for greedy search, of all paths of the
            labelling for other searches; -inf for an impossible labelling.
        language_model: the weighted log probability from language models.
        insertion: the sum of bonuses for words or labels.
        boost: the sum of bonuses for expected words and phrases.

    >>> Score(-2.0, language_model=-1.5, insertion=0.5).total
    -3.0
    """

    acoustic: float
    language_model: float = 0.0
    insertion: float = 0.0
    boost: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the parts; hypotheses are ranked by it."""
        return self.acoustic + self.language_model + self.insertion + self.boost

    def to_dict(self) -> dict[str, float | None]:
        """Return the parts as plain JSON."""
        return {part: _rounded(value) for part, value in asdict(self).items()}


class Trust(NamedTuple):
    """The evidence for a label, a word or an utterance, from which a calibration computes its confidence.

    Attributes:
        posterior: 0 to 1, the total probability of those candidates of the search that contain it; 1 if the search has
            a single candidate.
        peak: 0 to 1, for a label the highest posterior of the network in its run of frames; for a word or an utterance
            the product over its labels.
    """

    posterior: float
    peak: float


@dataclass(frozen=True)
class Evidence:
    """The evidence for the parts of a hypothesis.

    Attributes:
        labels: the evidence for each label.
        words: the evidence for each word.
        utterance: the evidence for the whole hypothesis.
    """

    labels: tuple[Trust, ...]
    words: tuple[Trust, ...]
    utterance: Trust


@dataclass(frozen=True)
class Hypothesis:
    """One labelling of an utterance.

    If the inventory has characters, `labels` and `spans` neither begin nor end with a space, nor have two spaces in a
    row (see `without_surplus_spaces`). So silence has no labels at all.

    Attributes:
        labels: the labels, repeats merged and blanks removed, one for each span.
        text: the labels as people write them, `Inventory.text(labels)`. It has one character for each label, except
            where Unicode composes several labels (a letter and a combining accent) into one character.
        score: the total score and its parts.
        spans: the time and confidence of each label.
        words: the time and confidence of each word; if the inventory has whole labels (phonemes), each label is a word.
        confidence: 0 to 1, of the whole labelling.
        evidence: the numbers that the confidences were computed from; None if the decoder has none.
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
        """Return the hypothesis as plain JSON: numbers with four decimals, None for a log probability of -inf.

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
    """Round to four decimals (a tenth of a millisecond); return None for infinity, which JSON lacks."""
    return round(float(value), 4) if math.isfinite(value) else None


def at_points(hypothesis: Hypothesis, places: NDArray[np.int64]) -> Hypothesis:
    """Return the same hypothesis with spans in points instead of frames.

    Args:
        hypothesis: a hypothesis whose spans count frames from 0.
        places: (T,) the number of the point that each frame was computed from, T >= 1.
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
    """Remove the spaces at the ends, and all but the first of several spaces in a row.

    The other spans keep their times and confidences. If the unit is "labels", all spans are kept.

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
    """Join the spans of characters between spaces into words; if the unit is "labels", return the spans unchanged.

    A word lasts from the start of its first character to the end of its last. Its confidence is the lowest of its
    characters, because one wrong character makes the word wrong.

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
