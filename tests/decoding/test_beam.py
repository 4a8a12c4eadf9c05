"""Prefix beam search: equal to the sum over all paths where nothing is pruned, and what pruning may change."""

from __future__ import annotations

import math
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.corpus.inventory import Inventory
from asr.decoding.beam import BeamConfig, BeamDecoder
from asr.decoding.beam_loop import KEEP_BEST, N_NODES
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.search import decode
from asr.errors import ConfigError
from asr.lm.model import END, LanguageModel
from tests.decoding.toy_automata import Complete, ToyBigram, ToyRecurrent
from tests.reference.ctc import labelling_probabilities

LETTERS = Inventory(("<blank>", "a", "b"), "labels")
CHARACTERS = Inventory(("<blank>", " ", "a", "b", "c"), "characters")
EXACT: dict[str, Any] = {"beam": 5000, "min_probability": 0.0, "gap": math.inf, "skip_blank": 1.0}

Floats = NDArray[np.float32]


@pytest.fixture(params=["plain", "compiled"])
def loops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the loops in both ways."""
    if request.param == "compiled":
        pytest.importorskip("numba", reason="compiles the loops")
    monkeypatch.setattr(BeamDecoder, "compiles", request.param == "compiled")
    return str(request.param)


def random_posteriors(n_frames: int, n_labels: int, seed: int, spread: float = 1.5) -> Floats:
    scores = np.random.default_rng(seed).normal(size=(n_frames, n_labels), scale=spread)
    return np.asarray(scores - np.log(np.exp(scores).sum(1, keepdims=True)), dtype=np.float32)


def found(decoder: BeamDecoder, log_probs: Floats, n_best: int = 1) -> list[Hypothesis]:
    search = decoder.begin(1.0)
    search.step(log_probs)
    return search.end(n_best)


def objective(labels: tuple[int, ...], inventory: Inventory, model: LanguageModel | None, **options: float) -> float:
    """What language model and bonus add to a labelling, symbol by symbol."""
    total = options.get("insertion_bonus", 0.0) * len(labels)
    if model is None:
        return total
    growing, state = model.automaton(), 0
    for name in (*(inventory.labels[one] for one in labels), END):
        automaton = growing.expanded(np.array([state], dtype=np.int32))
        name = "<space>" if name == " " else name
        number = model.symbols.index(name if name in model.symbols else "<unk>")
        value, state = automaton.step(state, number)
        total += options.get("lm_weight", 1.0) * value
    return total


def every_labelling(log_probs: Floats, inventory: Inventory, **more: Any) -> dict[tuple[int, ...], float]:
    """The objective of every labelling, from all paths."""
    sums = labelling_probabilities(np.exp(log_probs.astype(np.float64)).tolist())
    return {labels: math.log(p) + objective(labels, inventory, **more) for labels, p in sums.items()}


def check_all(hypotheses: list[Hypothesis], expected: dict[tuple[int, ...], float], inventory: Inventory) -> None:
    """All labellings are there in the order of the objective, and their scores are the objective."""
    scores = [one.score.total for one in hypotheses]
    assert scores == pytest.approx(sorted(expected.values(), reverse=True), abs=1e-9)
    for one in hypotheses:
        assert one.score.total == pytest.approx(expected[tuple(inventory.index[name] for name in one.labels)], abs=1e-9)


MODELS = {
    "none": lambda seed: None,
    "bigram": lambda seed: ToyBigram.of(("a", "b"), seed, "labels"),
    "recurrent": lambda seed: ToyRecurrent(("<s>", "</s>", "a", "b"), seed, "labels"),
}


@pytest.mark.parametrize("kind", MODELS)
@settings(deadline=None, max_examples=25)
@given(n_frames=st.integers(0, 5), seed=st.integers(0, 10**6), bonus=st.sampled_from([0.0, 0.7, -0.4]))
def test_a_wide_beam_is_the_sum_over_all_paths(kind: str, n_frames: int, seed: int, bonus: float) -> None:
    model = MODELS[kind](seed)
    log_probs = random_posteriors(n_frames, len(LETTERS), seed)
    options = {"lm_weight": 0.6, "insertion_bonus": bonus}
    hypotheses = found(BeamDecoder(LETTERS, **EXACT, **options, model=model), log_probs, n_best=10_000)
    check_all(hypotheses, every_labelling(log_probs, LETTERS, model=model, **options), LETTERS)


@pytest.mark.parametrize("kind", MODELS)
def test_both_ways_of_running_sum_over_all_paths(loops: str, kind: str) -> None:
    for seed in range(3):
        model = MODELS[kind](seed)
        log_probs = random_posteriors(5, len(LETTERS), seed)
        hypotheses = found(BeamDecoder(LETTERS, **EXACT, model=model), log_probs, n_best=10_000)
        check_all(hypotheses, every_labelling(log_probs, LETTERS, model=model), LETTERS)


@settings(deadline=None, max_examples=30)
@given(
    n_frames=st.integers(0, 30), seed=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 30), max_size=3),
    kind=st.sampled_from(["none", "bigram", "recurrent"]), beam=st.integers(1, 12),
)  # fmt: skip
def test_chunks_give_what_the_whole_utterance_gives(
    n_frames: int, seed: int, cuts: list[int], kind: str, beam: int
) -> None:
    log_probs = random_posteriors(n_frames, len(LETTERS), seed, spread=4.0)
    decoder = BeamDecoder(LETTERS, beam=beam, skip_blank=0.9, model=MODELS[kind](seed))
    search, borders = decoder.begin(0.5, 3.0), [0, *sorted(min(cut, n_frames) for cut in cuts), n_frames]
    for start, end in pairwise(borders):
        search.step(log_probs[start:end])
        whole = decoder.begin(0.5, 3.0)
        whole.step(log_probs[:end])
        assert search.text == whole.text
        assert search.end(5) == whole.end(5)


def test_compiled_loops_give_what_plain_ones_give(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="compiles the loops")
    for seed in range(6):
        model = (None, ToyBigram.of("ab ", seed))[seed % 2]
        decoder = BeamDecoder(CHARACTERS, beam=20, min_probability=1e-3, model=model)
        log_probs = random_posteriors(300, len(CHARACTERS), seed, spread=3.0)
        both = []
        for compiles in (False, True):
            monkeypatch.setattr(BeamDecoder, "compiles", compiles)
            both.append(found(decoder, log_probs, 5))
        plain, compiled = both
        assert [one.text for one in plain] == [one.text for one in compiled]
        assert [one.spans for one in plain] == [one.spans for one in compiled]
        assert [one.score.total for one in plain] == pytest.approx([one.score.total for one in compiled], abs=1e-9)


def test_numba_is_not_loaded_for_a_few_utterances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr("asr.compiling.can_compile", lambda: True)
    decoder = BeamDecoder(LETTERS)
    assert not decoder.compiles
    assert not decoder.for_many(99).compiles
    assert decoder.for_many(100).compiles


def test_a_prefix_that_left_the_beam_and_came_back_is_the_same_prefix() -> None:
    """A narrow beam over many frames: no labelling is found twice, so none lost a part of its mass."""
    for seed in range(40):
        search = BeamDecoder(LETTERS, beam=8, gap=math.inf).begin(1.0)
        search.step(random_posteriors(40, len(LETTERS), seed, spread=2.0))
        spelled = [tuple(one.tolist()) for one in search._spelled(search._prefixes.node[: len(search._totals())])[0]]
        assert len(set(spelled)) == len(spelled)


def test_no_more_prefixes_are_kept_than_the_beam_holds_where_many_are_equal() -> None:
    search = BeamDecoder(CHARACTERS, beam=3, gap=math.inf).begin(1.0)
    for _ in range(6):
        search.step(np.log(np.full((1, 5), 0.2)).astype(np.float32))
        assert 1 <= len(search._totals()) <= 3


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.integers(1, 20))
def test_the_best_candidates_are_kept_and_of_equal_ones_the_first(values: list[int], width: int) -> None:
    width = min(width, len(values))
    mass, entry, label = list(map(float, values)), list(range(len(values))), list(range(len(values)))
    least = KEEP_BEST(mass, entry, label, [0.0] * len(values), len(values), width)
    expected = sorted(sorted(range(len(values)), key=lambda at: -values[at])[:width])  # both sorts are stable
    assert (entry[:width], label[:width]) == (expected, expected)
    assert mass[:width] == [values[at] for at in expected]
    assert least == min(mass[:width])


def test_prefixes_that_nothing_depends_on_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    log_probs = random_posteriors(80, len(CHARACTERS), 3, spread=3.0)
    searches = []
    for n_nodes in (8, 100_000):
        monkeypatch.setattr("asr.decoding.beam_memory._FIRST_NODES", n_nodes)
        searches.append(BeamDecoder(CHARACTERS, beam=30).begin(1.0))
        searches[-1].step(log_probs)
    tight, roomy = searches
    best = roomy.end(5)
    assert tight.end(5) == best
    spelled = [tuple(one.tolist()) for one in roomy._spelled(roomy._prefixes.node[:30])[0]]
    alive = {labels[:n] for labels in spelled for n in range(len(labels) + 1)}
    made = roomy._prefixes.counts[N_NODES]
    roomy._make_room()
    assert roomy._prefixes.counts[N_NODES] == len(alive) < made
    assert roomy.end(5) == best


def test_rows_that_are_forgotten_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log_probs = random_posteriors(100, len(CHARACTERS), 3, spread=2.0)
    model = ToyBigram.of("abc ", 1)
    whole = found(BeamDecoder(CHARACTERS, beam=3, model=model), log_probs, 3)
    monkeypatch.setattr("asr.decoding.beam_memory._MOST_ROWS_BYTES", 0)
    assert found(BeamDecoder(CHARACTERS, beam=3, model=model), log_probs, 3) == whole


def test_a_skipped_frame_still_parts_equal_labels() -> None:
    probabilities = np.array([[0.1, 0.8, 0.1], [0.9995, 0.0003, 0.0002], [0.1, 0.8, 0.1]])
    assert found(BeamDecoder(LETTERS), np.log(probabilities).astype(np.float32))[0].text == "a a"


def test_each_pruning_prunes() -> None:
    """With all of it off, the probabilities of all labellings sum to 1; with any of it on, to less."""
    log_probs = random_posteriors(5, len(LETTERS), 1)
    log_probs[2] = np.log([0.98, 0.015, 0.005])

    def mass(**options: Any) -> float:
        hypotheses = found(BeamDecoder(LETTERS, **EXACT | options), log_probs, 10_000)
        return sum(math.exp(one.score.total) for one in hypotheses)

    assert mass() == pytest.approx(1.0, abs=1e-6)
    for name, value in {"beam": 10, "min_probability": 0.3, "gap": 3.0, "skip_blank": 0.9}.items():
        assert 0.3 < mass(**{name: value}) < 0.995, name


def test_priors_divide_the_posteriors() -> None:
    log_probs, priors = random_posteriors(4, len(LETTERS), 2), [0.5, 0.3, 0.2]
    divided = np.exp(log_probs.astype(np.float64)) / np.array(priors) ** 0.5
    expected = {one: math.log(p) for one, p in labelling_probabilities(divided.tolist()).items()}
    decoder = BeamDecoder(LETTERS, **EXACT, prior_weight=0.5, priors=priors)
    check_all(found(decoder, log_probs, 1000), expected, LETTERS)


def test_a_model_whose_numbers_are_no_logarithms_is_no_traceback(loops: str) -> None:
    model = ToyBigram.of(("a", "b"), 1, "labels").automaton().whole
    model.log_prob[:] = np.abs(model.log_prob) + 1.0
    toy = ToyBigram.of(("a", "b"), 1, "labels")
    object.__setattr__(toy, "automaton", lambda: Complete(model))
    decoder = BeamDecoder(LETTERS, lm_weight=1e4, insertion_bonus=100.0, model=toy)
    assert found(decoder, random_posteriors(6, len(LETTERS), 0), 5)


def test_no_two_hypotheses_have_the_same_text() -> None:
    log_probs = random_posteriors(6, len(CHARACTERS), 4, spread=0.5)
    hypotheses = found(BeamDecoder(CHARACTERS), log_probs, 50)
    assert len({one.text for one in hypotheses}) == len({one.labels for one in hypotheses}) == 50
    assert all(one.text == "".join(one.labels) == one.text.strip() for one in hypotheses)


def test_labels_words_and_times_agree() -> None:
    probabilities = np.full((6, 5), 0.025)
    probabilities[np.arange(6), [2, 2, 0, 1, 3, 3]] = 0.9
    log_probs = np.log(probabilities).astype(np.float32)
    ((one,),) = decode(BeamDecoder(CHARACTERS, candidates=1), log_probs[None], np.array([6]), 0.5, 1.0)
    assert (one.text, [word.label for word in one.words]) == ("a b", ["a", "b"])
    assert [(span.start, span.end) for span in one.spans] == [(1.0, 2.0), (2.5, 3.0), (3.0, 4.0)]
    assert one.evidence is not None
    assert one.evidence.labels[0].peak == pytest.approx(0.9)


def test_an_utterance_without_frames_is_an_empty_hypothesis() -> None:
    (one,) = found(BeamDecoder(LETTERS), np.zeros((0, 3), np.float32), 5)
    assert (one.text, one.labels, one.spans, one.score.total) == ("", (), (), 0.0)
    assert BeamDecoder(LETTERS).begin(1.0).end()[0] == one


def test_certain_posteriors_leave_a_path() -> None:
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.eye(3, dtype=np.float32)[[1, 1, 2, 0, 2]])
    assert found(BeamDecoder(LETTERS), log_probs)[0].text == "a b b"


def test_what_the_language_model_forbids_is_an_empty_hypothesis(loops: str) -> None:
    toy, whole = ToyBigram.of(("a", "b"), 1, "labels"), ToyBigram.of(("a", "b"), 1, "labels").automaton().whole
    whole.log_prob[whole.symbol == toy.symbols.index("b")] = -math.inf
    object.__setattr__(toy, "automaton", lambda: Complete(whole))
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.eye(3, dtype=np.float32)[[1, 2, 0]])
    (one,) = found(BeamDecoder(LETTERS, model=toy), log_probs, 5)
    assert (one.text, one.spans, one.score.total, one.confidence) == ("", (), -math.inf, 0.0)
    assert one.evidence is not None


@pytest.mark.parametrize(
    ("log_probs", "message"),
    [
        (np.zeros((2, 4), np.float32), r"must be \(T, 3\).*got \(2, 4\)"),
        (np.log(np.array([[0.5, 0.3, 0.2], [0.5, np.nan, 0.2]], np.float32)), "hold NaN at frame 1"),
        (np.array([[0.5, 0.3, 0.2]], np.float32), "frame 0 sum to 4.22; log_probs must be natural logarithms"),
        (np.log10(np.array([[0.5, 0.3, 0.2]], np.float32)), "sum to"),
        (np.full((1, 3), np.inf, np.float32), "sum to inf"),
    ],
)
def test_what_are_no_log_posteriors_is_refused(log_probs: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BeamDecoder(LETTERS).begin(1.0).step(log_probs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 0}, r"beam=0; expected 1 to 100,000"),
        ({"lm_weight": -1.0}, r"lm_weight=-1.0; expected 0 or more"),
        ({"insertion_bonus": math.nan}, "insertion_bonus=nan; expected -100 to 100"),
        ({"min_probability": 1.0}, "min_probability=1.0; expected 0 to below 1"),
        ({"gap": 0.0}, "gap=0.0; expected more than 0"),
        ({"skip_blank": 1.5}, "skip_blank=1.5; expected above 0 to 1"),
        ({"prior_weight": 0.5}, r"priors=\[\]; expected 3 numbers above 0"),
        ({"priors": [0.5, 0.0, 0.5]}, r"priors=\[0.5, 0.0, 0.5\]; expected 3 numbers above 0"),
    ],
)
def test_options_out_of_range_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BeamDecoder(LETTERS, **options)


def test_a_language_model_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="has the unit characters, the recogniser labels"):
        BeamDecoder(LETTERS, model=ToyBigram.of(("a", "b")))
    with pytest.raises(ConfigError, match="has neither 'b', 'c' nor a symbol"):
        BeamDecoder(CHARACTERS, model=ToyBigram.of("a ", unknown=False))


def test_a_label_that_the_model_does_not_know_is_its_unknown_symbol() -> None:
    model = ToyBigram.of("ab ")
    log_probs = random_posteriors(4, len(CHARACTERS), 5)
    best = found(BeamDecoder(CHARACTERS, **EXACT, model=model), log_probs)[0]
    expected = every_labelling(log_probs, CHARACTERS, model=model)
    assert best.score.total == pytest.approx(max(expected.values()), abs=1e-9)


def test_configuration_names_the_decoder_and_its_options() -> None:
    assert BeamConfig()._target_ == f"{BeamDecoder.__module__}.{BeamDecoder.__qualname__}"
    assert BeamDecoder(LETTERS).options == BeamConfig()


def test_long_utterances_are_aligned_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    log_probs = random_posteriors(600, len(CHARACTERS), 3, spread=4.0)
    decoder = BeamDecoder(CHARACTERS, candidates=1)
    (whole,) = found(decoder, log_probs)
    monkeypatch.setattr("asr.decoding.timing._MOST_CELLS", 100)
    monkeypatch.setattr("asr.decoding.timing._LABELS", 40)
    monkeypatch.setattr("asr.decoding.timing._THROWN_AWAY", 15)
    assert found(decoder, log_probs) == [whole]


def test_spaces_at_the_ends_do_not_count_as_another_hypothesis() -> None:
    """More labellings than were asked for are looked at, where some differ in surplus spaces alone."""
    probabilities = np.tile([0.2, 0.4, 0.3, 0.06, 0.04], (4, 1))
    hypotheses = found(BeamDecoder(CHARACTERS, candidates=1), np.log(probabilities).astype(np.float32), 12)
    assert len({one.labels for one in hypotheses}) == 12


def test_threads_give_what_one_thread_gives(loops: str) -> None:
    batch = np.stack([random_posteriors(60, len(CHARACTERS), seed, spread=3.0) for seed in range(16)])
    lengths = np.arange(45, 61)
    decoder = BeamDecoder(CHARACTERS, beam=20, model=ToyBigram.of("ab ", 1))
    assert decode(decoder, batch, lengths, 1.0, threads=4) == decode(decoder, batch, lengths, 1.0, threads=1)
