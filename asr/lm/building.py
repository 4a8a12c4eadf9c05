"""Build a model from texts: read, count, estimate, mix, prune."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from asr.config import shown
from asr.corpus.inventory import Inventory
from asr.errors import ConfigError, DataError, DataWarning
from asr.lm.corpus import SPECIAL, Corpus, split_sentence
from asr.lm.counting import count_ngrams
from asr.lm.kneser_ney import estimate_from_counts
from asr.lm.mixing import best_weights, mixed
from asr.lm.model import SPACE, UNKNOWN, Unit
from asr.lm.ngram import NgramModel
from asr.lm.progress import Progress, silent
from asr.lm.pruning import pruned, pruned_to
from asr.lm.texts import Text, read_counts, read_text, read_words

_ORDERS = {"characters": 6, "labels": 3, "words": 3}
_LONGEST = 20
_WARNED, _REFUSED = 0.01, 0.5
"""Shares of symbols outside a closed vocabulary: above the first, a warning; above the second, an error."""


@dataclass(frozen=True)
class Sources:
    """The sources from which a model is estimated.

    Attributes:
        texts: files with one sentence per line, or manifests.
        word_lists: files with one word and its frequency per line; each entry is a sentence.
        counts: a file with counts of n-grams, instead of texts and word lists.
        unit: the unit of the symbols.
        single_words: make each word of the texts a sentence of its own.
        vocabulary: the symbols of a closed vocabulary; empty for the symbols that occur.
        inventory: a recogniser's labels, used as the closed vocabulary; labels of manifests are folded by it.

    Raises:
        ConfigError: counts are given together with texts, or the unit of the inventory is another one.
    """

    texts: Sequence[str] = ()
    word_lists: Sequence[str] = ()
    counts: str | None = None
    unit: Unit = "characters"
    single_words: bool = False
    vocabulary: Sequence[str] = ()
    inventory: Inventory | None = None

    def __post_init__(self) -> None:
        if self.counts is not None and (self.texts or self.word_lists):
            raise ConfigError("counts of n-grams cannot be combined with texts; build two models and mix them")
        if self.inventory is not None and self.inventory.unit != self.unit:
            raise ConfigError(
                f"the recogniser's labels are {self.inventory.unit}, the model's symbols {self.unit}; give one unit"
            )

    def __bool__(self) -> bool:
        return bool(self.texts or self.word_lists or self.counts)

    @property
    def closed(self) -> tuple[str, ...]:
        """The symbols of the closed vocabulary; empty if the vocabulary is open."""
        labels = self.vocabulary if self.inventory is None else self.inventory.labels[1:]
        return tuple(SPACE if one == " " else one for one in labels)

    def text(self, on_progress: Progress = silent) -> Text:
        """Read the texts and the word lists."""
        parts, total = [], len(self.texts) + len(self.word_lists)
        for number, path in enumerate(self.texts):
            on_progress("reading", number, total)
            one = read_text(path, self.unit, self.inventory)
            parts.append(one.single_words() if self.single_words else one)
        for number, path in enumerate(self.word_lists, len(self.texts)):
            on_progress("reading", number, total)
            parts.append(read_words(path))
        on_progress("reading", total, total)
        return Text.joined(parts)


def estimated(sources: Sources, order: int | None = None, on_progress: Progress = silent) -> NgramModel:
    """Estimate an n-gram model with modified Kneser-Ney smoothing.

    Args:
        sources: the texts or counts.
        order: the length of the longest n-grams; None: 6 for characters, 3 for labels and words.
        on_progress: called while texts are read and counted.

    Raises:
        ConfigError: the order is out of range.
        DataError: a source cannot be read or is empty, or more than half of the text is outside the closed vocabulary.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "texts.txt")
    ...     _ = file.write_text("to be\\nor not to be\\n")
    ...     model = estimated(Sources([str(file)], unit="words"), order=2)
    >>> model.symbols
    ('<s>', '</s>', '<unk>', 'to', 'be', 'or', 'not')
    """
    order = _ORDERS[sources.unit] if order is None else order
    if not 1 <= order <= _LONGEST:
        raise ConfigError(f"order={order}; expected a whole number from 1 to {_LONGEST}")
    if sources.counts is not None:
        return estimate_from_counts(read_counts(sources.counts, sources.unit, order, sources.closed))
    text = sources.text(on_progress)
    corpus = Corpus.of(text.sentences, sources.unit, text.weights, sources.closed or None)
    if sources.closed:
        _check_known(text, corpus, sources)
    return estimate_from_counts(count_ngrams(corpus, order, on_progress))


def _check_known(text: Text, corpus: Corpus, sources: Sources) -> None:
    """Warn, or raise a DataError, if much of a text is outside the closed vocabulary, as in a text in another case."""
    symbols = corpus.stream >= SPECIAL.index(UNKNOWN)
    unknown = corpus.stream == SPECIAL.index(UNKNOWN)
    share = float(corpus.weight[unknown].sum() / max(1, corpus.weight[symbols].sum()))
    if share <= _WARNED:
        return
    known = {*sources.closed, UNKNOWN}
    outside = (one for sentence in text.sentences for one in split_sentence(sentence, sources.unit) if one not in known)
    if not (first := list(islice(dict.fromkeys(islice(outside, 1000)), 3))):
        return  # the text itself contains `<unk>`
    labels = "vocabulary" if sources.inventory is None else "labels of the recogniser"
    problem = f"{100 * share:.0f} % of the symbols are not among the {labels}, such as {', '.join(map(shown, first))}"
    if share > _REFUSED:
        wanted = "write the text in their case" if first[0].swapcase() in known else "give a text of these"
        raise DataError(f"{problem}; {wanted}")
    warnings.warn(f"{problem}; the model treats all of them as one unknown symbol", DataWarning, stacklevel=3)


def mixture(
    models: Sequence[NgramModel], weights: Sequence[float], held_out: Sequence[str]
) -> tuple[NgramModel, list[float]]:
    """Mix models with given weights, or with the weights that suit a held-out text best.

    Args:
        models: the models; if one was just estimated, it stands first.
        weights: one for each model, or one for each but the first, which gets the rest up to 1. Empty: choose them on
            the held-out text.
        held_out: sentences to choose the weights on; not read if weights are given.

    Returns:
        The mixture, and the weight of each model.

    Raises:
        ConfigError: there are neither weights nor held-out text, or a weight is out of range.
    """
    if not weights:
        if not held_out:
            raise ConfigError("the mixture has no weights; give --weight, or --held-out with a text to choose them on")
        weights = best_weights(models, held_out)
    elif len(weights) == len(models) - 1 and 0 < sum(weights) < 1:
        weights = [1.0 - sum(weights), *weights]
    return mixed(models, weights), list(weights)


def smaller(model: NgramModel, threshold: float | None, keep: int | None, on_progress: Progress = silent) -> NgramModel:
    """Prune a model by a threshold or to a number of n-grams; without either, return it unchanged.

    Args:
        model: the model.
        threshold: the relative rise of perplexity below which an n-gram is removed, see `pruned`.
        keep: how many n-grams to keep, see `pruned_to`.
        on_progress: called while the n-grams are weighed.

    Raises:
        ConfigError: the threshold or the number is out of range, or both are given.
    """
    if threshold is not None and keep is not None:
        raise ConfigError("both a threshold and a number of n-grams are given; give one of them")
    if threshold is not None:
        if not 0 <= threshold < 1:
            raise ConfigError(f"threshold={threshold}; expected a number from 0 to 1, such as 1e-7")
        return pruned(model, threshold, on_progress)
    if keep is None:
        return model
    if keep < len(model.symbols):
        raise ConfigError(f"{keep} n-grams to keep are too few; the model keeps all its {len(model.symbols)} symbols")
    return pruned_to(model, keep, on_progress)


def held_out_text(
    paths: Sequence[str | Path], unit: Unit, single_words: bool, inventory: Inventory | None = None
) -> list[str]:
    """Read the sentences of texts for measuring a perplexity or choosing weights.

    Args:
        paths: texts or manifests, see `asr.lm.texts.read_text`.
        unit: the unit of the model's symbols.
        single_words: return each word as a sentence, as often as it occurs.
        inventory: folds the labels of manifests.

    Raises:
        DataError: a file cannot be read.
    """
    parts = [read_text(path, unit, inventory).sentences for path in paths]
    sentences = [one for part in parts for one in part]
    return [word for one in sentences for word in one.split()] if single_words else sentences
