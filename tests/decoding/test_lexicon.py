from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.corpus.inventory import Inventory
from asr.ctc.alignment import align
from asr.decoding.lexicon import LexiconConfig, LexiconDecoder
from asr.decoding.lexicon_file import lexicon_of
from asr.decoding.lexicon_search import log_probability
from asr.decoding.search import decode
from asr.errors import ConfigError
from asr.lm.automaton import Automaton
from asr.lm.model import SPACE
from tests.decoding.toy_bigrams import ToyModel, toy_bigram
from tests.reference.ctc import labelling_probabilities
from tests.reference.token_passing import pass_tokens

CHARACTERS = Inventory(("<blank>", " ", "a", "b"), "characters")
PHONEMES = Inventory(("<blank>", "aa", "b", "k"), "labels")
WIDE: dict[str, Any] = {"beam": 5_000, "min_probability": 0.0, "gap": math.inf, "skip_blank": 1.0}

SPELLED = {
    "characters": ["a", "ab", "ba", "bb", "B\tb", "Ab\ta b"],  # `Ab` and `ab` are spelled alike
    "labels": ["a aa", "a(2) aa b", "ak aa k", "ac aa k", "k k", "b b", "bab b aa b"],
}


def posteriors(rng: np.random.Generator, n_frames: int, n_labels: int = 4) -> NDArray[np.float32]:
    """(T, L) float32, random."""
    probabilities = rng.dirichlet(np.full(n_labels, 0.5), size=n_frames) + 1e-6
    return np.array(np.log(probabilities / probabilities.sum(axis=1, keepdims=True)), np.float32)


@dataclass(frozen=True)
class Case:
    """Options of a decoder and how a sequence of words is scored, listed one by one."""

    unit: str
    spellings: dict[str, list[str]]  # of labels, each a string with a character for each label
    options: dict[str, Any]
    word_lm: ToyModel
    label_lm: ToyModel | None

    @property
    def separator(self) -> str:
        return " " if self.unit == "characters" else ""

    def score(self, labels: str, words: tuple[str, ...], n_outside: int) -> float:
        """What is added to the acoustic score of a labelling and its words."""
        known = [word if word in self.word_lm.symbols else "<unk>" for word in words]
        total = self.options["word_lm_weight"] * sentence(self.word_lm, known)
        total += self.options["word_bonus"] * len(words)
        if self.label_lm is not None:
            spelled = [SPACE if label == " " else label for label in self.names(labels)]
            total += self.options["label_lm_weight"] * sentence(self.label_lm, spelled)
        return float(total - (self.options["oov_penalty"] * n_outside if n_outside else 0.0))

    def names(self, labels: str) -> list[str]:
        names = CHARACTERS.labels if self.unit == "characters" else PHONEMES.labels
        return [names[int(one)] for one in labels]

    def readings(self, labels: str) -> Iterator[tuple[tuple[str, ...], int]]:
        """All ways to read a labelling as words, with the number of words outside the lexicon."""
        if labels == "":
            yield (), 0
            return
        for first, rest in self.first_words(labels):
            if rest is None:
                yield (first[0],), first[1]
            elif rest and not self.options["one_word"]:
                for words, n_outside in self.readings(rest):
                    yield (first[0], *words), first[1] + n_outside

    def first_words(self, labels: str) -> Iterator[tuple[tuple[str, int], str | None]]:
        """The first word, whether it is outside the lexicon, and the labels behind it; None where it is the last."""
        split = "1" if self.separator else ""
        for end in range(1, len(labels) + 1):
            own, rest = labels[:end], labels[end:]
            if rest and not rest.startswith(split):
                continue
            behind = rest[len(split) :] if rest else None
            known = [word for word, spelled in self.spellings.items() if own in spelled]
            for word in known:
                yield (word, 0), behind
            if not known and self.options["oov_penalty"] is not None and not (split and split in own):
                yield ("".join(self.names(own)), 1), behind


def sentence(model: ToyModel, symbols: list[str]) -> float:
    """The log probability of a sentence of symbols with its end."""
    state, total = model.arcs.start, 0.0
    for symbol in [*(model.symbols.index(one) for one in symbols), model.arcs.end]:
        log_prob, state = step(model.arcs, state, symbol)
        total += log_prob
    return total


def step(arcs: Automaton, state: int, symbol: int) -> tuple[float, int]:
    here = {int(arcs.symbol[at]): at for at in range(arcs.first[state], arcs.first[state + 1])}
    if symbol in here:
        return float(arcs.log_prob[here[symbol]]), int(arcs.target[here[symbol]])
    log_prob, target = step(arcs, int(arcs.shorter[state]), symbol)
    return float(arcs.backoff[state]) + log_prob, target


def case_of(rng: np.random.Generator, unit: str, **options: Any) -> Case:
    inventory = CHARACTERS if unit == "characters" else PHONEMES
    lexicon = lexicon_of(SPELLED[unit], inventory)
    spellings: dict[str, list[str]] = {}
    for number, spelled in zip(lexicon.word_of, lexicon.spellings, strict=True):
        spellings.setdefault(lexicon.words[number], []).append("".join(str(ord(one) - 0xF0000) for one in spelled))
    words = sorted(spellings)[1:]  # the language model does not know one of them
    labels = [SPACE if label == " " else label for label in inventory.labels[1:]]
    with_labels = options.pop("with_labels", False)
    grows = options.pop("grows", False)
    return Case(
        unit,
        spellings,
        {"word_lm_weight": 0.7, "word_bonus": 0.4, "label_lm_weight": 0.3, "oov_penalty": None, "one_word": False}
        | options,
        toy_bigram(rng, words, "words", grows),
        toy_bigram(rng, labels, inventory.unit, grows) if with_labels else None,
    )


def decoder_of(case: Case, **more: Any) -> LexiconDecoder:
    inventory = CHARACTERS if case.unit == "characters" else PHONEMES
    lexicon = lexicon_of(SPELLED[case.unit], inventory)
    return LexiconDecoder(inventory, lexicon, case.word_lm, label_lm=case.label_lm, **(WIDE | case.options | more))


def by_listing(case: Case, log_probs: NDArray[np.float32]) -> dict[tuple[str, ...], tuple[float, str]]:
    """The best objective of each sequence of words, and its labelling: over all paths and all ways to read them."""
    found: dict[tuple[str, ...], tuple[float, str]] = {}
    for labelling, probability in labelling_probabilities(np.exp(log_probs.astype(np.float64)).tolist()).items():
        labels = "".join(map(str, labelling))
        if case.options["one_word"] and not labels:
            continue
        for words, n_outside in case.readings(labels):
            total = math.log(probability) + case.score(labels, words, n_outside)
            found[words] = max(found.get(words, (-math.inf, "")), (total, labels))
    return found


KINDS = [
    pytest.param("characters", {}, id="words"),
    pytest.param("characters", {"with_labels": True}, id="words and labels"),
    pytest.param("characters", {"oov_penalty": 0.8, "with_labels": True}, id="words outside"),
    pytest.param("characters", {"oov_penalty": 0.0, "grows": True}, id="words outside, growing model"),
    pytest.param("characters", {"one_word": True}, id="one word"),
    pytest.param("characters", {"one_word": True, "oov_penalty": 1.0}, id="one word, perhaps outside"),
    pytest.param("labels", {}, id="pronunciations"),
    pytest.param("labels", {"with_labels": True, "grows": True}, id="pronunciations and labels, growing models"),
    pytest.param("labels", {"one_word": True}, id="one pronunciation"),
]


@pytest.mark.parametrize(("unit", "options"), KINDS)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_equals_all_words_and_all_paths(unit: str, options: dict[str, Any], seed: int, n_frames: int) -> None:
    rng = np.random.default_rng(seed)
    case = case_of(rng, unit, **options)
    log_probs = posteriors(rng, n_frames)
    search = decoder_of(case).begin(1.0)
    search.step(log_probs)
    expected = by_listing(case, log_probs)
    found = {tuple(word.label for word in one.words): one for one in search.end(100_000)}
    if not expected:
        assert list(found) == [()]
        return
    assert set(found) == set(expected)
    for words, (total, labels) in expected.items():
        assert found[words].log_probability == pytest.approx(total, abs=1e-4)
        exact = log_probability(log_probs, tuple(map(int, labels)), 0)
        if found[words].labels == tuple(case.names(labels)):
            assert found[words].score.acoustic == pytest.approx(exact, abs=1e-4)
    totals = [one.log_probability for one in search.end(100_000)]
    assert totals == sorted(totals, reverse=True)


@pytest.mark.parametrize(("unit", "options"), KINDS)
def test_compiled_finds_the_same(unit: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="the loops are compiled where numba is")
    rng = np.random.default_rng(7)
    case = case_of(rng, unit, **options)
    log_probs = posteriors(rng, 30)
    decoder = decoder_of(case, beam=20)
    found = []
    for compiles in (False, True):
        monkeypatch.setattr(LexiconDecoder, "compiles", compiles)
        found.append(decode(decoder, log_probs[None], np.array([30]), 0.5, n_best=10)[0])
    assert found[0] == found[1]
    assert len(found[0]) == (6 if case.options["one_word"] and not case.options["oov_penalty"] else 10)


@pytest.mark.parametrize("compiles", [False, True])
@pytest.mark.parametrize(("unit", "options"), KINDS)
def test_threads_give_what_one_thread_gives(
    unit: str, options: dict[str, Any], compiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiles:
        pytest.importorskip("numba", reason="the loops are compiled where numba is")
    monkeypatch.setattr(LexiconDecoder, "compiles", compiles)
    rng = np.random.default_rng(9)
    decoder = decoder_of(case_of(rng, unit, **options), beam=20)
    batch, lengths = np.stack([posteriors(rng, 20) for _ in range(8)]), np.arange(13, 21)
    assert decode(decoder, batch, lengths, 1.0, threads=4) == decode(decoder, batch, lengths, 1.0, threads=1)


@pytest.mark.parametrize(("unit", "options"), KINDS)
def test_chunks_change_nothing(unit: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(8)
    case = case_of(rng, unit, **options)
    log_probs = posteriors(rng, 24)
    log_probs[5:9] = np.log([0.9994, 0.0002, 0.0002, 0.0002])  # frames that are skipped
    decoder = decoder_of(case, beam=10, min_probability=1e-3, gap=20.0, skip_blank=0.999)
    whole, parts = decoder.begin(0.5), decoder.begin(0.5)
    whole.step(log_probs)
    for start, end in [(0, 1), (1, 1), (1, 7), (7, 8), (8, 24)]:
        parts.step(log_probs[start:end])
    assert whole.text == parts.text
    assert whole.end(10) == parts.end(10)


def test_hypotheses_that_nothing_extends_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of(np.random.default_rng(5), "characters", with_labels=True)
    log_probs = posteriors(np.random.default_rng(6), 200)
    found = []
    for first in (100_000, 1):
        monkeypatch.setattr("asr.decoding.lexicon_memory._FIRST", first)
        search = decoder_of(case, beam=8).begin(1.0)
        search.step(log_probs)
        found.append(search.end(8))
    assert found[0] == found[1]
    assert len(search._memory.found.parent) < 1000 < 8 * 200


def test_pruning_finds_the_best_words_of_clear_posteriors() -> None:
    case = case_of(np.random.default_rng(3), "characters")
    log_probs = spelled("a--b-- -bb-aa")
    wide, narrow = decoder_of(case), decoder_of(case, beam=5, min_probability=1e-4, gap=25.0, skip_blank=0.95)
    found = [decode(one, log_probs[None], np.array([len(log_probs)]), 1.0)[0][0] for one in (wide, narrow)]
    assert found[0].text == found[1].text
    assert found[0].score.acoustic == pytest.approx(found[1].score.acoustic, abs=0.1)


def spelled(path: str, peak: float = 0.97, inventory: Inventory = CHARACTERS) -> NDArray[np.float32]:
    """(T, L) posteriors whose best path is spelled with `-` for blank."""
    at = [0 if symbol == "-" else inventory.labels.index(symbol) for symbol in path]
    probabilities = np.full((len(path), len(inventory)), (1 - peak) / (len(inventory) - 1))
    probabilities[np.arange(len(path)), at] = peak
    return np.array(np.log(probabilities), np.float32)


def simple(rows: list[str], inventory: Inventory = CHARACTERS, **options: Any) -> LexiconDecoder:
    return LexiconDecoder(inventory, lexicon_of(rows, inventory), **options)


def best(decoder: LexiconDecoder, log_probs: NDArray[np.float32], n_best: int = 1) -> list[Any]:
    return decode(decoder, log_probs[None], np.array([len(log_probs)]), 0.5, offset=10.0, n_best=n_best)[0]


def test_words_have_the_times_of_their_labels() -> None:
    (found,) = best(simple(["ab", "a"]), spelled("-aa-b --a-"))
    assert found.text == "ab a"
    assert found.labels == ("a", "b", " ", "a")
    assert [(word.label, word.start, word.end) for word in found.words] == [("ab", 10.5, 12.5), ("a", 14.0, 14.5)]
    assert found.spans[0].end == 11.5


def test_words_are_written_as_the_lexicon_writes_them() -> None:
    (found,) = best(simple(["Dr.\ta b", "New\tb a"]), spelled("ab b-a"))
    assert found.text == "Dr. New"
    assert [word.label for word in found.words] == ["Dr.", "New"]
    assert found.labels == ("a", "b", " ", "b", "a")


def test_pronunciations_become_words() -> None:
    inventory = Inventory(("<blank>", "a", "b", "k"), "labels")
    decoder = simple(["back b a k", "a a", "a(2) a k"], inventory)
    (found,) = best(decoder, spelled("bba-k-a", inventory=inventory))
    assert (found.text, found.labels) == ("back a", ("b", "a", "k", "a"))


def test_homophones_are_hypotheses_with_the_same_labels_and_other_words() -> None:
    inventory = Inventory(("<blank>", "a", "b", "k"), "labels")
    decoder = simple(["bak b a k", "back b a k"], inventory, one_word=True)
    found = best(decoder, spelled("b-a-k", inventory=inventory), 3)
    assert sorted((one.text, one.labels) for one in found) == [("back", ("b", "a", "k")), ("bak", ("b", "a", "k"))]


def test_a_phrase_may_be_one_entry() -> None:
    (found,) = best(simple(["a b", "ba"], one_word=True), spelled("a- -b"))
    assert [word.label for word in found.words] == ["a b"]


def test_frequent_words_win_where_the_posteriors_do_not_say() -> None:
    log_probs = np.log(np.array([[0.1, 0.1, 0.4, 0.4]], np.float32))
    assert best(simple(["a\t1", "b\t9"], one_word=True), log_probs)[0].text == "b"
    assert best(simple(["a\t9", "b\t1"], one_word=True), log_probs)[0].text == "a"
    found = best(simple(["a\t3", "b\t1"], one_word=True, word_lm_weight=2.0), log_probs, 2)
    assert [one.score.language_model for one in found] == pytest.approx([2 * math.log(0.75), 2 * math.log(0.25)])


def test_words_outside_the_lexicon_cost_their_penalty() -> None:
    log_probs = spelled("ab ba")
    open_decoder = simple(["ab", "b"], oov_penalty=1.5)
    (found,) = best(open_decoder, log_probs)
    assert found.text == "ab ba"
    assert found.score.insertion == -1.5
    assert best(simple(["ab", "b"], oov_penalty=30.0), log_probs)[0].text == "ab b"
    assert best(simple(["ab", "b"]), log_probs)[0].text == "ab b"


def test_a_word_that_begins_like_a_rare_one_stays_in_the_beam() -> None:
    """Leaving the lexicon gains what the look-ahead of the rare word took: no bound of a word's inside may be below."""
    for gap in (25.0, 14.0):
        decoder = simple(["a\t1000000", "bbbb\t1"], oov_penalty=1.0, one_word=True, gap=gap)
        found = best(decoder, spelled("ba", peak=0.4), 3)
        assert [one.text for one in found] == ["a", "b", "ba"]


@pytest.mark.parametrize("compiles", [False, True])
@pytest.mark.parametrize("weights", [{"word_lm_weight": 1e4}, {"label_lm_weight": 1e4}])
def test_a_model_whose_numbers_are_no_logarithms_is_no_traceback(
    weights: dict[str, float], compiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiles:
        pytest.importorskip("numba", reason="the loops are compiled where numba is")
    monkeypatch.setattr(LexiconDecoder, "compiles", compiles)
    case = case_of(np.random.default_rng(4), "characters", with_labels=True, oov_penalty=0.0, **weights)
    for model in (case.word_lm, case.label_lm):
        assert model is not None
        model.arcs.log_prob[:] = np.abs(model.arcs.log_prob) + 1.0
    log_probs = posteriors(np.random.default_rng(5), 9)
    assert decode(decoder_of(case, beam=20), log_probs[None], np.array([9]), 1.0, n_best=5)[0]


def test_what_is_in_no_list_is_rejected() -> None:
    decoder = simple(["ab", "ba"], one_word=True, reject=1.0)
    assert best(decoder, spelled("a-b-"))[0].text == "ab"
    rejected, second = best(decoder, spelled("b-b-b"), 2)
    assert (rejected.text, rejected.words, rejected.labels) == ("", (), ())
    assert second.text in ("ab", "ba")
    assert rejected.log_probability > second.log_probability
    assert 0.5 < rejected.confidence < 1.0
    assert rejected.evidence is not None
    beside = 1.0 / (1.0 + math.exp(second.log_probability - rejected.log_probability))
    assert rejected.evidence.utterance.posterior == pytest.approx(beside)
    alone = simple(["ab", "ba"], one_word=True, reject=1.0, candidates=1)
    assert best(alone, spelled("b-b-b"))[0].confidence == pytest.approx(beside)
    lenient = simple(["ab", "ba"], one_word=True, reject=50.0)
    assert best(lenient, spelled("b-b-b"))[0].text in ("ab", "ba")


@pytest.mark.parametrize("first", [1, 100_000])
def test_a_long_utterance_is_aligned_piece_by_piece(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asr.decoding.lexicon_memory._FIRST", first)
    log_probs = spelled("ab- b-aa a--b  ba " * 20 + "a", peak=0.9)
    found = []
    for most in (10**9, 1000):
        monkeypatch.setattr("asr.decoding.timing._MOST_CELLS", most)
        monkeypatch.setattr("asr.decoding.timing._LABELS", 20)
        monkeypatch.setattr("asr.decoding.timing._THROWN_AWAY", 8)
        pieces: list[int] = []
        monkeypatch.setattr(
            "asr.decoding.timing.align", lambda *one, all=pieces: (all.append(len(one[1])), align(*one))[1]
        )
        search = simple(["ab", "ba", "a", "b"], beam=20).begin(1.0)
        for start in range(0, len(log_probs), 50):
            search.step(log_probs[start : start + 50])
        found.append(search.end()[0])
        assert len(pieces) == 1 if most > 1000 else max(pieces[:-1]) == 20
    assert len(found[0].labels) > 200
    assert found[0] == found[1]


def test_silence_is_no_word() -> None:
    assert best(simple(["ab"]), spelled("----"))[0].text == ""


def test_nothing_fits_in_no_frames() -> None:
    none = np.zeros((0, 4), np.float32)
    assert best(simple(["ab"]), none)[0].log_probability == 0.0
    (found,) = best(simple(["ab"], one_word=True), none)
    assert (found.text, found.words, found.log_probability) == ("", (), 0.0)


def test_a_word_that_is_not_finished_is_left_out() -> None:
    log_probs = spelled("ab a", peak=1 - 1e-9)
    (found,) = best(simple(["ab", "aab"], gap=5.0, min_probability=0.01), log_probs)
    assert found.text == "ab"
    assert found.score.acoustic == pytest.approx(log_probability(log_probs, (2, 3), 0))


def test_text_while_the_utterance_goes_on() -> None:
    search = simple(["ab", "aab"]).begin(1.0)
    texts = []
    for frame in spelled("ab a-ab"):
        search.step(frame[None])
        texts.append(search.text)
    assert texts == ["a", "ab", "ab", "ab a", "ab a", "ab aa", "ab aab"]
    assert search.end()[0].text == texts[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 0}, "beam=0; expected 1 to 100,000 hypotheses"),
        ({"gap": 0.0}, "gap=0.0; expected more than 0 nats"),
        ({"word_lm_weight": math.nan}, "word_lm_weight=nan; expected 0 or more"),
        ({"min_probability": 1.0}, "min_probability=1.0; expected 0 to below 1"),
        ({"oov_penalty": -0.5}, "oov_penalty=-0.5; expected 0 to 100 nats, or null"),
        ({"oov_penalty": 100.5}, "oov_penalty=100.5; expected 0 to 100 nats, or null"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        simple(["ab"], **options)


def test_models_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="word_lm is a model of characters; give a model of words"):
        simple(["ab"], word_lm=toy_bigram(rng, ["a"], "characters"))
    with pytest.raises(ConfigError, match="oov_penalty is set, but the inventory has whole labels"):
        simple(["ab k"], PHONEMES, oov_penalty=1.0)
    with pytest.raises(ConfigError, match="the inventory has no space to write between words; set one_word=true"):
        simple(["ab"], Inventory(("<blank>", "a", "b"), "characters"))


def test_bad_posteriors_are_refused() -> None:
    search = simple(["ab"]).begin(1.0)
    with pytest.raises(ValueError, match=r"log_probs must be \(T, 4\), the size of the inventory, got \(2, 3\)"):
        search.step(np.zeros((2, 3), np.float32))
    search.step(spelled("ab"))
    log_probs = spelled("ab")
    log_probs[1, 2] = np.nan
    with pytest.raises(ValueError, match="log_probs hold NaN at frame 3"):
        search.step(log_probs)
    with pytest.raises(ValueError, match="the probabilities at frame 2 sum to 4"):
        search.step(np.zeros((1, 4), np.float32))


def test_configuration_names_the_decoder() -> None:
    assert LexiconConfig()._target_ == f"{LexiconDecoder.__module__}.{LexiconDecoder.__qualname__}"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_the_best_path_of_all_hypotheses_is_that_of_token_passing(seed: int, n_frames: int) -> None:
    rng = np.random.default_rng(seed)
    case = case_of(rng, "labels", word_lm_weight=1.0, word_bonus=0.0)
    rows = [row for row in SPELLED["labels"] if "(2)" not in row]  # one spelling a word: a list has its best sum alone
    case.spellings["a"].pop()
    log_probs = posteriors(rng, n_frames)
    names = ["<s>", *case.spellings]
    bigram = {(before, word): behind(case.word_lm, before, word) for before in names for word in [*names[1:], "</s>"]}
    spellings = [(word, [int(one) for one in labels]) for word, some in case.spellings.items() for labels in some]
    expected = pass_tokens(log_probs.tolist(), spellings, bigram)
    decoder = LexiconDecoder(PHONEMES, lexicon_of(rows, PHONEMES), case.word_lm, **(WIDE | case.options))
    search = decoder.begin(1.0)
    search.step(log_probs)
    paths = [
        align(log_probs, np.array([PHONEMES.index[one] for one in found.labels])).log_probability
        + found.score.language_model
        for found in search.end(100_000)
        if found.words
    ]
    assert max(paths) == pytest.approx(expected.score, abs=1e-4)


def behind(model: ToyModel, before: str, word: str) -> float:
    """The log probability of a word behind another."""
    numbers = {name: model.symbols.index(name if name in model.symbols else "<unk>") for name in (before, word)}
    state = model.arcs.start if before == "<s>" else step(model.arcs, 0, numbers[before])[1]
    return step(model.arcs, state, numbers[word])[0]
