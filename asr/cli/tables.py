"""Print error rates as the table that all commands end with."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from asr.evaluation.result import Result
from asr.report.tables import rates_table
from asr.scoring.rates import Rate


def print_rates(splits: Mapping[str, Mapping[str, Rate]], title: str | None = None) -> None:
    """Print the rates of some splits on standard output."""
    Console(highlight=False).print(rates_table(splits, title))


def print_result(result: Result) -> None:
    """Print the rates of all splits, and those of their parts."""
    seed = "" if result.seed is None else f", seed {result.seed}"
    decoder = "" if result.decoder.name == "greedy" else f", decoder {result.decoder.name}"
    print_rates({split: part.rates for split, part in result.splits.items()}, f"{result.recipe}{seed}{decoder}")
    for split, part in result.splits.items():
        for tag, groups in part.by.items():
            rates = {value or "(none)": found for value, found in groups.items()}
            Console(highlight=False).print(rates_table(rates, split, heading=tag, notes=False))
