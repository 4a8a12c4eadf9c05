"""Subtitles of a recording: words with their times, put together to cues, as SubRip (srt) and WebVTT (vtt).

The rule: a cue has at most two lines of 42 characters and lasts at most 7 seconds. It ends where nobody speaks for 0.8
seconds. Where the next word does not fit, the cue is cut at the longest pause in its second half, and what is behind
the pause goes on with the next word. The first line is broken where the longer of both lines is shortest. A cue stands
from its first word's beginning to its last word's end, and for a second at least where the next cue leaves room for it;
cues never overlap. Words longer than a line are cut. The labels of a model of phones are words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from asr.decoding.hypothesis import Hypothesis, Span
from asr.printable import printable

_LINE = 42  # characters
_LONGEST, _SHORTEST = 7.0, 1.0  # seconds of a cue
_PAUSE = 0.8  # seconds


@dataclass(frozen=True)
class Cue:
    """Text that is shown for a while.

    Attributes:
        start, end: milliseconds from the beginning of the recording; start < end.
        lines: one or two, none of them empty.
    """

    start: int
    end: int
    lines: tuple[str, ...]


def cues_of(found: Hypothesis) -> list[Cue]:
    """Put the words of a recording together to cues, by the rule of this module; they follow each other."""
    groups = list(_groups([part for word in found.words for part in _short(word)]))
    starts: list[int] = []
    for group in groups:
        starts.append(max(round(1000 * group[0].start), starts[-1] + 1 if starts else 0))
    nexts = [*starts, None][1:]
    return [
        Cue(start, _end(start, group, following), _lines(_text(group)))
        for start, group, following in zip(starts, groups, nexts, strict=True)
    ]


def srt_lines(found: Hypothesis) -> Iterator[str]:
    """The lines of a SubRip file, without their ends."""
    for number, cue in enumerate(cues_of(found)):
        yield from [""] * (number > 0)
        yield str(number + 1)
        yield f"{_time(cue.start, ',')} --> {_time(cue.end, ',')}"
        yield from cue.lines


def vtt_lines(found: Hypothesis) -> Iterator[str]:
    """The lines of a WebVTT file (https://www.w3.org/TR/webvtt1/), without their ends."""
    yield "WEBVTT"
    for cue in cues_of(found):
        yield ""
        yield f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}"
        yield from (line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in cue.lines)


def _short(word: Span) -> list[Span]:
    """The word, or pieces of it that fit into a line, each with its share of the time; nothing of white space."""
    text = "".join(printable(word.label).split())
    pieces = [text[i : i + _LINE] for i in range(0, len(text), _LINE)]
    ends = [word.start + (word.end - word.start) * (n + 1) / len(pieces) for n in range(len(pieces))]
    return [
        Span(piece, start, end, word.confidence)
        for piece, (start, end) in zip(pieces, pairwise([word.start, *ends]), strict=True)
    ]


def _groups(words: Sequence[Span]) -> Iterator[list[Span]]:
    """The words of each cue."""
    group: list[Span] = []
    for word in words:
        if group and word.start - group[-1].end >= _PAUSE:
            yield group
            group = []
        while group and not _fits([*group, word]):
            cut = _longest_pause([*group, word])
            yield group[:cut]
            group = group[cut:]
        group.append(word)
    if group:
        yield group


def _longest_pause(words: Sequence[Span]) -> int:
    """How many words stand before the longest pause of the second half; the last of several."""
    places = range(max(1, len(words) // 2), len(words))
    return max(places, key=lambda n: (round(words[n].start - words[n - 1].end, 3), n))


def _fits(words: Sequence[Span]) -> bool:
    return words[-1].end - words[0].start <= _LONGEST and all(len(line) <= _LINE for line in _lines(_text(words)))


def _text(words: Sequence[Span]) -> str:
    return " ".join(word.label for word in words)


def _lines(text: str) -> tuple[str, ...]:
    """One line, or two whose longer one is as short as can be."""
    if len(text) <= _LINE:
        return (text,)
    breaks = [n for n, character in enumerate(text) if character == " "]
    if not breaks:
        return (text,)
    middle = min(breaks, key=lambda n: max(n, len(text) - n - 1))
    return text[:middle], text[middle + 1 :]


def _end(start: int, words: Sequence[Span], following: int | None) -> int:
    """Milliseconds at which a cue goes."""
    spoken = min(round(1000 * words[-1].end), start + round(1000 * _LONGEST))
    end = max(spoken, start + round(1000 * _SHORTEST))
    return end if following is None else min(end, following)


def _time(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"
