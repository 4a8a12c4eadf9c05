from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from asr.corpus.manifest import MAX_LINE_BYTES, read_manifest, utterance_problems, write_manifest
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wav").mkdir()
    (tmp_path / "wav" / "a.wav").write_bytes(b"not opened here")
    return tmp_path


def manifest(folder: Path, *lines: object) -> Path:
    path = folder / "train.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


def problems_of(folder: Path, *lines: object) -> tuple[str, ...]:
    with pytest.raises(Problems) as caught:
        read_manifest(manifest(folder, *lines))
    return caught.value.problems


def test_reads_every_field(folder: Path) -> None:
    line = {
        "id": "u1",
        "audio": "wav/a.wav",
        "start": 1,
        "duration": 2.5,
        "channel": 1,
        "text": "größer",
        "labels": ["g", "r"],
        "speaker": "anna b",
        "tags": {"dialect": "dr1"},
    }
    assert read_manifest(manifest(folder, "", line, "  ", {"id": "u2", "ink": "wav/a.wav"})) == [
        Utterance("u1", folder / "wav/a.wav", "audio", 1.0, 2.5, 1, "größer", ("g", "r"), "anna b", {"dialect": "dr1"}),
        Utterance("u2", folder / "wav/a.wav", "ink"),
    ]


FINE = {"id": "u1", "audio": "wav/a.wav"}
BAD_LINES: list[tuple[Any, str]] = [
    ("{not json}", "not JSON"),
    ("[1]", "expected a JSON object {...}, found a list"),
    ('"text"', "found a string"),
    ("null", "found null"),
    ('{"id": "u", "audio": "wav/a.wav", "start": NaN}', "NaN is not a number"),
    ('{"id": "u", "audio": "wav/a.wav", "duration": -Infinity}', "-Infinity is not a number"),
    ('{"id": "u", "audio": "wav/a.wav", "duration": 1e999}', "duration is inf"),
    ('{"id": "u", "audio": "wav/a.wav", "duration": 1' + "0" * 400 + "}", "duration is out of range"),
    ('{"id": "u", "id": "v", "audio": "wav/a.wav"}', "the key 'id' is there twice"),
    ("[" * 100_000, "not JSON"),
    ({**FINE, "duraton": 1}, "unknown key 'duraton'; did you mean 'duration'"),
    ({"id": "u"}, "neither 'audio' nor 'ink'"),
    ({**FINE, "ink": "wav/a.wav"}, "both 'audio' and 'ink'"),
    ({"audio": "wav/a.wav"}, "has no 'id'"),
    ({**FINE, "id": 7}, "id is a number; expected a string"),
    ({**FINE, "id": ""}, "id is empty"),
    ({**FINE, "id": "a b"}, "id 'a b' holds white space"),
    ({**FINE, "id": "a\u0007"}, "cannot be printed"),
    ({**FINE, "text": None}, "text is null; expected a string"),
    ({**FINE, "text": ["a"]}, "text is a list"),
    ('{"id": "u", "audio": "wav/a.wav", "text": "\\ud800"}', "U+D800, half of a surrogate pair"),
    ({**FINE, "labels": "a b"}, "labels is a string; expected a list of strings"),
    ({**FINE, "labels": ["a", 1]}, "labels holds something that is not a string"),
    ({**FINE, "labels": ["a", ""]}, "a label is empty"),
    ({**FINE, "labels": ["a b"]}, "a label 'a b' holds white space"),
    ({**FINE, "speaker": 3}, "speaker is a number"),
    ({**FINE, "tags": ["x"]}, "tags is a list; expected an object"),
    ({**FINE, "tags": {"a": 1}}, "tags holds a value that is not a string"),
    ('{"id": "u", "audio": "wav/a.wav", "start": 1e999}', "start is inf; expected seconds"),
    ({**FINE, "start": -0.5}, "start is -0.5; expected seconds, 0 or more"),
    ({**FINE, "start": True}, "start is true or false"),
    ({**FINE, "start": "1"}, "start is a string; expected a number"),
    ({**FINE, "duration": 0}, "duration is 0.0; expected more than 0"),
    ({**FINE, "channel": 0.5}, "channel is a number; expected a whole number"),
    ({**FINE, "channel": -1}, "channel is -1; expected 0 for the first"),
    ({**FINE, "audio": "wav/b.wav"}, "'wav/b.wav' does not exist; expected a file"),
    ({**FINE, "audio": "wav"}, "'wav' is a folder; expected a file"),
    ({**FINE, "audio": ""}, "the path '' is empty"),
    ({**FINE, "audio": "a\0b"}, "the path 'a\\x00b' holds a NUL character"),
    ({**FINE, "audio": "../a.wav"}, "leads out of the manifest's folder"),
    ({**FINE, "audio": "wav/../../a.wav"}, "leads out of the manifest's folder"),
]


@pytest.mark.parametrize(("line", "message"), BAD_LINES, ids=[message for _, message in BAD_LINES])
def test_bad_line_is_named(folder: Path, line: Any, message: str) -> None:
    (problem,) = problems_of(folder, {"id": "good", "audio": "wav/a.wav"}, line)
    assert problem.startswith("train.jsonl:2: ")
    assert message in problem


def test_transcripts_are_read_without_their_files(folder: Path) -> None:
    (folder / "train.jsonl").write_text('{"id": "u", "audio": "wav/gone.wav", "text": "hi"}\n')
    (utterance,) = read_manifest(folder / "train.jsonl", check_sources=False)
    assert utterance == Utterance(id="u", source=folder / "wav" / "gone.wav", kind="audio", text="hi")


def test_all_problems_come_together(folder: Path) -> None:
    problems = problems_of(folder, FINE, "{", FINE, {**FINE, "id": "u2", "audio": "x"})
    assert [problem.split(": ")[0] for problem in problems] == ["train.jsonl:2", "train.jsonl:3", "train.jsonl:4"]
    assert "id 'u1' was already used in line 1" in problems[1]


def test_line_that_is_too_long_does_not_hide_the_next(folder: Path) -> None:
    long = {**FINE, "text": "x" * (3 * MAX_LINE_BYTES)}
    problems = problems_of(folder, long, "{")
    assert problems[0].startswith(f"train.jsonl:1: the line is longer than {MAX_LINE_BYTES} bytes")
    assert problems[1].startswith("train.jsonl:2: not JSON")
    assert len(problems) == 2


def test_line_of_exactly_the_limit_is_read(folder: Path) -> None:
    empty = len(json.dumps({**FINE, "text": ""}))
    path = manifest(folder, {**FINE, "text": "x" * (MAX_LINE_BYTES - empty)}, {**FINE, "id": "u2"})
    assert [utterance.id for utterance in read_manifest(path)] == ["u1", "u2"]


def test_bytes_that_are_not_utf8(folder: Path) -> None:
    path = folder / "train.jsonl"
    path.write_bytes('{"id": "u1", "audio": "wav/a.wav", "text": "ö"}'.encode("latin-1"))
    with pytest.raises(Problems, match=r"train\.jsonl:1: byte 45 of the line is not UTF-8"):
        read_manifest(path)


def test_links_may_not_leave_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.wav"
    outside.write_bytes(b"x")
    (folder / "file.wav").symlink_to(outside)
    (folder / "linked").symlink_to(outside.parent)
    problems = problems_of(folder, {**FINE, "audio": "file.wav"}, {**FINE, "audio": "linked/secret.wav"})
    assert len(problems) == 2
    assert all("leads out of the manifest's folder" in problem for problem in problems)
    assert read_manifest(manifest(folder, {**FINE, "audio": str(outside)}))[0].source == outside


def test_a_folder_reached_by_a_link_is_read(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "real" / "b.wav").write_bytes(b"x")
    (folder / "link").symlink_to(folder / "real")
    path = manifest(folder / "link", {"id": "u", "audio": "b.wav"})
    assert read_manifest(path)[0].source == folder / "link" / "b.wav"


def test_manifest_that_cannot_be_read(folder: Path) -> None:
    with pytest.raises(DataError, match=r"there is no manifest .*nothing\.jsonl; asr-prepare writes one"):
        read_manifest(folder / "nothing.jsonl")
    with pytest.raises(DataError, match=r"is a folder; expected a manifest"):
        read_manifest(folder)
    with pytest.raises(Problems, match=r"holds no utterance"):
        read_manifest(manifest(folder, "", " "))


def test_nemo_lines_are_read_as_they_are(folder: Path) -> None:
    # The keys of NVIDIA NeMo's ASR manifests; `lang` and the like are free additions there.
    absolute = str(folder / "wav" / "a.wav")
    lines = [
        {"audio_filepath": "wav/a.wav", "duration": 3.2, "text": "hello"},
        {
            "audio_filepath": absolute,
            "offset": 1.5,
            "duration": 0.5,
            "text": "",
            "speaker": 12,
            "lang": "en",
            "pnc": None,
        },
    ]
    assert read_manifest(manifest(folder, *lines)) == [
        Utterance("a", folder / "wav/a.wav", duration=3.2, text="hello"),
        Utterance("a-2", folder / "wav/a.wav", start=1.5, duration=0.5, text="", speaker="12", tags={"lang": "en"}),
    ]


def test_writes_relative_paths_beneath_the_folder_and_absolute_ones_elsewhere(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "b.wav"
    outside.write_bytes(b"x")
    path = folder / "new" / ".." / "m.jsonl"
    utterances = [Utterance("a", folder / "wav/a.wav", text="x"), Utterance("b", outside, text="y")]
    (folder / "new").mkdir()
    write_manifest(path, utterances)
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["audio"] for line in written] == ["wav/a.wav", str(outside)]
    assert list(written[0]) == ["id", "audio", "text"]


def test_moved_folder_is_still_read(folder: Path) -> None:
    write_manifest(folder / "m.jsonl", [Utterance("a", folder / "wav/a.wav", text="x")])
    moved = folder.with_name(folder.name + "-moved")
    folder.rename(moved)
    assert read_manifest(moved / "m.jsonl")[0].source == moved / "wav/a.wav"


def test_writer_refuses_what_the_reader_refuses_and_keeps_the_old_file(folder: Path) -> None:
    path = folder / "m.jsonl"
    source = folder / "wav/a.wav"
    write_manifest(path, [Utterance("old", source)])
    bad = [Utterance("a b", source), Utterance("c", source, start=float("nan")), Utterance("c", source, text="\ud800")]
    with pytest.raises(Problems) as caught:
        write_manifest(path, bad)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["'a b'", "'c'", "'c'", "'c'"]
    assert [utterance.id for utterance in read_manifest(path)] == ["old"]


def test_failed_write_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "m.jsonl"
    write_manifest(path, [Utterance("old", folder / "wav/a.wav")])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        write_manifest(path, [Utterance("new", folder / "wav/a.wav")])
    assert [utterance.id for utterance in read_manifest(path)] == ["old"]
    assert sorted(entry.name for entry in folder.iterdir()) == ["m.jsonl", "wav"]


texts = st.text(max_size=20)
numbers = st.none() | st.floats(min_value=0, max_value=1e6, allow_nan=False)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
    max_examples=60,
)
@given(
    st.lists(
        st.builds(
            dict,
            id=st.text(min_size=1, max_size=8),
            kind=st.sampled_from(["audio", "ink"]),
            start=numbers,
            duration=numbers,
            channel=st.none() | st.integers(0, 9),
            text=st.none() | texts,
            labels=st.none() | st.lists(st.text(alphabet="abß#-", min_size=1), max_size=4).map(tuple),
            speaker=st.none() | texts,
            tags=st.dictionaries(texts, texts, max_size=2),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda fields: fields["id"],
    )
)
def test_what_is_written_is_read_back(folder: Path, fields: list[dict[str, Any]]) -> None:
    utterances = [Utterance(source=folder / "wav/a.wav", **values) for values in fields]
    utterances = [utterance for utterance in utterances if not utterance_problems(utterance)]
    assume(utterances)
    write_manifest(folder / "m.jsonl", utterances)
    assert read_manifest(folder / "m.jsonl") == utterances


def test_sources_that_cannot_be_read_are_told_from_missing_ones(folder: Path) -> None:
    os.mkfifo(folder / "pipe.wav")
    lines = [{"id": str(n), "audio": path} for n, path in enumerate(["pipe.wav", "/dev/zero", "x" * 300, "wav"])]
    assert [one.partition(": ")[2] for one in problems_of(folder, *lines)] == [
        "'pipe.wav' is a device or a pipe; expected a file",
        "'/dev/zero' is a device or a pipe; expected a file",
        f"the path '{'x' * 80}'... is too long (a path may have 4096 bytes, each name in it 255)",
        "'wav' is a folder; expected a file",
    ]


def test_a_manifest_that_never_ends_is_refused() -> None:
    with pytest.raises(DataError, match="/dev/zero is a device or a pipe; expected a manifest"):
        read_manifest("/dev/zero")


def test_numbers_of_many_digits(folder: Path) -> None:
    (folder / "train.jsonl").write_text('{"id": "a", "audio": "wav/a.wav", "start": ' + "9" * 5000 + "}\n")
    with pytest.raises(Problems, match=r"train\.jsonl:1: not JSON \(nested too deeply, or a number too long\)"):
        read_manifest(folder / "train.jsonl")
