"""Seconds to fill the frame cache with one process and with two: `python benchmarks/frame_cache.py [RELEASE]`.

RELEASE is the zip file or the folder of UNIPEN, whose training words are the ink; without it words are made of loops.
Both ways are timed in turns, and must give the same bytes. Wall clock: on a busy machine two processes gain less, so
the table says how much of the machine others took (`os.getloadavg`).
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
from pathlib import Path

import numpy as np

from asr.corpus.utterance import Utterance
from asr.features.cache import FrameCache
from asr.features.pen.extractor import PenFeatures
from asr.ink.ink import Ink
from asr.ink.store import write_store
from data_prep import load_corpus

ROUNDS = 3
MOST = 20_000  # words


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        words = unipen(sys.argv[1]) if len(sys.argv) > 1 else synthetic(folder)
        print(
            f"{len(words)} words, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; {versions()}\n"
        )
        times = timed(words, folder)
    print(f"{'':14} {'seconds':>8} {'words/s':>8} {'range, s':>14}")
    for workers, seconds in times.items():
        middle = statistics.median(seconds)
        name = "one process" if workers == 1 else f"{workers} workers"
        print(f"{name:14} {middle:8.1f} {len(words) / middle:8.0f} {min(seconds):8.1f}-{max(seconds):.1f}")
    ratios = [one / two for one, two in zip(*times.values(), strict=True)]
    print(f"{'ratio':14} {statistics.median(ratios):8.2f} {'':8} {min(ratios):8.2f}-{max(ratios):.2f}")


def unipen(root: str) -> Sequence[Utterance]:
    return load_corpus("unipen", {"root": root, "category": "words"}).splits["train"][:MOST]


def synthetic(folder: Path) -> Sequence[Utterance]:
    """Words of five loops, about as many points as those of UNIPEN."""
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


def timed(words: Sequence[Utterance], folder: Path) -> dict[int, list[float]]:
    """Seconds of every round, by the number of workers; the caches are compared and removed."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        content = []
        for workers, told in seconds.items():
            began = time.perf_counter()
            cache = FrameCache.open(words, PenFeatures(), folder / "cache", workers=workers)
            told.append(time.perf_counter() - began)
            content.append(cache.path.read_bytes())
            del cache
            shutil.rmtree(folder / "cache")
        if content[0] != content[1]:
            sys.exit("two workers give other frames than one process")
    return seconds


def versions() -> str:
    return f"NumPy {np.__version__}, Python {platform.python_version()}, {platform.processor() or platform.machine()}"


if __name__ == "__main__":
    main()
