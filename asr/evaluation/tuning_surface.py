"""Write the error rate of each point of a tuning, as a table and as a plot."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asr.evaluation.tuning import Tuning
from asr.extras import installed
from asr.files import write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = 4.0  # inches of a panel
_BLUE, _RED = "#1f5f9f", "#b03030"


def write_surface(tuning: Tuning, folder: Path, name: str) -> list[Path]:
    """Write `<name>.tsv` and, if matplotlib is installed, `<name>.svg` into a folder.

    Returns:
        The paths of the files.

    Raises:
        DataError: a file cannot be written.
    """
    contents = {f"{name}.tsv": table(tuning).encode()}
    if installed("matplotlib"):
        contents[f"{name}.svg"] = drawn(tuning)
    for file, content in contents.items():
        write_file(folder / file, content)
    return [folder / file for file in contents]


def table(tuning: Tuning) -> str:
    """Return the surface as tab-separated text: weights, errors, reference labels, percent; `*` marks the choice."""
    rows = [[*(axis.name for axis in tuning.axes), "errors", "reference", f"{tuning.rate}_percent", "chosen"]]
    for point, counts in tuning.surface.items():
        numbers = [str(counts.errors), str(counts.reference), f"{100 * counts.rate:.4f}"]
        rows.append([*(f"{value:g}" for value in point), *numbers, "*" if point == tuning.chosen else ""])
    return "".join("\t".join(row) + "\n" for row in rows)


def drawn(tuning: Tuning) -> bytes:
    """Return a plot of the surface as an SVG file: a map for two weights, otherwise a panel for each weight.

    The panel of a weight has a dot for each point, and a line through the best point for each value of the weight.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    as_map = len(tuning.axes) == 2
    panels = 1 if as_map else len(tuning.axes)
    with mpl.rc_context({"svg.hashsalt": "asr", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(_SIZE * panels + as_map, _SIZE), layout="constrained")
        axes = figure.subplots(1, panels, squeeze=False, sharey=not as_map)[0]
        if as_map:
            shown = _map(axes[0], tuning)
            figure.colorbar(shown, ax=axes[0], label=f"{tuning.rate}, %")
        else:
            for place in range(panels):
                _panel(axes[place], tuning, place)
            axes[0].set_ylabel(f"{tuning.rate}, %")
        figure.suptitle(tuning.choice.name, x=0.02, ha="left", fontsize=9)
        file = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None}
        figure.savefig(file, format="svg", metadata=metadata)
    return file.getvalue()


def _map(axes: Axes, tuning: Tuning) -> Any:
    points = np.array(list(tuning.surface))
    percents = np.array([100 * one.rate for one in tuning.surface.values()])
    best = percents.min()
    most = max(best + 1e-3, min(percents.max(), 2 * best + 1))  # colours differ near the minimum, not far from it
    shown = axes.scatter(points[:, 0], points[:, 1], c=percents, vmin=best, vmax=most, cmap="viridis_r", s=60)
    axes.plot(*tuning.chosen, "o", markersize=12, markerfacecolor="none", markeredgecolor=_RED, markeredgewidth=1.5)
    axes.set_xlabel(tuning.axes[0].name)
    axes.set_ylabel(tuning.axes[1].name)
    return shown


def _panel(axes: Axes, tuning: Tuning, place: int) -> None:
    lowest: dict[float, float] = {}
    for point, counts in tuning.surface.items():
        axes.plot(point[place], 100 * counts.rate, ".", color="0.7", markersize=4)
        lowest[point[place]] = min(lowest.get(point[place], np.inf), 100 * counts.rate)
    values = sorted(lowest)
    axes.plot(values, [lowest[value] for value in values], color=_BLUE)
    axes.plot(tuning.chosen[place], 100 * tuning.surface[tuning.chosen].rate, "o", color=_RED, markersize=6)
    axes.set_xlabel(tuning.axes[place].name)
    bottom = min(lowest.values())
    axes.set_ylim(bottom=max(0.0, bottom - 0.5), top=min(max(lowest.values()), 2 * bottom + 1) + 0.5)
