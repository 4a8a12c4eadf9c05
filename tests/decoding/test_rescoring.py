"""A second language model: its probabilities against the definition, and models that do not fit."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.corpus.inventory import Inventory, Unit
from asr.decoding.beam import BeamDecoder
from asr.decoding.finishing import Candidate, Finish, FinishConfig, candidate
from asr.decoding.hypothesis import Score
from asr.decoding.label_model import symbols_of_labels
from asr.decoding.lexicon import LexiconDecoder
from asr.decoding.lexicon_file import lexicon_of
from asr.decoding.lexicon_model import label_scorer
from asr.decoding.rescoring import Rescoring, log_probabilities
from asr.errors import ConfigError, DataWarning
from asr.lm.model import END, SPACE
from asr.lm.stored import load_model
from tests.decoding.toy_model import ToyModel, toy_model
from tests.lm.samples import unigram_arpa

CHARACTERS = Inventory(("<blank>", " ", "a", "b"), "characters")
PHONEMES = Inventory(("<blank>", "aa", "sh"), "labels")
LETTERS = (SPACE, "a", "b", END)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 2), max_size=5), max_size=5), st.booleans(), st.booleans())
def test_log_probabilities_are_those_of_the_definition(sequences: list[list[int]], grows: bool, has_end: bool) -> None:
    model = toy_model("characters", LETTERS, grows=grows, has_end=has_end)
    found = log_probabilities(model, sequences)
    assert found == pytest.approx([model.log_probability(one) for one in sequences], abs=1e-5)


def test_states_of_all_candidates_are_computed_together() -> None:
    model = toy_model("characters", LETTERS, grows=True)
    log_probabilities(model, [[0, 1], [2], [0, 2]])
    assert model.asked == [[], [3], [0, 2], [1, 2]]


def test_an_unknown_symbol_is_impossible() -> None:
    assert log_probabilities(toy_model("characters", LETTERS), [[0, -1, 1], []])[0] == -math.inf


def scores(model: ToyModel, inventory: Inventory, *found: Candidate, weight: float = 0.5) -> list[Score]:
    return Rescoring.of(inventory, model, weight).scores(found)


def test_characters_read_a_space_as_the_symbol_between_words() -> None:
    model = toy_model("characters", LETTERS)
    (found,) = scores(model, CHARACTERS, candidate(tuple("a b"), Score(-3.0, -1.0, 0.25), CHARACTERS))
    assert found == Score(-3.0, pytest.approx(-1.0 + 0.5 * model.log_probability([1, 0, 2])), 0.25)


def test_labels_and_words() -> None:
    model = toy_model("labels", ("aa", "sh", END))
    (found,) = scores(model, PHONEMES, candidate(("sh", "aa"), Score(-1.0), PHONEMES))
    assert found.language_model == pytest.approx(0.5 * model.log_probability([1, 0]))
    words = toy_model("words", ("ab", "<unk>", END), unknown=1)
    one, other = scores(
        words,
        CHARACTERS,
        candidate(tuple("ab zz ab"), Score(-1.0), CHARACTERS),
        candidate((), Score(-1.0), CHARACTERS),
        weight=2.0,
    )
    assert one.language_model == pytest.approx(2 * words.log_probability([0, 1, 0]))
    assert other.language_model == pytest.approx(2 * words.log_probability([]))


def test_a_model_of_another_unit_is_refused() -> None:
    with pytest.raises(ConfigError, match="model has the unit labels, the recogniser characters"):
        Rescoring.of(CHARACTERS, toy_model("labels", ("aa", END)), 1.0)


def test_a_model_without_a_label_of_the_inventory_is_refused() -> None:
    with pytest.raises(ConfigError, match="has neither .ah., .zz. nor a symbol"):
        Rescoring.of(Inventory(("<blank>", "aa", "ah", "zz")), toy_model("labels", ("aa", "aah", END)), 1.0)
    Rescoring.of(Inventory(("<blank>", "aa", "ah")), toy_model("labels", ("aa", "<unk>", END), unknown=1), 1.0)


@pytest.mark.parametrize("weight", [math.nan, math.inf])
def test_a_weight_that_is_no_number_is_refused(weight: float) -> None:
    with pytest.raises(ConfigError, match="rescore_weight=.*; expected a finite number"):
        Rescoring.of(CHARACTERS, toy_model("characters", LETTERS), weight)


@pytest.mark.parametrize("unit", ["characters", "labels"])
def test_a_model_that_knows_few_of_the_labels_is_refused(unit: Unit) -> None:
    upper = Inventory(("<blank>", " ", *"ABCDE"), unit)
    with pytest.raises(
        ConfigError, match=r"knows \d of the recogniser's [56] labels; it lacks .*'A', .*case: .*--labels-of"
    ):
        symbols_of_labels(toy_model(unit, (SPACE, *"abcde", "<unk>", END), unknown=6), upper)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        known = symbols_of_labels(toy_model(unit, (SPACE, *"ABC", "<unk>", END), unknown=4), upper)
    assert known.tolist() == [-1, 0 if unit == "characters" else 4, 1, 2, 3, 4, 4, 5]


@pytest.mark.parametrize(("n_labels", "fits"), [(20, True), (21, False)])
def test_a_model_of_some_of_the_labels_is_remarked_upon(n_labels: int, fits: bool) -> None:
    """A form whose fields are digits wants a model of digits."""
    letters = [chr(ord("A") + at) for at in range(n_labels)]
    model = toy_model("characters", (SPACE, "A", "<unk>", END), unknown=2)
    inventory = Inventory(("<blank>", *letters), "characters")
    told = rf"knows 1 of the recogniser's {n_labels} labels; it lacks 'B', 'C', .* and {n_labels - 11} more labels"
    if fits:
        with pytest.warns(DataWarning, match=f"{told}, which therefore become unlikely"):
            assert symbols_of_labels(model, inventory).tolist() == [-1, 1, *[2] * (n_labels - 1), 3]
    else:
        with pytest.raises(ConfigError, match=told):
            symbols_of_labels(model, inventory)


@pytest.mark.parametrize("decoder", ["beam", "lexicon"])
def test_a_file_of_words_that_does_not_say_so_rescores_words(decoder: str, tmp_path: Path) -> None:
    rows = ["-0.5\t</s>", "-0.9\tab", "-0.3\tba"]
    path = tmp_path / "words.arpa"
    path.write_text(unigram_arpa(rows), encoding="utf-8")
    if decoder == "beam":
        finish = BeamDecoder(CHARACTERS, rescore=str(path)).finish
    else:
        finish = LexiconDecoder(CHARACTERS, lexicon_of(["ab", "ba"], CHARACTERS), rescore=str(path)).finish
    assert finish.rescoring is not None
    assert finish.rescoring.model.unit == "words"
    with pytest.raises(ConfigError, match="the unit words, the recogniser characters"):
        label_scorer(load_model(path, "characters"), CHARACTERS)


def test_without_weight_nothing_is_rescored() -> None:
    options = FinishConfig(rescore_weight=0.0)
    assert Finish.of(CHARACTERS, options, toy_model("characters", LETTERS)).rescoring is None
