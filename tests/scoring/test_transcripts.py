from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr.corpus.phonemes import TIMIT_61, fold
from asr.errors import ConfigError, DataError, Problems
from asr.scoring.edits import ErrorCounts
from asr.scoring.named_rates import rates_of_unit
from asr.scoring.rates import Rate
from asr.scoring.transcripts import score_transcripts
from asr.scoring.trn import Transcript, TrnUnit, transcript_of, trn_unit, write_trn
from asr.scoring.utterances import rates_of, score_utterance
from asr.text import normalise_text

Symbols = tuple[str, ...]
Pairs = list[tuple[Symbols, Symbols]]


def pairs_of(symbols: st.SearchStrategy[str], most: int = 8) -> st.SearchStrategy[Pairs]:
    one = st.lists(symbols, max_size=most).map(tuple)
    return st.lists(st.tuples(one, one), min_size=1, max_size=4)


# every kind of inventory: its unit, and what may stand in a reference and a hypothesis
INVENTORIES: dict[str, tuple[Literal["characters", "labels"], st.SearchStrategy[Pairs]]] = {
    "characters with spaces": ("characters", pairs_of(st.sampled_from("abé (){}/@;%2*\\"), 12)),
    "characters without spaces": ("characters", pairs_of(st.sampled_from("0123é"), 4)),
    "one character an utterance": ("characters", pairs_of(st.sampled_from("0123"), 1)),
    "characters that compose": ("characters", pairs_of(st.sampled_from("ae\u0301 "), 12)),
    "phonemes": ("labels", pairs_of(st.sampled_from(["ah", "t", "sil", "ɑː", "@", "(uh)", "e\u0301"]))),
    "words as labels": ("labels", pairs_of(st.sampled_from(["Yes", "yes", "no", "New York", "50%20"]))),
}


@pytest.mark.parametrize("kind", INVENTORIES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(data=st.data())
def test_rates_of_a_run_are_those_of_its_transcripts(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    unit, strategy = INVENTORIES[kind]
    pairs = data.draw(strategy)
    rates = [rate for rate in rates_of_unit(unit) if "39" not in rate]
    speakers = [("anna", None, "jean-luc")[i % 3] for i in range(len(pairs))]
    of_run = rates_of(
        [score_utterance(f"u{i}", speakers[i], one, other, rates, unit, fold) for i, (one, other) in enumerate(pairs)]
    )
    for side, name in enumerate(("ref.trn", "hyp.trn")):
        lines = [transcript_of(f"u{i}", pair[side], unit, speakers[i]) for i, pair in enumerate(pairs)]
        write_trn(tmp_path / name, lines, trn_unit(unit))
    assert score_transcripts(tmp_path / "ref.trn", tmp_path / "hyp.trn", rates, fold) == of_run


def test_folded_phonemes_of_a_run_are_those_of_its_transcripts(tmp_path: Path) -> None:
    pairs = [(TIMIT_61, TIMIT_61[5:] + TIMIT_61[:5]), (("h#", "q", "ao"), ("h#", "aa"))]
    rates = rates_of_unit("labels")
    of_run = rates_of([score_utterance(f"u{i}", None, *pair, rates, "labels", fold) for i, pair in enumerate(pairs)])
    for side, name in enumerate(("ref.trn", "hyp.trn")):
        write_trn(tmp_path / name, [transcript_of(f"u{i}", p[side], "labels") for i, p in enumerate(pairs)], "labels")
    assert score_transcripts(tmp_path / "ref.trn", tmp_path / "hyp.trn", rates, fold) == of_run


def scored(folder: Path, reference: str, hypothesis: str, *rates: str) -> dict[str, Rate]:
    """Rates of two files with these contents."""
    (folder / "ref.trn").write_text(reference, encoding="utf-8")
    (folder / "hyp.trn").write_text(hypothesis, encoding="utf-8")
    return score_transcripts(folder / "ref.trn", folder / "hyp.trn", rates or ("wer",), fold)


def test_files_of_other_tools_hold_words_and_for_per_labels(tmp_path: Path) -> None:
    found = scored(tmp_path, "the cat (a-1)\n", "a cat (a-1)\n", "wer", "cer", "per", "ser", "wer_folded")
    assert found["wer"].counts == found["per"].counts == ErrorCounts(correct=1, substitutions=1)
    assert found["cer"].counts == ErrorCounts(correct=4, substitutions=1, deletions=2)
    assert [found[rate].unit for rate in ("wer", "cer", "per", "ser")] == [
        "words",
        "characters",
        "labels",
        "utterances",
    ]


def test_optional_words_and_alternatives_count_in_every_rate(tmp_path: Path) -> None:
    reference = "hello (uh) world (a-1)\n{ yes / yeah } sir (a-2)\nplain (a-3)\n"
    found = scored(tmp_path, reference, "hello world (a-1)\nyeah sir (a-2)\nplain (a-3)\n", "wer", "cer", "per", "ser")
    assert {rate: each.counts.errors for rate, each in found.items()} == {"wer": 0, "cer": 0, "per": 0, "ser": 0}
    assert {rate: each.reference for rate, each in found.items()} == {"wer": 6, "cer": 24, "per": 6, "ser": 3}


def test_both_sides_are_composed(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        reference = unicodedata.normalize(form, "café olé (a-1)\n")
        hypothesis = unicodedata.normalize("NFD" if form == "NFC" else "NFC", "café olé (a-1)\n")
        assert scored(tmp_path, reference, hypothesis, "cer")["cer"].counts == ErrorCounts(correct=8)


def test_lines_match_by_their_whole_name(tmp_path: Path) -> None:
    with pytest.raises(Problems, match="2 problems in .*hyp.trn against .*ref.trn") as caught:
        scored(tmp_path, "foo (a-1)\nbar (b-2)\n", "foo (a-1)\nbar (c-2)\n")
    assert "'b-2' has no hypothesis in" in str(caught.value)
    assert "'c-2' has no reference in" in str(caught.value)
    found = scored(tmp_path, "foo (a-1)\nbar (b-1)\n", "bar (b-1)\nfoo (a-1)\n")
    assert found["wer"].counts == ErrorCounts(correct=2)


def test_percent_signs_of_other_tools_stand_for_themselves(tmp_path: Path) -> None:
    found = scored(tmp_path, "it costs 50%20more (a-1)\n", "it costs 50 more (a-1)\n")
    assert found["wer"].counts == ErrorCounts(correct=2, substitutions=1, insertions=1)


def test_our_references_score_the_hypotheses_of_other_tools(tmp_path: Path) -> None:
    reference = [Transcript("u1", ("(uh)", "50%", "no"), "anna")]
    write_trn(tmp_path / "ref.trn", reference, "words")
    (tmp_path / "hyp.trn").write_text("50% no (anna-u1)\n", encoding="utf-8")
    found = score_transcripts(tmp_path / "ref.trn", tmp_path / "hyp.trn", ["wer"], fold)
    assert found["wer"].counts == ErrorCounts(correct=2, deletions=1)  # the text says (uh), and that was not recognised


@pytest.mark.parametrize(
    ("unit", "rate", "message"),
    [
        ("words", "per", r"ref\.trn has words, from which 'per' cannot be computed; choose one of wer, cer"),
        ("labels", "wer", r"ref\.trn has labels, from which 'wer' cannot be computed; choose one of per, per_39"),
        ("labels", "cer_folded", r"ref\.trn has labels, from which 'cer_folded' cannot be computed"),
        ("words", "wr", r"no rate is named 'wr'; did you mean 'wer'\?; expected one of wer, cer"),
    ],
)
def test_rates_that_the_unit_does_not_give_are_refused(tmp_path: Path, unit: TrnUnit, rate: str, message: str) -> None:
    write_trn(tmp_path / "ref.trn", [Transcript("u1", ("a",))], unit)
    (tmp_path / "hyp.trn").write_text("a (-u1)\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        score_transcripts(tmp_path / "ref.trn", tmp_path / "hyp.trn", [rate], fold)


def test_files_of_different_units_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ref\.trn has words and .*hyp\.trn has labels; give two files with the same"):
        scored(tmp_path, ";; unit: words\na (u1)\n", ";; unit: labels\na (u1)\n", "ser")


def test_a_label_that_cannot_be_folded_is_named_with_its_utterance(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'a-1': label 'hello' is neither one of TIMIT's 61"):
        scored(tmp_path, "hello (a-1)\n", "h# (a-1)\n", "per_39")


@given(st.text("ab \t\u00a0", max_size=8))
def test_words_of_a_text_give_it_back(text: str) -> None:
    words = transcript_of("u1", tuple(text), "characters").tokens
    assert isinstance(words, tuple)
    assert " ".join(words) == normalise_text(text)


def test_the_cases_beside_the_checkout(shared_cases: Path) -> None:
    folder = shared_cases / "trn_sclite"
    names = sorted(path.name.removesuffix(".ref.trn") for path in folder.glob("*.ref.trn"))
    assert names == ["nfd", "optional", "order_mix", "percent2"]

    def counts(name: str) -> ErrorCounts:
        return score_transcripts(folder / f"{name}.ref.trn", folder / f"{name}.hyp.trn", ["wer"], fold)["wer"].counts

    assert counts("nfd") == ErrorCounts(correct=2)
    assert counts("optional") == ErrorCounts(correct=3)
    assert counts("percent2") == ErrorCounts(correct=2, substitutions=1, insertions=1)
    with pytest.raises(Problems, match="'b-2' has no hypothesis"):
        counts("order_mix")
