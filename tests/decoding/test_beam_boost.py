"""Phrases that are expected gain their weight where they stand in whole, and nowhere else."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.corpus.inventory import Inventory
from asr.decoding.beam import BeamDecoder
from asr.decoding.boost import Boost, read_phrases
from asr.errors import ConfigError, DataError
from tests.decoding.test_beam import CHARACTERS, EXACT, LETTERS, found, loops, random_posteriors
from tests.decoding.toy_automata import ToyBigram

__all__ = ["loops"]  # a fixture

PHRASES = st.lists(st.text("abc ", min_size=1, max_size=4).map(lambda one: " ".join(one.split())), max_size=4)


def expected_gain(text: str, phrases: dict[str, float]) -> float:
    """Weight times labels, for each place where a phrase stands between the borders of words."""
    padded, total = f" {text} ", 0.0
    for phrase, weight in phrases.items():
        places = [at for at in range(len(padded)) if padded.startswith(f" {phrase} ", at)]
        total += weight * len(phrase) * len(places)
    return total


def indices(text: str, inventory: Inventory = CHARACTERS) -> tuple[int, ...]:
    return tuple(inventory.index[one] for one in text)


@settings(deadline=None, max_examples=300)
@given(text=st.text("abc ", max_size=12), phrases=PHRASES, seed=st.integers(0, 99))
def test_whole_phrases_gain_their_weight(text: str, phrases: list[str], seed: int) -> None:
    weights = np.random.default_rng(seed).uniform(0.1, 2.0, len(phrases)).tolist()
    given_weights = {phrase: weight for phrase, weight in zip(phrases, weights, strict=True) if phrase}
    boost = Boost.of({indices(phrase): weight for phrase, weight in given_weights.items()}, CHARACTERS)
    assert sum(boost.gains(indices(text))) == pytest.approx(expected_gain(text, given_weights), abs=1e-9)


def test_a_part_of_a_phrase_gains_something_until_it_breaks_off() -> None:
    boost = Boost.of({indices("abc"): 2.0}, CHARACTERS)
    assert boost.gains(indices("ab")) == (4.0, -4.0)
    assert boost.gains(indices("aba")) == (0.0, 0.0)
    assert boost.gains(indices("c ab")) == (4.0, -4.0)
    assert boost.gains(indices("cab")) == (0.0, 0.0)  # a phrase begins with a word


def test_phrases_of_whole_labels_begin_and_end_anywhere() -> None:
    boost = Boost.of({(1, 2): 1.0}, LETTERS)
    assert sum(boost.gains((2, 1, 2, 2, 1))) == pytest.approx(2.0)


@pytest.mark.parametrize("with_model", [False, True])
def test_the_beam_is_the_objective_with_its_boost(loops: str, with_model: bool, tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("ab\nb\n", encoding="utf-8")
    log_probs = random_posteriors(4, len(CHARACTERS), 3)
    model = ToyBigram.of("abc ", 1) if with_model else None
    options = EXACT | {"lm_weight": 0.5, "candidates": 1}
    plain = BeamDecoder(CHARACTERS, **options, model=model)
    boosted = BeamDecoder(CHARACTERS, **options, model=model, boost=str(path), boost_weight=1.5)
    before, after = (decoder.begin(1.0) for decoder in (plain, boosted))
    for search in (before, after):
        search.step(log_probs)
    wanted: dict[str, float] = {}
    for one in before.candidates(5000):
        text = "".join(one.labels)
        gained = one.score.total + expected_gain(text, {"ab": 1.5, "b": 1.5})
        wanted[text] = max(wanted.get(text, -math.inf), gained)
    best = after.candidates(5000)
    assert len({one.labels for one in best}) == len(wanted) > 100
    assert best[0].score.total == pytest.approx(max(wanted.values()), abs=1e-9)
    for one in best:
        assert one.score.insertion == 0.0
        assert one.score.boost == pytest.approx(expected_gain("".join(one.labels), {"ab": 1.5, "b": 1.5}))


def test_a_name_that_is_nearly_heard_is_found(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("ab\n", encoding="utf-8")
    probabilities = np.array([[0.01, 0.01, 0.96, 0.01, 0.01], [0.01, 0.01, 0.01, 0.37, 0.6]])
    log_probs = np.log(probabilities).astype(np.float32)
    assert found(BeamDecoder(CHARACTERS), log_probs)[0].text == "ac"
    assert found(BeamDecoder(CHARACTERS, boost=str(path)), log_probs)[0].text == "ab"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ab\nA\n", r":2: A in A is not among the labels; did you mean 'a'\?"),
        ("ab\tx\n", ":1: the frequency is x; expected a number above 0"),
    ],
)
def test_lines_that_are_no_phrases_are_named(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_phrases(path, CHARACTERS, 1.0)
    with pytest.raises(DataError, match="missing.txt does not exist; expected a list of words, one per line"):
        read_phrases(tmp_path / "missing.txt", CHARACTERS, 1.0)


def test_more_phrases_than_memory_allows_are_refused() -> None:
    phrases = {tuple(np.random.default_rng(seed).integers(1, 3, 90_000).tolist()): 1.0 for seed in range(90)}
    with pytest.raises(ConfigError, match="90 phrases are too many to boost"):
        Boost.of(phrases, LETTERS)
