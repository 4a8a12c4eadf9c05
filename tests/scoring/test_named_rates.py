"""What each rate compares, and how it counts."""

from __future__ import annotations

import unicodedata

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.corpus.phonemes import fold
from asr.errors import ConfigError, DataError
from asr.scoring.edits import ErrorCounts
from asr.scoring.named_rates import RATES, check_labels, check_rates, count, count_alternatives, tokens
from asr.scoring.trn_words import words_of
from asr.text import normalise_text

texts = st.text("ab é\u0301\u00a0\t", max_size=10)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ("wer", ("San", "José")),
        ("wer_folded", ("san", "josé")),
        ("cer", ("S", "a", "n", " ", "J", "o", "s", "é")),
        ("cer_folded", ("s", "a", "n", " ", "j", "o", "s", "é")),
        ("ser", ("San José",)),
    ],
)
@pytest.mark.parametrize("text", ["San José", unicodedata.normalize("NFD", " San  José ")])
def test_rates_of_text(rate: str, expected: tuple[str, ...], text: str) -> None:
    assert tokens(rate, tuple(text), "characters", fold) == expected


def test_rates_of_labels() -> None:
    assert tokens("per", ("h#", "q", " "), "labels", fold) == ("h#", "q", " ")
    assert tokens("per_39", ("h#", "q", "ix", "tcl", "t"), "labels", fold) == ("sil", "ih", "sil", "t")
    assert tokens("per_39_no_sil", ("h#", "q", "ix", "tcl", "t"), "labels", fold) == ("ih", "t")
    assert tokens("ser", ("a b", "c"), "labels", fold) != tokens("ser", ("a", "b c"), "labels", fold)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_characters_and_words_are_counted_as_jiwer_counts_them(pairs: list[tuple[str, str]]) -> None:
    references, hypotheses = ([normalise_text(pair[side]) for pair in pairs] for side in (0, 1))
    theirs = {
        "cer": jiwer.process_characters(references, hypotheses),
        "wer": jiwer.process_words(references, hypotheses),
    }
    for rate, their in theirs.items():
        ours = sum((count(rate, one, other, "characters", fold) for one, other in pairs), ErrorCounts())
        assert ours.errors == their.substitutions + their.deletions + their.insertions
        assert ours.reference == their.hits + their.substitutions + their.deletions


def test_a_space_at_an_end_is_no_error() -> None:
    for hypothesis in ("yes ", " yes", " yes  "):
        assert count("cer", "yes", hypothesis, "characters", fold) == ErrorCounts(correct=3)
    assert count("cer", "yes no", "yes  no", "characters", fold) == ErrorCounts(correct=6)
    assert count("cer", "", " ", "characters", fold) == ErrorCounts()
    assert count("ser", "", " ", "characters", fold) == ErrorCounts(correct=1)


# (rate, reference, hypothesis, errors, reference tokens)
ALTERNATIVES = [
    ("wer", "{ Yes / yeah } (uh) sir", "yeah sir", 0, 3),
    ("wer", "Yes (uh)", "yes", 1, 2),
    ("wer_folded", "Yes (uh)", "yes", 0, 2),
    ("cer", "{ yes / yeah } (uh) sir", "yeah sir", 0, 8),  # characters that are left out do not count
    ("cer", "{ @ / oh } yes", "yes", 0, 3),
    ("cer_folded", "{ @ / Oh } Yes", "oh yes", 0, 6),
    ("ser", "{ yes / yeah } (uh) sir", "yes sir", 0, 1),
    ("ser", "{ yes / yeah } (uh) sir", "no sir", 1, 1),
]


@pytest.mark.parametrize(("rate", "reference", "hypothesis", "errors", "n_reference"), ALTERNATIVES)
def test_rates_with_alternatives(rate: str, reference: str, hypothesis: str, errors: int, n_reference: int) -> None:
    sides = [words_of(line, escapes=False) for line in (reference, hypothesis)]
    found = count_alternatives(rate, *sides, "characters", fold)
    assert (found.errors, found.reference) == (errors, n_reference)


def test_labels_with_alternatives_are_folded() -> None:
    reference = words_of("h# { ix / q } t", escapes=False)
    assert count_alternatives("per_39_no_sil", reference, ("t",), "labels", fold) == ErrorCounts(correct=1)
    with pytest.raises(DataError, match="label 'zz' is neither"):
        count_alternatives("per_39", reference, ("zz",), "labels", fold)


def test_rates_that_an_inventory_lacks_are_named() -> None:
    check_rates(["cer", "ser"], "characters")
    with pytest.raises(ConfigError, match=r"rates=\[wer\]; .* an inventory of labels: per, .*; did you mean"):
        check_rates(["wer"], "labels")
    with pytest.raises(ConfigError, match=r"rates=\[\]; expected one or more of the rates .*: wer, cer"):
        check_rates([], "characters")
    with pytest.raises(ConfigError, match="unit=words; expected one of characters, labels"):
        check_rates(["wer"], "words")


def test_labels_that_a_rate_cannot_fold_are_named() -> None:
    check_labels(["per", "per_39"], ["ix", "t"], "labels", fold)
    with pytest.raises(ConfigError, match=r"per_39 does not fit these labels: label 'hello' .*; choose per"):
        check_labels(["per", "per_39"], ["hello"], "labels", fold)


def test_the_table_of_rates_is_the_one_that_the_module_documents() -> None:
    from asr.scoring import named_rates

    assert all(f"`{name}`" in (named_rates.__doc__ or "") for name in RATES)
