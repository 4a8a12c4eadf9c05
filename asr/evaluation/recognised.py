"""Compare the hypotheses of an utterance with its transcript.

Texts are compared, or labels if the inventory has whole labels such as phonemes. If a decoder writes words that such
labels only spell, texts are compared.
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
        unit: the unit of the reference.

    >>> truth_of("to be", "characters").words
    ('to', 'be')
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
        unit: "characters" if texts are compared, "labels" if labels are.
    """

    inventory: Inventory
    unit: Unit

    @classmethod
    def of(cls, inventory: Inventory, decoder: Decoder) -> Compared:
        """Return the unit for a decoder: characters if it writes words, otherwise that of the inventory."""
        return cls(inventory, "characters" if writes_words(decoder) else inventory.unit)

    def reference(self, utterance: Utterance) -> tuple[str, ...]:
        """Return the transcript of an utterance in the unit.

        Raises:
            DataError: the utterance has no transcript in this unit.
        """
        if self.unit == self.inventory.unit:
            return self.inventory.symbols_of(utterance)
        if utterance.text is None:
            raise DataError(f"'{utterance.id}' has no text; evaluating a decoder that writes words requires one")
        return tuple(normalise_text(utterance.text))

    def __call__(self, utterance: Utterance, found: Sequence[Hypothesis]) -> Recognised:
        """Pair the hypotheses of an utterance, best first, with its transcript."""
        spelled = self.unit != self.inventory.unit
        return Recognised(utterance, self.reference(utterance), found[0], self.unit, found, spelled)


@dataclass(frozen=True)
class Recognised:
    """The hypotheses of an utterance, and its transcript.

    Attributes:
        utterance: the utterance.
        reference: the transcript in the unit.
        hypothesis: the best hypothesis.
        unit: the unit in which reference and hypothesis are compared.
        alternatives: the best hypotheses, `hypothesis` first.
        spelled: whether texts are compared although the labels of the hypothesis are no characters.
    """

    utterance: Utterance
    reference: tuple[str, ...]
    hypothesis: Hypothesis
    unit: Unit
    alternatives: Sequence[Hypothesis] = ()
    spelled: bool = False

    @property
    def found(self) -> tuple[str, ...]:
        """The best hypothesis: its characters or labels, as the unit says."""
        return tuple(self.hypothesis.text) if self.unit == "characters" else self.hypothesis.labels

    @property
    def truth(self) -> Truth:
        """The labels and words of a correct hypothesis; with `spelled`, all labels of the hypothesis are right."""
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
        """Count, under each rate, the errors of the alternative with the fewest errors."""
        scores = [replace(self, hypothesis=one).score(rates) for one in self.alternatives]
        counts = {rate: min((one.counts[rate] for one in scores), key=lambda one: one.errors) for rate in rates}
        return replace(scores[0], counts=counts)
