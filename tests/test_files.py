"""Files are whole or not there, and an error of the disk says what to do."""

from __future__ import annotations

import ast
import errno
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import asr
import data_prep
from asr import files
from asr.errors import DataError
from asr.files import (
    append,
    atomic_file,
    is_leftover,
    locked,
    make_folder,
    make_new_folder,
    obstacle,
    obstacle_to_file,
    replace_folder,
    staging,
    sweep,
    write_file,
    write_together,
)
from tests.disks import FULL, KILLED, Disk, exchanged, interrupted


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def leftover(name: str) -> str:
    return f".{name}.ctc-asr-4711-0123456789abcdef.tmp"


# Files


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_file(path, b"old")

    def fail() -> None:
        with atomic_file(path) as file:
            file.write(b"half of the new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == b"old"
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


def test_a_really_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    real = os.open
    monkeypatch.setattr(files.os, "open", lambda path, flags, *mode: real("/dev/full", os.O_WRONLY))
    expected = f"{tmp_path / 'a'} cannot be written: No space left on device; nothing was written; free some space"
    with pytest.raises(DataError, match=re.escape(expected)):
        write_file(tmp_path / "a", b"x")
    with pytest.raises(DataError, match="No space left on device; what it held before is kept; free some space"):
        append(tmp_path / "a", b"x")


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.EACCES, "give a place that may be written to"),
        (errno.EROFS, "give a place that may be written to"),
        (errno.ENOENT, "give a place that may be written to"),  # as /proc says it
        (errno.EDQUOT, "free some space, then do it again"),
        (errno.ENAMETOOLONG, "give a shorter name"),
    ],
)
def test_space_is_asked_for_only_where_it_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, remedy: str
) -> None:
    def refused(*_: object) -> int:
        raise OSError(code, os.strerror(code), ".model.tmp")

    monkeypatch.setattr(files.os, "write", refused)
    expected = f"{tmp_path / 'model'} cannot be written: {os.strerror(code)}; nothing was written; {remedy}"
    with pytest.raises(DataError, match=f"^{re.escape(expected)}$"):
        write_file(tmp_path / "model", b"x")
    assert names(tmp_path) == []


WRITERS: dict[str, Callable[[Path], object]] = {
    "write_file": lambda path: write_file(path, b"x"),
    "write_together": lambda path: write_together(path.parent, {path.name: b"x"}),
    "append": lambda path: append(path, b"x"),
    "make_folder": lambda path: make_folder(path / "folder"),
    "make_new_folder": lambda path: make_new_folder(path / "folder"),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("file/a", "Not a directory.*give a (folder that exists|place that may be written to)|File exists"),
        ("a\0b", "it has a NUL character in its name.*; give another name"),
        ("\ud800", "it has a character that no file name can hold.*; give another name"),
        ("n" * 256, "it has a name of more than 255 bytes in it.*; give a shorter name"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path, writer: str, name: str, expected: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=expected) as caught:
        WRITERS[writer](tmp_path / name)
    assert "Errno" not in str(caught.value)
    assert ".tmp" not in str(caught.value)
    assert names(tmp_path) == ["file"]


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(DataError, match="a cannot be written: Is a directory; .*; give another name"):
        write_file(tmp_path / "a", b"x")
    assert names(tmp_path) == ["a"]


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    for name in ("n" * 255, "\u00e4" * 127, "\U0001f600" * 63):
        write_file(tmp_path / name, b"x")
        append(tmp_path / name, b"y")
        assert (tmp_path / name).read_bytes() == b"xy"
    assert len(names(tmp_path)) == 3


def test_a_file_system_that_cannot_sync_folders_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: str, flags: int, *mode: int) -> int:
        if os.path.isdir(path):
            raise OSError(22, "Invalid argument")
        return real(path, flags, *mode)

    monkeypatch.setattr(files.os, "open", refuse)
    write_file(tmp_path / "a", b"x")
    write_together(tmp_path, {"b": b"y"})
    assert names(tmp_path) == ["a", "b"]


def test_files_written_together_get_their_names_together(tmp_path: Path) -> None:
    old, new = ({name: f"{age} {name}".encode() for name in "abc"} for age in ("old", "new"))
    write_together(tmp_path / "m", old)
    for at in range(100):
        disk = interrupted(lambda: write_together(tmp_path / "m", new), FULL, at)
        if not disk.struck:
            break
        if disk.calls[-1] != "fsync":  # of the folder, at the end
            assert {name: (tmp_path / "m" / name).read_bytes() for name in "abc"} in (old, new)
        assert names(tmp_path / "m") == ["a", "b", "c"]
    assert at > 10
    assert (tmp_path / "m" / "c").read_bytes() == b"new c"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_two_processes_that_write_together_leave_the_files_of_one(tmp_path: Path) -> None:
    write_together(tmp_path, dict.fromkeys("abc", b"0"))
    writers = []
    for one in (b"1", b"2", b"3"):
        writers.append(os.fork())
        if writers[-1] == 0:
            try:
                for _ in range(40):
                    write_together(tmp_path, dict.fromkeys("abc", one * 1000))
            finally:
                os._exit(0 if sys.exc_info()[0] is None else 1)
    assert [os.waitpid(one, 0)[1] for one in writers] == [0, 0, 0]
    assert len({(tmp_path / name).read_bytes() for name in "abc"}) == 1
    assert names(tmp_path) == ["a", "b", "c"]


# Folders


def test_a_staged_folder_takes_the_place_of_another_or_nothing_happens(tmp_path: Path) -> None:
    target = tmp_path / "corpus"
    for content in ("one", "two"):
        with staging(target) as place:
            assert is_leftover(place)
            (place / "a").write_text(content)
            replace_folder(place, target)
        assert (target / "a").read_text() == content
        assert names(tmp_path) == ["corpus"]

    def fail() -> None:
        with staging(target) as place:
            (place / "a").write_text("three")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (target / "a").read_text() == "two"
    assert names(tmp_path) == ["corpus"]


def test_a_killed_replacement_never_leaves_half_a_folder(tmp_path: Path) -> None:
    def replaced() -> None:
        with staging(tmp_path / "corpus") as place:
            for name in "ab":
                append(place / name, b"x")
            replace_folder(place, tmp_path / "corpus")

    replaced()
    for at in range(100):
        struck = interrupted(replaced, KILLED, at).struck
        assert not (tmp_path / "corpus").exists() or names(tmp_path / "corpus") == ["a", "b"]
        if not struck:
            break
        replaced()
    assert at > 5
    sweep(tmp_path)
    assert names(tmp_path) == ["corpus"]


def test_a_lock_keeps_others_out(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("no locks there")
    with locked(tmp_path, wait=False):
        with pytest.raises(BlockingIOError), locked(tmp_path, wait=False):
            pytest.fail("both have it")
        with locked(tmp_path / "none"):  # nothing to lock
            pass
    with locked(tmp_path, wait=False):
        pass


def test_what_stands_in_the_way_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, file, link = tmp_path / "new" / "folder", tmp_path / "file", tmp_path / "link"
    file.write_text("x")
    link.symlink_to(tmp_path / "gone")
    assert obstacle(new) == obstacle(tmp_path) == ""
    assert obstacle(file) == "is a file"
    assert obstacle(file / "a" / "b") == f"is beneath the file {file}"
    assert obstacle(link) == "is a link to nothing"
    assert obstacle(link / "a") == f"is beneath {link}, a link to nothing"
    assert obstacle(tmp_path / "a\0b" / "c") == "has a NUL character in its name"
    assert obstacle(tmp_path / ("n" * 256) / "c") == "has a name of more than 255 bytes in it"
    assert obstacle(tmp_path / "\ud800") == "has a character that no file name can hold"
    monkeypatch.setattr(files.os, "access", lambda place, mode: Path(place) != tmp_path)  # root may write everywhere
    assert obstacle(tmp_path) == "may not be written"
    assert obstacle(new) == f"cannot be made: {tmp_path} may not be written"
    monkeypatch.setattr(files, "_is_read_only", lambda place: place == tmp_path)
    assert obstacle(new) == f"cannot be made: {tmp_path} is on a read-only file system"
    assert not new.parent.exists()


def test_a_file_that_cannot_be_written_is_known_before_there_is_anything_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("x")
    assert obstacle_to_file(tmp_path / "a") == obstacle_to_file(tmp_path / "b") == ""
    assert (names(tmp_path), (tmp_path / "a").read_text()) == (["a"], "x")
    assert obstacle_to_file(tmp_path) == "is a folder"
    assert obstacle_to_file(tmp_path / "a" / "b") == f"cannot be written: {tmp_path / 'a'} is a file"
    assert obstacle_to_file(tmp_path / "no" / "b") == f"cannot be written: there is no folder {tmp_path / 'no'}"
    assert obstacle_to_file(tmp_path / ("n" * 256)) == "has a name of more than 255 bytes in it"

    def refuse(path: str, flags: int, mode: int = 0) -> int:
        raise OSError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(files.os, "open", refuse)
    told = f"cannot be written: {tmp_path} takes no file (No such file or directory)"
    assert obstacle_to_file(tmp_path / "b") == told


# Leftovers


def test_only_what_this_program_left_is_swept(tmp_path: Path) -> None:
    mine = [".notes.tmp", ".a.4711-deadbeef.tmp", "b.ctc-asr-1-0123456789abcdef.tmp", ".c.ctc-asr-1-0123.tmp.bak"]
    for name in (*mine, leftover("last.pt"), leftover("two\nlines")):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / leftover("corpus") / "inside").mkdir(parents=True)
    (tmp_path / ".corpus.backup").mkdir()
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "a").write_text("x")
    (tmp_path / leftover("link")).symlink_to(kept)
    sweep(tmp_path)
    assert names(tmp_path) == sorted([*mine, ".corpus.backup", "kept"])
    assert names(kept) == ["a"]
    sweep(tmp_path / "nowhere")


def test_what_is_young_stays(tmp_path: Path) -> None:
    old, young = tmp_path / leftover("old"), tmp_path / leftover("young")
    for path, age in ((old, 200.0), (young, 50.0)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age, time.time() - age))
    sweep(tmp_path, older_than=100.0)
    assert names(tmp_path) == [young.name]


def test_what_a_killed_process_leaves_is_known_as_left(tmp_path: Path) -> None:
    with exchanged(Disk(1, KILLED)), pytest.raises(BaseException, match="^$"):
        write_file(tmp_path / "a", b"content")
    (left,) = tmp_path.iterdir()
    assert is_leftover(left)
    assert left.read_bytes() == b"con"


# The only place

_WRITING = ("mkdir", "makedirs", "write_text", "write_bytes", "rmtree", "unlink", "mkdtemp", "fsync")
_WRITE_MODE = re.compile("[bt]?[wax][bt+]*|r[bt]*[+]")
_ELSEWHERE = {
    "asr/audio/ffmpeg.py",  # a copy for ffmpeg in a temporary folder
    "data_prep/download.py",  # appends to an archive that a later run goes on with, and unpacks it
}


def _writes(tree: ast.AST) -> Iterator[str]:
    """Calls that write a file or change a folder, by line."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        owner = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else ""
        modes = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if (
            (name == "open" and owner != "wave" and any(_WRITE_MODE.fullmatch(mode) for mode in modes))
            or (name in _WRITING and isinstance(node.func, ast.Attribute))
            or (name in ("replace", "rename", "write") and owner == "os")
        ):
            yield f"{node.lineno}: {name}"


def test_nothing_is_written_elsewhere() -> None:
    found = {}
    for package in (asr, data_prep):
        room = Path(package.__file__ or "").parent
        paths = [path for path in room.rglob("*.py") if path != room / "files.py"]
        assert len(paths) > 20
        for path in paths:
            if lines := list(_writes(ast.parse(path.read_text(encoding="utf-8")))):
                found[path.relative_to(room.parent).as_posix()] = lines
    assert found.keys() == _ELSEWHERE, found
