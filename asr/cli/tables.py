"""Print error rates as tables on standard output."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

from asr.evaluation.result import Result
from asr.report.tables import TextTable, calibration_table, rates_table
from asr.scoring.rates import Rate


def print_rates(splits: Mapping[str, Mapping[str, Rate]], title: str = "") -> None:
    """Print error rates on standard output.

    Args:
        splits: for the name of each row group, such as a split, its rates by name.
        title: the title of the table.
    """
    print_table(rates_table(splits, title))


def print_result(result: Result) -> None:
    """Print the error rates of all splits and of their tag values, and the errors of calibrated confidences."""
    seed = "" if result.seed is None else f", seed {result.seed}"
    decoder = "" if result.decoder.name == "greedy" else f", decoder {result.decoder.name}"
    print_rates({split: part.rates for split, part in result.splits.items()}, f"{result.recipe}{seed}{decoder}")
    for split, part in result.splits.items():
        for tag, groups in part.by.items():
            rates = {value or "(none)": found for value, found in groups.items()}
            print_table(rates_table(rates, split, heading=tag, notes=False))
    if result.decoder.component.options.get("calibration"):  # errors of uncalibrated confidences are not shown
        print_table(calibration_table({split: part.calibration for split, part in result.splits.items()}))


def print_table(table: TextTable) -> None:
    """Print a table and an empty line.

    On a terminal, long names are wrapped to fit its width; in a pipe or a file, each row is one line.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print("\n".join([*table.lines(width), ""]))
