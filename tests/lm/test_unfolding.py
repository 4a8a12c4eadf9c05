"""States that are worked out when they are asked for: the same as those of the whole model, in whatever order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load

from asr.corpus.inventory import Inventory
from asr.decoding.beam import BeamDecoder
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.lexicon import LexiconDecoder
from asr.lm import unfolding
from asr.lm.binary import load_binary, save_binary
from asr.lm.corpus import Corpus
from asr.lm.model import Unit
from asr.lm.ngram import NgramModel, ngram_model
from asr.lm.pruning import pruned
from tests.lm.samples import estimate, sentences

FIELDS = ("first", "symbol", "log_prob", "target", "backoff", "shorter", "start", "end", "unknown")


def small(folder: Path, unit: Unit = "characters", order: int = 5, threshold: float = 1e-5) -> NgramModel:
    """A model in the small form; pruned, so that contexts lack n-grams of their shorter contexts and the reverse."""
    model = pruned(estimate(Corpus.of(sentences(200, words=400), unit), order), threshold)
    save_binary(model, folder / "small.lm", quantise=True)
    return load_binary(folder / "small.lm")


def rebuilt(model: NgramModel) -> NgramModel:
    """The same model by the other way: from its tree, its log probabilities and back-off weights."""
    return ngram_model(model.symbols, model.unit, model.trie, model.log_probs, model.backoffs)


@pytest.fixture(scope="module", params=[("characters", 5), ("words", 3), ("words", 1)], ids=str)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NgramModel:
    unit, order = request.param
    return small(tmp_path_factory.mktemp("lm"), unit, order)


def test_the_whole_is_that_of_its_tree(model: NgramModel) -> None:
    expected = rebuilt(model).arcs
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(model.arcs, field), getattr(expected, field))
        if field not in ("start", "end", "unknown"):
            assert getattr(model.arcs, field).dtype == getattr(expected, field).dtype


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), width=st.integers(1, 30))
def test_states_on_the_way_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, seed: int, width: int
) -> None:
    path = tmp_path_factory.mktemp("lm")
    loaded, rng = small(path), np.random.default_rng(seed)
    growing, whole = loaded.automaton(), rebuilt(small(path)).arcs
    states = np.full(width, growing.expanded(np.zeros(0, np.int32)).start, np.int32)
    for _ in range(12):
        found = growing.expanded(states)
        for state in states.tolist():
            symbols = rng.integers(1, len(loaded.symbols), 5).tolist()
            assert [found.step(state, one) for one in symbols] == [whole.step(state, one) for one in symbols]
            assert found.shorter[state] == whole.shorter[state]
        steps = zip(states.tolist(), rng.integers(len(loaded.symbols), size=width).tolist(), strict=True)
        states = np.array([whole.step(*step)[1] for step in steps], np.int32)
    assert not growing.complete


def test_few_states_are_worked_out_for_few_questions(tmp_path: Path) -> None:
    growing = small(tmp_path).automaton()
    found = growing.expanded(np.array([growing.expanded(np.zeros(0, np.int32)).start], np.int32))
    assert 0 < np.count_nonzero(found.log_prob) < 0.1 * len(found.log_prob)


def test_many_questions_work_out_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfolding, "_ENOUGH", 2)
    model = small(tmp_path)
    growing, whole = model.automaton(), rebuilt(small(tmp_path)).arcs
    for state in np.flatnonzero(whole.shorter == 0)[:4].tolist():
        growing.expanded(np.array([state], np.int32))
    assert growing.complete
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(model.arcs, field), getattr(whole, field))


def said(decoder: BeamDecoder | LexiconDecoder, seed: int) -> list[Hypothesis]:
    """What a decoder makes of random posteriors, in three chunks."""
    scores = np.random.default_rng(seed).normal(size=(40, len(decoder.inventory)), scale=3.0)
    log_probs = np.asarray(scores - np.log(np.exp(scores).sum(1, keepdims=True)), np.float32)
    search = decoder.begin(0.01)
    for chunk in np.array_split(log_probs, 3):
        search.step(chunk)
    return search.end(5)


@pytest.mark.parametrize("enough", [0, 25, 10**9], ids=["all at once", "all in the end", "few"])
def test_decoders_find_the_same(tmp_path: Path, enough: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts, scores and times: in the beam's loops and in the lexicon's."""
    monkeypatch.setattr(unfolding, "_ENOUGH", enough)
    inventory = Inventory(("<blank>", " ", *"abcdeghilmnoprstu"), "characters")
    whole, words = rebuilt(small(tmp_path)), tmp_path / "words.txt"
    words.write_text("\n".join(sorted({one for line in sentences(40) for one in line.split() if "é" not in one})))
    beams = [BeamDecoder(inventory, model=one, lm_weight=0.7) for one in (whole, small(tmp_path))]
    lexicons = [
        LexiconDecoder(inventory, str(words), label_lm=one, label_lm_weight=0.7) for one in (whole, small(tmp_path))
    ]
    for seed in range(4):
        for expected, found in (beams, lexicons):
            assert said(found, seed) == said(expected, seed)


def test_what_a_file_may_not_say_is_named_when_it_is_loaded(tmp_path: Path) -> None:
    small(tmp_path)
    arrays = binary_arrays(tmp_path / "small.lm")
    symbols = load_binary(tmp_path / "small.lm").symbols
    faults = {
        "its arrays do not fit each other": {"states": arrays["states"][:-1]},
        "its n-grams do not form a tree": {"children": np.roll(arrays["children"], 1)},
        "its scale does not fit the lengths of its n-grams": {"scale": arrays["scale"][:-4]},
        "a back-off weight is not finite, or above 69": {"scale": np.full_like(arrays["scale"], 3.0)},
        "the symbols after a context are not sorted": {"symbol": arrays["symbol"][::-1]},
    }
    for message, fault in faults.items():
        with pytest.raises(ValueError, match=message):
            unfolding.Unfolding(arrays | fault, symbols)


def binary_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file."""
    return load(path.read_bytes())
