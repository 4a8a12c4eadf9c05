"""Time one process and two processes that fill the frame cache: `python benchmarks/frame_cache.py [RELEASE]`.

RELEASE is the zip file or the folder of UNIPEN, whose training words are the ink; without it, words are made of loops.
Both ways are timed in turns and must give the same bytes. On a busy machine, wall time means little for two processes:
the last line is the speed that their processor time allows on an idle machine.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asr.corpus.utterance import Utterance
from asr.features.cache import FrameCache
from asr.features.pen.extractor import PenFeatures
from asr.ink.ink import Ink
from asr.ink.store import write_store
from data_prep import load_corpus

ROUNDS = 3
MOST = 40_000  # number of words


@dataclass(frozen=True)
class Time:
    """Seconds to fill the cache once: wall time, and processor time of this process and of its workers."""

    wall: float
    here: float
    workers: float


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        words = unipen(sys.argv[1]) if len(sys.argv) > 1 else synthetic(folder)
        print(
            f"{len(words)} words, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; {versions()}\n"
        )
        one, two = timed(words, folder)
    print(f"{'':12} {'wall s':>8} {'range':>14} {'words/s':>8} {'processor s':>12} {'of workers':>11}")
    for name, times in (("one process", one), ("two workers", two)):
        wall = [time.wall for time in times]
        middle = statistics.median(wall)
        here, workers = (statistics.median(one) for one in zip(*((t.here, t.workers) for t in times), strict=True))
        edges = f"{min(wall):.1f} to {max(wall):.1f}"
        print(f"{name:12} {middle:8.1f} {edges:>14} {len(words) / middle:8.0f} {here + workers:12.1f} {workers:11.1f}")
    show("times as fast", [a.wall / b.wall for a, b in zip(one, two, strict=True)])
    show("the processors allow", [a.here / (b.here + b.workers / 2) for a, b in zip(one, two, strict=True)])


def show(what: str, ratios: Sequence[float]) -> None:
    print(f"{what}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def unipen(root: str) -> Sequence[Utterance]:
    return load_corpus("unipen", {"root": root, "category": "words"}).splits["train"][:MOST]


def synthetic(folder: Path) -> Sequence[Utterance]:
    """Make words of five loops, with about as many points as those of UNIPEN."""
    places = write_store(folder / "words.inks", inks())
    return [
        Utterance(f"w{i}", folder / "words.inks", kind="ink", start=start, duration=count)
        for i, (start, count) in enumerate(places)
    ]


def inks() -> Iterator[Ink]:
    random = np.random.default_rng(1)
    turn = np.linspace(0.3, 8.0, 45)
    for _ in range(MOST):
        heights = random.uniform(10.0, 40.0, size=5)
        yield Ink.of(*(np.column_stack([60 * i + 22 * np.cos(turn), h * np.sin(turn)]) for i, h in enumerate(heights)))


def timed(words: Sequence[Utterance], folder: Path) -> tuple[list[Time], list[Time]]:
    """Time every round with one process and with two workers; compare the caches and remove them."""
    times: tuple[list[Time], list[Time]] = ([], [])
    for _ in range(ROUNDS):
        content = []
        for workers, told in enumerate(times, start=1):
            began, before = time.perf_counter(), os.times()
            cache = FrameCache.open(words, PenFeatures(), folder / "cache", workers=workers)
            wall, after = time.perf_counter() - began, os.times()
            here = after.user + after.system - before.user - before.system
            beside = after.children_user + after.children_system - before.children_user - before.children_system
            told.append(Time(wall, here, beside))
            content.append(cache.path.read_bytes())
            del cache
            shutil.rmtree(folder / "cache")
        if content[0] != content[1]:
            sys.exit("two workers give other frames than one process")
    return times


def versions() -> str:
    return f"NumPy {np.__version__}, Python {platform.python_version()}, {platform.processor() or platform.machine()}"


if __name__ == "__main__":
    main()
