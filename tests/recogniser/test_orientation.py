"""Pages upside down."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

import asr
from asr.ink import Ink
from asr.ink.json_ink import ink_of_mapping
from asr.ink.sheets import Sheet
from asr.recogniser import orientation
from asr.recogniser.document import Document, transcribe_documents
from asr.recogniser.flip import Flip
from asr.recogniser.orientation import evidence_of, flipped, is_upside_down
from asr.recogniser.recogniser import Recogniser
from tests.ink.inks import SCREEN, inks

TURN = np.linspace(0, 2 * np.pi, 41)
O = np.column_stack([np.cos(TURN), np.sin(TURN)])  # noqa: E741  (the letter, written to the left)
L = np.array([[0.0, 3.0], [0.1, 0.0]])


@pytest.fixture(scope="module")
def pen() -> Recogniser:
    return asr.load("quickstart_pen")


def test_downstrokes_and_turns_to_the_left_are_upright() -> None:
    assert evidence_of(Ink.of(L)) == pytest.approx(orientation.DOWN)
    assert evidence_of(Ink.of(O)) == pytest.approx(orientation.TURNS * 39 / 40)  # 40 pieces, 39 bends
    assert evidence_of(Ink.of(O[::-1])) < 0


@given(ink=inks(SCREEN))
def test_what_speaks_for_an_ink_speaks_against_its_mirror_image(ink: Ink) -> None:
    assert evidence_of(flipped(ink)) == pytest.approx(-evidence_of(ink), abs=1e-6)
    assert flipped(flipped(ink)) == ink


@pytest.mark.parametrize(
    "ink",
    [
        Ink.of([[0, 0]]),
        Ink.of([[0, 0], [0, 0]], [[1, 1]]),
        Ink.of([[0, 0], [9, 0]]),
        Ink.of([[-1e308, -1e308], [1e308, 1e308], [-1e308, 1e308]]),
        Ink.of([[0, 0], [1e-320, 1e-320]]),
    ],
)
def test_ink_that_says_little_is_left_as_it_is(ink: Ink, pen: Recogniser) -> None:
    assert np.isfinite(evidence_of(ink))
    assert not is_upside_down(pen, ink)


@pytest.mark.parametrize(
    ("evidence", "difference", "over"),
    [(0.0, -99.0, False), (-0.1, -99.0, True), (-20.0, 0.0, True), (-20.0, 9.0, False), (-0.1, -2.0, False)],
)
def test_a_page_is_turned_by_both(
    evidence: float, difference: float, over: bool, pen: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orientation, "evidence_of", lambda ink: evidence)
    monkeypatch.setattr(orientation, "difference_of", lambda recogniser, ink: difference)
    assert is_upside_down(pen, Ink.of(L)) is over


@pytest.mark.parametrize("options", ["decoder=greedy decoder.labels=W", "decoder=beam decoder.labels=upper"])
def test_the_labels_that_the_user_allows_turn_no_page(options: str, pen: Recogniser) -> None:
    letters = [shape + np.array([3.0 * k, 0.0]) for k, shape in enumerate([L, O, L, L])]
    page = Ink.of(*letters)
    restricted = asr.load("quickstart_pen", decoder=options.split())
    assert restricted.transcribe(page).score.acoustic != pen.transcribe(page).score.acoustic
    assert orientation.difference_of(restricted, page) == orientation.difference_of(pen, page)


def documents(pen: Recogniser, flip: Flip, *sheets: Sheet) -> Document:
    (found,) = transcribe_documents(pen, [sheets], flip=flip)
    assert isinstance(found, Document)
    return found


def test_a_turned_page_is_read_as_its_mirror_image_and_keeps_its_coordinates(pen: Recogniser) -> None:
    letters = [shape + np.array([3.0 * k, 0.0]) for k, shape in enumerate([O, O, O, L])]
    sheet = Sheet(Ink.of(*letters, resolution=0.5))
    over = Sheet(flipped(sheet.ink))
    (as_it_is,) = documents(pen, "no", sheet).pages
    (turned,) = documents(pen, "yes", over).pages
    assert (as_it_is.flipped, turned.flipped) == (False, True)
    assert [line.hypothesis for line in turned.lines] == [line.hypothesis for line in as_it_is.lines]
    assert turned.lines[0].strokes == as_it_is.lines[0].strokes
    assert as_it_is.lines[0].box == pytest.approx((-1.0, -3.0, 10.1, 4.0), abs=0.01)
    assert turned.lines[0].box == pytest.approx((-1.0, -1.0, 10.1, 4.0), abs=0.01)


def test_only_pages_in_doubt_are_turned(pen: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orientation, "difference_of", lambda recogniser, ink: -9.0)
    upright, over = Sheet(Ink.of(L, O)), Sheet(Ink.of(L[::-1], O[::-1]), number=2)
    assert [page.flipped for page in documents(pen, "auto", upright, over).pages] == [False, True]


def test_words_of_tablets_are_told_from_their_mirror_images(shared_data: Path) -> None:
    words = shared_data / "tablet" / "tablet_dev.jsonl.gz"
    if not words.is_file():
        pytest.skip("the words of tablets are not beside the checkout")
    with gzip.open(words, "rt") as file:
        rows = [json.loads(next(file)) for _ in range(200)]
    evidence = [evidence_of(ink_of_mapping({"strokes": row["strokes"], "y": "down"})) for row in rows]
    assert sum(one > 0 for one in evidence) > 180
