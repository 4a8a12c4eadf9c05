"""Decoders restricted to some labels: against all paths, listed, that write no others."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.config import Component
from asr.corpus.inventory import Inventory
from asr.decoding.beam import BeamDecoder
from asr.decoding.choice import choose_decoder
from asr.decoding.greedy import GreedyConfig, GreedyDecoder
from asr.decoding.lexicon import LexiconDecoder
from asr.decoding.lexicon_file import lexicon_of
from asr.decoding.restriction import Restriction
from asr.decoding.search import Decoder
from asr.errors import ConfigError
from tests.decoding.toy_automata import ToyBigram
from tests.reference.ctc import labelling_of, labelling_probabilities

PHONEMES = Inventory(("<blank>", "aa", "b", "digits"), "labels")
CHARACTERS = Inventory(("<blank>", " ", "-", "1", "2", "A", "a", "b"), "characters")
FEW = Inventory(("<blank>", " ", "a", "b"), "characters")
EXACT: dict[str, Any] = {"beam": 5000, "min_probability": 0.0, "gap": math.inf, "skip_blank": 1.0}

Floats = NDArray[np.float32]


def random_posteriors(n_frames: int, n_labels: int, seed: int) -> Floats:
    scores = np.random.default_rng(seed).normal(size=(n_frames, n_labels), scale=1.5)
    return np.asarray(scores - np.log(np.exp(scores).sum(1, keepdims=True)), dtype=np.float32)


def allowed_paths(log_probs: Floats, allowed: set[int]) -> dict[tuple[int, ...], float]:
    """The probability of each path of the allowed labels, given that no other labels are written."""
    p = np.exp(log_probs.astype(np.float64))
    paths = product(sorted(allowed), repeat=len(p))
    mass = {path: math.prod(p[t, label] for t, label in enumerate(path)) for path in paths}
    total = sum(mass.values())
    return {path: one / total for path, one in mass.items()}


def allowed_labellings(log_probs: Floats, allowed: set[int]) -> dict[tuple[int, ...], float]:
    sums: dict[tuple[int, ...], float] = {}
    for path, mass in allowed_paths(log_probs, allowed).items():
        sums[labelling_of(path)] = sums.get(labelling_of(path), 0.0) + mass
    return sums


def end(decoder: Decoder, log_probs: Floats, n_best: int = 1, cut: int = 0) -> list[Any]:
    search = decoder.begin(1.0)
    search.step(log_probs[:cut])
    search.step(log_probs[cut:])
    return search.end(n_best)


SUBSETS = st.sets(st.integers(1, 3), min_size=1, max_size=3)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(0, 10_000), SUBSETS)
def test_beam_search_sums_over_all_paths_of_the_allowed_labels(n_frames: int, seed: int, subset: set[int]) -> None:
    log_probs = random_posteriors(n_frames, 4, seed)
    labels = " ".join(PHONEMES.labels[one] for one in subset)
    hypotheses = end(BeamDecoder(PHONEMES, labels=labels, **EXACT), log_probs, 1000, cut=seed % (n_frames + 1))
    found = {tuple(PHONEMES.index[one] for one in each.labels): each.score.acoustic for each in hypotheses}
    expected = {key: math.log(p) for key, p in allowed_labellings(log_probs, {0, *subset}).items()}
    possible = {key: value for key, value in found.items() if value > -math.inf}
    assert possible == pytest.approx(expected, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(0, 10_000), SUBSETS)
def test_greedy_search_takes_the_best_allowed_path(n_frames: int, seed: int, subset: set[int]) -> None:
    log_probs = random_posteriors(n_frames, 4, seed)
    (found,) = end(GreedyDecoder(PHONEMES, labels=" ".join(PHONEMES.labels[one] for one in subset)), log_probs)
    paths = allowed_paths(log_probs, {0, *subset})
    best = max(paths, key=paths.__getitem__)
    assert found.labels == tuple(PHONEMES.labels[one] for one in labelling_of(best))
    assert found.score.acoustic == pytest.approx(math.log(paths[best]), abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 4), st.integers(0, 10_000), st.sampled_from(["a", "b", "a b", "a space", "letters space"]))
def test_a_lexicon_has_only_the_words_that_can_be_spelled(n_frames: int, seed: int, labels: str) -> None:
    log_probs = random_posteriors(n_frames, 4, seed)
    lexicon = lexicon_of(["a", "ab", "ba", "b"], FEW)
    decoder = LexiconDecoder(FEW, lexicon, labels=labels, one_word=True, word_lm_weight=0.0, **EXACT)
    restriction = Restriction.of(labels, FEW)
    assert restriction is not None
    sums = allowed_labellings(log_probs, set(np.flatnonzero(restriction.allowed).tolist()))
    words = {"a": (2,), "ab": (2, 3), "ba": (3, 2), "b": (3,)}
    expected = {word: math.log(sums[spelled]) for word, spelled in words.items() if spelled in sums}
    hypotheses = end(decoder, log_probs, 10)
    found = {each.text: each.score.acoustic for each in hypotheses if each.score.acoustic > -math.inf and each.text}
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_with_a_language_model_the_ranking_is_that_of_what_is_left(seed: int) -> None:
    inventory = Inventory(("<blank>", "a", "b"), "labels")
    options: dict[str, Any] = EXACT | {"model": ToyBigram.of("ab", seed, "labels"), "insertion_bonus": 0.7}
    log_probs = random_posteriors(4, 3, seed)
    plain = end(BeamDecoder(inventory, **options), log_probs, 1000)
    sums = allowed_labellings(log_probs, {0, 2})
    expected = {
        one.text: math.log(sums[tuple(2 for _ in one.labels)]) + one.score.language_model + one.score.insertion
        for one in plain
        if set(one.labels) <= {"b"} and tuple(2 for _ in one.labels) in sums
    }
    found = end(BeamDecoder(inventory, labels="b", **options), log_probs, 1000)
    totals = {one.text: one.score.total for one in found if one.score.acoustic > -math.inf}
    assert totals == pytest.approx(expected, abs=1e-5)
    assert list(totals) == sorted(expected, key=lambda text: -expected[text])


@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        ("digits", "12"),
        ("upper", "A"),
        ("lower", "ab"),
        ("letters", "Aab"),
        ("symbols", "-"),
        ("space", " "),
        ("digits -  b", "12-b"),
        ("1 A space", "1A "),
    ],
)
def test_kinds_and_labels_may_be_listed_together(labels: str, kept: str) -> None:
    restriction = Restriction.of(labels, CHARACTERS)
    assert restriction is not None
    names = [CHARACTERS.labels[at] for at in np.flatnonzero(restriction.allowed)]
    assert names[0] == "<blank>"
    assert sorted(names[1:]) == sorted(kept)


def test_all_labels_restrict_nothing() -> None:
    assert Restriction.of("all", CHARACTERS) is None
    log_probs = random_posteriors(6, len(CHARACTERS), 1)
    assert end(GreedyDecoder(CHARACTERS, labels="all"), log_probs) == end(GreedyDecoder(CHARACTERS), log_probs)


def test_a_label_called_like_a_kind_is_the_label() -> None:
    restriction = Restriction.of("digits", PHONEMES)
    assert restriction is not None
    assert restriction.allowed.tolist() == [True, False, False, True]


@pytest.mark.parametrize("decoder", [GreedyDecoder, BeamDecoder])
@pytest.mark.parametrize(
    ("inventory", "labels", "message"),
    [
        (CHARACTERS, "", "names no label; give labels such as 'digits' or '1 2 3', or 'all'"),
        (CHARACTERS, "  ", "names no label"),
        (CHARACTERS, "digts", "the model has no label 'digts'; did you mean 'digits'.*it has: digits upper lower"),
        (CHARACTERS, "1 3", "the model has no label '3'"),
        (CHARACTERS, "<blank>", "the model has no label '<blank>'"),
        (Inventory(("<blank>", "a"), "characters"), "digits", "the model has no digits; it has: a"),
        (PHONEMES, "upper", "the model has no label 'upper'.*it has: aa b digits"),
    ],
)
def test_unknown_labels_and_none_are_refused(decoder: Any, inventory: Inventory, labels: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        decoder(inventory, labels=labels)


def test_what_no_allowed_label_can_be_is_blank() -> None:
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array([[0, 0, 1, 0], [0.5, 0.25, 0.25, 0]], dtype=np.float32))
    restriction = Restriction.of("aa", PHONEMES)
    assert restriction is not None
    assert np.exp(restriction(log_probs)) == pytest.approx(np.array([[1, 0, 0, 0], [2 / 3, 1 / 3, 0, 0]]))
    assert restriction(log_probs[:0]).shape == (0, 4)


@pytest.mark.parametrize("column", [1, 2])
def test_numbers_that_are_none_stay_so_wherever_they_are(column: int) -> None:
    log_probs = random_posteriors(3, 4, 1)
    log_probs[1, column] = np.nan
    for decoder in (GreedyDecoder(PHONEMES, labels="aa"), BeamDecoder(PHONEMES, labels="aa")):
        with pytest.raises(ValueError, match="NaN at frame 1"):
            decoder.begin(1.0).step(log_probs)
        with pytest.raises(ValueError, match=r"log_probs must be \(T, 4\)"):
            decoder.begin(1.0).step(log_probs[:, :3])


def test_a_command_line_chooses_labels_and_the_name_says_so() -> None:
    default = Component.of(GreedyConfig())
    assert choose_decoder(["decoder.labels=digits"], default).name == "greedy,labels=digits"
    assert choose_decoder(["decoder=beam", 'decoder.labels="1 2 -"'], default).component.options["labels"] == "1 2 -"
    with pytest.raises(ConfigError, match="labels"):
        choose_decoder(["decoder.labels=[a,b]"], default)


def test_the_reference_itself_sums_to_one() -> None:
    log_probs = random_posteriors(3, 4, 5)
    whole = labelling_probabilities(np.exp(log_probs.astype(np.float64)).tolist())
    assert allowed_labellings(log_probs, {0, 1, 2, 3}) == pytest.approx(whole)
    assert sum(allowed_labellings(log_probs, {0, 2}).values()) == pytest.approx(1.0)
