"""Draw plots of compared results as SVG files, for README files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from asr.extras import require
from asr.report.comparison import Way, base_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _ROW, _MARGIN = 7.0, 0.32, 1.1  # inches
_GREY, _BLUE = "0.6", "#1f5f9f"


def stamp(compared: Sequence[Way], rate: str, base: str) -> str:
    """Return a checksum of the results that a plot shows; the file of the plot contains it."""
    shown = [(way.name, way.percents("test", rate)) for way in compared]
    return hashlib.sha256(repr((shown, rate, base)).encode()).hexdigest()[:16]


def draw(compared: Sequence[Way], rate: str, base: str, title: str) -> bytes:
    """Draw the test error of each way, the lowest on top.

    Each seed is a dot, the mean a diamond, and its 95 % interval a bar.

    Args:
        compared: the ways.
        rate: the error rate.
        base: the name of the way whose mean is drawn as a vertical line.
        title: the title of the plot; if the ways differ in a single option, its name is appended.

    Returns:
        The content of an SVG file, the same for the same results and version of matplotlib.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    size = (_WIDTH, _MARGIN + _ROW * len(compared))
    return svg(lambda axes: _fill(axes, compared, rate, base, title), size, stamp(compared, rate, base))


def svg(fill: Callable[[Axes], None], size: tuple[float, float], description: str) -> bytes:
    """Draw one plot as an SVG file.

    Args:
        fill: draws into the axes.
        size: width and height in inches.
        description: a text to write into the metadata of the file: the checksum of the results.

    Returns:
        The content of the SVG file.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    require("matplotlib", what="a plot")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "asr", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=size, layout="constrained")
        fill(figure.subplots())
        file = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None, "Description": description}
        figure.savefig(file, format="svg", metadata=metadata)
    return file.getvalue()


def _fill(axes: Axes, compared: Sequence[Way], rate: str, base: str, title: str) -> None:
    shown = base_of(compared, base).estimate("test", rate)
    if shown is not None:
        axes.axvline(shown.mean, color=_GREY, linewidth=0.8, linestyle="--", zorder=0)
    estimates = [(estimate, way) for way in compared if (estimate := way.estimate("test", rate)) is not None]
    rows = sorted(estimates, key=lambda each: each[0].mean)
    for row, (estimate, way) in enumerate(rows):
        seeds = way.percents("test", rate)
        axes.errorbar(estimate.mean, row, xerr=estimate.half_width, fmt="D", color=_BLUE, markersize=6, capsize=3)
        axes.plot(seeds, [row] * len(seeds), "o", color="white", markeredgecolor="black", markersize=4, zorder=3)
    names = [way.name for _, way in rows]
    option = _shared_option(names)
    axes.set_yticks(range(len(rows)), [name.removeprefix(f"{option}=") for name in names])
    axes.invert_yaxis()
    axes.set_xlabel(f"test {rate}, %: seeds, and their mean with its 95 % interval")
    axes.set_title(f"{title}, {option}" if option else title, loc="left")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)


def _shared_option(names: Sequence[str]) -> str:
    """Return the name of the option that all names consist of; empty if there is none."""
    options = {name.partition("=")[0] if " " not in name else "" for name in names}
    return options.pop() if len(options) == 1 else ""
