"""Files of words: one reader for lexicons and expected words, which no file from outside can choke."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from asr.corpus.inventory import Inventory
from asr.decoding import files, word_list
from asr.decoding.boost import read_phrases
from asr.decoding.lexicon_file import read_lexicon
from asr.errors import DataError, Problems

LETTERS = Inventory(("<blank>", " ", "'", *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), "characters")


def lexicon(path: str | Path) -> set[str]:
    return set(read_lexicon(path, LETTERS).words)


def phrases(path: str | Path) -> set[str]:
    return {"".join(LETTERS.decode(labels)) for labels in read_phrases(path, LETTERS, 1.0)}


READERS = pytest.mark.parametrize("read", [lexicon, phrases])
Read = Callable[[str | Path], set[str]]


@READERS
def test_a_mark_a_packed_file_and_a_separator_of_lines(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "words.txt.gz"
    path.write_bytes(gzip.compress("\ufeffab\r\nNew\u2028York\n".encode()))
    assert read(path) == {"ab", "New York"}


@READERS
def test_all_that_cannot_be_spelled_is_named(read: Read, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("ab\nZoë\nb\nИван\n", encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read(tmp_path / "names.txt")
    assert [one.partition(" ")[0] for one in caught.value.problems] == ["names.txt:2:", "names.txt:4:"]
    assert "Zoë" in caught.value.problems[0]


@READERS
def test_a_file_that_unpacks_to_too_much_is_refused(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "bomb.txt.gz"
    path.write_bytes(gzip.compress(b"ab" * (word_list.MOST_BYTES // 2) + b"a"))
    with pytest.raises(DataError, match=r"bomb\.txt\.gz holds more than 64 MiB; expected"):
        read(path)
    path.write_bytes(gzip.compress(b"a\n" * (word_list.MOST_LINES + 1)))
    with pytest.raises(DataError, match=r"bomb\.txt\.gz has 4194305 lines; expected .*, 4194304 lines at most"):
        read(path)


@READERS
def test_no_more_is_looked_at_behind_a_thousand_faults(read: Read, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("é\n" * 3000, encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read(tmp_path / "list.txt")
    assert caught.value.lines[0] == "1000 problems in list.txt, whose other lines were not checked:"


@READERS
def test_the_words_of_the_package_are_found_by_name(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "english_words").write_text("mine\n")
    monkeypatch.chdir(tmp_path)
    found = read("english_words")  # not the file of the working folder, which a saved model may not read
    assert len(found) > 100_000
    assert "people" in found
    assert read("./english_words") == {"mine"}
    assert files.file_of("english_words").name == "english_words.tsv.gz"


def test_what_cannot_be_spelled_is_left_out_of_the_words_of_the_package() -> None:
    """Nobody can mend them, and no model that comes with it has all their letters."""
    letters = Inventory(("<blank>", " ", *"aeoprsthlmn"), "characters")
    found = set(read_lexicon("english_words", letters).words)
    assert "people" in found
    assert "I" not in found
    assert len(found) == len(read_phrases("english_words", letters, 1.0))


@READERS
def test_a_file_of_the_home_folder(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "names.txt").write_text("ab\n")
    assert read("~/names.txt") == {"ab"}
    with pytest.raises(DataError, match=r"~nobody at all/names\.txt does not exist"):
        read("~nobody at all/names.txt")
