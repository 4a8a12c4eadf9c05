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
    """The lines of a table on a console of 80 columns; empty ones left out."""
    file = io.StringIO()
    Console(file=file, width=80, color_system=None).print(table)
    return [line for line in file.getvalue().splitlines() if line.strip()]


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
