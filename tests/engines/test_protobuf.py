"""The reader of protobuf's wire format against the library of Google, and on bytes that are no message."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.engines.protobuf import Kind, Wanted, WireError, checked_fields, fields_of, number_of, text_of

onnx = pytest.importorskip("onnx", reason="needs the package onnx (ctc-asr[onnx]), which brings protobuf")


def read(content: bytes) -> list[tuple[int, Kind, int | bytes]]:
    return [
        (one.number, one.kind, one.value if isinstance(one.value, int) else bytes(one.value))
        for one in fields_of(memoryview(content))
    ]


@given(
    dims=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5),
    name=st.text(max_size=300),
    raw=st.binary(max_size=300),
    real=st.floats(width=32, allow_nan=False),
)
def test_reads_what_protobuf_writes(dims: list[int], name: str, raw: bytes, real: float) -> None:
    tensor = onnx.TensorProto(dims=dims, name=name, raw_data=raw, double_data=[real])
    wanted = {1: Wanted(Kind.NUMBER, repeated=True), 8: Wanted(Kind.BYTES), 9: Wanted(Kind.BYTES),
              10: Wanted(Kind.BYTES)}  # fmt: skip
    found = checked_fields(memoryview(tensor.SerializeToString()), wanted, "a tensor")
    assert [number_of([one]) for one in found[1]] == dims
    assert text_of(found[8], "a name") == name
    assert read(tensor.SerializeToString())[len(dims) :] == [
        (8, Kind.BYTES, name.encode()), (9, Kind.BYTES, raw), (10, Kind.BYTES, np.array(real, "<f8").tobytes())
    ]  # fmt: skip
    attribute = onnx.AttributeProto(name=name, f=real)
    assert [one[:2] for one in read(attribute.SerializeToString())] == [(1, Kind.BYTES), (2, Kind.FOUR_BYTES)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x08", "it ends within a whole number"),
        (b"\x08\xff\xff", "it ends within a whole number"),
        (b"\x08" + b"\xff" * 10, "a number never ends"),
        (b"\x08" + b"\xff" * 9 + b"\x02", "a whole number has more than 64 bits"),
        (b"\x0a\x05abc", "a part of 5 bytes begins 3 bytes before the end"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", f"a part of {2**64 - 1} bytes begins 0 bytes before the end"),
        (b"\x09\0\0\0", "a part of 8 bytes begins 3 bytes before the end"),
        (b"\x0d\0\0\0", "a part of 4 bytes begins 3 bytes before the end"),
        (b"\x0b\x0c", "a field has the unknown wire type 3"),
        (b"\x02\0", "a field has the number 0"),
        (b"\x82\x80\x80\x80\x10\0", "a field has the number 536870912"),
    ],
)
def test_what_is_no_message(content: bytes, message: str) -> None:
    with pytest.raises(WireError) as caught:
        read(content)
    assert str(caught.value) == message


@given(st.binary(max_size=60))
def test_any_bytes_are_read_to_the_end_or_refused(content: bytes) -> None:
    try:
        found = list(fields_of(memoryview(content)))
    except WireError:
        return
    assert [one.start for one in found] == sorted({one.start for one in found})
    assert sum(len(one.value) for one in found if isinstance(one.value, memoryview)) <= len(content)


def test_what_a_message_may_hold() -> None:
    wanted = {1: Wanted(Kind.NUMBER), 2: Wanted(Kind.BYTES, repeated=True)}
    found = checked_fields(memoryview(b"\x12\x01a\x12\x01b"), wanted, "it")
    assert (found[1], text_of(found[2], "it")) == ([], "ab")
    for content, message in (
        (b"\x08\x01\x08\x02", "it has its field 1 twice"),
        (b"\x0a\x00", "it has a field 1 that this package does not write"),
        (b"\x18\x01", "it has a field 3 that this package does not write"),
    ):
        with pytest.raises(WireError, match=f"^{message}$"):
            checked_fields(memoryview(content), wanted, "it")
    with pytest.raises(WireError, match="^a name is not UTF-8$"):
        text_of([memoryview(b"\xff")], "a name")
