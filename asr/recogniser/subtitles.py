"""Write subtitles of a recording, as SubRip (srt) and WebVTT (vtt): words are joined into cues.

A cue has at most two lines of 42 characters and lasts at most 7 seconds. It ends at a pause of 0.8 seconds. If the next
word does not fit, the cue is divided at the longest pause in its second half, and the words after the pause begin the
next cue. Two lines are broken where the longer of them is shortest. A cue is shown from the beginning of its first word
to the end of its last, and for at least a second if the next cue begins later; cues never overlap. Words longer than a
line are divided. For a model of phonemes, each label is a word.
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
    """A text and the time for which it is shown.

    Attributes:
        start: milliseconds from the beginning of the recording.
        end: milliseconds from the beginning of the recording; later than `start`.
        lines: one or two lines, none of them empty.
    """

    start: int
    end: int
    lines: tuple[str, ...]


def cues_of(found: Hypothesis) -> list[Cue]:
    """Join the words of a recording into cues, in order, by the rules of this module.

    >>> from asr.decoding.hypothesis import Score
    >>> words = (Span("GO", 0.5, 0.75, 1.0), Span("LEFT", 0.8, 1.2, 1.0), Span("STOP", 3.0, 3.4, 1.0))
    >>> [(cue.start, cue.end, cue.lines) for cue in cues_of(Hypothesis((), "GO LEFT STOP", Score(0.0), (), words))]
    [(500, 1500, ('GO LEFT',)), (3000, 4000, ('STOP',))]
    """
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
    """Yield the lines of a SubRip file, without line ends."""
    for number, cue in enumerate(cues_of(found)):
        yield from [""] * (number > 0)
        yield str(number + 1)
        yield f"{_time(cue.start, ',')} --> {_time(cue.end, ',')}"
        yield from cue.lines


def vtt_lines(found: Hypothesis) -> Iterator[str]:
    """Yield the lines of a WebVTT file (https://www.w3.org/TR/webvtt1/), without line ends."""
    yield "WEBVTT"
    for cue in cues_of(found):
        yield ""
        yield f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}"
        yield from (line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in cue.lines)


def _short(word: Span) -> list[Span]:
    """Return a word, or pieces of it that fit into a line, each with its share of the time; white space is removed."""
    text = "".join(printable(word.label).split())
    pieces = [text[i : i + _LINE] for i in range(0, len(text), _LINE)]
    ends = [word.start + (word.end - word.start) * (n + 1) / len(pieces) for n in range(len(pieces))]
    return [
        Span(piece, start, end, word.confidence)
        for piece, (start, end) in zip(pieces, pairwise([word.start, *ends]), strict=True)
    ]


def _groups(words: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield the words of each cue."""
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
    """Return how many words are before the longest pause in the second half; of equal pauses, the last."""
    places = range(max(1, len(words) // 2), len(words))
    return max(places, key=lambda n: (round(words[n].start - words[n - 1].end, 3), n))


def _fits(words: Sequence[Span]) -> bool:
    return words[-1].end - words[0].start <= _LONGEST and all(len(line) <= _LINE for line in _lines(_text(words)))


def _text(words: Sequence[Span]) -> str:
    return " ".join(word.label for word in words)


def _lines(text: str) -> tuple[str, ...]:
    """Return one line, or two lines of which the longer is as short as possible."""
    if len(text) <= _LINE:
        return (text,)
    breaks = [n for n, character in enumerate(text) if character == " "]
    if not breaks:
        return (text,)
    middle = min(breaks, key=lambda n: max(n, len(text) - n - 1))
    return text[:middle], text[middle + 1 :]


def _end(start: int, words: Sequence[Span], following: int | None) -> int:
    """Return the end of a cue, in milliseconds; `following` is the start of the next cue."""
    spoken = min(round(1000 * words[-1].end), start + round(1000 * _LONGEST))
    end = max(spoken, start + round(1000 * _SHORTEST))
    return end if following is None else min(end, following)


def _time(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"
