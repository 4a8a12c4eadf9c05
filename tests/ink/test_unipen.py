from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.errors import AsrError, DataError, DataWarning, Problems
from asr.ink import Ink, unipen
from asr.ink.unipen import Document, Part, cut, read_document, read_unipen
from tests.mutations import mutated


def document(text: str, **included: str) -> Document:
    """A file `main` whose includes are named by `included` keys."""
    files = {"main": text, **included}

    def resolve(written: str, including: str) -> str | None:
        if written == "left_out":
            return None
        if written not in files:
            raise DataError(f"the include {written!r} is missing")
        return written

    return read_document("main", lambda name: cut(name, files[name].encode("latin-1")), resolve)


def ink(text: str, **included: str) -> Ink | None:
    """The ink of the only segment."""
    made = document(text, **included)
    assert made.problems == ()
    (segment,) = made.segments
    return made.ink(segment)


THREE = ".PEN_DOWN\n1 2\n3 4\n.PEN_UP\n.PEN_DOWN\n5 6\n.PEN_UP\n.PEN_DOWN\n7 8\n9 9\n10 10\n.PEN_UP\n"


def test_a_segment_is_its_components() -> None:
    assert ink(THREE + '.SEGMENT WORD 0-1 OK "ab"') == Ink.of([[1, 2], [3, 4]], [[5, 6]])
    assert ink(THREE + '.SEGMENT WORD 0,2 OK "ab"') == Ink.of([[1, 2], [3, 4]], [[7, 8], [9, 9], [10, 10]])


def test_segments_may_stand_before_their_ink() -> None:
    made = document('.SEGMENT DIGIT 1 ? "8"\n.COMMENT 8 12  224\n' + THREE + ".COMMENT other\n")
    (segment,) = made.segments
    assert made.ink(segment) == Ink.of([[5, 6]])
    assert (segment.level, segment.quality, segment.label, segment.comment) == ("DIGIT", "?", "8", "8 12  224")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("2:1-2:2", [[[9, 9], [10, 10]]]),
        ("0:1-2:0", [[[3, 4]], [[5, 6]], [[7, 8]]]),
        ("0-2:1", [[[1, 2], [3, 4]], [[5, 6]], [[7, 8], [9, 9]]]),
        ("2:1-2", [[[9, 9], [10, 10]]]),
        ("2:1", [[[9, 9]]]),
        ("2:1-2:1,0-0:0", [[[9, 9]], [[1, 2]]]),
        ("0 , 1", [[[1, 2], [3, 4]], [[5, 6]]]),
    ],
)
def test_ranges_of_points_hold_both_borders(parts: str, expected: list[list[list[float]]]) -> None:
    assert ink(THREE + f'.SEGMENT WORD {parts} ? "x"') == Ink.of(*expected)


def test_recorded_pen_ups_count_and_are_no_ink() -> None:
    text = ".PEN_DOWN\n1 1\n.PEN_UP\n2 2\n2 3\n.PEN_DOWN\n3 3\n.PEN_UP\n"
    assert ink(text + '.SEGMENT WORD 0-2 ? "x"') == Ink.of([[1, 1]], [[3, 3]])
    assert ink(text + '.SEGMENT WORD 2 ? "x"') == Ink.of([[3, 3]])
    assert ink(text + '.SEGMENT WORD 1 ? "x"') is None


def test_empty_components_do_not_count() -> None:
    assert ink('.PEN_DOWN\n.PEN_UP\n.PEN_DOWN\n \n.PEN_DOWN\n1 1\n.SEGMENT WORD 0 ? "x"') == Ink.of([[1, 1]])


def test_pen_ups_may_be_missing_and_repeated_points_stay() -> None:
    text = '.PEN_DOWN\n1 1\n1 1\n1 1\n.PEN_DOWN\n2 2\n.SEGMENT WORD 0-1 ? "x"'
    assert ink(text) == Ink.of([[1, 1], [1, 1], [1, 1]], [[2, 2]])


def test_withheld_ink_is_left_out() -> None:
    text = ".PEN_DOWN\n0 0\n.PEN_UP\n0 0\n.PEN_DOWN\n0 0\n1 1\n.PEN_DOWN\n4 4\n"
    assert ink(text + '.SEGMENT WORD 0-3 ? "x"') == Ink.of([[0, 0], [1, 1]], [[4, 4]])
    assert ink(text + '.SEGMENT WORD 0-1 ? "x"') is None


def test_points_after_a_pause_are_a_pen_down_that_lost_its_keyword() -> None:
    # include/tos/data/f3/f3025059.dat of the release ends so.
    assert ink('.PEN_DOWN\n1 1\n.PEN_UP\n.DT 220\n\n2 2\n3 3\n.SEGMENT WORD 1 ? "x"') == Ink.of([[2, 2], [3, 3]])


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_may_be_any(end: str) -> None:
    text = (THREE + '.SEGMENT WORD 1 ? "x"\n.SEGMENT WORD bad').replace("\n", end)
    made = document(text)
    assert made.ink(made.segments[0]) == Ink.of([[5, 6]])
    assert made.problems[0].startswith("main:14: 'WORD bad' is not a segment; expected LEVEL COMPONENTS QUALITY")


@pytest.mark.parametrize(
    ("written", "label", "quality"),
    [
        (r'OK "\""', '"', "OK"),
        (r'? "a\"b\\"', 'a"b\\', "?"),
        ('GOOD "two  words\n here "', "two words here", "GOOD"),
        ('"x"', "x", "?"),
        ('bad "Stra\xdfe"', "Straße", "BAD"),
        ('? ""', "", "?"),
    ],
)
def test_labels_and_quality(written: str, label: str, quality: str) -> None:
    (segment,) = document(f".SEGMENT WORD 0-1 {written}\n.PEN_DOWN\n1 1\n").segments
    assert (segment.label, segment.quality) == (label, quality)
    assert segment.parts == (Part(0, None, 1, None),)


def test_includes_stand_where_they_are_named() -> None:
    made = document(
        '.INCLUDE left_out\n.INCLUDE a\n.PEN_DOWN\n3 3\n.INCLUDE b\n.SEGMENT WORD 0-3 ? "x"',
        a=".WRITER_ID Someone\n.INCLUDE b\n.PEN_DOWN\n2 2\n",
        b=".PEN_DOWN\n1 1\n",
    )
    assert made.ink(made.segments[0]) == Ink.of([[1, 1]], [[2, 2]], [[3, 3]], [[1, 1]])
    assert made.writer(made.segments[0]) == "Someone"


def test_the_writer_is_the_one_before_the_ink_where_there_are_several() -> None:
    made = document(
        ".WRITER_ID a\n.PEN_DOWN\n1 1\n.WRITER_ID b\n.PEN_DOWN\n2 2\n"
        '.SEGMENT WORD 0 ? "x"\n.SEGMENT WORD 1 ? "y"\n.SEGMENT WORD 9 ? "z"'
    )
    assert [made.writer(segment) for segment in made.segments] == ["a", "b", "a"]
    assert document('.SEGMENT WORD 0 ? "x"').writer(document('.SEGMENT WORD 0 ? "x"').segments[0]) is None


def times(text: str, timed: bool = True) -> list[list[float]] | None:
    made = document(text)
    found = made.ink(made.segments[0], timed=timed)
    assert found is not None
    assert found.has_times == any(stroke.times is not None for stroke in found.strokes)
    return [np.round(s.times, 9).tolist() for s in found.strokes if s.times is not None] if found.has_times else None


CLOCK = '.COORD X Y T\n{}.PEN_DOWN\n1 1 {}\n2 2 {}\n.PEN_DOWN\n3 3 {}\n.SEGMENT WORD 0-1 ? "x"'


def test_times_are_the_clocks() -> None:
    assert times(CLOCK.format("", 1000, 1010, 1500)) == [[0, 0.01], [0.5]]
    assert times(CLOCK.format(".POINTS_PER_SECOND 100\n", 1000, 1010, 1500)) == [[0, 0.01], [0.5]]
    assert times(CLOCK.format(".POINTS_PER_SECOND 100\n", 0, 10000, 500000)) == [[0, 0.01], [0.5]]  # microseconds
    assert times(CLOCK.format(".POINTS_PER_SECOND 100\n", 0, 1, 2)) is None  # ticks of no known length
    assert times(CLOCK.format("", 1000, 1010, 900)) is None
    made = document(CLOCK.format("", 1000, 1010, 900))
    assert made.ink(made.segments[0]) == Ink.of([[1, 1], [2, 2]], [[3, 3]])


def test_points_a_second_tell_times_where_pauses_are_known() -> None:
    strokes = '.PEN_DOWN\n1 1\n2 2\n.PEN_UP\n{}\n.PEN_DOWN\n3 3\n.PEN_UP\n.SEGMENT WORD {} ? "x"'
    rate = ".POINTS_PER_SECOND 100\n"
    assert times(rate + strokes.format("4 4\n5 5", "0-2")) == [[0, 0.01], [0.04]]
    assert times(rate + strokes.format(".DT 250", "0-1")) == [[0, 0.01], [0.26]]
    assert times(rate + strokes.format("", "0-1")) is None
    assert times(rate + strokes.format("", "0")) is None  # not for words of one stroke alone
    assert times(rate + strokes.format("4 4\n5 5", "0-2"), timed=False) is None
    assert times(".POINTS_PER_SECOND 9600\n" + strokes.format("4 4\n5 5", "0-2")) is None
    assert times(".POINTS_PER_SECOND ?\n" + strokes.format("4 4\n5 5", "0-2")) is None
    assert times(strokes.format("4 4\n5 5", "0-2")) is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (".X_POINTS_PER_INCH 508\n.Y_POINTS_PER_INCH 508\n", 20.0),
        (".X_POINTS_PER_MM 40 \n.Y_POINTS_PER_MM 40\n", 40.0),
        (".X_POINTS_PER_INCH 856.7\n.Y_POINTS_PER_INCH 979.3\n", None),
        (".X_POINTS_PER_MM 0\n.Y_POINTS_PER_MM 0\n", None),
        ("", None),
    ],
)
def test_resolution(written: str, expected: float | None) -> None:
    found = ink(written + '.PEN_DOWN\n1 1\n.SEGMENT WORD 0 ? "x"')
    assert found is not None
    assert found.resolution == expected


def test_channels_may_stand_in_any_order() -> None:
    assert ink('.COORD P Y X\n.PEN_DOWN\n9 2 1\n9 4 3\n.SEGMENT WORD 0 ? "x"') == Ink.of([[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (".INCLUDE nowhere\n", "main:1: the include 'nowhere' is missing"),
        (".COORD X Y\n.INCLUDE main\n", "main:2: the include 'main' is the file itself or one that includes it"),
        (".SEGMENT WORD 1 OK\n", "main:1: 'WORD 1 OK' is not a segment; expected LEVEL COMPONENTS QUALITY"),
        ('.SEGMENT WORD 1 OK "open\n', "main:1: 'WORD 1 OK \"open' is not a segment; expected LEVEL"),
        ('.SEGMENT WORD 1 OK "open\\"\n', "main:1: 'WORD 1 OK \"open"),
        ('.SEGMENT WORD ? "x"\n', "main:1: 'WORD ? \"x\"' is not a segment; expected LEVEL"),
        ('.SEGMENT WORD 1-2-3 ? "x"\n', "main:1: '1-2-3' names no components; expected N, N-M, N:p-M:q"),
        ('.SEGMENT WORD 1,,3 ? "x"\n', "main:1: '' names no components"),
        ('.SEGMENT WORD 12345678901 ? "x"\n', "main:1: '12345678901' names no components"),
        (".COORD X T\n", "main:1: .COORD names the channels 'X T'; expected X and Y among them"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, problem: str) -> None:
    (found,) = document(text).problems
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('.SEGMENT WORD 0-1 ? "x"\n.PEN_DOWN\n1 1\n', "main:1: names component 1, but the file .* has 1 "),
        ('.PEN_DOWN\n1 1\n.PEN_DOWN\n1 1\n.SEGMENT WORD 1-0 ? "x"', "main:5: the components 1 to 0 run backwards"),
        ('.PEN_DOWN\n1 1\n.SEGMENT WORD 0:1-0:1 ? "x"', "main:3: names points 1 to 1 of component 0, which has 1"),
        ('.PEN_DOWN\n1 1\n2 2\n.SEGMENT WORD 0:1-0:0 ? "x"', "names points 1 to 0"),
        ('.PEN_DOWN\n1 1\n2\n.SEGMENT WORD 0 ? "x"', "main:1: 3 numbers do not divide by the 2 channels X Y"),
        ('\n.PEN_DOWN\n1 one\n.SEGMENT WORD 0 ? "x"', "main:2: the points hold something else than numbers"),
        ('.PEN_DOWN\n1 nan\n.SEGMENT WORD 0 ? "x"', "main:1: the points hold NaN or infinity"),
        ('.PEN_DOWN\n1 1e999\n.SEGMENT WORD 0 ? "x"', "main:1: the points hold NaN or infinity"),
    ],
)
def test_ink_that_cannot_be_is_an_error(text: str, message: str) -> None:
    made = document(text)
    assert made.problems == ()
    with pytest.raises(DataError, match=message):
        made.ink(made.segments[0])


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = {f"f{i}": f".INCLUDE f{i + 1}\n" * 10 for i in range(8)} | {"f8": ".PEN_DOWN\n1 1\n"}
    assert document(".INCLUDE f0\n", **bomb).problems == (
        "f7:6: more than 1000 includes in all; include each file once",
    )
    chain = {f"f{i}": f".INCLUDE f{i + 1}\n" for i in range(30)} | {"f30": ""}
    assert document(".INCLUDE f0\n", **chain).problems[0].startswith("f14:1: the include 'f15' is nested more than 16")
    many = document(".SEGMENT\n" * 200)
    assert len(many.problems) == unipen.MAX_PROBLEMS
    monkeypatch.setattr(unipen, "MAX_COMPONENTS", 2)
    assert document(".PEN_DOWN\n1 1\n" * 3).problems == ("main:5: more than 2 components; cut the file into several",)
    monkeypatch.setattr(unipen, "MAX_STATEMENTS", 3)
    with pytest.raises(DataError, match="main: more than 3 statements"):
        document(".A\n.B\n.C\n.D\n")
    monkeypatch.setattr(unipen, "MAX_FILE_BYTES", 10)
    with pytest.raises(DataError, match="main: 11 bytes, more than 10"):
        document(" " * 11)


def test_large_strokes_and_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    made = document(".PEN_DOWN\n" + "1 1\n" * (2 << 20) + '.SEGMENT WORD 0 ? "x"')
    with pytest.raises(DataError, match="main:1: 8388609 bytes of points, more than 4194304"):
        made.ink(made.segments[0])
    monkeypatch.setattr(unipen, "MAX_SEGMENT_POINTS", 3)
    made = document(THREE + '.SEGMENT WORD 0-2 ? "x"')
    with pytest.raises(DataError, match="main:13: the segment has more than 3 points"):
        made.ink(made.segments[0])


def test_a_file_by_itself() -> None:
    path = Path("page.dat")
    assert read_unipen(path, (".INCLUDE none\n" + THREE).encode()) == Ink.of(
        [[1, 2], [3, 4]], [[5, 6]], [[7, 8], [9, 9], [10, 10]]
    )
    for empty in (b"", b".PEN_UP\n1 1\n", b".PEN_DOWN\n0 0\n"):
        with pytest.raises(DataError, match="page.dat: holds no ink"):
            read_unipen(path, empty)
    with pytest.raises(Problems, match="page.dat:1: .COORD names the channels 'T'"):
        read_unipen(path, b".COORD T\n.PEN_DOWN\n1\n")
    with pytest.raises(DataError, match="page.dat: component 0 .line 1.: 1 numbers do not divide"):
        read_unipen(path, b".PEN_DOWN\n1\n")


@pytest.mark.parametrize("bad", ["1 1\n2", "1 one", "1 nan", "1 " + "x" * 9999])
def test_bad_pen_downs_of_a_file_are_named_and_the_others_are_read(bad: str) -> None:
    text = f".VERSION 1\n.SEGMENT no segment\n.PEN_DOWN\n1 2\n.PEN_DOWN\n{bad}\n.PEN_DOWN\n5 6\n"
    with pytest.warns(DataWarning, match=r"page\.dat: left out 1 of 3 strokes: component 1 \(line 5\): ") as caught:
        assert read_unipen(Path("page.dat"), text.encode()) == Ink.of([[1, 2]], [[5, 6]])
    assert len(caught) == 1
    assert len(str(caught[0].message)) < 300


def test_a_bad_pen_up_leaves_the_times_unknown() -> None:
    text = ".POINTS_PER_SECOND 100\n.PEN_DOWN\n1 2\n.PEN_UP\nx\n.PEN_DOWN\n5 6\n"
    with pytest.warns(DataWarning, match=r"page\.dat: times are not known \(line 4: 1 numbers do not divide"):
        assert read_unipen(Path("page.dat"), text.encode()) == Ink.of([[1, 2]], [[5, 6]])


RICH = (
    ".VERSION 1.0\n.COORD X Y T\n.POINTS_PER_SECOND 100\n.X_POINTS_PER_INCH 508\n.Y_POINTS_PER_INCH 508\n"
    ".WRITER_ID who\n.PEN_DOWN\n1 1 0\n2 2 10\n3 3 20\n.PEN_UP\n4 4 30\n.DT 30\n.PEN_DOWN\n5 5 60\n6 6 70\n"
    '.INCLUDE other\n.SEGMENT WORD 0-2 OK "hi"\n.SEGMENT WORD 0:1-2:0,2 ? "\\"quoted\\""\n.COMMENT end\n'
)


def test_mutations_give_a_result_or_an_error_of_ours() -> None:
    random = np.random.default_rng(8)
    outcomes = set()
    for _ in range(300):
        content = mutated(RICH.encode(), random)
        files = {"main": content, "other": b".PEN_DOWN\n7 7 80\n"}

        def resolve(written: str, including: str, files: dict[str, bytes] = files) -> str:
            if written in files:
                return written
            raise DataError(f"{written!r} is missing")

        made = read_document("main", lambda name, files=files: cut(name, files[name]), resolve)  # type: ignore[misc]
        outcomes.add("problems" if made.problems else "none")
        for segment in made.segments:
            assert made.writer(segment) is None or made.writer(segment)
            try:
                outcomes.add(type(made.ink(segment)).__name__)
            except AsrError as error:
                outcomes.add("error" if str(error).startswith(("main:", "other:")) else str(error))
    assert outcomes - {"NoneType"} == {"problems", "none", "Ink", "error"}
