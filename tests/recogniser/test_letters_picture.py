"""Pictures of letters: every point is drawn, in the colour of its letter, and nothing from outside acts."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.errors import ConfigError, DataError
from asr.ink import Ink
from asr.recogniser import letters_picture
from asr.recogniser.letters_picture import letter_lines
from asr.recogniser.picture_theme import THEMES

NAMESPACE = "{http://www.w3.org/2000/svg}"
INK = Ink.of([[0, 0], [10, 40], [20, 0], [30, 40]], [[40, 0], [60, 0]])


def found(*letters: tuple[str, int, int]) -> Hypothesis:
    spans = tuple(Span(label, start, end, 0.9) for label, start, end in letters)
    return Hypothesis(tuple(span.label for span in spans), "".join(span.label for span in spans), Score(0.0), spans)


WORD = found(("a", 0, 2), ("b", 2, 4), (" ", 4, 4), ("c", 4, 6))


def parsed(hypothesis: Hypothesis, ink: Ink = INK, name: str = "a.json") -> ElementTree.Element:
    return ElementTree.fromstring("\n".join(letter_lines(hypothesis, ink, name)))


def test_each_letter_has_its_points_and_its_colour() -> None:
    root = parsed(WORD)
    paths = [one.attrib for one in root.iter(f"{NAMESPACE}path")]
    named = [(one.text, one.attrib["fill"]) for one in root.iter(f"{NAMESPACE}text")]
    colours = THEMES["light"].colours
    assert [one["stroke"] for one in paths] == list(colours[:3])
    assert named == list(zip("abc", colours, strict=False))  # no text for the space
    a, b, c = (one["d"].replace("M", "").split("L") for one in paths)
    assert (len(a), len(b), len(c)) == (2, 3, 2)
    assert b[0] == a[-1]  # a letter within a stroke begins where the one before it ends
    assert root.findtext(f"{NAMESPACE}title") == "a.json: ab c"


def test_y_grows_downwards_and_all_is_within_the_picture() -> None:
    root = parsed(WORD)
    (first, second), *_ = (
        [tuple(map(float, place.split())) for place in one.attrib["d"][1:].split("L")]
        for one in root.iter(f"{NAMESPACE}path")
    )
    assert first[1] > second[1]
    texts = [float(one.attrib["y"]) for one in root.iter(f"{NAMESPACE}text")]
    assert max(texts) < float(root.attrib["height"])


def test_letters_that_stand_above_each_other_are_named_beside_each_other() -> None:
    tower = Ink.of(*([[0, n], [1, n]] for n in range(4)))
    root = parsed(found(*((letter, 2 * n, 2 * n + 2) for n, letter in enumerate("abcd"))), tower)
    places = [float(one.attrib["x"]) for one in root.iter(f"{NAMESPACE}text")]
    assert all(right - left >= 10 for left, right in pairwise(places))


def test_letters_that_do_not_fit_beside_each_other_are_left_out() -> None:
    line = Ink.of(*([[0, n], [1, n]] for n in range(80)))
    root = parsed(found(*(("m" * (1 + n % 2), 2 * n, 2 * n + 2) for n in range(80))), line)
    places = [(float(one.attrib["x"]), str(one.text)) for one in root.iter(f"{NAMESPACE}text")]
    assert 30 < len(places) < 80
    assert max(x for x, _ in places) <= float(root.attrib["width"])
    assert len(list(root.iter(f"{NAMESPACE}path"))) == 80  # all ink is drawn


def test_the_same_ink_gives_the_same_bytes_in_each_theme() -> None:
    light, dark = ("\n".join(letter_lines(WORD, INK, "a", theme)) for theme in ("light", "dark"))
    assert light == "\n".join(letter_lines(WORD, INK, "a"))
    assert re.sub("#[0-9a-f]{6}", "", light) == re.sub("#[0-9a-f]{6}", "", dark)
    assert light != dark
    with pytest.raises(ConfigError, match="there is no theme 'blue'"):
        letter_lines(WORD, INK, "a", "blue")


def test_nothing_from_outside_acts() -> None:
    hostile = "<script>\x1b\ud800\uffff"
    svg = "\n".join(letter_lines(found((hostile, 0, 6)), INK, hostile))
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "\x1b" not in svg
    svg.encode()


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1.0, 1e150, 1e307])
def test_ink_of_all_sizes_is_drawn_in_the_frame(scale: float) -> None:
    root = parsed(found(("x", 0, 3)), Ink.of([[-scale, -scale], [scale, scale]], [[0, 0]]))
    numbers = [
        float(one) for path in root.iter(f"{NAMESPACE}path") for one in re.findall(r"-?[\d.]+", path.attrib["d"])
    ]
    assert len(numbers) == 8  # two points, and a dot drawn as a line of no length
    assert 0 <= min(numbers) <= max(numbers) <= float(root.attrib["width"])


def test_ink_of_too_many_points_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters_picture, "MOST_POINTS", 5)
    with pytest.raises(DataError, match=r"a\.json: 6 points; a picture shows 5 at most, cut the ink into lines"):
        letter_lines(WORD, INK, "a.json")
