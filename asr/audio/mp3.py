"""Add the length to MP3 files that lack it.

Encoders write the length into a first frame without sound (Xing or Info). Streams from servers often lack this frame;
libsndfile then guesses the length from the first bit rate, and may lose half of the sound. This module counts the
frames and puts such a frame before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asr.audio.content import Content, View

_SEARCH = 1 << 16  # bytes that are searched for the first frame
_BLOCK = 1 << 20  # bytes read at a time
_MOST_FRAMES = 2_000_000  # six hours at 48 kHz are 900,000
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version: MPEG 1, 2, 2.5
_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"3DI")  # may follow the last frame


@dataclass(frozen=True)
class _Frame:
    """A frame of layer III: its header, and its length in bytes including the header."""

    head: bytes
    version: int
    rate: int
    length: int


def with_length(content: Content, start: int) -> View | None:
    """Return the file with a first frame that holds its length; None if the frames are not contiguous to its end."""
    if _has_length(content, start):
        return View(content, [range(content.size)])
    first, count, end = None, 0, start
    for frame in _frames(content, start):
        if first is not None and (frame.version, frame.rate) != (first.version, first.rate):
            return None
        first = first or frame
        count += 1
        end += frame.length
    rest = content.at(end, len(_TAGS[1]) + 8)
    if first is None or count == _MOST_FRAMES or not (rest.startswith(_TAGS) or not rest.strip(b"\0")):
        return None
    return View(content, [_length_frame(first, count), range(start, end)])


def _has_length(content: Content, start: int) -> bool:
    """Return whether the first frame has a Xing or Info header with the number of frames."""
    first = content.at(start, _SEARCH)
    for mark in (b"Xing", b"Info"):
        at = first.find(mark)
        if 0 <= at <= len(first) - 8 and first[at + 7] & 0x01:
            return True
    return False


def _frames(content: Content, position: int) -> Iterator[_Frame]:
    """Yield the complete frames, up to the first that is cut or has no valid header."""
    block, begin = b"", position
    for _ in range(_MOST_FRAMES):
        if position + 4 > begin + len(block):
            block, begin = content.at(position, _BLOCK), position
        frame = _frame(block[position - begin : position - begin + 4])
        if frame is None or position + frame.length > content.size:
            return
        yield frame
        position += frame.length


def _frame(head: bytes) -> _Frame | None:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # the code of layer III is 1
        return None
    version, kbit, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version not in _RATES or kbit in (0, 15) or rate == 3:
        return None
    hertz = _RATES[version][rate]
    bits = (_KBITS_1 if version == 3 else _KBITS_2)[kbit] * 1000
    return _Frame(head, version, hertz, (144 if version == 3 else 72) * bits // hertz + (head[2] >> 1 & 1))


def _length_frame(frame: _Frame, count: int) -> bytes:
    """Return a frame without sound, of the same kind as `frame`, that says how many frames follow."""
    mono = frame.head[3] >> 6 == 3
    side = {(True, True): 17, (True, False): 32, (False, True): 9, (False, False): 17}[frame.version == 3, mono]
    head = bytes([0xFF, frame.head[1] | 1, 0xE0 | frame.head[2] & 0x0C, frame.head[3]])  # no checksum, highest rate
    whole = _frame(head)
    length = whole.length if whole is not None else 0
    return (head + bytes(side) + b"Info" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")).ljust(length, b"\0")
