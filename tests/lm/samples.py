"""Texts for the tests of language models, made from a seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asr.lm.corpus import Corpus
from asr.lm.counting import count_ngrams
from asr.lm.kneser_ney import estimate_from_counts
from asr.lm.ngram import NgramModel


def sentences(number: int, seed: int = 0, words: int = 60) -> list[str]:
    """Sentences of made-up words, in which a word depends on the two before it."""
    rng = np.random.default_rng(seed)
    names = ["".join(rng.choice(list("abcdeéghilmnoprstu"), rng.integers(1, 7))) for _ in range(words)]
    return [" ".join(names[one] for one in _walk(rng, words)) for _ in range(number)]


def estimate(corpus: Corpus, order: int) -> NgramModel:
    """A model of a small corpus, counted at once."""
    return estimate_from_counts(count_ngrams(corpus, order))


def unigram_arpa(rows: Sequence[str]) -> str:
    """An ARPA file of 1-grams, with the lines of these."""
    return "\n".join(["\\data\\", f"ngram 1={len(rows)}", "", "\\1-grams:", *rows, "", "\\end\\"])


def _walk(rng: np.random.Generator, words: int) -> list[int]:
    walk = [int(rng.integers(words))]
    for _ in range(int(rng.integers(1, 12))):
        step = int(rng.geometric(0.25))
        walk.append((3 * walk[-1] + (5 * walk[-2] if len(walk) > 1 and step % 2 else 0) + step) % words)
    return walk
