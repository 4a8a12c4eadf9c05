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
"""The shares of symbols outside a closed vocabulary above which a text is remarked upon, and refused."""


@dataclass(frozen=True)
class Sources:
    """The sources from which a model is estimated.

    Attributes:
        texts: files with a sentence a line, or manifests.
        word_lists: files with a word and its frequency a line; each entry is a sentence.
        counts: a file with counts of n-grams, in place of texts and word lists.
        unit: what the symbols are.
        single_words: whether each word of the texts is a sentence of its own.
        vocabulary: the symbols of a closed vocabulary; empty for those that occur.
        inventory: a recogniser's labels, in place of `vocabulary`; labels of manifests are folded as it folds them.
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
            raise ConfigError("counts of n-grams cannot be joined with texts; build two models and mix them")
        if self.inventory is not None and self.inventory.unit != self.unit:
            raise ConfigError(
                f"the recogniser's labels are {self.inventory.unit}; they cannot be the vocabulary of {self.unit}"
            )

    def __bool__(self) -> bool:
        return bool(self.texts or self.word_lists or self.counts)

    @property
    def closed(self) -> tuple[str, ...]:
        """The symbols of the closed vocabulary; none where it is open."""
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
    """Estimate a model.

    Args:
        sources: the texts or counts.
        order: the length of the longest n-grams; None: 6 for characters, 3 for labels and words.
        on_progress: is called while texts are read and counted.

    Raises:
        ConfigError: the order is out of range.
        DataError: a source cannot be read or is empty, or more than half of it is outside the closed vocabulary.
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
    """Warn, or raise a DataError, where much of a text is outside the closed vocabulary: a text in another case is."""
    symbols = corpus.stream >= SPECIAL.index(UNKNOWN)
    unknown = corpus.stream == SPECIAL.index(UNKNOWN)
    share = float(corpus.weight[unknown].sum() / max(1, corpus.weight[symbols].sum()))
    if share <= _WARNED:
        return
    known = {*sources.closed, UNKNOWN}
    outside = (one for sentence in text.sentences for one in split_sentence(sentence, sources.unit) if one not in known)
    if not (first := list(islice(dict.fromkeys(islice(outside, 1000)), 3))):
        return  # the text itself says `<unk>`
    labels = "vocabulary" if sources.inventory is None else "labels of the recogniser"
    told = f"{100 * share:.0f} % of the symbols are not among the {labels}, such as {', '.join(map(shown, first))}"
    if share > _REFUSED:
        wanted = "write the text in its case" if first[0].swapcase() in known else "give a text of these"
        raise DataError(f"{told}; {wanted}")
    warnings.warn(f"{told}; the model takes all of them for one unknown symbol", DataWarning, stacklevel=3)


def mixture(
    models: Sequence[NgramModel], weights: Sequence[float], held_out: Sequence[str]
) -> tuple[NgramModel, list[float]]:
    """Mix models, and return the weights too.

    Args:
        models: the first is the one that was estimated, if one was.
        weights: of all models; of all but the first, which gets the rest; or none: those that suit the held-out text.
        held_out: sentences; empty where weights are given.

    Raises:
        ConfigError: there are neither weights nor held-out text, or a weight is out of range.
    """
    if not weights:
        if not held_out:
            raise ConfigError("the weights of the mixture are not known; give --weight, or --held-out to choose them")
        weights = best_weights(models, held_out)
    elif len(weights) == len(models) - 1 and 0 < sum(weights) < 1:
        weights = [1.0 - sum(weights), *weights]
    return mixed(models, weights), list(weights)


def smaller(model: NgramModel, threshold: float | None, keep: int | None, on_progress: Progress = silent) -> NgramModel:
    """Prune a model, to a threshold or a number of n-grams; without either, return it as it is.

    Raises:
        ConfigError: the threshold or the number is out of range, or both are given.
    """
    if threshold is not None and keep is not None:
        raise ConfigError("a threshold and a number of n-grams are two ways to prune; give one")
    if threshold is not None:
        if not 0 <= threshold < 1:
            raise ConfigError(f"threshold={threshold}; expected a share of the perplexity, such as 1e-7")
        return pruned(model, threshold, on_progress)
    if keep is None:
        return model
    if keep < len(model.symbols):
        raise ConfigError(f"{keep} n-grams are to be kept; the model has {len(model.symbols)} symbols, and all stay")
    return pruned_to(model, keep, on_progress)


def held_out_text(
    paths: Sequence[str | Path], unit: Unit, single_words: bool, inventory: Inventory | None = None
) -> list[str]:
    """Read texts for measuring; a word counts as often as it occurs."""
    parts = [read_text(path, unit, inventory).sentences for path in paths]
    sentences = [one for part in parts for one in part]
    return [word for one in sentences for word in one.split()] if single_words else sentences
