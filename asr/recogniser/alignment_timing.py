"""Estimate when labels begin and end from the frames in which the network emits them.

CTC trains the order of labels, not their times. A network emits a label in one or two frames within its sound, usually
some time after it begins, and the frames between two labels are blank. The start of a label u, whose emission begins a
`gap` after the end of the emission before it, is

    start(u) = emission start(u) - share * min(gap, 0.06 s) + lag + offset(label of u)

A label ends where the next one starts. If more than 0.25 s are between its emission and that start, there is a pause,
and the label ends `tail` after its emission.

The numbers are learned on the embedded corpus, whose boundaries are known: `python -m benchmarks.alignment --learn`
writes `alignment_timing.json`. They depend on the labels, so there is a table for each folding table: in an inventory
without closures, for example, a stop begins at its burst. Other inventories use the mean of the tables, without
offsets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from asr.corpus.inventory import Inventory

LONGEST_GAP = 0.06
"""The longest gap, in seconds, that is divided between two labels."""

PAUSE = 0.25
"""The time without an emission, in seconds, above which a label ends before the next one starts."""

FILE = Path(__file__).with_suffix(".json")
"""The file with the learned numbers."""

_SHORTEST = 0.001  # the least duration of a label, in seconds


@dataclass(frozen=True)
class Timing:
    """The numbers of the rule.

    Attributes:
        share: the share of the gap before a label that belongs to the label, 0 to 1.
        lag: seconds that are added to the start of every label.
        tail: seconds from the end of the emission to the end of a label before a pause.
        offsets: seconds that are added to the start of a label, by label.
    """

    share: float
    lag: float
    tail: float
    offsets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Emission:
    """A label and the time of its emission, in seconds from the beginning of the file."""

    label: str
    start: float
    end: float


def timing_of(inventory: Inventory) -> Timing:
    """Return the numbers for the labels of an inventory."""
    tables = _tables()
    if inventory.fold is not None and inventory.fold in tables:
        return tables[inventory.fold]
    mean = [sum(getattr(one, name) for one in tables.values()) / len(tables) for name in ("share", "lag", "tail")]
    return Timing(*mean)


def times_of(emissions: Sequence[Emission], timing: Timing, begin: float, end: float) -> list[tuple[float, float]]:
    """Return start and end of each label in seconds, in order, without overlap.

    Args:
        emissions: the emissions, in order, without overlap.
        timing: the numbers of the rule.
        begin: where the recording begins, in seconds.
        end: where the recording ends, in seconds.

    >>> timing = Timing(share=0.5, lag=0.0, tail=0.1)
    >>> emissions = [Emission("t", 0.04, 0.06), Emission("uw", 0.10, 0.12)]
    >>> [(round(start, 2), round(end, 2)) for start, end in times_of(emissions, timing, begin=0.0, end=1.0)]
    [(0.02, 0.08), (0.08, 0.22)]
    """
    starts: list[float] = []
    before = begin
    for one in emissions:
        gap = min(one.start - before, LONGEST_GAP)
        start = one.start - timing.share * gap + timing.lag + timing.offsets.get(one.label, 0.0)
        earliest = starts[-1] + _SHORTEST if starts else begin
        starts.append(max(min(start, one.end - _SHORTEST), earliest))
        before = one.end
    ends: list[float] = []
    for number, one in enumerate(emissions):
        following = starts[number + 1] if number + 1 < len(emissions) else end
        last = number + 1 == len(emissions)
        paused = following - one.end > (timing.tail if last else PAUSE)
        ends.append(max(one.end + timing.tail if paused else following, starts[number] + _SHORTEST))
    return list(zip(starts, ends, strict=True))


@cache
def _tables() -> Mapping[str, Timing]:
    read = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: Timing(**table) for name, table in read["tables"].items()}
