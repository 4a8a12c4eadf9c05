"""Report reliability, the share of right words at each confidence, as a table and a plot."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.errors import DataError
from asr.evaluation.result import Result
from asr.report.comparison import ways
from asr.report.decoders import short_names
from asr.report.escaping import code, with_unbroken_interval
from asr.report.markdown import results_of, table
from asr.report.plot import svg
from asr.scoring.calibration import CalibrationError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADINGS = ("recipe", "decoder", "seed", "of", "dev, %", "test, %", "chance, %", "number")
LEGEND = (
    "Expected calibration error: mean distance of confidence and share of right ones, ten bins of equal mass; in "
    "brackets its 95 % interval over people. Chance: what a perfectly calibrated recogniser stays below in 95 of 100 "
    "test sets of this size."
)
_SIZE, _LINE = 4.0, 0.17  # inches: the plot, and a line of the legend
_WIDEST = 46  # characters of such a line
_KINDS = ("words", "labels", "utterances")


def reliability_table(name: str, recipes: Path) -> str:
    """Make the table of the calibration errors of a recipe's runs, with a row each for words, labels and utterances.

    Args:
        name: `task/recipe`.
        recipes: the folder of recipes.

    Raises:
        DataError: the recipe does not exist, or none of its results has confidences.
        Problems: see `asr.report.markdown.results_table`.
    """
    results = [result for _, result in _runs(name, recipes)]
    short = short_names(result.decoder.name for result in results)
    rows = [_row(result, short[result.decoder.name], kind) for result in results for kind in _kinds(result)]
    return table(HEADINGS, rows, LEGEND)


def reliability_stamp(name: str, recipes: Path) -> str:
    """Return a checksum of the results that the plot shows; the file of the plot contains it."""
    shown = [(label, result.seed, _shown(result)) for label, result in _runs(name, recipes)]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def draw_reliability(name: str, recipes: Path) -> bytes:
    """Draw the reliability of words (or of labels, if there are no words) on the test set, one line for each run.

    Each dot is a bin. On the diagonal, confidence and share of right words are equal.

    Returns:
        The content of an SVG file.

    Raises:
        DataError, Problems: see `reliability_table`.
        MissingExtra: matplotlib is not installed.
    """
    runs = [(_legend(label, result), _shown(result)) for label, result in _runs(name, recipes)]
    height = _SIZE + _LINE * sum(1 + label.count("\n") for label, _ in runs)
    return svg(lambda axes: _fill(axes, runs, name), (_SIZE, height), reliability_stamp(name, recipes))


def _legend(label: str, result: Result) -> str:
    """Return the legend of a run, without the recipe, in lines that are no wider than the plot."""
    options = label.replace("`", "").removeprefix(result.recipe).strip() or "as it is"
    apart = f"{options}, seed {result.seed}: {100 * _shown(result).error:.1f} %".replace(",", ", ")
    return "\n".join(textwrap.wrap(" ".join(apart.split()), _WIDEST))


def _runs(name: str, recipes: Path) -> list[tuple[str, Result]]:
    """Return the runs of a recipe whose test set has confidences, each with its label in the table."""
    if "/" not in name:
        raise DataError(f"results:{name} confidences: give a recipe, task/name")
    found = [result for results in results_of(name, recipes).values() for result in results]
    runs = [
        (" ".join(map(code, (result.recipe, *way.options))), result)
        for way in ways(found)
        for result in way.results
        if "test" in result.splits and result.splits["test"].calibration
    ]
    if not runs:
        raise DataError(f"results:{name} confidences: no result has confidences; write one with asr-evaluate")
    return runs


def _kinds(result: Result) -> list[str]:
    return [kind for kind in _KINDS if kind in result.splits["test"].calibration]


def _shown(result: Result) -> CalibrationError:
    return result.splits["test"].calibration[_kinds(result)[0]]


def _row(result: Result, decoder: str, kind: str) -> list[str]:
    errors = [
        result.splits[split].calibration.get(kind) if split in result.splits else None for split in ("dev", "test")
    ]
    test = result.splits["test"].calibration[kind]
    recipe = " ".join(map(code, (result.recipe, *result.options)))
    return [
        recipe,
        code(decoder),
        str(result.seed),
        kind,
        *map(with_unbroken_interval, map(_cell, errors)),
        f"{100 * test.chance:.1f}",
        str(test.count),
    ]


def _cell(error: CalibrationError | None) -> str:
    if error is None:
        return "none"
    low, high = error.interval.low, error.interval.high
    return f"{100 * error.error:.1f}" + ("" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]")


def _fill(axes: Axes, runs: Sequence[tuple[str, CalibrationError]], title: str) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, linestyle="--", zorder=0)
    for label, error in runs:
        points = [(one.confidence, one.right) for one in error.bins]
        axes.plot(*zip(*points, strict=True), "o-", markersize=4, linewidth=1, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("confidence: mean of a tenth of the words")
    axes.set_ylabel("share that is right")
    axes.set_title(title, loc="left")
    axes.figure.legend(loc="outside lower left", frameon=False)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
