from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from asr.report.tables import TextTable, calibration_table, confusions_table, rates_table
from asr.scoring.bootstrap import Interval
from asr.scoring.calibration import Bin, CalibrationError
from asr.scoring.edits import ErrorCounts
from asr.scoring.rates import Rate


def printed(table: TextTable, width: int | None = 80) -> list[str]:
    """The lines of a table; empty ones left out."""
    return [line for line in table.lines(width) if line]


WER = Rate(ErrorCounts(650, 80, 43, 21), Interval(0.152, 0.231, 10, "speakers"), "words")
PER = Rate(ErrorCounts(290000, 100000, 3000, 7000), Interval(1.2, 1.3, 10, "speakers"), "labels")
CER = Rate(ErrorCounts(2900, 100, 30, 7), Interval(None, None, 1, "utterances", "one of a kind"), "characters")


def test_rates_stand_with_interval_and_counts() -> None:
    lines = printed(rates_table({"dev": {"wer": WER}, "test": {"wer": WER, "cer": CER}}, title="error rates"))
    assert lines[0].strip() == "error rates"
    assert lines[1].split() == ["split", "rate", "%", "95", "%", "errors", "sub", "del", "ins", "reference"]
    assert lines[3].split() == ["dev", "wer", "18.6", "15.2–23.1", "144", "80", "43", "21", "773"]
    assert [line.strip() for line in lines[-3:]] == [
        "dev: 95 % intervals over 10 speakers",
        "test: 95 % intervals over 10 speakers",
        "test: one of a kind",
    ]


def test_columns_line_up_and_fit_into_80_columns() -> None:
    heading, rule, wer, per, *_ = printed(rates_table({"test": {"wer": WER, "per_39_no_sil": PER}}))
    assert per.split() == ["per_39_no_sil", "28.0", "120.0–130.0", "110000", "100000", "3000", "7000", "393000"]
    assert len(heading) == len(rule) == len(wer) == len(per) <= 80
    assert len(heading.rstrip()) == len(wer.rstrip()) == len(per.rstrip())


def test_no_interval_is_an_empty_cell_not_a_number() -> None:
    assert printed(rates_table({"test": {"cer": CER}}))[2].split() == [
        "test",
        "cer",
        "4.5",
        "137",
        "100",
        "30",
        "7",
        "3030",
    ]


def test_labels_that_look_like_markup_are_printed_as_they_are() -> None:
    assert printed(confusions_table(Counter({("[b]", "[/b]"): 1})))[3].split()[:2] == ["[b]", "[/b]"]


def test_confusions_come_by_frequency() -> None:
    lines = printed(confusions_table(Counter({("ih", "ix"): 3, (None, "t"): 5, ("s", None): 3, ("z", "s"): 1}), most=3))
    assert lines[0].strip() == "3 most frequent of 12 errors"
    assert [line.split() for line in lines[3:]] == [
        ["*", "t", "5", "41.7", "%"],
        ["ih", "ix", "3", "25.0", "%"],
        ["s", "*", "3", "25.0", "%"],
    ]


def test_no_confusions_at_all() -> None:
    assert printed(confusions_table(Counter()))[0].strip() == "0 most frequent of 0 errors"


NAMES = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=60),
    st.text("京é\u0301\u0308한ａx_/.- ", max_size=120),
    st.from_regex(r"my_conformer_ctc_beam10_lm0\.5_epoch_avg[0-9]\.trn", fullmatch=True),
)
WIDTHS = st.none() | st.integers(1, 300)
FIGURES = ["28.0", "120.0–130.0", "110000", "100000", "3000", "7000", "393000"]


def texts(name: str) -> str:
    """What is left of a name when blanks, line breaks and escapes do not count."""
    return re.sub(r"\s", "", name)


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), NAMES, WIDTHS)
def test_no_figure_is_cut_and_no_name_is_lost_at_any_width(splits: list[str], rate: str, width: int | None) -> None:
    table = rates_table({split: {rate: PER} for split in splits}, heading="by", notes=False)
    lines = list(table.lines(width))
    rows = [line for line in lines[2:] if line.endswith("  ".join(["3000", "7000", "   393000"]))]
    assert len(rows) == len(splits)
    for row in rows:
        assert row.split()[-7:] == FIGURES
    ends = {cell_len(row) for row in [lines[0], *rows]}
    assert len(ends) == 1  # columns line up
    natural = cell_len(next(iter(table.lines())))
    if width is not None and natural > width:
        assert max(map(cell_len, lines)) <= max(width, cell_len(rows[0]))
    shown = texts("".join(lines[2:]))
    for split in splits:
        assert all(texts(character) in shown for character in split if character.isalnum())


@pytest.mark.parametrize("width", [None, *range(20, 301, 7)])
def test_names_that_differ_at_their_end_can_be_told_apart(width: int | None) -> None:
    names = [f"my_conformer_ctc_beam10_lm0.5_epoch_avg{number}.trn" for number in (5, 6)]
    text = "\n".join(rates_table({name: {"wer": WER} for name in names}).lines(width))
    pieces = re.sub(r"[\s\d]+(?=\s)", "", text)
    assert "avg5.trn" in pieces or "5.trn" in text
    assert "avg6.trn" in pieces or "6.trn" in text
    assert text.count(" 18.6  15.2–23.1     144   80   43   21        773") == 2


def test_a_pipe_gets_whole_names() -> None:
    name = "my_conformer_ctc_beam10_lm0.5_epoch_avg5.trn"
    assert f"{name}  wer   18.6  15.2–23.1" in printed(rates_table({name: {"wer": WER}}), None)[2]


def test_a_narrow_terminal_breaks_names_and_keeps_marks_with_their_letters() -> None:
    name = unicodedata.normalize("NFD", "é" * 30) + "京" * 10
    lines = printed(rates_table({name: {"wer": WER}}, notes=False), 80)
    assert max(map(cell_len, lines)) <= 80
    assert not any(line.startswith("\u0301") for line in lines)
    assert texts("".join(line[:30] for line in lines[3:])) in name


@given(NAMES, NAMES, WIDTHS)
def test_confusions_keep_their_figures(reference: str, hypothesis: str, width: int | None) -> None:
    table = confusions_table(Counter({(reference or None, hypothesis or "x"): 12345}))
    assert any(line.endswith("12345  100.0 %") for line in table.lines(width))


def test_escapes_in_names_are_shown_and_counted() -> None:
    lines = printed(rates_table({"a\x1b[2J\n": {"wer": WER}}, "t\x1b", heading="h\n", notes=True))
    assert not any("\x1b" in line for line in lines)
    assert lines[0] == r"t\x1b"
    assert lines[3].startswith(r"a\x1b[2J\n  wer   18.6")
    assert lines[4] == r"a\x1b[2J\n: 95 % intervals over 10 speakers"


def test_a_table_of_confidences() -> None:
    error = CalibrationError(0.0123, Interval(0.0, 0.02, 5, "writers"), 0.025, (Bin(0.9, 0.8, 7),))
    alone = CalibrationError(0.5, Interval(None, None, 1, "writers"), 1.0, (Bin(0.9, 0.4, 1),))
    lines = list(calibration_table({"dev": {}, "test": {"words": error, "labels": alone}}).lines())
    assert [line.split() for line in lines[2:4]] == [
        ["test", "words", "1.2", "0.0–2.0", "2.5", "7"],
        ["labels", "50.0", "100.0", "1"],
    ]
