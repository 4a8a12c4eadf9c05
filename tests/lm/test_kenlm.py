"""KenLM reads the files that this package writes, and gives the same probabilities."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from asr.lm.automaton import NONE
from asr.lm.corpus import Corpus, split_sentence
from asr.lm.mixing import mixed
from asr.lm.model import Unit
from asr.lm.ngram import NgramModel
from asr.lm.pruning import pruned
from asr.lm.stored import load_model, save_model
from tests.lm.samples import estimate, sentences
from tests.lm.walking import numbers_of

kenlm = pytest.importorskip("kenlm", reason="kenlm reads the same file as an independent program")


@pytest.mark.parametrize("unit", ["words", "characters"])
@pytest.mark.parametrize("order", [2, 3, 6])
def test_kenlm_gives_each_symbol_the_same_probability(unit: Unit, order: int, tmp_path: Path) -> None:
    _compare(estimate(Corpus.of(sentences(300), unit), order), tmp_path / "model.arpa")


def test_shorter_contexts_that_pruning_took_out_are_skipped_alike(tmp_path: Path) -> None:
    model = pruned(estimate(Corpus.of(sentences(300), "characters"), 5), 2e-5)
    missing = model.trie.length[1:] - model.trie.length[model.trie.suffix[1:]] > 1
    assert missing.sum() > 20
    _compare(model, tmp_path / "model.arpa")


def test_a_mixture_is_read_alike(tmp_path: Path) -> None:
    models = [estimate(Corpus.of(sentences(100, seed=one), "characters"), 4) for one in (0, 1)]
    _compare(mixed(models, [0.6, 0.4]), tmp_path / "model.arpa")


def _compare(model: NgramModel, path: Path) -> None:
    save_model(path, model)
    ours, theirs = load_model(path), kenlm.Model(str(path))
    assert isinstance(ours, NgramModel)
    for sentence in [*sentences(100, seed=0)[50:], *sentences(50, seed=1), "zzz unknown words yyy"]:
        symbols = split_sentence(sentence, model.unit)
        expected = [one for one, _, _ in theirs.full_scores(" ".join(symbols))]
        assert log10_probs(ours, symbols) == pytest.approx(expected, abs=1e-5)


def log10_probs(model: NgramModel, symbols: list[str]) -> list[float]:
    """The log10 probability of each symbol and of the end."""
    state, found = model.arcs.start, []
    for number in [*numbers_of(model, symbols), model.arcs.end]:
        assert number != NONE
        log_prob, state = model.arcs.step(state, number)
        found.append(log_prob / math.log(10.0))
    return found
