"""Convert frames of emission to times: estimate where labels begin and end from where the network emits them.

CTC asks for the order of labels, not for their times. A network emits a label in one or two frames somewhere in its
sound, more often after its beginning than at it, and the frames between two labels are blank. The rule, for a label u
whose emission begins a `gap` after that of the label before has ended:

    start(u) = emission start(u) - share * min(gap, 0.06 s) + lag + offset(label of u)

A label ends where the next one starts. Where more than 0.25 s lie between its emission and that start, somebody
paused, and the label ends `tail` after its emission.

The numbers are learned on the embedded corpus, whose boundaries are known: `python -m benchmarks.alignment --learn`
writes `alignment_timing.json`. They depend on what the labels stand for, so there is a table for each folding table: in
an inventory without closures a stop begins at its burst. Other inventories take the mean of the tables, without
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
"""The seconds of a gap that are shared; the rest of a longer gap does not belong to the label behind it."""

PAUSE = 0.25
"""The seconds without an emission above which a label ends before the next one starts."""

FILE = Path(__file__).with_suffix(".json")
_SHORTEST = 0.001  # seconds of a label


@dataclass(frozen=True)
class Timing:
    """The numbers of the rule.

    Attributes:
        share: the share of the gap before a label that belongs to the label, 0 to 1.
        lag: seconds.
        tail: seconds by which a label before a pause outlasts its emission.
        offsets: seconds by label.
    """

    share: float
    lag: float
    tail: float
    offsets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Emission:
    """A label and when it is emitted, in seconds from the beginning of the file."""

    label: str
    start: float
    end: float


def timing_of(inventory: Inventory) -> Timing:
    """Return the numbers for labels of this inventory."""
    tables = _tables()
    if inventory.fold is not None and inventory.fold in tables:
        return tables[inventory.fold]
    mean = [sum(getattr(one, name) for one in tables.values()) / len(tables) for name in ("share", "lag", "tail")]
    return Timing(*mean)


def times_of(emissions: Sequence[Emission], timing: Timing, begin: float, end: float) -> list[tuple[float, float]]:
    """Return start and end of each label, in order, without overlap.

    Args:
        emissions: in order, without overlap.
        timing: the numbers of the rule.
        begin, end: where the recording begins and ends, in seconds.
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
