"""The strokes of words."""

from __future__ import annotations

import numpy as np
import pytest

import asr
from asr.decoding.hypothesis import Span
from asr.ink import Ink
from asr.recogniser.page_words import words_in
from asr.recogniser.recogniser import Recogniser
from asr.seeds import generator


def word(label: str, start: float, end: float) -> Span:
    return Span(label, start, end, 0.9)


def letters(*lefts: float) -> list[list[list[float]]]:
    """Strokes of four points, 10 high and 4 wide."""
    return [[[x, 10], [x, 0], [x + 2, 5], [x + 4, 0]] for x in lefts]


def test_the_border_is_the_lift_with_the_widest_gap() -> None:
    """The network's letters begin at points 0, 4 and 16; of the lifts at 8, 12 and 16 that at 12 goes farthest."""
    ink = Ink.of(*letters(0, 5, 10, 30, 35))
    first, second = words_in(ink, [word("abc", 0, 9), word("de", 13, 18)])
    assert first.strokes == (0, 1, 2)
    assert second.strokes == (3, 4)
    assert np.array_equal(second.points, Ink.of(*letters(30, 35)).points())


def test_a_dot_that_was_added_later_goes_to_the_word_below_it() -> None:
    ink = Ink.of(*letters(0, 5, 30, 35), [[7, 12]])
    first, second = words_in(ink, [word("ai", 0, 5), word("bc", 9, 14)])
    assert first.strokes == (0, 1, 4)
    assert second.strokes == (2, 3)


def test_a_stroke_without_a_lift_is_divided() -> None:
    ink = Ink.of([[x, x % 2 * 10] for x in range(20)])
    first, second = words_in(ink, [word("a", 0, 4), word("b", 14, 18)])
    assert first.strokes == second.strokes == (0,)
    assert len(first.points) == 12  # 4 + 0.8 * 10
    assert np.array_equal(np.concatenate([first.points, second.points]), ink.points())


def test_one_word_has_all_the_ink_and_no_word_none() -> None:
    ink = Ink.of(*letters(0, 30))
    (only,) = words_in(ink, [word("ab", 3, 4)])
    assert only.strokes == (0, 1)
    assert words_in(ink, []) == []


@pytest.mark.parametrize("seed", range(20))
def test_all_ink_is_given_to_a_word(seed: int) -> None:
    random = generator(seed, "words")
    ink = Ink.of(*(random.normal(size=(int(random.integers(1, 6)), 2)) for _ in range(8)))
    places = np.sort(random.integers(0, ink.n_points + 1, 2 * int(random.integers(1, 9))))
    words = [word("a", float(a), float(b)) for a, b in places.reshape(-1, 2)]
    found = words_in(ink, words)
    assert len(found) == len(words)
    assert sorted({k for one in found for k in one.strokes}) == list(range(len(ink.strokes)))
    assert sum(len(one.points) for one in found) == ink.n_points


@pytest.fixture(scope="module")
def pen() -> Recogniser:
    return asr.load("quickstart_pen")


def test_words_of_written_lines_have_their_strokes(pen: Recogniser) -> None:
    """Lines whose words were written one by one, with dots and bars at the end of their word or at once."""
    pytest.importorskip("HersheyFonts", reason="the package Hershey-Fonts holds the letters")
    from data_prep.hershey.hand import Writing, hand

    right = n_strokes = 0
    for number, style in enumerate(["print", "script", "mixed"]):
        writing = Writing(hand(f"words {style}", 3, style))
        parts = [writing.write(text, generator(number, text)) for text in ("some", "little", "words")]
        strokes, truth, left = [], [], 0.0
        for n, part in enumerate(parts):
            shift = left - part.bounds()[0]
            strokes += [stroke.points + np.array([shift, 0.0]) for stroke in part.strokes]
            truth += [n] * len(part.strokes)
            left += part.bounds()[2] - part.bounds()[0] + 0.8 * writing.hand.height
        ink = Ink.of(*strokes, resolution=writing.hand.resolution)
        found = pen.transcribe(ink)
        if len(found.words) == 3:
            words = words_in(ink, found.words)
            right += sum(k in words[n].strokes for k, n in enumerate(truth))
            n_strokes += len(truth)
    assert n_strokes > 20
    assert right == n_strokes
