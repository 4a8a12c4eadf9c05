"""Timing in turns, figures with their range, and the rows of a Markdown table; shared by the other benchmarks."""

from __future__ import annotations

import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.recurrent.options import BATCH_TOLERANCE

BOUND = BATCH_TOLERANCE
"""The most by which two sides that compute the same may differ: log posteriors, or frames on a scale of 1."""

Run = Callable[[], object]

COLUMNS = (
    "what | bundle, split, decoder | engine | must reach (aim) | before | measured | peer | its figure | times as good"
)
HEADING = f"| {COLUMNS} | agreement |\n|---|---|---|---|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Effort:
    """Numbers of runs of a benchmark."""

    words: int = 256
    rounds: int = 5
    long_rounds: int = 21
    seconds_of_sound: float = 160.0
    processes: int = 9
    inks: int = 6000


QUICK = Effort(words=64, rounds=2, long_rounds=3, seconds_of_sound=20.0, processes=2, inks=300)


@dataclass(frozen=True)
class Figure:
    """A figure that was measured several times.

    Attributes:
        values: one for each run, paired with the runs of the other side.
        unit: unit of the values.
        more_is_better: true for rates, false for times and memory.
    """

    values: tuple[float, ...]
    unit: str
    more_is_better: bool = False

    @classmethod
    def rate(cls, amount: float, seconds: Iterable[float], unit: str) -> Figure:
        """Return the amount that is done in a second."""
        return cls(tuple(amount / one for one in seconds), unit, more_is_better=True)

    @property
    def middle(self) -> float:
        """Return the median."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        """Return the median and range, `101 (98 to 104) words/s`."""
        return f"{spread(self.values)} {self.unit}"

    def over(self, other: Figure) -> str:
        """Return how many times as good this figure is, by pairs, with the range."""
        pairs = zip(self.values, other.values, strict=True)
        return spread([one / two if self.more_is_better else two / one for one, two in pairs])


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: the work that was measured.
        on: bundle, split and decoder.
        engine: the engine that ran the network.
        bar: the figure that it must reach.
        before: the figure of an earlier version, in the same call.
        measured: the figure; `also` is written after it.
        peer: the name of the peer; `theirs` is its figure.
        agreement: how far the results of both sides agree.
    """

    what: str
    on: str
    engine: str
    measured: Figure
    peer: str = ""
    theirs: Figure | None = None
    agreement: str = ""
    bar: str = ""
    also: str = ""
    before: str = ""

    def __str__(self) -> str:
        """Return the line in Markdown."""
        theirs, ratio = ("", "") if self.theirs is None else (str(self.theirs), self.measured.over(self.theirs))
        measured = f"**{self.measured}**{self.also}"
        cells = [self.what, self.on, self.engine, self.bar, self.before, measured, self.peer, theirs, ratio]
        return f"| {' | '.join([*cells, self.agreement])} |"


def spread(values: Sequence[float]) -> str:
    """Return the median and range."""
    low, middle, high = min(values), statistics.median(values), max(values)
    digits = 0 if middle >= 100 else 1 if middle >= 3 else 2
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def timed(
    runs: Mapping[str, Run], rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, list[float]]:
    """Time each run in turns, so that a busy machine slows all alike. Run each once before the call, to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = clock()
            run()
            seconds[name].append(clock() - start)
    return seconds


def agreed(one: NDArray[np.float32], other: NDArray[np.float32], rounded: bool = False) -> str:
    """Return the largest difference; stop the benchmark if it is above the bound.

    Args:
        one, other: arrays of the same shape.
        rounded: one of them was computed in bfloat16; no bound holds.
    """
    difference = float(np.abs(one - other).max())
    if not (difference <= BOUND or rounded):
        raise SystemExit(f"the two sides differ by {difference:.1e}: nothing was timed")
    return f"{difference:.0e}"


def environment(*packages: str) -> str:
    """Name the machine, the versions and the commit."""
    root = Path(__file__).resolve().parents[1]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True).stdout
    versions = ", ".join(f"{name} {_version(name)}" for name in packages)
    return f"{_processor()}; Python {platform.python_version()}, {versions}; commit {commit.strip() or 'unknown'}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.machine()
