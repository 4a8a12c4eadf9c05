"""Subtitles are read back as their formats say, and hold every word once, in readable cues."""

from __future__ import annotations

import html
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.recogniser.subtitles import Cue, cues_of, srt_lines, vtt_lines


def found(*words: tuple[str, float, float]) -> Hypothesis:
    spans = tuple(Span(text, start, end, 0.9) for text, start, end in words)
    return Hypothesis((), "", Score(0.0), (), spans)


def spoken(text: str, begin: float = 0.0, each: float = 0.3, pause: float = 0.1) -> list[tuple[str, float, float]]:
    """Words of equal length and pauses between them."""
    step = each + pause
    return [(word, begin + n * step, begin + n * step + each) for n, word in enumerate(text.split())]


def parsed(text: str, point: str) -> list[Cue]:
    """What a player makes of the cues: blocks parted by blank lines, times in a line before the text."""
    cues = []
    for block in text.strip("\n").split("\n\n"):
        lines = block.split("\n")
        times = re.fullmatch(
            rf"(\d\d+):(\d\d):(\d\d){point}(\d\d\d) --> (\d\d+):(\d\d):(\d\d){point}(\d\d\d)", lines[0]
        )
        assert times is not None, lines
        values = list(map(int, times.groups()))
        assert all(value < 60 for value in (*values[1:3], *values[5:7]))
        start, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (values[:4], values[4:]))
        assert lines[1:]
        assert all(line.strip() for line in lines[1:])
        cues.append(Cue(start, end, tuple(lines[1:])))
    return cues


def read_srt(text: str) -> list[Cue]:
    blocks = text.strip("\n").split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [str(n + 1) for n in range(len(blocks))]
    return parsed("\n\n".join(block.split("\n", 1)[1] for block in blocks), ",")


def read_vtt(text: str) -> list[Cue]:
    head, _, rest = text.partition("\n\n")
    assert head == "WEBVTT"
    assert rest.count("-->") == len(rest.split("\n\n"))
    assert not re.search(r"&(?!amp;|lt;|gt;)", rest)
    cues = parsed(rest, r"\.")
    assert not any(re.search("[<>]", line) for cue in cues for line in cue.lines)
    return [Cue(cue.start, cue.end, tuple(map(html.unescape, cue.lines))) for cue in cues]


def test_srt_word_for_word():
    words = found(*spoken("to be or not", 0.5), *spoken("to be", 3723.0))
    assert list(srt_lines(words)) == [
        "1", "00:00:00,500 --> 00:00:02,000", "to be or not", "",
        "2", "01:02:03,000 --> 01:02:04,000", "to be",
    ]  # fmt: skip


def test_vtt_escapes_what_is_markup():
    assert list(vtt_lines(found(("a<b>", 0.0, 2.0), ("&-->", 2.0, 3.0)))) == [
        "WEBVTT", "", "00:00:00.000 --> 00:00:03.000", "a&lt;b&gt; &amp;--&gt;",
    ]  # fmt: skip


def test_silence_has_no_cues():
    assert list(srt_lines(found())) == []
    assert list(vtt_lines(found())) == ["WEBVTT"]


def test_a_cue_ends_at_a_pause():
    assert [cue.lines for cue in cues_of(found(*spoken("one two"), *spoken("three four", 2.0)))] == [
        ("one two",),
        ("three four",),
    ]


def test_lines_are_of_similar_length():
    (cue,) = cues_of(found(*spoken("the quick brown fox jumps over the lazy dog today", each=0.2)))
    assert cue.lines == ("the quick brown fox jumps", "over the lazy dog today")


def test_a_full_cue_is_cut_at_the_longest_pause_of_its_second_half():
    words = spoken("a b c d e f g h i", each=0.5, pause=0.2) + spoken("j k l", 6.6, each=0.5, pause=0.2)
    later = [(text, start + 0.4 * (text > "g"), end + 0.4 * (text > "g")) for text, start, end in words]
    assert [cue.lines for cue in cues_of(found(*words))] == [("a b c d e f g h i",), ("j k l",)]
    assert [cue.lines for cue in cues_of(found(*later))] == [("a b c d e f g",), ("h i j k l",)]


def test_a_short_cue_stays_for_a_second_where_there_is_room():
    one, two, three = cues_of(found(("a", 0.0, 0.1), ("b", 0.95, 1.0), ("c", 9.0, 9.1)))
    assert [(cue.start, cue.end) for cue in (one, two, three)] == [(0, 950), (950, 1950), (9000, 10000)]


def test_long_words_are_cut():
    (cue, last) = cues_of(found(("x" * 100, 0.0, 3.0)))
    assert cue.lines == ("x" * 42, "x" * 42)
    assert last.lines == ("x" * 16,)
    assert (cue.start, cue.end, last.start, last.end) == (0, 2000, 2000, 3000)


def test_nothing_in_a_label_breaks_a_cue():
    (cue,) = read_srt("\n".join(srt_lines(found(("a\n\nb", 0.0, 1.0), ("\x1b[2J", 1.0, 2.0), (" ", 2.0, 2.1)))))
    assert cue.lines == (r"a\n\nb \x1b[2J",)


WORDS = st.lists(
    st.tuples(st.text(st.characters(codec="utf-8"), max_size=60), st.floats(0, 3), st.floats(0.01, 9)), max_size=40
)


@pytest.mark.parametrize(("write", "read"), [(srt_lines, read_srt), (vtt_lines, read_vtt)])
@given(WORDS)
def test_what_is_written_is_read_back(write, read, words: list[tuple[str, float, float]]):
    time, spans = 0.0, []
    for text, pause, length in words:
        spans.append((text, time + pause, time + pause + length))
        time += pause + length
    expected = cues_of(found(*spans))
    text = "\n".join(write(found(*spans)))
    assert (read(text) if expected else []) == expected
    for one, other in pairwise(expected):
        assert one.end <= other.start
    for cue in expected:
        assert 0 < cue.end - cue.start <= 7000
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < len(line) <= 42 for line in cue.lines)
    shown = "".join(line for cue in expected for line in cue.lines).replace(" ", "")
    assert len(shown) >= sum(len("".join(text.split())) for text, _, _ in words)
