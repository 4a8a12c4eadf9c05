"""Check that Ogg files (Vorbis, Opus, FLAC) are complete, and split chained files into their links.

`cat a.ogg b.ogg > c.ogg` makes an Ogg file of two links, as recorders of web radio do. libsndfile reads only the first
link and skips damaged pages, both without a warning.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from asr.audio.content import Content, View
from asr.errors import DataError

_MARK = b"OggS"
_HEAD = 27  # bytes of a page before the table of its segments
_LARGEST_PAGE = _HEAD + 255 + 255 * 255
_BLOCK = 1 << 20  # bytes read at a time
_MOST_PAGES = 1_200_000  # six hours of pages of 20 ms; checking them takes three seconds
_MOST_LINKS = 1000
_BEGIN, _END = 0x02, 0x04
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class _Page:
    begin: int
    raw: bytes

    @property
    def end(self) -> int:
        return self.begin + len(self.raw)

    def has(self, flag: int) -> bool:
        return bool(self.raw[5] & flag)


def links(content: Content, start: int) -> list[View]:
    """Return the links of an Ogg file, usually one; each must end with a complete page that is marked as the last.

    Raises:
        DataError: a link is cut, there is damage between pages, or there are too many pages or links.
    """
    begins: list[int] = []
    last = None
    for page in _pages(content, start):
        if page.has(_BEGIN) and (last is None or not last.has(_BEGIN)):  # multiplexed streams begin together
            if last is not None and not last.has(_END):
                raise DataError(f"{content.name}: {_cut(f'the Ogg stream before byte {page.begin}')}")
            begins.append(page.begin)
        last = page
    end = start if last is None else last.end
    _check_rest(content, end)
    if last is None or not begins or not last.has(_END):
        raise DataError(f"{content.name}: {_cut('its last Ogg page')}")
    if len(begins) > _MOST_LINKS:
        raise DataError(f"{content.name}: holds {len(begins)} Ogg streams in sequence; split it")
    if len(begins) == 1:
        return [View(content, [range(start, content.size)])]
    return [View(content, [range(*ends)]) for ends in zip(begins, [*begins[1:], end], strict=True)]


def check_pages(content: Content, start: int) -> None:
    """Raise a DataError if the checksum of a page is wrong.

    The checksum (RFC 3533) equals zlib's CRC of the bit-reversed bytes, without zlib's inversions.
    """
    for page in _pages(content, start):
        plain = page.raw[:22] + bytes(4) + page.raw[26:]
        crc = zlib.crc32(plain.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
        if int(f"{crc:032b}"[::-1], 2) != int.from_bytes(page.raw[22:26], "little"):
            raise _damaged(content, page.begin)


def codec(content: Content, start: int) -> bytes:
    """Return the first eight bytes of the first packet, which name the codec."""
    return content.at(start + _HEAD + content.at(start + _HEAD - 1, 1)[0], 8) if content.size > start + _HEAD else b""


def _pages(content: Content, position: int) -> Iterator[_Page]:
    """Yield the complete pages, up to the first that is cut or does not begin with `OggS`."""
    block, at = b"", 0
    for _ in range(_MOST_PAGES):
        if len(block) - at < _LARGEST_PAGE:
            block, at = content.at(position, _BLOCK), 0
        segments = block[at + _HEAD : at + _HEAD + block[at + _HEAD - 1]] if len(block) - at >= _HEAD else b""
        end = at + _HEAD + len(segments) + sum(segments)
        if block[at : at + 4] != _MARK or end > len(block) or len(segments) < block[at + _HEAD - 1]:
            return
        yield _Page(position, block[at:end])
        position += end - at
        at = end
    raise DataError(f"{content.name}: has more than {_MOST_PAGES} Ogg pages; split it")


def _check_rest(content: Content, end: int) -> None:
    """Raise a DataError if pages follow after a gap, or if a cut page follows; a tag may follow."""
    for begin in (end + 1, max(end + 1, content.size - 2 * _LARGEST_PAGE)):
        if _MARK in content.at(begin, 2 * _LARGEST_PAGE):
            raise _damaged(content, end)
    if content.at(end, 4) == _MARK:
        raise DataError(f"{content.name}: {_cut('its last Ogg page')}")


def _damaged(content: Content, position: int) -> DataError:
    return DataError(f"{content.name}: damaged Ogg page at byte {position}; copy it again")


def _cut(what: str) -> str:
    return (
        f"truncated: {what} is cut or not marked as the end; copy it again, or, if it is a recorded live stream,"
        " finish it with `ffmpeg -i FILE -c copy NEW`"
    )
