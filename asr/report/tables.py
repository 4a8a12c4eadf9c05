"""The tables that commands print at their end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from asr.scoring.rates import Rate

_NOTHING = "*"


def rates_table(
    splits: Mapping[str, Mapping[str, Rate]], title: str | None = None, heading: str = "split", notes: bool = True
) -> Table:
    """Error rates of one or more splits: percent, interval and the counts behind them, in columns that line up.

    It fits into 80 columns, the width of a terminal that does not say how wide it is.

    Args:
        splits: rates by name, by the name of their split, in the order of the rows.
        title: above the table.
        heading: of the first column.
        notes: say beneath what the intervals were drawn over.
    """
    table = _table(title)
    if notes:
        table.caption, table.caption_justify = _notes(splits), "left"
    table.add_column(heading, no_wrap=True)
    table.add_column("rate", no_wrap=True)
    for heading in ("%", "95 %", "errors", "sub", "del", "ins", "reference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for split, rates in splits.items():
        for number, (name, rate) in enumerate(rates.items()):
            counts = rate.counts
            table.add_row(
                Text("" if number else split),
                Text(name),
                f"{rate.percent:.1f}",
                "" if rate.low is None or rate.high is None else f"{rate.low:.1f}–{rate.high:.1f}",
                *map(str, (counts.errors, counts.substitutions, counts.deletions, counts.insertions, rate.reference)),
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
    table = _table(f"{len(shown)} most frequent of {total} errors")
    table.add_column("reference")
    table.add_column("recognised")
    table.add_column("times", justify="right")
    table.add_column("share", justify="right")
    for negative, reference, hypothesis in shown:
        table.add_row(Text(reference), Text(hypothesis), str(-negative), f"{-100 * negative / total:.1f} %")
    return table


def _table(title: str | None) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def _notes(splits: Mapping[str, Mapping[str, Rate]]) -> Text:
    """What the intervals were drawn over, and what weakens them; each sentence of a split once."""
    lines = []
    for split, rates in splits.items():
        intervals = [rate.interval for rate in rates.values()]
        said = (each.note or f"95 % intervals over {each.groups} {each.grouped_by}" for each in intervals)
        lines += [f"{split}: {sentence}" for sentence in dict.fromkeys(said)]
    return Text("\n".join(lines))
