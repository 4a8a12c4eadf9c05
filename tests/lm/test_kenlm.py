"""KenLM reads the files that this package writes, and gives the same probabilities."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from asr.lm.automaton import NONE
from asr.lm.corpus import Corpus, symbols_of
from asr.lm.kneser_ney import estimate
from asr.lm.model import Unit
from asr.lm.ngram import NgramModel
from asr.lm.stored import load_model, save_model
from tests.lm.samples import sentences

kenlm = pytest.importorskip("kenlm", reason="kenlm reads the same file as an independent program")


@pytest.mark.parametrize("unit", ["words", "characters"])
@pytest.mark.parametrize("order", [2, 3, 6])
def test_kenlm_gives_each_symbol_the_same_probability(unit: Unit, order: int, tmp_path: Path) -> None:
    path = tmp_path / "model.arpa"
    save_model(path, estimate(Corpus.of(sentences(300), unit), order))
    ours, theirs = load_model(path), kenlm.Model(str(path))
    assert isinstance(ours, NgramModel)
    for sentence in [*sentences(100, seed=0)[50:], *sentences(50, seed=1), "zzz unknown words yyy"]:
        symbols = symbols_of(sentence, unit)
        expected = [one for one, _, _ in theirs.full_scores(" ".join(symbols))]
        assert log10_probs(ours, symbols) == pytest.approx(expected, abs=1e-5)


def log10_probs(model: NgramModel, symbols: list[str]) -> list[float]:
    """The log10 probability of each symbol and of the end."""
    state, found = model.arcs.start, []
    for number in [*model.numbers_of(symbols), model.arcs.end]:
        assert number != NONE
        log_prob, state = model.arcs.step(state, number)
        found.append(log_prob / math.log(10.0))
    return found
