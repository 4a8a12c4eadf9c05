"""The choice between cuts of a page."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from asr.errors import DataError
from asr.ink import Doubt, Ink, Layout, Line
from asr.recogniser.doubts import all_lines, settled

PAGE = Ink.of(*([[k, 0], [k, 1]] for k in range(5)))


def line(*strokes: int) -> Line:
    return Line(strokes, Ink(tuple(PAGE.strokes[k] for k in strokes)))


def hypothesis(score: float) -> Any:
    return [SimpleNamespace(score=SimpleNamespace(total=score))]


APART, JOINED = (line(1), line(2, 3)), (line(1, 2, 3),)
LAYOUT = Layout((line(0), *APART, line(4)), doubts=(Doubt((APART, JOINED)),))


@pytest.mark.parametrize(
    ("joined", "expected"),
    [(-2.9, (0, 123, 4)), (-2.97, (0, 1, 23, 4)), (-3.0, (0, 1, 23, 4)), (-3.1, (0, 1, 23, 4))],  # of six points
    ids=str,
)
def test_the_better_choice_stands_where_geometry_s_stood(joined: float, expected: tuple[int, ...]) -> None:
    scores = {(0,): -9.0, (1,): -1.0, (2, 3): -2.0, (4,): -9.0, (1, 2, 3): joined}
    found = [hypothesis(scores[one.strokes]) for one in all_lines(LAYOUT)]
    chosen = settled(LAYOUT, found)
    assert tuple(int("".join(map(str, one.strokes))) for one, _ in chosen) == expected
    assert [one[0].score.total for _, one in chosen if not isinstance(one, DataError)] == [
        scores[one.strokes] for one, _ in chosen
    ]


def test_a_choice_that_cannot_be_read_is_not_taken() -> None:
    found = [DataError("too long") if len(one.strokes) == 3 else hypothesis(-5.0) for one in all_lines(LAYOUT)]
    assert [one.strokes for one, _ in settled(LAYOUT, found)] == [(0,), (1,), (2, 3), (4,)]
