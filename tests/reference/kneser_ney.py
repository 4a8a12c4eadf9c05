"""Interpolated modified Kneser-Ney smoothing as Chen and Goodman (1999) write it: dictionaries and recursion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache

BEGIN, END = "<s>", "</s>"

Ngram = tuple[str, ...]


class KneserNey:
    """p(w | h), by recursion over shorter contexts.

    Args:
        sentences: words, without begin and end.
        order: the length of the longest n-grams.
        vocabulary: all words that are predicted, `END` among them.
        fallback: the discounts of a length whose counts define none.
    """

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        order: int,
        vocabulary: Collection[str],
        fallback: tuple[float, float, float] = (0.5, 1.0, 1.5),
    ) -> None:
        self.order, self.vocabulary, self.fallback = order, sorted(vocabulary), fallback
        self.count: Counter[Ngram] = Counter()
        for sentence in sentences:
            words = (BEGIN, *sentence, END)
            for length in range(1, order + 1):
                for start in range(len(words) - length + 1):
                    self.count[words[start : start + length]] += 1
        del self.count[(BEGIN,)]
        self.prob = cache(self._prob)
        self.adjusted = cache(self._adjusted)
        self.discounts = cache(self._discounts)

    def _adjusted(self, ngram: Ngram) -> int:
        """The count of n-grams that are longest or open a sentence; of others, how many words come before them."""
        if len(ngram) == self.order or ngram[0] == BEGIN:
            return self.count[ngram]
        return sum(1 for other in self.count if len(other) == len(ngram) + 1 and other[1:] == ngram)

    def _discounts(self, length: int) -> tuple[float, ...]:
        """Equation 26: what is taken from counts of 0, 1, 2, and 3 or more."""
        counts = [self.adjusted(ngram) for ngram in self.count if len(ngram) == length]
        n1, n2, n3, n4 = (counts.count(k) for k in (1, 2, 3, 4))
        if not (n1 and n2 and n3):
            return (0.0, *self.fallback)
        y = n1 / (n1 + 2 * n2)
        found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        return (0.0, *(found if all(0 < d <= k for k, d in enumerate(found, 1)) else self.fallback))

    def _prob(self, word: str, context: Ngram) -> float:
        shorter = self.prob(word, context[1:]) if context else 1.0 / len(self.vocabulary)
        followers = [self.adjusted((*context, other)) for other in self.vocabulary]
        total = sum(followers)
        if total == 0:
            return shorter
        discount = self.discounts(len(context) + 1)
        left = sum(discount[min(count, 3)] for count in followers)
        count = self.adjusted((*context, word))
        return (count - discount[min(count, 3)] + left * shorter) / total
