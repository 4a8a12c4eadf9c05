from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from asr.ink import Ink, analyse, read_ink
from asr.seeds import generator
from tests.ink.inks import SCREEN, inks

# Letters in units of the x-height: the strokes written at once, and those added when the word is finished.
LETTERS = {
    "n": ([[0, 0], [0, 1], [0, 0.7], [0.3, 1], [0.5, 0.8], [0.5, 0]], []),
    "o": ([[0.5, 0.8], [0.25, 1], [0, 0.5], [0.25, 0], [0.5, 0.5], [0.4, 0.9]], []),
    "s": ([[0.5, 0.9], [0.2, 1], [0.1, 0.7], [0.4, 0.4], [0.3, 0], [0, 0.1]], []),
    "l": ([[0, 0], [0.2, 1.5], [0.1, 2.2], [0, 1.5], [0.1, 0]], []),
    "h": ([[0, 0], [0, 2.2], [0, 0.6], [0.3, 1], [0.5, 0]], []),
    "p": ([[0, 1], [0, -1.1], [0, 0.8], [0.4, 1], [0.5, 0.3], [0, 0]], []),
    "g": ([[0.5, 1], [0, 0.8], [0.1, 0], [0.5, 0.9], [0.5, -1], [0, -0.9]], []),
    "i": ([[0, 1], [0.05, 0]], [[[0.05, 1.7]]]),
    "j": ([[0, 1], [0.05, -0.9], [-0.2, -1]], [[[0.05, 1.6], [0.1, 1.65]]]),
    "t": ([[0, 1.8], [0, 0.1], [0.3, 0]], [[[-0.3, 1.1], [0.4, 1.15]]]),
    ".": (None, [[[0, 0], [0.05, 0.05]]]),
    ",": (None, [[[0, 0.1], [-0.1, -0.35]]]),
    "'": (None, [[[0, 2.2], [-0.05, 1.7]]]),
}


def write_word(word, cursive, rng):
    """Strokes (N, 2) of a word that begins at 0 on the base line, and its width."""
    body, added, x = [], [], 0.0
    for letter in word:
        stroke, delayed = LETTERS[letter]
        size = rng.uniform(0.85, 1.15)
        place = [x, rng.normal(0, 0.07)]
        if stroke is not None:
            body.append(np.array(stroke) * size + place)
        added += [np.array(part) * size + place for part in delayed]
        x += rng.uniform(0.75, 1.1)
    if cursive and body:
        body = [np.concatenate(body)]
    return [*body, *added], x


def write_page(lines, pitch=3.0, degrees=0.0, cursive=False, seed=1):
    """A page and for each of its strokes the line it belongs to."""
    rng = generator(seed, "page")
    strokes, line_of = [], []
    for n, line in enumerate(lines):
        x = rng.uniform(0, 1.5)
        for word in line.split():
            parts, width = write_word(word, cursive, rng)
            strokes += [part + np.array([x, -pitch * n]) for part in parts]
            line_of += [n] * len(parts)
            x += width + 1
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return Ink.of(*(part @ turn.T * 25 + [300, 700] for part in strokes)), line_of


def cut(ink):
    """For each stroke the line that it was cut into."""
    lines = analyse(ink).lines
    found = {k: n for n, line in enumerate(lines) for k in line.strokes}
    assert sorted(found) == list(range(len(ink.strokes)))
    for line in lines:
        assert line.ink == Ink(tuple(ink.strokes[k] for k in line.strokes), ink.resolution)
        assert list(line.strokes) == sorted(line.strokes)
    return [found[k] for k in range(len(ink.strokes))]


TEXT = [
    "the point is top. shinging, lo jolting hills",
    "giging shops thin, nits opposing light po'lish",
    "noon",
    "thistings goptil lip, jog slights. op pin hint",
]


def _spell(line):
    """With the letters there are."""
    return "".join(c if c in LETTERS or c == " " else "nos"[ord(c) % 3] for c in line)


SPELT = [_spell(line) for line in TEXT]


@pytest.mark.parametrize("cursive", [False, True], ids=["print", "cursive"])
@pytest.mark.parametrize("degrees", [-12, -3, 0, 5, 15])
@pytest.mark.parametrize("pitch", [2.6, 3.2, 5])
def test_lines_are_found_at_any_pitch_and_slope(cursive, degrees, pitch):
    ink, line_of = write_page(SPELT, pitch, degrees, cursive)
    assert cut(ink) == line_of


@pytest.mark.parametrize("cursive", [False, True], ids=["print", "cursive"])
@pytest.mark.parametrize(
    "line", ["hello", "lip", "pop, till", "it's", "oo", "i", "l", "p", "ttt", "lol gog lol gog lol gog"]
)
@pytest.mark.parametrize("degrees", [0, 10])
def test_one_line_stays_whole(line, cursive, degrees):
    ink, line_of = write_page([_spell(line)], degrees=degrees, cursive=cursive)
    assert cut(ink) == line_of == [0] * len(ink.strokes)


def test_dots_go_where_they_were_written():
    """The dots stand nearer to the line above; the strokes before and after them tell."""
    ink, line_of = write_page(["gogogogogo pogopogo", "iiii niniin ninnnni i"], pitch=2.6)
    assert cut(ink) == line_of


def test_a_dot_that_was_added_in_the_end_goes_to_the_nearer_line():
    ink, line_of = write_page(["nonono nonono", "nonnno nonono", "nonono non"], pitch=3)
    dot = Ink.of([[400, 700 - 25 * 1.6]])  # above the second line, the last being written
    assert cut(Ink((*ink.strokes, *dot.strokes))) == [*line_of, 1]


@pytest.mark.parametrize("lines", [["no", "on"], ["l", "l"], ["hill", "i"], ["n o", "pop", "l"]])
def test_short_lines(lines):
    ink, line_of = write_page(lines, pitch=3.5)
    assert cut(ink) == line_of


def test_the_order_of_writing_does_not_found_lines():
    """Lines that are written from the bottom of the page upwards come out from top to bottom."""
    ink, line_of = write_page(["hills non", "snop till", "non noons"], pitch=3.5)
    again = Ink(tuple(reversed(ink.strokes)))
    assert cut(again) == list(reversed(line_of))


def test_pages_below_each_other():
    first, line_of = write_page(["hills non", "snop till"])
    second = [stroke.points - [0, 5000] for stroke in first.strokes]
    ink = Ink((*first.strokes, *Ink.of(*second).strokes))
    assert cut(ink) == [*line_of, *(n + 2 for n in line_of)]


@pytest.mark.parametrize(
    "strokes",
    [
        [[[5, 5]]],
        [[[5, 5]], [[5, 900]]],
        [[[0, 0], [9, 0]], [[0, 50], [9, 50]]],
        [[[5, 5], [5, 5]], [[7, 7]]],
        [[[0, 0], [0, 9]]],
        [[[-1e308, -1e308], [1e308, 1e308]], [[0, 0], [1, 1]]],
        [[[0, 0], [1e-320, 1e-320]]],
    ],
)
def test_ink_that_is_hardly_writing_is_one_line(strokes):
    assert len(analyse(Ink.of(*strokes)).lines) == 1


@settings(max_examples=60, deadline=None)
@given(ink=inks(SCREEN))
def test_every_stroke_is_in_one_line_or_one_mark(ink):
    layout = analyse(ink)
    found = sorted(k for part in (*layout.lines, *layout.marks) for k in part.strokes)
    assert found == list(range(len(ink.strokes)))
    assert layout.lines


@pytest.mark.parametrize(("scale", "shift"), [(0.001, (0, 0)), (40, (-9000, 12345))])
def test_neither_scale_nor_place_matters(scale, shift):
    ink, line_of = write_page(SPELT, pitch=3, degrees=4)
    moved = Ink.of(*(stroke.points * scale + shift for stroke in ink.strokes))
    assert cut(moved) == line_of


def test_ink_too_small_for_arithmetic(shared_cases):
    page = read_ink(shared_cases / "damaged" / "page_overflow_min.json")
    assert [line.strokes for line in analyse(page).lines] == [(0, 1)]
    assert len(analyse(Ink.of([[0, 0], [1e-320, 1e-320]], [[1, 1], [1, 1]])).lines) == 1


def test_a_page_of_hundreds_of_lines() -> None:
    """Waves with a dot above every third, thirty units apart."""
    random = np.random.default_rng(0)
    strokes: list[list[list[float]]] = []
    wanted: list[list[int]] = []
    for line in range(300):
        wanted.append([])
        for word in range(10):
            x = 40 * word + np.linspace(0, 25, 12)
            y = 8 * np.sin(x + random.uniform(0, 6)) - 30 * line
            for stroke in [np.stack([x, y], axis=1), *[np.full((2, 2), (x[6], 14 - 30 * line))] * (word % 3 == 0)]:
                wanted[-1].append(len(strokes))
                strokes.append(stroke.tolist())
    assert [list(line.strokes) for line in analyse(Ink.of(*strokes)).lines] == wanted


@pytest.mark.parametrize("pitch", [2.6, 3.2])
def test_a_full_stop_at_the_seam_of_two_lines_goes_to_the_line_that_it_ends(pitch: float) -> None:
    """It is nearer to the writing below, but the pen had not yet gone back to the left."""
    page, line_of = write_page(["nonono nonono", "nonono nohhlhlhl"], pitch)
    at = line_of.index(1)
    x = max(stroke.points[:, 0].max() for stroke in page.strokes[:at]) + 20
    top = max(stroke.points[:, 1].max() for stroke in page.strokes[at:])
    stop = Ink.of([[x, top + 4], [x + 1, top + 5]]).strokes
    again = Ink((*page.strokes[:at], *stop, *page.strokes[at:]))
    assert cut(again) == [*line_of[:at], 0, *line_of[at:]]


def test_a_quotation_mark_at_the_seam_of_two_lines_goes_to_the_line_that_it_begins() -> None:
    """It is nearer to the writing above, but the pen had gone back to the left."""
    page, line_of = write_page(["gogogo nonono nogo", "nonono nono"], 3.0)
    at = line_of.index(1)
    first = page.strokes[at].points[:, 0].min()
    low = min(stroke.points[:, 1].min() for stroke in page.strokes[:at] if stroke.points[:, 0].min() < first + 40)
    mark = Ink.of([[first, low - 2], [first + 1, low - 8]]).strokes
    again = Ink((*page.strokes[:at], *mark, *page.strokes[at:]))
    assert cut(again) == [*line_of[:at], 1, *line_of[at:]]


def test_a_word_above_a_line_is_not_the_end_of_the_shorter_line_before() -> None:
    page, line_of = write_page(["non ono", "nonono hononohnon non"], pitch=2.6)
    first = max(stroke.points[:, 0].max() for stroke, line in zip(page.strokes, line_of, strict=True) if line == 0)
    word, _ = write_word("nono", False, generator(2, "word"))
    top = 700 - 2.6 * 25
    added = Ink.of(*(0.8 * 25 * part + [first + 20, top + 1.25 * 25] for part in word)).strokes
    at = line_of.index(1)
    found = cut(Ink((*page.strokes[:at], *added, *page.strokes[at:])))
    assert len(set(found[:at])) == 1
    assert not set(found[:at]) & set(found[at : at + len(added)])
