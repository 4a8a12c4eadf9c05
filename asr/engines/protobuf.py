"""Read the wire format of protobuf, as far as ONNX files need it; nothing is believed of a length before it is checked.

The format: https://protobuf.dev/programming-guides/encoding. A message is a row of fields; each has a tag (its number,
and how its value is written) and a value: a whole number of variable size, 4 or 8 bytes, or a length and that many
bytes. Messages within messages are such bytes. The groups of the oldest version are refused; ONNX has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

_LONGEST_VARINT = 10  # bytes: 64 bits, 7 in each
_LARGEST_NUMBER = 2**29 - 1  # of a field


class WireError(ValueError):
    """The bytes are no message, or not the expected one; the text says what is wrong, without naming the file."""


class Kind(IntEnum):
    """How the value of a field is written."""

    NUMBER = 0
    EIGHT_BYTES = 1
    BYTES = 2
    FOUR_BYTES = 5


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: its number.
        kind: how its value is written.
        value: a whole number of 64 bits without sign for `Kind.NUMBER`; the bytes otherwise, not copied.
        start: index of its first byte, that of the tag, in the message.
    """

    number: int
    kind: Kind
    value: int | memoryview
    start: int


class Wanted(NamedTuple):
    """What is expected of a field: how it is written, and whether it may stand in a message several times."""

    kind: Kind
    repeated: bool = False


def fields_of(message: memoryview) -> Iterator[Field]:
    """Read the fields of a message, in their order.

    Raises:
        WireError: a field goes beyond the end, or is written in a way that does not exist.
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
    """Read a message that must hold no other fields than these.

    Args:
        message: the bytes.
        wanted: by number. A field that is not there has no values.
        what: what the message is, for errors.

    Returns:
        The values of each wanted field, in their order.

    Raises:
        WireError: as `fields_of`; an unknown field; one that is written in another way than expected; one that is not
            `repeated` and is there twice: readers join such values, so each may see another message.
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
    """Return the text of a field that is there once, empty where it is not.

    Raises:
        WireError: it is not UTF-8.
    """
    try:
        return "".join(bytes(value).decode() for value in values if isinstance(value, memoryview))
    except UnicodeDecodeError as error:
        raise WireError(f"{what} is not UTF-8") from error


def number_of(values: Sequence[int | memoryview]) -> int:
    """Return the whole number, with its sign, of a field that is there once, 0 where it is not."""
    value = next((value for value in values if isinstance(value, int)), 0)
    return value - 2**64 if value >= 2**63 else value


def _kind(number: int) -> Kind:
    try:
        return Kind(number)
    except ValueError:
        raise WireError(f"a field is written in the way {number}, which does not exist") from None


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """A whole number of variable size at an index, and the index behind it."""
    value = 0
    for shift, byte in enumerate(message[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            if value >= 2**64:
                raise WireError("a whole number has more than 64 bits")
            return value, at + shift + 1
    raise WireError("it ends within a whole number" if len(message) - at < _LONGEST_VARINT else "a number never ends")
