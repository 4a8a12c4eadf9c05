"""The hypotheses of an utterance beside its transcript.

Texts are compared, or labels if the inventory holds whole labels such as phonemes. A decoder may write words that
such labels only spell; then texts are compared again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asr.corpus.phonemes import fold
from asr.decoding.calibration import Truth
from asr.decoding.search import writes_words
from asr.errors import DataError
from asr.scoring.edits import ErrorCounts
from asr.scoring.named_rates import count
from asr.scoring.utterances import UtteranceScore, score_utterance
from asr.text import normalise_text

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory, Unit
    from asr.corpus.utterance import Utterance
    from asr.decoding.hypothesis import Hypothesis
    from asr.decoding.search import Decoder


def truth_of(reference: Sequence[str], unit: Unit) -> Truth:
    """Return the labels and words of a correct hypothesis.

    Args:
        reference: labels, or the characters of a text.
        unit: whether the reference holds labels or characters.
    """
    if unit == "labels":
        return Truth(tuple(reference), tuple(reference))
    text = normalise_text("".join(reference))
    return Truth(tuple(text), tuple(text.split()))


@dataclass(frozen=True)
class Compared:
    """The unit in which the output of a decoder is compared with transcripts.

    Attributes:
        inventory: the labels of the posteriors.
        unit: characters of a text, or the labels.
    """

    inventory: Inventory
    unit: Unit

    @classmethod
    def of(cls, inventory: Inventory, decoder: Decoder) -> Compared:
        """Find the unit of a decoder."""
        return cls(inventory, "characters" if writes_words(decoder) else inventory.unit)

    def reference(self, utterance: Utterance) -> tuple[str, ...]:
        """Return the transcript of an utterance in the unit.

        Raises:
            DataError: it has none.
        """
        if self.unit == self.inventory.unit:
            return self.inventory.symbols_of(utterance)
        if utterance.text is None:
            raise DataError(f"'{utterance.id}' has no text; a decoder that writes words needs one to be compared with")
        return tuple(normalise_text(utterance.text))

    def __call__(self, utterance: Utterance, found: Sequence[Hypothesis]) -> Recognised:
        """Put the hypotheses of an utterance, best first, beside its transcript."""
        spelled = self.unit != self.inventory.unit
        return Recognised(utterance, self.reference(utterance), found[0], self.unit, found, spelled)


@dataclass(frozen=True)
class Recognised:
    """The hypotheses of an utterance, and its transcript.

    Attributes:
        utterance: the utterance.
        reference: its transcript in the unit.
        hypothesis: the best one.
        unit: of what is compared.
        alternatives: the best hypotheses, `hypothesis` first.
        spelled: whether the labels of the hypothesis only spell its words and are not of the unit.
    """

    utterance: Utterance
    reference: tuple[str, ...]
    hypothesis: Hypothesis
    unit: Unit
    alternatives: Sequence[Hypothesis] = ()
    spelled: bool = False

    @property
    def found(self) -> tuple[str, ...]:
        """The best hypothesis in the unit."""
        return tuple(self.hypothesis.text) if self.unit == "characters" else self.hypothesis.labels

    @property
    def truth(self) -> Truth:
        """The labels and words of a correct hypothesis; labels that only spell words count as right."""
        truth = truth_of(self.reference, self.unit)
        return replace(truth, labels=self.hypothesis.labels) if self.spelled else truth

    def count(self, rate: str) -> ErrorCounts:
        """Count the errors under one rate."""
        return count(rate, self.reference, self.found, self.unit, fold)

    def score(self, rates: Sequence[str]) -> UtteranceScore:
        """Count the errors under each rate."""
        one = self.utterance
        return score_utterance(one.id, one.speaker, self.reference, self.found, rates, self.unit, fold)

    def best_score(self, rates: Sequence[str]) -> UtteranceScore:
        """Count the errors under each rate of the alternative that has the fewest."""
        scores = [replace(self, hypothesis=one).score(rates) for one in self.alternatives]
        counts = {rate: min((one.counts[rate] for one in scores), key=lambda one: one.errors) for rate in rates}
        return replace(scores[0], counts=counts)
