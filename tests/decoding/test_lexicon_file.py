from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.corpus.inventory import Inventory
from asr.decoding.lexicon_file import CODE, Lexicon, lexicon_of, read_lexicon
from asr.decoding.lexicon_tree import best_below, tree_of
from asr.errors import DataError, Problems

CHARACTERS = Inventory(("<blank>", " ", "A", "a", "b", "c", "é"), "characters")
PHONEMES = Inventory(("<blank>", "AH", "B", "K"), "labels")


def spelled(lexicon: Lexicon, inventory: Inventory) -> list[tuple[str, list[str]]]:
    return [
        (lexicon.words[word], [inventory.labels[ord(one) - CODE] for one in spelling])
        for word, spelling in zip(lexicon.word_of, lexicon.spellings, strict=True)
    ]


def test_forms_of_characters() -> None:
    lexicon = lexicon_of(["ab", "", "  a   b ", "Dr.\ta b", "c c\tc <space> c", "cafe\u0301\tc é"], CHARACTERS)
    assert spelled(lexicon, CHARACTERS) == [
        ("ab", ["a", "b"]),
        ("a b", ["a", " ", "b"]),
        ("Dr.", ["a", "b"]),
        ("c c", ["c", " ", "c"]),
        ("cafe\u0301", ["c", "é"]),
    ]
    assert lexicon.frequency is None


def test_frequencies_of_a_word_add_up() -> None:
    lexicon = lexicon_of(["ab\t3", "b\tb\t0.5", "ab\ta b c\t1"], CHARACTERS)
    assert lexicon.words == ("ab", "b")
    assert lexicon.frequency is not None
    assert lexicon.frequency.tolist() == [4.0, 0.5]


def test_forms_of_a_dictionary_of_pronunciations() -> None:
    rows = [";;; comment", "cub  K AH1 B # an animal", "cub(2) K B", "a\tAH0", "up(s)down AH"]
    assert spelled(lexicon_of(rows, PHONEMES), PHONEMES) == [
        ("cub", ["K", "AH", "B"]),
        ("cub", ["K", "B"]),
        ("a", ["AH"]),
        ("up(s)down", ["AH"]),
    ]


def test_pronunciations_that_differ_in_stress_alone_are_one() -> None:
    assert len(lexicon_of(["a AH0", "a(2) AH1"], PHONEMES).spellings) == 1


def test_capitals_of_a_dictionary_are_small_letters_where_no_label_has_a_capital() -> None:
    small = Inventory(("<blank>", "ah", "b", "k"), "labels")
    assert spelled(lexicon_of(["CUB  K AH1 B", "UP  ah0 B"], small), small) == [
        ("CUB", ["k", "ah", "b"]),
        ("UP", ["ah", "b"]),
    ]
    mixed = Inventory(("<blank>", "ah", "b", "K"), "labels")
    with pytest.raises(Problems, match="list:1: AH1 in the spelling of CUB is not .* did you mean ah"):
        lexicon_of(["CUB  K AH1 b"], mixed, "list")


def test_a_file_may_be_packed_and_begin_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "words.txt.gz").write_bytes(gzip.compress("\ufeffab\r\ncafe\n".replace("fe", "").encode()))
    assert read_lexicon(tmp_path / "words.txt.gz", CHARACTERS).words == ("ab", "ca")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("aXb", "list:1: X in the spelling of aXb is not among the 7 labels"),
        ("aB", "list:1: B in the spelling of aB is not among the 7 labels; did you mean b?"),
        ("bè", "list:1: è in the spelling of bè is not among the 7 labels"),
        ("\ta b", "list:1: there is no word before the tab"),
        ("ab\t", "list:1: ab has no spelling; write its labels after it, with blanks between them"),
        ("ab\ta b\tmany", "list:1: the frequency of ab is many; expected a number above 0"),
        ("ab\ta b\t0", "list:1: the frequency of ab is 0; expected a number above 0"),
        ("ab\ta b\t1\t2", "list:1: 4 columns; expected the word, its spelling and its frequency at most"),
        ("a" * 501, "has 501 labels; expected 500 at most"),
    ],
)
def test_faults_of_a_line(row: str, message: str) -> None:
    with pytest.raises(Problems) as caught:
        lexicon_of([row], CHARACTERS, "list")
    assert message in str(caught.value)


def test_a_label_in_another_case_is_offered() -> None:
    with pytest.raises(Problems, match="lexicon:2: ah0 in the spelling of b is not .* did you mean AH"):
        lexicon_of(["a AH", "b ah0"], PHONEMES)


def test_words_given_twice_are_refused() -> None:
    with pytest.raises(Problems, match="lexicon:3: ab with this spelling is also in line 1; list it once"):
        lexicon_of(["ab", "b", "ab"], CHARACTERS)


def test_frequencies_are_all_or_none() -> None:
    with pytest.raises(Problems, match="lexicon:2: b has no frequency, but other words have one"):
        lexicon_of(["ab\t3", "b"], CHARACTERS)


def test_many_faults_are_counted() -> None:
    with pytest.raises(Problems) as caught:
        lexicon_of([f"x{number}" for number in range(500)], CHARACTERS)
    assert caught.value.lines[0] == "500 problems in lexicon:"
    assert caught.value.lines[-1] == "  ... and 480 more"


def test_words_that_cannot_be_spelled_are_left_out_on_demand() -> None:
    assert lexicon_of(["ab", "xyz"], CHARACTERS, leave_out=True).words == ("ab",)
    with pytest.raises(DataError, match="lexicon has no word that the inventory can spell"):
        lexicon_of(["xyz"], CHARACTERS, leave_out=True)


def test_files_that_are_no_lists(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none.txt does not exist; expected a lexicon"):
        read_lexicon(tmp_path / "none.txt", CHARACTERS)
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(DataError, match="empty.txt is empty; expected one word per line"):
        read_lexicon(tmp_path / "empty.txt", CHARACTERS)
    (tmp_path / "latin.txt").write_bytes("a\nb\xe9\n".encode("latin-1"))
    with pytest.raises(DataError, match="latin.txt:2: the line is not UTF-8"):
        read_lexicon(tmp_path / "latin.txt", CHARACTERS)
    (tmp_path / "torn.txt.gz").write_bytes(gzip.compress(b"ab\n" * 1000)[:20])
    with pytest.raises(DataError, match="torn.txt.gz: damaged gzip file"):
        read_lexicon(tmp_path / "torn.txt.gz", CHARACTERS)


@given(st.sets(st.text("Aabc", min_size=1, max_size=6), min_size=1, max_size=40))
def test_the_tree_holds_the_spellings_and_the_best_below_each_node(words: set[str]) -> None:
    lexicon = lexicon_of(sorted(words), CHARACTERS)
    tree = tree_of(lexicon)
    value = np.arange(len(lexicon.words), dtype=np.float64)
    best = best_below(tree, value)
    seen: set[tuple[str, str]] = set()

    def walk(node: int, prefix: str) -> None:
        below = [value[number] for number, word in enumerate(lexicon.words) if word.startswith(prefix)]
        assert best[node] == max(below)
        seen.update(
            (lexicon.words[word], prefix) for word in tree.word[tree.first_word[node] : tree.first_word[node + 1]]
        )
        children = range(tree.first[node], tree.first[node + 1])
        assert [tree.label[child] for child in children] == sorted({tree.label[child] for child in children})
        for child in children:
            assert tree.parent[child] == node
            walk(child, prefix + CHARACTERS.labels[tree.label[child]])

    walk(0, "")
    assert seen == {(word, word) for word in words}
