"""n-gram models: their probabilities, and the automaton that searches read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.lm.corpus import Corpus
from asr.lm.ngram import NgramModel
from asr.lm.stored import load_model, save_model
from tests.lm.samples import estimate

SENTENCES = ("to be or not to be", "to do or not", "be", "not to do is to be")


@pytest.fixture(params=["words", "characters"])
def model(request: pytest.FixtureRequest) -> NgramModel:
    return estimate(Corpus.of(SENTENCES, request.param, vocabulary=None), 4)


def test_the_probabilities_of_every_state_sum_to_one(model: NgramModel) -> None:
    for state in range(len(model.arcs.shorter)):
        probs = [np.exp(model.arcs.step(state, symbol)[0]) for symbol in range(len(model.symbols))]
        assert sum(probs) == pytest.approx(1.0, abs=1e-6)
        assert min(probs[1:]) > 0  # `<s>` alone is context only


@pytest.mark.parametrize("name", ["model.lm", "model.arpa", "model.arpa.gz"])
def test_a_file_gives_the_same_model_back(model: NgramModel, name: str, tmp_path: Path) -> None:
    save_model(tmp_path / name, model)
    again = load_model(tmp_path / name)
    assert isinstance(again, NgramModel)
    assert (again.symbols, again.unit) == (model.symbols, model.unit)
    for field in ("first", "symbol", "target", "shorter", "start", "end", "unknown"):
        np.testing.assert_array_equal(getattr(again.arcs, field), getattr(model.arcs, field))
    np.testing.assert_allclose(again.arcs.log_prob, model.arcs.log_prob, atol=2e-6)
    np.testing.assert_allclose(again.arcs.backoff, model.arcs.backoff, atol=2e-6)
