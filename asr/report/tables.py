"""Lay out the tables that commands print.

No figure is cut or left out. If a table is wider than the terminal, its names are broken over several lines; if that is
not enough, lines are longer than the terminal is wide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len

from asr.printable import printable
from asr.scoring.calibration import CalibrationError
from asr.scoring.rates import Rate

_NOTHING = "*"
_NARROWEST = 12  # the least width of a column of names
_GAP = "  "


@dataclass(frozen=True)
class TextTable:
    """A table of names and figures.

    Attributes:
        headings: the heading of each column.
        names: how many columns, from the left, are names; the others are figures, aligned on the right.
        sections: sections of rows of cells; an empty line separates sections.
        title: the line above the table; empty for none.
        notes: lines below the table.

    >>> print(*TextTable(("split", "%"), 1, [[("dev", "8.1")], [("test", "10.2")]]).lines(), sep="\\n")
    split     %
    ───────────
    dev     8.1
    <BLANKLINE>
    test   10.2
    """

    headings: Sequence[str]
    names: int
    sections: Sequence[Sequence[Sequence[str]]]
    title: str = ""
    notes: Sequence[str] = ()

    def lines(self, width: int | None = None) -> Iterator[str]:
        """Yield the lines of the table.

        Args:
            width: the width that lines should have at most, in cells of a terminal (a wide East Asian character takes
                two); None: unlimited.
        """
        sections = [[[printable(cell) for cell in row] for row in section] for section in self.sections]
        headings = [printable(heading) for heading in self.headings]
        rows = [headings, *(row for section in sections for row in section)]
        widths = self._widths([max(map(cell_len, column)) for column in zip(*rows, strict=True)], width)
        if self.title:
            yield from (printable(self.title), "")
        yield from self._row(headings, widths)
        yield "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
        for number, section in enumerate(sections):
            if number:
                yield ""
            for row in section:
                yield from self._row(row, widths)
        if self.notes:
            yield from ("", *map(printable, self.notes))

    def _widths(self, widths: list[int], room: int | None) -> list[int]:
        """Reduce the widths of columns of names, the widest first, until the table fits into `room` cells."""
        excess = 0 if room is None else sum(widths) + len(_GAP) * (len(widths) - 1) - room
        for _ in range(excess):
            longest = max(range(self.names), key=lambda column: widths[column])
            if widths[longest] <= _NARROWEST:
                break
            widths[longest] -= 1
        return widths

    def _row(self, row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
        pieces = [_broken(cell, width) for cell, width in zip(row[: self.names], widths, strict=False)]
        pieces += [[cell] for cell in row[self.names :]]
        for line in zip_longest(*pieces, fillvalue=""):
            padded = [" " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)]
            cells = [cell + pad for cell, pad in zip(line[: self.names], padded, strict=False)]
            cells += [pad + cell for cell, pad in zip(line[self.names :], padded[self.names :], strict=True)]
            yield _GAP.join(cells).rstrip()


def rates_table(
    splits: Mapping[str, Mapping[str, Rate]], title: str = "", heading: str = "split", notes: bool = True
) -> TextTable:
    """Make a table of the error rates of one or more splits: percent, interval and counts.

    Args:
        splits: for each split its rates by name, in the order of the rows.
        title: the line above the table.
        heading: the heading of the first column.
        notes: whether lines below the table state what the intervals were drawn over.
    """
    sections = [
        [["" if number else split, *_figures(name, rate)] for number, (name, rate) in enumerate(rates.items())]
        for split, rates in splits.items()
    ]
    headings = (heading, "rate", "%", "95 %", "errors", "sub", "del", "ins", "reference")
    return TextTable(headings, 2, sections, title, _notes(splits) if notes else ())


def _figures(name: str, rate: Rate) -> list[str]:
    interval = "" if rate.low is None or rate.high is None else f"{rate.low:.1f}–{rate.high:.1f}"
    counts = rate.counts
    numbers = (counts.errors, counts.substitutions, counts.deletions, counts.insertions, rate.reference)
    return [name, f"{rate.percent:.1f}", interval, *map(str, numbers)]


def calibration_table(splits: Mapping[str, Mapping[str, CalibrationError]]) -> TextTable:
    """Make a table of the calibration errors of confidences.

    Args:
        splits: for each split its errors by kind (`words`, `labels`, `utterances`).
    """
    sections = [
        [["" if place else split, kind, *_error_figures(error)] for place, (kind, error) in enumerate(errors.items())]
        for split, errors in splits.items()
        if errors
    ]
    note = "error: mean distance of confidence and share of right ones; chance: of a calibrated recogniser, at most"
    return TextTable(("split", "confidences of", "error, %", "95 %", "chance, %", "number"), 2, sections, "", [note])


def _error_figures(error: CalibrationError) -> list[str]:
    low, high = error.interval.low, error.interval.high
    interval = "" if low is None or high is None else f"{100 * low:.1f}–{100 * high:.1f}"
    return [f"{100 * error.error:.1f}", interval, f"{100 * error.chance:.1f}", str(error.count)]


def confusions_table(confusions: Counter[tuple[str | None, str | None]], most: int = 10) -> TextTable:
    """Make a table of the most frequent errors; `*` stands for no label.

    Args:
        confusions: the counts from `asr.scoring.utterances.confusions`.
        most: the most rows. Equally frequent errors are in alphabetical order.
    """
    shown = sorted(
        ((-n, reference or _NOTHING, hypothesis or _NOTHING) for (reference, hypothesis), n in confusions.items())
    )[:most]
    total = confusions.total()
    rows = [
        [reference, hypothesis, str(-negative), f"{-100 * negative / total:.1f} %"]
        for negative, reference, hypothesis in shown
    ]
    title = f"{len(shown)} most frequent of {total} errors"
    return TextTable(("reference", "recognised", "times", "share"), 2, [rows], title)


def _broken(name: str, width: int) -> list[str]:
    """Break a name into pieces of at most `width` cells; a combining mark stays with its letter."""
    if cell_len(name) <= width:
        return [name]
    pieces, room = [""], width
    for character in name:
        size = cell_len(character)
        if size > room:
            pieces.append("")
            room = width
        pieces[-1] += character
        room -= size
    return pieces


def _notes(splits: Mapping[str, Mapping[str, Rate]]) -> list[str]:
    """Return lines about the intervals of each split: what they were drawn over, or their note; without repeats."""
    lines = []
    for split, rates in splits.items():
        intervals = [rate.interval for rate in rates.values()]
        said = (each.note or f"95 % intervals over {each.groups} {each.grouped_by}" for each in intervals)
        lines += [f"{split}: {sentence}" for sentence in dict.fromkeys(said)]
    return lines
