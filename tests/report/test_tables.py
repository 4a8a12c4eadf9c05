from __future__ import annotations

import io
from collections import Counter

from rich.console import Console
from rich.table import Table

from asr.report.tables import confusions_table, rates_table
from asr.scoring.bootstrap import Interval
from asr.scoring.edits import ErrorCounts
from asr.scoring.rates import Rate


def printed(table: Table) -> list[str]:
    console = Console(file=io.StringIO(), width=130, color_system=None)
    console.print(table)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


WER = Rate(ErrorCounts(650, 80, 43, 21), Interval(0.152, 0.231, 10, "speakers"), "words")
CER = Rate(ErrorCounts(2900, 100, 30, 7), Interval(None, None, 1, "utterances", "one of a kind"), "characters")


def test_rates_stand_with_interval_and_counts() -> None:
    lines = printed(rates_table({"dev": {"wer": WER}, "test": {"wer": WER, "cer": CER}}, title="error rates"))
    (dev,) = [line for line in lines if line.startswith("│ dev")]
    cells = [cell.strip() for cell in dev.strip("│").split("│")]
    assert cells == ["dev", "wer", "18.6", "15.2 to 23.1", "144", "80", "43", "21", "773 words", "10 speakers"]
    assert lines[0].strip() == "error rates"
    assert lines[-1].strip() == "test: one of a kind"


def test_columns_line_up() -> None:
    lines = [line for line in printed(rates_table({"test": {"wer": WER, "cer": CER}})) if line.startswith("│")]
    assert len(lines) == 2
    borders = [[column for column, sign in enumerate(line) if sign == "│"] for line in lines]
    assert borders[0] == borders[1]


def test_no_interval_is_an_empty_cell_not_a_number() -> None:
    (line,) = [line for line in printed(rates_table({"test": {"cer": CER}})) if "cer" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")][2:4] == ["4.5", ""]


def test_labels_that_look_like_markup_are_printed_as_they_are() -> None:
    lines = printed(confusions_table(Counter({("[b]", "[/b]"): 1})))
    assert any("[b]" in line and "[/b]" in line for line in lines)


def test_confusions_come_by_frequency() -> None:
    lines = printed(confusions_table(Counter({("ih", "ix"): 3, (None, "t"): 5, ("s", None): 3, ("z", "s"): 1}), most=3))
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    assert rows == [["*", "t", "5", "41.7 %"], ["ih", "ix", "3", "25.0 %"], ["s", "*", "3", "25.0 %"]]
    assert lines[0].strip() == "3 most frequent of 12 errors"


def test_no_confusions_at_all() -> None:
    assert any("0 most frequent of 0 errors" in line for line in printed(confusions_table(Counter())))
