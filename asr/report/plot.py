"""Plots of compared results, as SVG files that a README can show."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from asr.errors import ConfigError
from asr.report.comparison import Way, base_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _ROW, _MARGIN = 7.0, 0.32, 1.1  # inches
_GREY, _BLUE = "0.6", "#1f5f9f"


def stamp(compared: Sequence[Way], rate: str, base: str) -> str:
    """What a plot shows, as a checksum that stands in its file: a plot of other results has another one."""
    shown = [(way.name, [way.percents(split, rate) for split in ("dev", "test")]) for way in compared]
    return hashlib.sha256(repr((shown, rate, base)).encode()).hexdigest()[:16]


def draw(compared: Sequence[Way], rate: str, base: str, title: str) -> bytes:
    """Each way's test error: a dot a seed, a diamond for their mean, a bar for its 95 % interval.

    Args:
        compared: the ways, from the top.
        rate: which error rate.
        base: name of the way whose mean is drawn as a line through all.
        title: above the plot.

    Returns:
        An SVG file, the same bytes for the same results with the same version of matplotlib.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("plots need matplotlib: pip install 'ctc-asr[plot]'") from None
    with mpl.rc_context({"svg.hashsalt": "asr", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(_WIDTH, _MARGIN + _ROW * len(compared)), layout="constrained")
        _fill(figure.subplots(), compared, rate, base, title)
        file = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None, "Description": stamp(compared, rate, base)}
        figure.savefig(file, format="svg", metadata=metadata)
    return file.getvalue()


def _fill(axes: Axes, compared: Sequence[Way], rate: str, base: str, title: str) -> None:
    shown = base_of(compared, base).estimate("test", rate)
    if shown is not None:
        axes.axvline(shown.mean, color=_GREY, linewidth=0.8, linestyle="--", zorder=0)
    for row, way in enumerate(compared):
        seeds, estimate = way.percents("test", rate), way.estimate("test", rate)
        axes.plot(seeds, [row] * len(seeds), "o", color=_GREY, markersize=4, zorder=1)
        if estimate is not None:
            axes.errorbar(
                estimate.mean, row, xerr=estimate.half_width, fmt="D", color=_BLUE, markersize=5, capsize=3, zorder=2
            )
    axes.set_yticks(range(len(compared)), [way.name for way in compared])
    axes.invert_yaxis()
    axes.set_xlabel(f"test {rate}, %: seeds, and their mean with its 95 % interval")
    axes.set_title(title, loc="left")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
