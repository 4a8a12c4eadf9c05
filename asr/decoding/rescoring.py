"""N-best rescoring: add the score of a second language model to the candidates of a search.

    score(c) = score_of_search(c) + weight * log p_lm(c </s>)

Rescoring costs one pass over each candidate; a language model in the search costs one step for each label that is
tried. Rescoring cannot find a text that is not a candidate, so the search should have a language model as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from asr.config import shown
from asr.decoding.hypothesis import Score
from asr.decoding.label_model import symbols_of_labels
from asr.errors import ConfigError
from asr.lm.automaton import NONE
from asr.lm.model import SPACE, LanguageModel

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory
    from asr.decoding.finishing import Candidate


@dataclass(frozen=True, eq=False)
class Rescoring:
    """A language model and its weight.

    Attributes:
        model: a model of the labels of the candidates, or of words.
        weight: the factor of its log probability.
    """

    model: LanguageModel
    weight: float

    @classmethod
    def of(cls, inventory: Inventory, model: LanguageModel, weight: float) -> Rescoring:
        """Make a rescoring after checking that the language model fits the inventory.

        Raises:
            ConfigError: the model has another unit or does not fit the labels, or the weight is not finite.
        """
        if not math.isfinite(weight):
            raise ConfigError(f"rescore_weight={shown(weight)}; expected a finite number")
        if model.unit != "words":
            symbols_of_labels(model, inventory)  # raises
        return cls(model, weight)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each symbol of the model."""
        return {symbol: number for number, symbol in enumerate(self.model.symbols)}

    @cached_property
    def unknown(self) -> int:
        """The symbol for symbols that the model does not know, or `NONE`."""
        return self.model.automaton().expanded(np.zeros(0, np.int32)).unknown

    def scores(self, found: Sequence[Candidate]) -> list[Score]:
        """Return the scores of candidates with the weighted log probability of the model added."""
        tokens = [one.words if self.model.unit == "words" else one.labels for one in found]
        added = log_probabilities(self.model, [self._symbols(one) for one in tokens])
        return [
            replace(one.score, language_model=one.score.language_model + self.weight * log_probability)
            for one, log_probability in zip(found, added, strict=True)
        ]

    def _symbols(self, tokens: Sequence[str]) -> list[int]:
        spelled = (SPACE if self.model.unit == "characters" and one == " " else one for one in tokens)
        return [self.numbers.get(one, self.unknown) for one in spelled]


def log_probabilities(model: LanguageModel, sequences: Sequence[Sequence[int]]) -> list[float]:
    """Return log p(sequence </s>) of each sequence of symbols; all sequences are scored together, symbol by symbol.

    Args:
        model: any language model; if it has no end symbol, the end is not scored.
        sequences: sequences of numbers of symbols; the result for a sequence with `NONE` is -inf.

    >>> from asr.lm.stored import load_model
    >>> model = load_model("english_letters")
    >>> number = {symbol: number for number, symbol in enumerate(model.symbols)}
    >>> likely, unlikely = log_probabilities(model, [[number[one] for one in word] for word in ("the", "hte")])
    >>> likely > unlikely
    True
    """
    growing = model.automaton()
    automaton = growing.expanded(np.zeros(0, np.int32))
    ends = [] if automaton.end == NONE else [automaton.end]
    sequences = [[*one, *ends] for one in sequences]
    totals, states = [0.0] * len(sequences), [automaton.start] * len(sequences)
    steps: dict[tuple[int, int], tuple[float, int]] = {}  # candidates share most of their labels
    for place in range(max(map(len, sequences), default=0)):
        going = [i for i, one in enumerate(sequences) if place < len(one) and totals[i] > -math.inf]
        if not growing.complete:
            automaton = growing.expanded(np.array(sorted({states[i] for i in going}), np.int32))
        for i in going:
            step = (states[i], sequences[i][place])
            if step not in steps:
                steps[step] = (-math.inf, step[0]) if step[1] == NONE else automaton.step(*step)
            gained, states[i] = steps[step]
            totals[i] += gained
    return totals
