"""Find the length of FLAC streams whose header lacks it because the encoder wrote to a pipe.

The length follows from the last frame: a frame's header holds its number (or the number of its first sample) and its
number of samples, and two checksums show whether it is complete. Format: RFC 9639.
"""

from __future__ import annotations

from collections.abc import Iterator

from asr.audio.content import Content, View, patched
from asr.errors import DataError

_STREAMINFO = 8  # its position, after the marker and the head of the metadata block
_TOTAL = _STREAMINFO + 10  # position of eight bytes whose last 36 bits are the number of samples
_TAILS = (1 << 16, 1 << 21)  # bytes at the end that are searched for the last frame; no frame exceeds the second
_MOST_TRIES = 8  # checksums computed per search, because each is slow
_BLOCK_SIZES = {1: 192, **{k: 144 << k for k in range(2, 6)}, **{k: 1 << k for k in range(8, 16)}}


def with_length(content: Content, start: int) -> View:
    """Return the file with its length in the header; add the length if the header lacks it.

    Args:
        content: the file.
        start: position of the FLAC marker.

    Raises:
        DataError: the header has no length, and the last frame is incomplete.
    """
    head = content.at(start, _TOTAL + 8)
    told = int.from_bytes(head[_TOTAL:], "big")
    if len(head) < _TOTAL + 8 or told & 0xF_FFFF_FFFF:
        return View(content, [range(start, content.size)])
    block_size = int.from_bytes(head[_STREAMINFO + 2 : _STREAMINFO + 4], "big")
    for n_bytes in _TAILS:
        begin = max(start + _TOTAL + 8, content.size - n_bytes)
        total = _samples_at_end(content.at(begin, n_bytes), block_size)
        if 0 < total < 1 << 36:
            return patched(content, start, {start + _TOTAL: (told | total).to_bytes(8, "big")})
    raise DataError(
        f"{content.name}: truncated: its header has no length, and its last frame is cut or damaged;"
        " copy it again, or save what is left with `ffmpeg -i FILE NEW.flac`"
    )


def _samples_at_end(tail: bytes, block_size: int) -> int:
    """Return the number of samples of the stream if `tail` ends with a complete frame, else 0.

    The search goes backwards: the checksum over several complete frames would be correct too, but only the last
    frame's header gives the length.
    """
    tries = 0
    for position in _sync_positions(tail):
        samples = _samples_to(tail[position : position + 16].ljust(16, b"\0"), block_size)
        if samples and tries < _MOST_TRIES:
            tries += 1
            if _crc(tail[position:-2], _CRC16, 16) == int.from_bytes(tail[-2:], "big"):
                return samples
    return 0


def _sync_positions(tail: bytes) -> Iterator[int]:
    """Yield the positions where a frame may begin, from the end backwards."""
    position = len(tail)
    while (position := tail.rfind(b"\xff", 0, position)) >= 0:
        if tail[position + 1 : position + 2] in (b"\xf8", b"\xf9"):
            yield position


def _samples_to(head: bytes, block_size: int) -> int:
    """Return the number of samples up to the end of the frame with this header (16 bytes); 0 if it is not a header."""
    number_bytes = _length_of_number(head[4])
    if not number_bytes:
        return 0
    code, at = head[2] >> 4, 4 + number_bytes
    extra = {6: 1, 7: 2}.get(code, 0)
    size = int.from_bytes(head[at : at + extra], "big") + 1 if extra else _BLOCK_SIZES.get(code, 0)
    at += extra + {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    if not size or _crc(head[:at], _CRC8, 8) != head[at]:
        return 0
    return size + _number(head[4 : 4 + number_bytes]) * (1 if head[1] & 1 else block_size)


def _length_of_number(first: int) -> int:
    """Return the length in bytes (1 to 7) of a number in UTF-8 coding, given its first byte; 0 if it is invalid."""
    ones = 8 - (~first & 0xFF).bit_length()
    return {0: 1, 1: 0, 8: 0}.get(ones, ones)


def _number(coded: bytes) -> int:
    if len(coded) == 1:
        return coded[0]
    value = coded[0] & (0x7F >> len(coded))
    for byte in coded[1:]:
        value = value << 6 | byte & 0x3F
    return value


def _crc_table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << bits - 1, (1 << bits) - 1
    table = []
    for byte in range(256):
        crc = byte << bits - 8
        for _ in range(8):
            crc = (crc << 1 ^ polynomial) & mask if crc & top else crc << 1
        table.append(crc)
    return tuple(table)


def _crc(data: bytes, table: tuple[int, ...], bits: int) -> int:
    crc, mask = 0, (1 << bits) - 1
    for byte in data:
        crc = (crc << 8 & mask) ^ table[crc >> bits - 8 ^ byte]
    return crc


_CRC8, _CRC16 = _crc_table(0x07, 8), _crc_table(0x8005, 16)
