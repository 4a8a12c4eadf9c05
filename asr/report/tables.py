"""The tables that commands print at their end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from asr.scoring.rates import Rate

_NOTHING = "*"


def rates_table(splits: Mapping[str, Mapping[str, Rate]], title: str | None = None) -> Table:
    """Error rates of one or more splits: percent, interval and the counts behind them, in columns that line up.

    Args:
        splits: rates by name, by the name of their split, in the order of the rows.
        title: above the table.
    """
    table = Table(title=title, title_justify="left", caption=_notes(splits), caption_justify="left")
    table.add_column("split")
    table.add_column("rate")
    for heading in ("%", "95 % interval", "errors", "sub", "del", "ins", "reference"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("drawn over")
    for split, rates in splits.items():
        for number, (name, rate) in enumerate(rates.items()):
            counts = rate.counts
            errors = (counts.errors, counts.substitutions, counts.deletions, counts.insertions)
            table.add_row(
                Text("" if number else split),
                Text(name),
                f"{rate.percent:.1f}",
                "" if rate.low is None or rate.high is None else f"{rate.low:.1f} to {rate.high:.1f}",
                *map(str, errors),
                f"{rate.reference} {rate.unit}",
                f"{rate.groups} {rate.interval.grouped_by}" if rate.groups else "",
                end_section=number == len(rates) - 1,
            )
    return table


def confusions_table(confusions: Counter[tuple[str | None, str | None]], most: int = 10) -> Table:
    """The most frequent errors; `*` stands for nothing. Equally frequent ones come in alphabetical order.

    Args:
        confusions: from `asr.scoring.utterances.confusions`.
        most: rows at most.
    """
    shown = sorted(
        ((-n, reference or _NOTHING, hypothesis or _NOTHING) for (reference, hypothesis), n in confusions.items())
    )[:most]
    total = confusions.total()
    table = Table(title=f"{len(shown)} most frequent of {total} errors", title_justify="left")
    table.add_column("reference")
    table.add_column("recognised")
    table.add_column("times", justify="right")
    table.add_column("share", justify="right")
    for negative, reference, hypothesis in shown:
        table.add_row(Text(reference), Text(hypothesis), str(-negative), f"{-100 * negative / total:.1f} %")
    return table


def _notes(splits: Mapping[str, Mapping[str, Rate]]) -> Text | None:
    """What weakens the intervals, each split's sentence once."""
    notes = [
        f"{split}: {note}"
        for split, rates in splits.items()
        for note in dict.fromkeys(rate.interval.note for rate in rates.values() if rate.interval.note)
    ]
    return Text("\n".join(notes)) if notes else None
