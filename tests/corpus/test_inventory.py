from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.corpus.inventory import BLANK, Inventory
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.text import normalise_text


def spoken(text: str | None = None, labels: tuple[str, ...] | None = None, name: str = "u1") -> Utterance:
    return Utterance(id=name, source=Path("/a.wav"), text=text, labels=labels)


def test_blank_is_first_and_labels_are_sorted() -> None:
    inventory = Inventory.from_utterances([spoken("CAB"), spoken("A B")], "characters")
    assert inventory.labels == (BLANK, " ", "A", "B", "C")
    assert (inventory.blank, len(inventory)) == (0, 5)
    assert inventory.encode(spoken("A  CAB ")) == [2, 1, 4, 2, 3]
    assert inventory.text(inventory.decode([4, 2, 3])) == "CAB"


def test_labels_are_joined_by_spaces() -> None:
    inventory = Inventory.from_utterances([spoken(labels=("hh", "ax"))], "labels")
    assert inventory.text(inventory.decode(inventory.encode(spoken(labels=("ax", "hh"))))) == "ax hh"


def test_text_is_normalised() -> None:
    decomposed = unicodedata.normalize("NFD", "né")
    assert len(decomposed) == 3
    assert normalise_text(f"\t{decomposed} \n x ") == "né x"
    assert Inventory.from_utterances([spoken(decomposed)], "characters").labels == (BLANK, "n", "é")


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ("", ""),
        (" ", ""),
        ("  go  on ", "go on"),
        ("e\u0301\u00a0a", "é a"),  # a combining accent, a no-break space
    ],
)
def test_text_of_characters_is_normalised(labels: str, text: str) -> None:
    inventory = Inventory((BLANK, *dict.fromkeys(labels)), "characters")
    assert inventory.text(tuple(labels)) == text


def test_whole_labels_are_written_as_they_are() -> None:
    inventory = Inventory((BLANK, "sil", "a", "New York"), "labels")
    assert inventory.text(("sil", "sil", "New York")) == "sil sil New York"


def test_symbol_outside_is_named_with_its_code_point_and_the_utterance() -> None:
    inventory = Inventory.from_utterances([spoken("abc")], "characters")
    with pytest.raises(DataError, match=r"'u7': 'ß' \(U\+00DF\) is not among the 4 labels"):
        inventory.encode(spoken("aß", name="u7"))
    with pytest.raises(DataError, match=r"'x' \(U\+0078\), 'y' \(U\+0079\) are not among"):
        inventory.encode(spoken("xayx"))


def test_the_blank_cannot_be_spelled() -> None:
    inventory = Inventory((BLANK, "a"), "labels")
    with pytest.raises(DataError, match="'<blank>'"):
        inventory.encode(spoken(labels=("a", BLANK)))


def test_missing_transcript_is_named() -> None:
    with pytest.raises(DataError, match="'u1' has no text"):
        Inventory.from_utterances([spoken(labels=("a",))], "characters")
    with pytest.raises(DataError, match="'u1' has no labels"):
        Inventory.from_utterances([spoken("a")], "labels")


def test_fold_applies_and_gives_the_whole_set() -> None:
    inventory = Inventory.from_utterances([spoken(labels=("h#", "ao", "q"))], "labels", fold="timit61_to_39")
    assert len(inventory) == 40
    assert inventory.symbols_of(spoken(labels=("h#", "ao", "q"))) == ("sil", "aa")
    assert inventory.text(inventory.decode(inventory.encode(spoken(labels=("h#", "zh"))))) == "sil sh"
    with pytest.raises(DataError, match="'u1': label 'zz' is neither"):
        inventory.encode(spoken(labels=("zz",)))


@given(
    st.lists(st.text(min_size=1, max_size=3, alphabet="abcÄß∂ "), min_size=1), st.sampled_from(["characters", "labels"])
)
def test_encode_decode_round_trip(texts: list[str], unit: str) -> None:
    utterances = [spoken(text, tuple(text.split())) for text in texts]
    inventory = Inventory.from_utterances(utterances, unit)  # type: ignore[arg-type]
    assert Inventory.from_dict(json.loads(json.dumps(inventory.to_dict()))) == inventory
    for utterance in utterances:
        indices = inventory.encode(utterance)
        assert 0 not in indices
        assert inventory.text(inventory.decode(indices)) == normalise_text(utterance.text or "")


@pytest.mark.parametrize(
    ("labels", "unit", "fold", "message"),
    [
        (("a", "b"), "labels", None, "expected '<blank>'"),
        ((), "labels", None, "expected '<blank>'"),
        ((BLANK, "a", "a"), "labels", None, "expected different labels"),
        ((BLANK, ""), "labels", None, "expected different labels"),
        ((BLANK, "ab"), "characters", None, "expected single characters"),
        ((BLANK, "a"), "words", None, "is words; expected 'characters' or 'labels'"),
        ((BLANK, "a"), "characters", "timit61", "applies to labels"),
        ((BLANK, "a"), "labels", "timit", "no folding table 'timit'; did you mean 'timit61'"),
    ],
)
def test_what_is_no_inventory_is_refused(labels: tuple[str, ...], unit: str, fold: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Inventory.from_dict({"labels": list(labels), "unit": unit, "fold": fold})


@pytest.mark.parametrize("values", [{}, {"labels": "abc", "unit": "labels"}, {"labels": [BLANK, 1], "unit": "labels"}])
def test_saved_values_of_wrong_type_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="'labels' must be a list of strings"):
        Inventory.from_dict(values)
