"""Composed ink: what it is made of, where the pieces stand, and that a seed always composes the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.ink import Ink
from asr.ink.reading import read_ink
from asr.ink.store import write_store
from asr.seeds import generator
from asr.text import normalise_text
from data_prep import read_corpus
from data_prep.unipen import reader as unipen
from data_prep.unipen.composed import Hands, Sample, lines_of_words, placed_word, rows_of_signs
from data_prep.unipen.composing import (
    UNITS,
    Piece,
    Spacing,
    draw_spacing,
    joined,
    loosened,
    sized_sign,
    widest_gap,
)
from data_prep.unipen.expressions import SYMBOLS, expression
from data_prep.unipen.sizes import EXTENTS, writing_size

from .test_reader import key
from .tree import ink_file, write_folder

SIGNS = "".join(EXTENTS)


def box(sign: str, h: float) -> np.ndarray:
    """A rectangle in place of a sign, of its size in ordinary writing, anywhere on the tablet."""
    extent = EXTENTS[sign]
    corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]) * [extent.width, extent.height]
    return corners * h + [500.0, -300.0]


def written(folder: Path, name: str, rows: Iterable[tuple[str, str, Ink]]) -> list[Utterance]:
    """Utterances of (writer, text, ink), stored as the reader stores them."""
    listed = list(rows)
    store = folder / f"{name}.inks"
    places = write_store(store, [ink for _, _, ink in listed])
    return [
        Utterance(f"{name}{at}", store, "ink", start, points, text=text, speaker=who, tags={"file": f"{name}/{who}"})
        for at, ((who, text, _), (start, points)) in enumerate(zip(listed, places, strict=True))
    ]


@pytest.fixture
def signs(tmp_path: Path) -> list[Utterance]:
    """Give all signs of ASCII by `one`, and the digits by `two`, eight times as large."""
    rows = [("one", sign, Ink.of(box(sign, 20.0))) for sign in SIGNS]
    return written(tmp_path, "signs", [*rows, *(("two", sign, Ink.of(box(sign, 160.0))) for sign in "0123456789")])


def word(height: float) -> Ink:
    """Ups and downs of an x's height."""
    x = np.arange(0, 6 * height, height / 2)
    return Ink.of(np.stack([x + 70, np.where(np.arange(len(x)) % 2, height, 0.0) - 40], axis=1))


def same(first: Iterable[tuple[Utterance, Ink]], second: Iterable[tuple[Utterance, Ink]]) -> bool:
    pairs = zip(first, second, strict=True)
    return all(a == b and one == other for (a, one), (b, other) in pairs)


def test_every_sign_of_ascii_has_an_extent() -> None:
    assert sorted(SIGNS) == [chr(code) for code in range(33, 127)]
    assert all(one.top > one.bottom and one.width > 0 for one in EXTENTS.values())
    assert sorted(SYMBOLS) == [sign for sign in sorted(SIGNS) if not sign.isalnum()]


def test_texts_are_such_that_a_label_can_be_made_of_them() -> None:
    texts = [expression(generator(1, number)) for number in range(2000)]
    assert all(1 < len(text) <= 24 and text == normalise_text(text) for text in texts)
    assert set("".join(texts)) == {*SIGNS, " "}
    assert all(any(EXTENTS[sign].height >= 1 for sign in text if sign != " ") for text in texts)
    assert texts[7] == expression(generator(1, 7))
    assert len(set(texts)) > 1500


def test_the_size_of_the_writing_is_the_median_of_what_signs_tell() -> None:
    assert writing_size([("b", 19.0), ("g", 38.0), ("a", 10.0)]) == pytest.approx(10.0)
    assert writing_size([(".", 3.0), ("'", 5.0)]) is None
    assert writing_size([]) is None


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_stands_where_it_belongs(sign: str) -> None:
    """Whatever its scale: within three deviations of its place, and of 8 % of its size."""
    extent = EXTENTS[sign]
    for number, h in enumerate((3.0, 20.0, 1000.0)):
        piece = sized_sign(sign, (box(sign, h),), h, 1.0, generator(number, sign))
        (left, bottom), (_, top) = np.concatenate(piece.strokes).min(axis=0), np.concatenate(piece.strokes).max(axis=0)
        assert bottom == pytest.approx(extent.bottom, abs=0.25 + 0.25 * extent.height)
        assert top == pytest.approx(extent.top, abs=0.25 + 0.25 * extent.height)
        assert abs(left) < 0.3


def test_a_sign_that_was_written_large_is_drawn_to_its_size() -> None:
    for keeps, least, most in ((0.0, 1.3, 2.4), (1.0, 2.7, 4.6)):
        piece = sized_sign("B", (box("B", 2.0),), 1.0, keeps, generator(3))
        assert least < np.ptp(np.concatenate(piece.strokes)[:, 1]) < most


def rectangle(text: str, width: float, bottom: float, top: float) -> Piece:
    return Piece(text, (np.array([[0.0, bottom], [0.0, top], [width, top], [width, bottom]]),))


@given(st.floats(-0.1, 1.0), st.floats(0.5, 5.0), st.floats(0.0, 1.0))
def test_gaps_and_blanks_are_what_was_asked_for(gap: float, blank: float, by_outline: float) -> None:
    """Boxes side by side have the same distance by either measure."""
    pieces = [[rectangle("a", 1.0, 0.0, 1.0), rectangle("b", 2.0, 0.0, 2.0)], [rectangle("c", 1.0, 0.0, 1.0)]]
    ink = joined(pieces, Spacing(gap, blank, by_outline), generator(1))
    edges = [(s.points[:, 0].min() / UNITS, s.points[:, 0].max() / UNITS) for s in ink.strokes]
    assert edges[1][0] - edges[0][1] == pytest.approx(gap, abs=0.011)
    assert edges[2][0] - edges[1][1] == pytest.approx(blank, abs=0.011)


def test_by_outline_a_point_may_stand_below_its_neighbour() -> None:
    slash = Piece("/", (np.stack([np.linspace(0, 1, 40), np.linspace(0, 2, 40)], axis=1),))
    point = rectangle(".", 0.1, 0.0, 0.1)
    by_box, by_outline = (
        joined([[slash, point]], Spacing(0.2, 1.0, share), generator(1)).strokes[1].points[0, 0] for share in (0.0, 1.0)
    )
    assert by_box == pytest.approx(120, abs=1)
    assert by_outline < 80
    far = joined(
        [[rectangle("^", 1.0, 1.8, 2.0), rectangle("_", 1.0, -1.0, -0.9)]], Spacing(0.2, 1.0, 1.0), generator(1)
    )
    assert far.strokes[1].points[0, 0] == pytest.approx(120, abs=1)  # nothing is at one height: their boxes count


def test_the_gaps_of_a_word_are_widened_and_nothing_else() -> None:
    """Ink from 0 to 1, from 1.5 to 2 with a bar above both, and from 3 to 4."""
    spans = ((0.0, 1.0), (3.0, 4.0), (1.5, 2.0), (0.5, 1.8))
    word = Piece("it", tuple(np.array([[left, 0.0], [right, 1.0]]) for left, right in spans))
    assert widest_gap(word) == 1.0
    wider = loosened(word, 1.5)
    assert [one[:, 0].tolist() for one in wider.strokes] == [[0.0, 1.0], [3.5, 4.5], [1.5, 2.0], [0.5, 1.8]]
    assert all((a[:, 1] == b[:, 1]).all() for a, b in zip(word.strokes, wider.strokes, strict=True))
    assert widest_gap(wider) == 1.5
    assert widest_gap(rectangle("a", 1.0, 0.0, 1.0)) == 0.0


def test_a_row_that_is_too_long_for_two_bytes_is_made_smaller() -> None:
    ink = joined([[rectangle("-", 400.0, 0.0, 1.0)]] * 3, Spacing(0.1, 1.0), generator(1))
    assert 31_000 < ink.bounds()[2] <= 32_000


@given(st.integers(0, 10_000))
def test_spacings_are_sensible(seed: int) -> None:
    spacing = draw_spacing(generator(seed))
    assert -0.05 <= spacing.gap <= 1.0
    assert spacing.gap + 0.5 <= spacing.blank <= 5.0
    assert 0 <= spacing.by_outline <= 1


def test_rows_are_of_one_writer_who_has_all_signs(signs: list[Utterance]) -> None:
    found = list(rows_of_signs(signs, 80, seed=4))
    assert len({utterance.id for utterance, _ in found}) == 80
    for utterance, ink in found:
        text = str(utterance.text)
        assert utterance.speaker == "one" or set(text) <= set("0123456789 ")
        assert len(ink.strokes) == len(text.replace(" ", ""))  # a box each
    assert {utterance.speaker for utterance, _ in found} == {"one", "two"}
    assert same(found, rows_of_signs(signs, 80, seed=4))
    assert same(found[:9], rows_of_signs(signs, 9, seed=4))
    assert not same(found, rows_of_signs(signs, 80, seed=5))


def test_a_writers_scale_changes_nothing(signs: list[Utterance]) -> None:
    hands = Hands(signs)
    inks = [
        joined(hands.pieces(who, "170 45", generator(1)), Spacing(0.3, 1.5), generator(2)) for who in ("one", "two")
    ]
    for small, large in zip(inks[0].strokes, inks[1].strokes, strict=True):
        assert np.abs(small.points - large.points).max() <= 1.0


def test_hands_know_who_can_write_what(signs: list[Utterance]) -> None:
    hands = Hands([*signs, replace(signs[0], text="ab"), replace(signs[1], text="ä")])
    assert hands.able("1 2") == ["one", "two"]
    assert hands.able("1a") == ["one"]
    assert hands.can("two", "12 3")
    assert not hands.can("two", "1a")
    assert not hands.can("three", "1")


def test_lines_have_the_words_of_one_writer(tmp_path: Path, signs: list[Utterance]) -> None:
    rows = [("one", f"w{number}", word(20.0)) for number in range(8)] + [("two", "few", word(20.0))]
    words = written(tmp_path, "words", rows)
    found = list(lines_of_words(words, signs, 60, seed=1))
    assert {utterance.speaker for utterance, _ in found} == {"one"}  # of `two` there are not enough words
    assert all(len(str(utterance.text).split()) >= 2 for utterance, _ in found)
    plain = [utterance for utterance, _ in found if set(str(utterance.text).split()) <= {f"w{n}" for n in range(8)}]
    assert 5 < len(plain) < 50  # in others marks or expressions stand
    assert same(found, lines_of_words(words, signs, 60, seed=1))


def test_a_word_is_placed_on_the_line_in_units_of_its_height(tmp_path: Path) -> None:
    (utterance,) = written(tmp_path, "words", [("one", "mm", word(20.0))])
    points = np.concatenate(placed_word(Sample(utterance, 20.0)).strokes)
    assert points.min(axis=0) == pytest.approx([0.0, 0.0], abs=0.1)
    assert points[:, 1].max() == pytest.approx(1.0, abs=0.1)


def release(folder: Path) -> Path:
    """A train writer with a dozen isolated signs and words, and a dev writer with the same."""
    files = {}
    for donor, writer in (("aaa", "writer_a"), ("bbb", "writer_b")):
        for category, level, labels in (("2", "CHARACTER", SYMBOLS + "0123456789"), ("7", "WORD", "abcdefghijkl")):
            name = f"{category}{donor}"
            lines = [f'.SEGMENT {level} {n} OK "{_escaped(one)}"' for n, one in enumerate(labels)]
            files[f"data/{category}/{donor}/{name}.dat"] = "\n".join([f".INCLUDE {donor}/{name}.dat", *lines]) + "\n"
            files[f"include/{donor}/{name}.dat"] = ink_file(writer, *range(1, len(labels) + 1))
    return write_folder(folder, files)


def _escaped(sign: str) -> str:
    return f"\\{sign}" if sign in '"\\' else sign


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setattr(unipen, "held_out", lambda: {key("bbb", "writer_b"): "dev"})
    root = release(tmp_path / "release")
    return {"root": str(root), "cache": str(tmp_path / "cache"), "category": "7", "also": "2"}


def test_the_reader_adds_composed_ink_of_train_writers(options: dict[str, object]) -> None:
    splits = read_corpus("unipen", {**options, "composed_rows": 12, "composed_lines": 7})
    kinds = [one.tags["category"] for one in splits["train"]]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "words_any": 12, "characters": 42, "composed_rows": 12, "composed_lines": 7,
    }  # fmt: skip
    assert {one.speaker for one in splits["train"]} == {key("aaa", "writer_a")}
    assert {one.tags["category"] for one in splits["dev"]} == {"words_any"}
    row = next(one for one in splits["train"] if one.tags["category"] == "composed_rows")
    assert read_ink(row.source, int(row.start or 0), int(row.duration or 0)).n_points == row.duration
    assert read_corpus("unipen", {**options, "composed_rows": 12, "composed_lines": 7}) == splits
    other = read_corpus("unipen", {**options, "composed_rows": 12, "composed_seed": 2})
    texts = [[one.text for one in some["train"] if one.tags["category"] == "composed_rows"] for some in (splits, other)]
    assert texts[0] != texts[1]


def test_less_than_no_composed_ink_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"composed_rows=-1; expected 0 or more"):
        read_corpus("unipen", {**options, "composed_rows": -1})


def test_a_donors_false_at_signs_do_not_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unipen, "held_out", lambda: {key("kai", "writer_d"): "dev"})
    files = {}
    for name, writer in (("one", "writer_a"), ("two", "writer_d")):
        files[f"data/6/kai/{name}.dat"] = (
            f'.INCLUDE kai/{name}.dat\n.SEGMENT WORD 0 OK "a@b"\n.SEGMENT WORD 1 OK "ab"\n'
        )
        files[f"include/kai/{name}.dat"] = ink_file(writer, 1, 2)
    splits = read_corpus("unipen", {"root": str(write_folder(tmp_path / "r", files)), "cache": str(tmp_path / "c")})
    assert {name: [one.text for one in some] for name, some in splits.items()} == {
        "train": ["ab"], "dev": ["a@b", "ab"], "test": [],
    }  # fmt: skip


def test_who_has_written_too_little_composes_nothing_and_is_told_so(signs: list[Utterance], tmp_path: Path) -> None:
    dots = [one for one in signs if one.text == "."]  # no text is of dots alone
    for some in ([], dots):
        with pytest.raises(DataError, match=r"composed_rows: none of [01] training writers has .*; complete the rel"):
            next(rows_of_signs(some, 1, seed=1))
    few = written(tmp_path, "words", [("one", "word", word(10.0))] * 7)
    with pytest.raises(DataError, match="composed_lines: no training writer has 8 words"):
        next(lines_of_words(few, signs, 1, seed=1))
    assert list(lines_of_words(few, signs, 0, seed=1)) == []
