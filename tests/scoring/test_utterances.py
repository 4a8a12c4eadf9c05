from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.corpus.phonemes import fold
from asr.scoring.edits import ErrorCounts, align, count_errors
from asr.scoring.rates import rate_of
from asr.scoring.utterances import UtteranceScore, confusions, rates_of, score_utterance, show

letters = st.text("abc", max_size=8)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "shown"),
    [
        ("", "", ""),
        ("the light", "the light", "the light"),
        # THE (EDISON->ADDISON) ...: the form of icefall's error files
        ("the edison light", "the addison light", "the (edison->addison) light"),
        ("a b", "", "(a b->*)"),
        ("", "a b", "(*->a b)"),
        ("a b c", "a x y c", "a (b->x y) c"),
    ],
)
def test_alignments_read_as_icefall_writes_them(reference: str, hypothesis: str, shown: str) -> None:
    assert show(align(reference.split(), hypothesis.split())) == shown


def test_characters_are_shown_without_gaps() -> None:
    assert show(align("go home", "go hem"), joint="") == "go h(o->e)m(e->*)"


def test_a_score_holds_texts_counts_and_alignment() -> None:
    score = score_utterance("u1", "anna", tuple("ja grün"), tuple("ja"), ["wer", "ser"], "characters", fold)
    written = json.loads(json.dumps(score.to_dict()))
    assert written == {
        "id": "u1",
        "speaker": "anna",
        "reference": "ja grün",
        "hypothesis": "ja",
        "counts": {
            "wer": {"correct": 1, "substitutions": 0, "deletions": 1, "insertions": 0},
            "ser": {"correct": 0, "substitutions": 1, "deletions": 0, "insertions": 0},
        },
        "alignment": "ja (grün->*)",
    }
    assert UtteranceScore.from_dict(written) == score


def test_a_score_of_characters_reads_as_text() -> None:
    score = score_utterance("u1", None, tuple("go on"), tuple("gone"), ["cer"], "characters", fold)
    assert (score.speaker, score.reference, score.hypothesis) == (None, "go on", "gone")
    assert score.alignment == "go( o->*)n(*->e)"


def test_a_score_of_labels_is_folded() -> None:
    score = score_utterance("u1", None, ("h#", "ix", "t"), ("h#", "ih", "d"), ["per_39", "per"], "labels", fold)
    assert (score.reference, score.hypothesis) == ("sil ih t", "sil ih d")
    assert [score.counts[rate].errors for rate in ("per_39", "per")] == [1, 2]


def test_rates_of_a_set_are_those_of_its_utterances() -> None:
    pairs = [("the edison light", "the addison light", "a"), ("yes", "", "b")]
    scores = [
        score_utterance(f"u{i}", speaker, tuple(one), tuple(other), ["wer", "cer"], "characters", fold)
        for i, (one, other, speaker) in enumerate(pairs)
    ]
    found = rates_of(scores, "writers")
    assert found["wer"] == rate_of([score.counts["wer"] for score in scores], ["a", "b"], "words", people="writers")
    assert found["cer"].counts == ErrorCounts(correct=15, substitutions=1, deletions=3, insertions=1)
    assert rates_of([]) == {}


def test_confusions_count_what_was_taken_for_what() -> None:
    found = confusions([(["ih", "n"], ["ix", "n"]), (["ih", "s"], ["ix", "s", "t"]), (["ih", "s"], ["ih"])])
    assert found == {("ih", "ix"): 2, (None, "t"): 1, ("s", None): 1}


@given(st.lists(st.tuples(letters, letters), max_size=4))
def test_confusions_add_up_to_the_errors(pairs: list[tuple[str, str]]) -> None:
    counts = sum((count_errors(*pair) for pair in pairs), ErrorCounts())
    assert confusions(pairs).total() == counts.errors
