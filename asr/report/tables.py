"""The tables that commands print, as lines of text.

No figure is ever cut or left out. Where a table is wider than the terminal its names are broken over several lines;
where even that does not help, lines are longer than the terminal is wide.
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
_NARROWEST = 12  # cells of a column of names, below which names are not broken further
_GAP = "  "


@dataclass(frozen=True)
class TextTable:
    """A table of names and figures.

    Attributes:
        headings: one a column.
        names: how many columns are names, on the left; the others are figures, flush right.
        sections: rows of cells; an empty line stands between sections.
        title: above the table; empty for none.
        notes: lines beneath it.
    """

    headings: Sequence[str]
    names: int
    sections: Sequence[Sequence[Sequence[str]]]
    title: str = ""
    notes: Sequence[str] = ()

    def lines(self, width: int | None = None) -> Iterator[str]:
        """Lay the table out.

        Args:
            width: cells (a wide East Asian character takes two) that a line should have at most; None for any number.
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
        """Take the cells that the table has too many from its names, the longest first."""
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
    """Tabulate error rates of one or more splits: percent, interval and the counts behind them.

    Args:
        splits: rates by name, by the name of their split, in the order of the rows.
        title: above the table.
        heading: of the first column.
        notes: state beneath what the intervals were drawn over.
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
    """Tabulate the calibration errors of confidences.

    Args:
        splits: by the name of a split, its errors by kind (`words`, `labels`, `utterances`).
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
    """Tabulate the most frequent errors; `*` stands for nothing. Equally frequent ones come in alphabetical order.

    Args:
        confusions: from `asr.scoring.utterances.confusions`.
        most: rows at most.
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
    """State what the intervals were drawn over, and what weakens them; each sentence of a split once."""
    lines = []
    for split, rates in splits.items():
        intervals = [rate.interval for rate in rates.values()]
        said = (each.note or f"95 % intervals over {each.groups} {each.grouped_by}" for each in intervals)
        lines += [f"{split}: {sentence}" for sentence in dict.fromkeys(said)]
    return lines
