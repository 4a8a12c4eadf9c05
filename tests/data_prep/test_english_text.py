from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path

import pytest

from data_prep import english_text
from data_prep.corpora import readers

BOOKS = """\
# a-book
\u201cYes,\u201d said the cat\u2014and the cat\u2019s kitten said no\u2026
A na\u00efve paragraph.
The cat slept.
"""


@pytest.fixture
def books(tmp_path: Path) -> Path:
    path = tmp_path / "books.txt.gz"
    path.write_bytes(gzip.compress(BOOKS.encode()))
    return path


def test_paragraphs_are_cleaned_and_stay_within_ascii(books: Path) -> None:
    assert list(english_text.paragraphs(books)) == [
        '"Yes," said the cat-and the cat\'s kitten said no...',
        "The cat slept.",
    ]


def test_words_hold_letters_and_inner_apostrophes() -> None:
    assert english_text.words_of(["the cat's 'tail', 3rd", "the"]) == {"the": 2, "cat's": 1, "tail": 1, "rd": 1}


def test_the_weight_of_a_word_is_divided_between_its_cases() -> None:
    assert english_text.word_forms({"cat": 4}, ["Bob", "x-ray"]) == {
        "BOB": 3,
        "Bob": 25,  # as it is and capitalised
        "CAT": 6,
        "Cat": 10,
        "bob": 12,
        "cat": 64,
    }


def test_lines_hold_all_words_in_order() -> None:
    texts = [" ".join(f"w{number}" for number in range(300)), "The end. Of it."]
    lines = list(english_text.lines_of(texts))
    assert " ".join(lines).lower().split() == " ".join(texts).lower().split()
    assert max(len(line.split()) for line in lines) == english_text.MOST_WORDS
    capitals = sum(line.isupper() for line in lines)
    assert 0 < capitals < len(lines) / 4


def test_made_up_lines_hold_digits_or_single_letters_and_are_the_same_each_time() -> None:
    lines = list(english_text.number_lines(300))
    assert lines == list(english_text.number_lines(300))
    assert all(re.search(r"\d|^[A-Z]( [A-Z])*$", line) for line in lines)


def test_a_word_list_has_the_words_of_the_list_and_those_that_books_repeat() -> None:
    assert english_text.lexicon({"cat": 3, "typpo": 1, "dog": 1}, ["dog", "emu", "3rd"]) == {
        "cat": 3,
        "dog": 2,
        "emu": 1,
    }


def test_the_command_writes_all_files(books: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list").write_text("cat\nemu\n")
    out = tmp_path / "text"
    monkeypatch.setattr(sys, "argv", ["english_text", str(books), str(tmp_path / "list"), "--out", str(out)])
    english_text.main()
    assert {one.name for one in out.iterdir()} == {
        "words.tsv",
        "words_for_lines.tsv",
        "flat.txt",
        "lines.txt",
        "lexicon.tsv",
    }
    assert "emu\t1" in (out / "lexicon.tsv").read_text().splitlines()
    heavy, light = (
        dict(line.split("\t") for line in (out / name).read_text().splitlines())
        for name in ("words.tsv", "words_for_lines.tsv")
    )
    assert heavy.keys() == light.keys()
    assert all(int(light[word]) == max(1, int(weight) // 40) for word, weight in heavy.items())


def test_it_is_not_offered_as_a_corpus() -> None:
    assert "english_text" not in readers()
