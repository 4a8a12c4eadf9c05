"""Measure the perplexity of a recurrent model on a text, each sentence on its own, as for n-gram models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from asr.errors import DataError
from asr.lm.automaton import NONE
from asr.lm.corpus import split_sentence
from asr.lm.perplexity import Perplexity
from asr.lm.recurrent import RecurrentModel

_AT_ONCE = 128  # sentences that are computed together


def measure_recurrent_perplexity(model: RecurrentModel, sentences: Iterable[str]) -> Perplexity:
    """Measure the perplexity of a model on sentences; those without any symbol are left out.

    Raises:
        DataError: no sentence has a symbol.
    """
    kept = sorted((one for one in sentences if split_sentence(one, model.unit)), key=len)
    if not kept:
        raise DataError("the text to measure the perplexity on is empty; give a text with at least one symbol")
    symbols, unknown, log_prob, predicted = 0, 0, 0.0, 0
    for first in range(0, len(kept), _AT_ONCE):
        numbers = [model.numbers_of(one) for one in kept[first : first + _AT_ONCE]]
        known = [np.array([one not in (NONE, model.unknown) for one in each]) for each in numbers]
        found = model.predictions([[one for one in each if one != NONE] for each in numbers])
        for each, are_known, log_probs in zip(numbers, known, found, strict=True):
            read = are_known[np.array(each) != NONE]
            symbols += len(each) - 1
            unknown += int((~are_known).sum())
            log_prob += float(log_probs[read].sum())
            predicted += int(read.sum())
    characters = _characters(model, kept) if model.unit != "labels" else None
    return Perplexity(len(kept), symbols, unknown, log_prob, predicted, characters)


def _characters(model: RecurrentModel, sentences: Sequence[str]) -> int:
    """Count the characters of the known symbols, with a blank or line break after each word or sentence."""
    of_words = model.unit == "words"
    known = (one for sentence in sentences for one in split_sentence(sentence, model.unit) if one in model.index)
    if of_words:
        return sum(len(one) + 1 for one in known)
    return sum(1 for _ in known) + len(sentences)
