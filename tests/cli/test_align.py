"""`asr-align`: what it is told to read, and what it writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.ink import Ink, Stroke, write_json
from tests.commands import Ended, command


@pytest.fixture
def folder(trained: Path, tones: Path, tmp_path: Path) -> Path:
    """Two recordings of tones, `0.wav` with its transcript beside it; the model is `model`."""
    (tmp_path / "model").symlink_to(trained)
    lines = (tones / "test.jsonl").read_text(encoding="utf-8").splitlines()
    for number in range(2):
        shutil.copy(tones / "test" / f"test{number:02d}.wav", tmp_path / f"{number}.wav")
    (tmp_path / "0.txt").write_text(json.loads(lines[0])["text"] + "\n", encoding="utf-8")
    records = [json.loads(line) | {"audio": f"{number}.wav"} for number, line in enumerate(lines[:2])]
    (tmp_path / "all.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return tmp_path


def align(folder: Path, *words: str) -> Ended:
    return command("align", "model", *words, cwd=folder)


def text_of(folder: Path, number: int) -> str:
    text: str = json.loads((folder / "all.jsonl").read_text().splitlines()[number])["text"]
    return text


def test_the_transcript_beside_a_recording_and_on_the_command_line(folder: Path) -> None:
    beside = align(folder, "0.wav")
    assert beside.returncode == 0, beside.stderr
    assert beside.stdout.startswith('File type = "ooTextFile"\n')
    assert align(folder, "0.wav", "--text", text_of(folder, 0)).stdout == beside.stdout
    none = align(folder, "1.wav")
    assert none.returncode == 1
    assert "1.wav: has no transcript; give it with --text, or write it into 1.txt in the same folder" in none.stderr


def test_a_manifest_has_its_transcripts(folder: Path) -> None:
    done = align(folder, "all.jsonl", "--format", "json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == [text_of(folder, number) for number in range(2)]
    assert [row["file"] for row in rows] == ["test00", "test01"]
    lines = align(folder, "all.jsonl", "--format", "ctm").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        f"test{number:02d}" for number in range(2) for _ in text_of(folder, number).split()
    ]


@pytest.mark.parametrize(
    ("name", "suffix", "begins"),
    [
        ("textgrid", ".TextGrid", 'File type = "ooTextFile"'),
        ("eaf", ".eaf", "<?xml"),
        ("audacity", ".labels.txt", "0."),
        ("srt", ".srt", "1\n00:00:00,"),
        ("ctm", ".ctm", "test00 1 0."),
        ("json", ".json", '{"file": "test00"'),
        ("svg", ".svg", "<svg "),
    ],
)
def test_a_file_for_each_recording(folder: Path, name: str, suffix: str, begins: str) -> None:
    done = align(folder, "all.jsonl", "--format", name, "--out", "aligned")
    assert (done.returncode, done.stdout) == (0, "")
    assert sorted(path.name for path in (folder / "aligned").iterdir()) == [f"test00{suffix}", f"test01{suffix}"]
    assert (folder / "aligned" / f"test00{suffix}").read_text(encoding="utf-8").startswith(begins)


def test_the_others_are_aligned_after_a_bad_one(folder: Path) -> None:
    done = align(folder, "0.wav", "1.wav", "--format", "json")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert "1 of 2 files could not be aligned; see above" in done.stderr


def test_the_others_are_drawn_after_one_that_is_too_long(folder: Path) -> None:
    shutil.copy(folder / "0.wav", folder / "2.wav")
    soundfile.write(folder / "1.wav", np.zeros(62 * 8000, dtype=np.int16), 8000)
    for number in (1, 2):
        shutil.copy(folder / "0.txt", folder / f"{number}.txt")
    done = align(folder, "0.wav", "1.wav", "2.wav", "--format", "svg", "--out", "o")
    assert done.returncode == 1
    assert sorted(path.name for path in (folder / "o").iterdir()) == ["0.svg", "2.svg"]
    told = " ".join(done.stderr.split())
    assert "1.wav: 62.0 s long; a picture shows 60 s at most" in told
    assert "1 of 3 files could not be aligned; see above" in told


def test_words_that_were_not_said_are_warned_of(folder: Path) -> None:
    said = text_of(folder, 0).replace(" ", "")
    wrong = said.translate(str.maketrans("abc", "bca"))
    done = align(folder, "0.wav", "--text", wrong, "--format", "json")
    assert done.returncode == 0
    assert f"0.wav: words that were probably not said there: '{wrong}' at" in " ".join(done.stderr.split())
    assert "probably" not in align(folder, "0.wav", "--format", "json").stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["0.wav", "--text", "xyz"], "'x' (U+0078), 'y' (U+0079), 'z' (U+007A) are not among the"),
        (["0.wav", "--text", ""], "'0.wav': the transcript is empty"),
        (["0.wav", "--text", "abc" * 99], "frames cannot carry the 297 labels of the transcript"),
        (["0.wav", "1.wav", "--text", "a"], "--text is the transcript of one file, but 2 are given"),
        (
            ["0.wav", "1.wav"],
            "--format textgrid writes a file for each of the 2 recordings; give a folder for them with --out",
        ),
        (["none.wav", "--text", "a"], "none.wav: no such file"),
        (["none.jsonl"], "none.jsonl"),
        (["-"], "-: has no transcript; give it with --text"),
        (["-", "--text", "a", "--format", "svg"], "--format svg reads the file twice, but a pipe can be read"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(folder: Path, words: list[str], told: str) -> None:
    done = align(folder, *words)
    assert done.returncode == 1
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_transcript_that_is_no_text(folder: Path) -> None:
    (folder / "0.txt").write_bytes(b"ab\xff")
    assert "0.txt: byte 2 is not UTF-8" in align(folder, "0.wav").stderr


def test_letters_of_ink_get_their_points(tmp_path: Path) -> None:
    strokes = Stroke([(0, 0), (1, 1), (2, 0), (3, 1), (4, 0)]), Stroke([(5, 0), (6, 1), (7, 0)])
    write_json(tmp_path / "a.json", Ink(strokes))
    done = command("align", "quickstart_pen", "a.json", "--text", "to", cwd=tmp_path)
    row = json.loads(done.stdout)
    assert [label["label"] for label in row["labels"]] == ["t", "o"]
    assert row["labels"][0]["start"] == 0
    assert row["labels"][-1]["end"] == 8
    drawn = command("align", "quickstart_pen", "a.json", "--text", "to", "--format", "svg", cwd=tmp_path).stdout
    assert "<title>a.json: to</title>" in drawn
    assert drawn.count("<path ") == 2
    refused = command("align", "quickstart_pen", "a.json", "--text", "to", "--format", "srt", cwd=tmp_path)
    assert "--format srt is for recordings, because it needs times; use json or svg for ink" in " ".join(
        refused.stderr.split()
    )


def test_other_ink_is_drawn_after_one_of_too_many_points(tmp_path: Path) -> None:
    word = Stroke([(0, 0), (1, 1), (2, 0), (3, 1), (4, 0)]), Stroke([(5, 0), (6, 1), (7, 0)])
    dense = Stroke([(n / 5000, n % 2) for n in range(5)] + [(n / 10000, n / 30000) for n in range(20_000)])
    for name, ink in (("a", Ink(word)), ("b", Ink((dense,))), ("c", Ink(word))):
        write_json(tmp_path / f"{name}.json", ink)
        (tmp_path / f"{name}.txt").write_text("to", encoding="utf-8")
    names = ("a.json", "b.json", "c.json")
    done = command("align", "quickstart_pen", *names, "--format", "svg", "--out", "o", cwd=tmp_path)
    assert done.returncode == 1
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["a.svg", "c.svg"]
    assert "b.json: 20005 points; a picture shows 20000 at most" in " ".join(done.stderr.split())


def test_words_of_a_model_of_phonemes(folder: Path) -> None:
    (folder / "dict.txt").write_text("HELLO HH AH L OW\nWORLD W ER L D\n", encoding="utf-8")
    words = ("0.wav", "--text", "hello world", "--lexicon", "dict.txt")
    written = {
        name: command("align", "english_phones", *words, "--format", name, cwd=folder)
        for name in ("textgrid", "eaf", "json", "ctm")
    }
    assert all(done.returncode == 0 for done in written.values()), written["json"].stderr
    found = json.loads(written["json"].stdout)
    assert found["text"] == "hello world"
    assert [one["label"] for one in found["labels"]] == ["hh", "ah", "l", "ow", "w", "er", "l", "d"]
    assert [one["word"] for one in found["words"]] == ["hello", "world"]
    starts, ends = ([one[side] for one in found["labels"]] for side in ("start", "end"))
    assert [(one["start"], one["end"]) for one in found["words"]] == [(starts[0], ends[3]), (starts[4], ends[7])]
    assert [line.split()[4] for line in written["ctm"].stdout.splitlines()] == ["hello", "world"]
    assert written["textgrid"].stdout.count("IntervalTier") == 2
    assert 'name = "words"' in written["textgrid"].stdout
    assert 'TIER_ID="words"' in written["eaf"].stdout
    labels = command("align", "english_phones", "0.wav", "--text", "hh ah", cwd=folder)
    assert 'name = "words"' not in labels.stdout


def test_a_lexicon_that_does_not_help_is_told(folder: Path) -> None:
    (folder / "dict.txt").write_text("HELLO HH AH L OW\n", encoding="utf-8")
    done = command("align", "english_phones", "0.wav", "--text", "hallo", "--lexicon", "dict.txt", cwd=folder)
    assert "0.wav': hallo is not in the lexicon; add its pronunciation; did you mean 'HELLO'?" in done.stderr
    done = align(folder, "0.wav", "--lexicon", "dict.txt")
    assert "--lexicon is for a model of phonemes; this model spells words itself: leave --lexicon out" in done.stderr
    done = command("align", "english_phones", "0.wav", "--text", "hello", cwd=folder)
    assert "label 'hello'" in done.stderr
    assert "; to align words, give a pronouncing dictionary with --lexicon" in done.stderr


def test_help_has_examples(tmp_path: Path) -> None:
    done = command("align", "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "asr-align" in done.stdout
    assert 'asr-align english_phones hello.wav --text "hh ah l ow"' in done.stdout
