from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr.errors import DataError, Problems
from asr.scoring.edits import ErrorCounts, count_errors
from asr.scoring.trn import Transcript, read_trn, write_trn

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
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def as_sclite_sees_it(path: Path) -> dict[str, list[str]]:
    """Strict reader of what sclite takes literally; anything to which it gives a meaning of its own fails."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        assert not line.startswith((";", "*"))
        words, id_ = re.fullmatch(r"([^()]*) \(([^()\s]+)\)", line).groups()  # type: ignore[union-attr]
        assert not set(words + id_) & set("{}@;:\\*")
        assert "-" in id_
        found[id_] = words.split()
    return found


def test_lines_are_words_and_speaker_utterance(tmp_path: Path) -> None:
    write_trn(
        tmp_path / "ref.trn",
        [
            Transcript("FADG0_SI1279", ("bricks", "are", "an", "alternative"), "FADG0"),
            Transcript("an4test_clstk/fcaw/an406-fcaw-b", (), "fcaw"),
            Transcript("u1", ("it's", "50%", "(uh)"), None),
            Transcript("u2", ("a", " ", "b"), "jean-luc"),
        ],
    )
    assert (tmp_path / "ref.trn").read_text(encoding="utf-8") == (
        "bricks are an alternative (FADG0-FADG0_SI1279)\n"
        " (fcaw-an4test_clstk/fcaw/an406-fcaw-b)\n"
        "it's 50%25 %28uh%29 (-u1)\n"
        "a %20 b (jean%2Dluc-u2)\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["ref.trn"]


@one_folder
@given(transcripts)
def test_what_was_written_is_read_back_and_safe_for_sclite(tmp_path: Path, written: list[Transcript]) -> None:
    path = tmp_path / "any.trn"
    write_trn(path, written)
    assert read_trn(path) == written
    assert [len(words) for words in as_sclite_sees_it(path).values()] == [len(each.tokens) for each in written]


def test_comments_and_empty_lines_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "x.trn").write_text(";; made by hand (a-1)\n\nyes (a-2)\r\n", encoding="utf-8")
    assert read_trn(tmp_path / "x.trn") == [Transcript("2", ("yes",), "a")]


def test_a_byte_order_mark_is_no_part_of_a_word(tmp_path: Path) -> None:
    path = tmp_path / "x.trn"
    path.write_text("\ufeffa b (u1)\r\n\ufeff;; joined to it\r\n\ufeffc (u2)\r\n", encoding="utf-8")
    assert read_trn(path) == [Transcript("u1", ("a", "b")), Transcript("u2", ("c",))]
    marked = [Transcript("u1", ("\ufeff", "\ufeffa"))]
    write_trn(path, marked)
    assert read_trn(path) == marked


def test_a_file_without_utterance_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ref.trn").write_text(";; nothing yet\n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"ref\.trn holds no utterance; expected words and then"):
        read_trn(tmp_path / "ref.trn")


def test_other_tools_files_are_read_as_sclite_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "x.trn"
    path.write_text("100% (uh) yes (FADG0_SI1279)\nno (utt7)\n(a-b-c)\n", encoding="utf-8")
    assert read_trn(path) == [
        Transcript("FADG0_SI1279", ("100%", "(uh)", "yes"), "FADG0"),
        Transcript("utt7", ("no",), None),
        Transcript("b-c", (), "a"),
    ]


def test_ids_that_are_unique_only_with_their_speaker_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "x.trn"
    path.write_text("yes (s1-u1)\nno (s2-u1)\n", encoding="utf-8")
    assert read_trn(path) == [Transcript("s1-u1", ("yes",), "s1"), Transcript("s2-u1", ("no",), "s2")]


def test_all_problems_of_a_file_come_together(tmp_path: Path) -> None:
    lines = ["no id", "a (s-1)", "{ a / b } (s-4)", "c (s-1)", "d (s 5)", "e (s-6) ;"]
    (tmp_path / "x.trn").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(Problems, match=r"5 problems in x\.trn") as caught:
        read_trn(tmp_path / "x.trn")
    text = str(caught.value)
    for number in (1, 5, 6):
        assert f"x.trn:{number}: expected words and then, at the end, (speaker-utterance)" in text
    assert "x.trn:3: alternatives { / } cannot be scored; choose one of them" in text
    assert "utterance 's-1' comes more than once" in text


def test_what_cannot_be_written_is_named_and_nothing_appears(tmp_path: Path) -> None:
    bad = [Transcript("u", ("a", ""), "s"), Transcript("u", (), "s"), Transcript("", (), ""), Transcript("v", ("b",))]
    with pytest.raises(Problems, match=r"4 problems in x\.trn") as caught:
        write_trn(tmp_path / "x.trn", bad)
    text = str(caught.value)
    assert "'u': label 2 is empty" in text
    assert "utterance 'u' comes more than once" in text
    assert "an utterance has an empty id" in text
    assert not list(tmp_path.iterdir())


def test_files_that_are_missing_or_not_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.trn cannot be read as a transcript file"):
        read_trn(tmp_path / "none.trn")
    (tmp_path / "latin.trn").write_bytes("été (s-1)\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.trn cannot be read as a transcript file"):
        read_trn(tmp_path / "latin.trn")
    with pytest.raises(DataError, match=r"x\.trn cannot be written"):
        write_trn(tmp_path / "missing" / "x.trn", [])
    with pytest.raises(DataError, match=r"x\.trn cannot be written.*surrogates"):
        write_trn(tmp_path / "x.trn", [Transcript("u", ("\ud800",))])


SCLITE = next((path for name in ("sclite", "/usr/lib/sctk/bin/sclite") if (path := shutil.which(name))), None)


@pytest.mark.skipif(SCLITE is None, reason="NIST sclite is not installed")
def test_sclite_counts_what_we_count(tmp_path: Path) -> None:
    pairs = [
        (("THE", "EDISON", "LIGHT"), ("THE", "ADDISON", "LIGHT"), "s1"),
        ((), ("oh",), "s1"),
        (("a",), (), "jean-luc"),
        (("(uh)", "{", "a", "/", "b", "}", "@"), ("(uh)", "{", "b", "/", "}", "@"), None),
        (("ab:c", "ab", "x*"), ("ab:d", "Ab", "x"), None),
        ((";;", "x", " ", "y"), (";;", "x", "y"), "s2"),
        (("**",), ("**",), "s2"),
    ]
    for name, side in (("ref", 0), ("hyp", 1)):
        lines = [Transcript(f"u{k}", pair[side], pair[2]) for k, pair in enumerate(pairs)]
        write_trn(tmp_path / f"{name}.trn", lines)
    command = [SCLITE, "-s", "-i", "spu_id", "-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-o", "pra", "stdout"]
    output = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)  # type: ignore[arg-type]
    assert "rror" not in output.stderr
    theirs = [tuple(map(int, found)) for found in re.findall(r"#I\) (\d+) (\d+) (\d+) (\d+)", output.stdout)]
    ours = [count_errors(reference, hypothesis) for reference, hypothesis, _ in pairs]
    by_id = sorted(zip(re.findall(r"id: \(.*-(u\d)\)", output.stdout), theirs, strict=True))
    assert [ErrorCounts(*counts) for _, counts in by_id] == ours
