"""Read the wire format of protobuf, as far as ONNX files need it; every length is checked before it is used.

The format: https://protobuf.dev/programming-guides/encoding. A message is a sequence of fields. Each field has a tag
(its number and wire type) and a value: a varint, 4 or 8 bytes, or a length followed by that number of bytes. A nested
message is such a sequence of bytes. The deprecated groups are refused; ONNX does not use them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

_LONGEST_VARINT = 10  # bytes: 64 bits, 7 in each
_LARGEST_NUMBER = 2**29 - 1  # largest number of a field


class WireError(ValueError):
    """The bytes are not a valid or not the expected message; the text does not name the file."""


class Kind(IntEnum):
    """The wire type of a field."""

    NUMBER = 0
    EIGHT_BYTES = 1
    BYTES = 2
    FOUR_BYTES = 5


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: the number of the field.
        kind: the wire type.
        value: an unsigned 64-bit number for `Kind.NUMBER`; a view of the bytes otherwise.
        start: the index of the first byte of the field's tag in the message.
    """

    number: int
    kind: Kind
    value: int | memoryview
    start: int


class Wanted(NamedTuple):
    """The expected wire type of a field, and whether the field may be repeated."""

    kind: Kind
    repeated: bool = False


def fields_of(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message in their order.

    Raises:
        WireError: a field extends beyond the end, or has an invalid number or wire type.
    """
    at = 0
    while at < len(message):
        start = at
        tag, at = _number(message, at)
        number, kind = tag >> 3, _kind(tag & 7)
        if not 1 <= number <= _LARGEST_NUMBER:
            raise WireError(f"a field has the number {number}")
        if kind is Kind.NUMBER:
            value, at = _number(message, at)
            yield Field(number, kind, value, start)
            continue
        size = {Kind.EIGHT_BYTES: 8, Kind.FOUR_BYTES: 4}.get(kind)
        if size is None:
            size, at = _number(message, at)
        if size > len(message) - at:
            raise WireError(f"a part of {size} bytes begins {len(message) - at} bytes before the end")
        yield Field(number, kind, message[at : at + size], start)
        at += size


def checked_fields(message: memoryview, wanted: Mapping[int, Wanted], what: str) -> dict[int, list[int | memoryview]]:
    """Read a message that must not contain any other fields.

    Args:
        message: the bytes.
        wanted: the allowed fields by number.
        what: the name of the message, for errors.

    Returns:
        The values of each allowed field in their order; an empty list for a field that is missing.

    Raises:
        WireError: see `fields_of`; or a field is unknown, has another wire type, or is not `repeated` and occurs twice.
            Readers merge such fields in different ways, so they might not read the same message.
    """
    found: dict[int, list[int | memoryview]] = {number: [] for number in wanted}
    for field in fields_of(message):
        rule = wanted.get(field.number)
        if rule is None or rule.kind is not field.kind:
            raise WireError(f"{what} has a field {field.number} that this package does not write")
        values = found[field.number]
        if values and not rule.repeated:
            raise WireError(f"{what} has its field {field.number} twice")
        values.append(field.value)
    return found


def text_of(values: Sequence[int | memoryview], what: str) -> str:
    """Return the text of a field that occurs at most once; empty if it is missing.

    Args:
        values: the values of the field, from `checked_fields`.
        what: the name of the text, for errors.

    Raises:
        WireError: the text is not UTF-8.
    """
    try:
        return "".join(bytes(value).decode() for value in values if isinstance(value, memoryview))
    except UnicodeDecodeError as error:
        raise WireError(f"{what} is not UTF-8") from error


def number_of(values: Sequence[int | memoryview]) -> int:
    """Return the signed number of a field that occurs at most once; 0 if it is missing.

    >>> number_of([2**64 - 3]), number_of([])
    (-3, 0)
    """
    value = next((value for value in values if isinstance(value, int)), 0)
    return value - 2**64 if value >= 2**63 else value


def _kind(number: int) -> Kind:
    try:
        return Kind(number)
    except ValueError:
        raise WireError(f"a field has the unknown wire type {number}") from None


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """Read the varint at an index; return it and the index after it."""
    value = 0
    for shift, byte in enumerate(message[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            if value >= 2**64:
                raise WireError("a whole number has more than 64 bits")
            return value, at + shift + 1
    raise WireError("it ends within a whole number" if len(message) - at < _LONGEST_VARINT else "a number never ends")
