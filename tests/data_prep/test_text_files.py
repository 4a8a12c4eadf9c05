from __future__ import annotations

import os
from pathlib import Path

import pytest

from data_prep.text_files import read_text


@pytest.mark.parametrize(
    ("content", "text", "problems"),
    [
        (b"\xef\xbb\xbfa b\n\xef\xbb\xbfc\n", "a b\nc\n", []),
        (b"a\r\nb", "a\r\nb", []),
        (b"", "", []),
        (b"a\n\xff\nb", "a\n\nb", ["t:2: byte 1 of the line is not UTF-8; save the file as UTF-8"]),
        ("a\n".encode("utf-16"), None, ["t: is UTF-16; save it as UTF-8"]),
        (b"x" * 2001, None, ["t: is larger than 0 MiB; expected a text file"]),
    ],
)
def test_contents(tmp_path: Path, content: bytes, text: str | None, problems: list[str]) -> None:
    (tmp_path / "t").write_bytes(content)
    found: list[str] = []
    assert read_text(tmp_path / "t", "t", found, most_bytes=2000) == text
    assert found == problems


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found: list[str] = []
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        assert read_text(path, path.name, found) is None
    assert [one.split(": ")[1] for one in found] == [
        "does not exist; expected a text file",
        "is a folder; expected a text file",
        "is a device or a pipe; expected a text file",
        "is a device or a pipe; expected a text file",
    ]


def test_a_large_file_takes_no_memory(tmp_path: Path) -> None:
    with (tmp_path / "t").open("wb") as file:
        file.truncate(1 << 40)  # a hole
    found: list[str] = []
    assert read_text(tmp_path / "t", "t", found, most_bytes=1 << 20) is None
    assert found == ["t: is larger than 1 MiB; expected a text file"]
