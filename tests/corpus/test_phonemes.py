"""The folding tables against the groups that Lee and Hon (1989) give in tables I and II."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.corpus.phonemes import FOLDS, TIMIT_61, fold
from asr.errors import ConfigError, DataError

# Section II of the paper: the 39 classes in which errors are counted, and the labels of TIMIT that fall into each.
SINGLES = "b d g p t k dx jh ch s z f th v dh r w y iy eh ey ae aw ay oy ow uh"
GROUPS_39 = {label: label for label in SINGLES.split(" ")} | {
    "sil": "h# pau epi pcl tcl kcl bcl dcl gcl",
    "l": "l el",
    "n": "n en nx",
    "m": "m em",
    "ng": "ng eng",
    "sh": "sh zh",
    "aa": "aa ao",
    "ih": "ih ix",
    "ah": "ah ax ax-h",
    "er": "er axr",
    "hh": "hh hv",
    "uw": "uw ux",
}

# The CMU dictionary's 39 phones (cmudict.phones), lower case.
CMU_39 = "aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"


def test_timit_has_61_labels() -> None:
    assert len(TIMIT_61) == len(set(TIMIT_61)) == 61


@pytest.mark.parametrize(
    ("name", "size"), [("timit61", 61), ("timit61_to_48", 48), ("timit61_to_39", 39), ("timit61_to_cmu39", 39)]
)
def test_every_label_is_mapped_onto_a_set_of_the_right_size(name: str, size: int) -> None:
    assert set(FOLDS[name]) == set(TIMIT_61)
    assert len({label for label in FOLDS[name].values() if label is not None}) == size


def test_39_classes_are_those_of_the_paper() -> None:
    assert len(GROUPS_39) == 39
    expected = {member: group for group, members in GROUPS_39.items() for member in members.split()}
    assert FOLDS["timit61_to_39"] == expected | {"q": None}


def test_48_classes_are_those_of_the_paper() -> None:
    folded = FOLDS["timit61_to_48"]
    assert {label for label in TIMIT_61 if folded[label] is None} == {"q"}
    assert [folded[label] for label in ("pcl", "tcl", "kcl", "bcl", "dcl", "gcl")] == ["cl"] * 3 + ["vcl"] * 3
    assert [folded[label] for label in ("h#", "pau", "epi")] == ["sil", "sil", "epi"]
    kept = ["el", "en", "zh", "ao", "ix", "ax"]  # these fall together with others only in the 39
    assert [folded[label] for label in kept] == kept


def test_cmu_table_gives_the_dictionarys_phones_and_drops_what_it_has_not() -> None:
    folded = FOLDS["timit61_to_cmu39"]
    assert {label for label in folded.values() if label is not None} == set(CMU_39.split())
    dropped = {"q", "h#", "pau", "epi", "pcl", "tcl", "kcl", "bcl", "dcl", "gcl"}
    assert {label for label in TIMIT_61 if folded[label] is None} == dropped
    assert (folded["ao"], folded["zh"], folded["dx"]) == ("ao", "zh", "t")


def test_repeated_silence_is_kept() -> None:
    assert fold(["h#", "q", "tcl", "t", "pau"], "timit61_to_39") == ("sil", "sil", "t", "sil")


@given(st.lists(st.sampled_from(TIMIT_61)), st.sampled_from(sorted(FOLDS)))
def test_folding_twice_is_folding_once(labels: list[str], name: str) -> None:
    once = fold(labels, name)
    assert fold(once, name) == once


@given(st.lists(st.sampled_from(TIMIT_61)), st.sampled_from(["timit61_to_39", "timit61_to_cmu39"]))
def test_folding_by_way_of_the_48_is_folding_at_once(labels: list[str], name: str) -> None:
    assert fold(fold(labels, "timit61_to_48"), name) == fold(labels, name)


def test_unknown_label_and_table_are_named() -> None:
    with pytest.raises(DataError, match="label 'xx' is neither one of TIMIT's 61"):
        fold(["aa", "xx"], "timit61_to_39")
    with pytest.raises(ConfigError, match="no folding table 'timit61_to_40'; did you mean 'timit61_to_"):
        fold([], "timit61_to_40")
