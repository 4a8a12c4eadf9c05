from __future__ import annotations

import os
from pathlib import Path

import pytest

from asr.corpus.named_files import below, file_problem, path_problem, quoted


def test_names_that_no_file_can_have() -> None:
    assert path_problem("a/b.wav") == ""
    assert path_problem(" ") == "is empty"
    assert path_problem("a\0b") == "holds a NUL character"
    assert path_problem("a\udce9") == "is not UTF-8"
    assert path_problem("é" * 127) == ""
    assert path_problem("é" * 128).startswith("is too long")  # 256 bytes
    assert path_problem("a/" * 3000).startswith("is too long")


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    assert file_problem(tmp_path / "a") == ""
    assert file_problem(tmp_path / "b") == file_problem(tmp_path / "a" / "b") == "does not exist"
    assert file_problem(tmp_path) == "is a folder"
    assert file_problem(tmp_path / "pipe") == file_problem(Path("/dev/null")) == "is a device or a pipe"
    assert file_problem(tmp_path / ("a" * 300)).startswith("cannot be accessed: ")
    assert file_problem(tmp_path / "a\0").startswith("cannot be accessed: ")


def test_relative_paths_stay_below(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/")
    assert below("x/../y", tmp_path) == tmp_path / "y"
    assert below("../y", tmp_path) is below("out/etc", tmp_path) is None
    assert below("/etc/x", tmp_path) == Path("/etc/x")


@pytest.mark.parametrize(("text", "shown"), [("a'b", '"a\'b"'), ("\x1b", "'\\x1b'"), ("9" * 5000, f"'{'9' * 80}'...")])
def test_quotes_are_short_and_escaped(text: str, shown: str) -> None:
    assert quoted(text) == shown
