"""MP3 files that do not tell their length: libsndfile guesses it from the first bit rate, and may lose half the sound.

Encoders tell it in a first frame without sound (Xing or Info); where this is missing, as in much of what servers
stream, the frames are counted here, and such a frame is put before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asr.audio.content import Content, View

_SEARCH = 1 << 16  # bytes in which the first frame is looked for
_BLOCK = 1 << 20  # bytes read at a time
_MOST_FRAMES = 2_000_000  # six hours at 48 kHz are 900,000
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version: MPEG 1, 2, 2.5
_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"3DI")  # may stand behind the last frame


@dataclass(frozen=True)
class _Frame:
    """The head of a frame of layer III; its length in bytes, head included."""

    head: bytes
    version: int
    rate: int
    length: int


def with_length(content: Content, start: int) -> View | None:
    """The file, with a first frame that tells its length; None where the frames do not follow each other to its end."""
    if _tells_length(content, start):
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
    return View(content, [_telling(first, count), range(start, end)])


def _tells_length(content: Content, start: int) -> bool:
    """Whether a Xing or Info header in the first frame tells the number of frames."""
    first = content.at(start, _SEARCH)
    for mark in (b"Xing", b"Info"):
        at = first.find(mark)
        if 0 <= at <= len(first) - 8 and first[at + 7] & 0x01:
            return True
    return False


def _frames(content: Content, position: int) -> Iterator[_Frame]:
    """Whole frames, up to the first that is cut or does not begin as frames do."""
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
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # layer III is written as 1
        return None
    version, kbit, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version not in _RATES or kbit in (0, 15) or rate == 3:
        return None
    hertz = _RATES[version][rate]
    bits = (_KBITS_1 if version == 3 else _KBITS_2)[kbit] * 1000
    return _Frame(head, version, hertz, (144 if version == 3 else 72) * bits // hertz + (head[2] >> 1 & 1))


def _telling(frame: _Frame, count: int) -> bytes:
    """A frame like this one, without sound, that tells the number of those behind it."""
    mono = frame.head[3] >> 6 == 3
    side = {(True, True): 17, (True, False): 32, (False, True): 9, (False, False): 17}[frame.version == 3, mono]
    head = bytes([0xFF, frame.head[1] | 1, 0xE0 | frame.head[2] & 0x0C, frame.head[3]])  # no checksum, highest rate
    whole = _frame(head)
    length = whole.length if whole is not None else 0
    return (head + bytes(side) + b"Info" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")).ljust(length, b"\0")
