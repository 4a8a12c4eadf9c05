from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr.errors import DataError, Problems
from asr.scoring.lattice import Lattice
from asr.scoring.trn import Transcript, TrnUnit, read_trn, transcript_of, write_trn
from asr.scoring.trn_words import escaped, unescaped

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
awkward_texts = st.text("a{}/()@;:\\*%- \u00a0é28", min_size=1, max_size=5)
transcripts = st.lists(
    st.builds(
        Transcript,
        id=texts | awkward_texts,
        tokens=st.lists(texts | awkward_texts, max_size=5).map(tuple),
        speaker=st.none() | texts | awkward_texts,
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda each: each.id,
)
units: st.SearchStrategy[TrnUnit] = st.sampled_from(["words", "labels"])
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def as_sclite_sees_it(path: Path) -> dict[str, list[str]]:
    """Strict reader of what sclite takes literally; anything to which it gives a meaning of its own fails."""
    found = {}
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    assert header.startswith(";;")
    for line in lines:
        assert not line.startswith((";", "*"))
        words, id_ = re.fullmatch(r"([^()]*) \(([^()\s]+)\)", line).groups()  # type: ignore[union-attr]
        assert not set(words + id_) & set("{}@;:\\*")
        assert "-" in id_
        found[id_] = words.split()
    return found


def read(path: Path, text: str) -> list[Transcript]:
    path.write_text(text, encoding="utf-8")
    return list(read_trn(path).lines.values())


def test_lines_are_words_and_speaker_utterance(tmp_path: Path) -> None:
    write_trn(
        tmp_path / "ref.trn",
        [
            Transcript("FADG0_SI1279", ("bricks", "are", "an", "alternative"), "FADG0"),
            Transcript("an4test_clstk/fcaw/an406-fcaw-b", (), "fcaw"),
            Transcript("u1", ("it's", "50%", "50%20", "(uh)"), None),
            Transcript("u2", ("a", " ", "b"), "jean-luc"),
        ],
        "words",
    )
    assert (tmp_path / "ref.trn").read_text(encoding="utf-8") == (
        ";; unit: words; escapes: %XX\n"
        "bricks are an alternative (FADG0-FADG0_SI1279)\n"
        " (fcaw-an4test_clstk/fcaw/an406-fcaw-b)\n"
        "it's 50% 50%2520 %28uh%29 (-u1)\n"
        "a %20 b (jean%2Dluc-u2)\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["ref.trn"]


@one_folder
@given(transcripts, units)
def test_what_was_written_is_read_back_and_safe_for_sclite(
    tmp_path: Path, written: list[Transcript], unit: TrnUnit
) -> None:
    path = tmp_path / "any.trn"
    write_trn(path, written, unit)
    found = read_trn(path)
    assert (found.path, found.unit) == (path, unit)
    assert list(found.lines.values()) == written
    lines = as_sclite_sees_it(path)
    assert lines.keys() == found.lines.keys()
    assert [len(words) for words in lines.values()] == [len(each.tokens) for each in written]  # type: ignore[arg-type]


@given(st.lists(texts | awkward_texts | st.text("A3%\u0301:\n", min_size=1), min_size=2, max_size=2, unique=True))
def test_different_words_are_written_differently(words: list[str]) -> None:
    one, other = map(escaped, words)
    assert one != other
    assert [unescaped(unicodedata.normalize("NFC", word)) for word in (one, other)] == words


@pytest.mark.parametrize(
    ("symbols", "unit", "expected"),
    [
        (tuple("to be"), "characters", ("to", "be")),
        (tuple(" to  be "), "characters", ("to", "be")),
        (tuple("7"), "characters", ("7",)),
        ((), "characters", ()),
        ((" ",), "characters", ()),
        (("aa", "sh", "New York"), "labels", ("aa", "sh", "New York")),
        ((), "labels", ()),
    ],
)
def test_characters_are_written_as_words_and_labels_as_labels(
    symbols: tuple[str, ...], unit: Literal["characters", "labels"], expected: tuple[str, ...]
) -> None:
    assert transcript_of("u1", symbols, unit, "anna") == Transcript("u1", expected, "anna")


def test_comments_and_empty_lines_are_skipped(tmp_path: Path) -> None:
    found = read(tmp_path / "x.trn", ";; made by hand (a-1)\n** rules (a-1)\n\nyes (a-2)\r\n")
    assert found == [Transcript("2", ("yes",), "a")]


def test_a_byte_order_mark_is_no_part_of_a_word(tmp_path: Path) -> None:
    path = tmp_path / "x.trn"
    found = read(path, "\ufeffa b (u1)\r\n\ufeff;; joined to it\r\n\ufeffc (u2)\r\n")
    assert found == [Transcript("u1", ("a", "b")), Transcript("u2", ("c",))]
    marked = [Transcript("u1", ("\ufeff", "\ufeffa"))]
    write_trn(path, marked, "labels")
    assert list(read_trn(path).lines.values()) == marked


def test_a_file_without_utterance_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ref.trn").write_text(";; nothing yet\n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"ref\.trn has no utterance; expected words and then"):
        read_trn(tmp_path / "ref.trn")


def test_other_tools_files_are_read_as_sclite_reads_them(tmp_path: Path) -> None:
    found = read(tmp_path / "x.trn", "100% 50%20more yes (FADG0_SI1279)\nno (utt7)\n(a-b-c)\n")
    assert found == [
        Transcript("FADG0_SI1279", ("100%", "50%20more", "yes"), "FADG0"),
        Transcript("utt7", ("no",), None),
        Transcript("b-c", (), "a"),
    ]
    assert read_trn(tmp_path / "x.trn").unit is None


def test_words_are_composed(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "café { olé / é } (à) (a-1)\n")
    assert read(tmp_path / "d.trn", decomposed) == read(tmp_path / "c.trn", unicodedata.normalize("NFC", decomposed))


def test_optional_words_and_alternatives_are_a_lattice(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "x.trn", "a (uh) { b / c d } (s-1)\n")
    arcs = [(0, 1, "a"), (1, 2, "uh"), (2, 3, "b"), (2, 4, "c"), (4, 5, "d"), (3, 6, None), (5, 6, None)]
    assert isinstance(found.tokens, Lattice)
    assert [arc[:3] for arc in found.tokens.arcs] == arcs
    assert [arc.word for arc in found.tokens.arcs if arc.optional] == ["uh"]
    with pytest.raises(Problems, match="'1' has alternatives or optional words; only plain words can be written"):
        write_trn(tmp_path / "y.trn", [found], "words")


def test_signs_keep_their_meaning_in_our_own_files(tmp_path: Path) -> None:
    header = ";; unit: words; escapes: %XX\n"
    (found,) = read(tmp_path / "x.trn", header + "{ %28uh%29 / 50% } (s-1)\n")
    assert isinstance(found.tokens, Lattice)
    assert [arc.word for arc in found.tokens.arcs if arc.word] == ["(uh)", "50%"]


def test_names_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.trn"
    found = read(path, "yes (s1-u1)\nno (s2-u1)\n")
    assert found == [Transcript("u1", ("yes",), "s1"), Transcript("u1", ("no",), "s2")]
    assert list(read_trn(path).lines) == ["s1-u1", "s2-u1"]


def test_a_unit_that_is_not_known_or_not_alone_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problems, match=r"x\.trn has words and labels; expected one unit in a file"):
        read(tmp_path / "x.trn", ";; unit: words\na (u1)\n;;unit:labels; escapes: %XX\nb (u2)\n")
    with pytest.raises(Problems, match=r"x\.trn: the unit is 'phones'; expected words or labels"):
        read(tmp_path / "x.trn", ";; unit: phones\na (u1)\n")


def test_all_problems_of_a_file_come_together(tmp_path: Path) -> None:
    lines = ["no id", "a (s-1)", "{ a / b (s-4)", "c (s-1)", "d (s 5)", "e (s-6) ;", "{ a / } (s-7)"]
    (tmp_path / "x.trn").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(Problems, match=r"6 problems in x\.trn") as caught:
        read_trn(tmp_path / "x.trn")
    text = str(caught.value)
    for number in (1, 5, 6):
        assert f"x.trn:{number}: expected words and then, at the end, (speaker-utterance)" in text
    assert "x.trn:3: a '{' has no '}'; expected { one alternative / another }" in text
    assert "x.trn:7: an alternative between { / } is empty; write @ for no word" in text
    assert "utterance 's-1' occurs more than once" in text


def test_what_cannot_be_written_is_named_and_nothing_appears(tmp_path: Path) -> None:
    bad = [Transcript("u", ("a", ""), "s"), Transcript("u", (), "s"), Transcript("", (), ""), Transcript("v", ("b",))]
    with pytest.raises(Problems, match=r"4 problems in x\.trn") as caught:
        write_trn(tmp_path / "x.trn", bad, "words")
    text = str(caught.value)
    assert "'u': label 2 is empty" in text
    assert "utterance 'u' occurs more than once" in text
    assert "an utterance has an empty id" in text
    assert not list(tmp_path.iterdir())


def test_files_that_are_missing_or_not_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.trn cannot be read as a transcript file"):
        read_trn(tmp_path / "none.trn")
    (tmp_path / "latin.trn").write_bytes("été (s-1)\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.trn cannot be read as a transcript file"):
        read_trn(tmp_path / "latin.trn")
    with pytest.raises(DataError, match=r"x\.trn cannot be written"):
        write_trn(tmp_path / "missing" / "x.trn", [], "words")
    with pytest.raises(DataError, match=r"x\.trn cannot be written.*surrogates"):
        write_trn(tmp_path / "x.trn", [Transcript("u", ("\ud800",))], "words")


@settings(one_folder, max_examples=200)
@given(st.lists(st.text("a{}/()@;:*% -\ufeff\n", max_size=12), max_size=4), st.booleans())
def test_any_text_is_read_or_refused(tmp_path: Path, lines: list[str], header: bool) -> None:
    path = tmp_path / "any.trn"
    text = ";; unit: words; escapes: %XX\n" * header + "".join(f"{line} (u{i})\n" for i, line in enumerate(lines))
    path.write_text(text, encoding="utf-8")
    with suppress(DataError):
        found = read_trn(path)
        assert all(isinstance(each, Transcript) for each in found.lines.values())
