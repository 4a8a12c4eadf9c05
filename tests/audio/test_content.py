from __future__ import annotations

import io
import os

import pytest

from asr.audio.content import Content, View, of_bytes, patched


@pytest.fixture
def content() -> Content:
    return of_bytes(bytes(range(100)), "a.bin")


def test_pieces_follow_each_other(content: Content):
    view = View(content, [b"ab", range(10, 15), b"", range(50, 50), b"c", range(90, 100)])
    whole = b"ab" + bytes(range(10, 15)) + b"c" + bytes(range(90, 100))
    assert view.read() == whole
    for begin in range(len(whole)):
        for n in range(len(whole) + 2):
            view.seek(begin)
            assert view.read(n) == whole[begin : begin + n]
            assert view.tell() == min(begin + n, len(whole))
    assert view.seek(-3, os.SEEK_END) == len(whole) - 3
    assert view.seek(1, os.SEEK_CUR) == len(whole) - 2
    assert not view.is_whole
    assert View(content, [range(100)]).is_whole


def test_places_outside_are_not_gone_to(content: Content):
    view = View(content, [range(100)])
    view.seek(7)
    assert view.seek(-1) == 7
    assert view.seek(101) == 7
    assert view.seek(-101, os.SEEK_END) == 7


def test_bytes_are_replaced(content: Content):
    expected = bytearray(range(2, 100))
    expected[8:10] = b"xy"
    expected[1:2] = b"z"
    assert patched(content, 2, {10: b"xy", 3: b"z"}).read() == bytes(expected)


def test_an_error_is_kept_and_not_raised():
    class Broken(io.BytesIO):
        def read(self, n: int | None = -1) -> bytes:
            raise OSError("bad sector")

    view = View(Content("a.bin", Broken(), 100), [b"head", range(100)])
    assert view.read(50) == b"head"
    assert "bad sector" in str(view.error)
