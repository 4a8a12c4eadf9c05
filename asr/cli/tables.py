"""Print error rates as the table that all commands end with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from asr.report.tables import rates_table
from asr.scoring.rates import Rate


def print_rates(splits: Mapping[str, Mapping[str, Rate]], title: str | None = None) -> None:
    """Print the rates of some splits on standard output."""
    Console(highlight=False).print(rates_table(splits, title))


def print_result(result: Mapping[str, Any]) -> None:
    """Print a result as it stands in `result.json`."""
    title = f"{result['recipe']}, seed {result['seed']}"
    print_rates({split: _read(part["rates"]) for split, part in result["splits"].items()}, title)
    for split, part in result["splits"].items():
        for tag, groups in part.get("by", {}).items():
            rates = {value or "(none)": _read(found) for value, found in groups.items()}
            Console(highlight=False).print(rates_table(rates, split, heading=tag, notes=False))


def _read(rates: Mapping[str, Any]) -> dict[str, Rate]:
    return {name: Rate.from_dict(values) for name, values in rates.items()}
