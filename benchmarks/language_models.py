"""Measure time, memory and size of estimating, loading and writing language models, and their perplexity.

    python benchmarks/language_models.py /data/text/books.txt.gz

Every 40th paragraph is held out and is not used for estimation. Times are processor time of one thread; each model is
estimated in its own process, whose peak memory is given. IRSTLM estimates the same 5-gram if it is installed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from asr.lm.corpus import Corpus
from asr.lm.counting import count_ngrams
from asr.lm.kneser_ney import estimate_from_counts
from asr.lm.model import Unit
from asr.lm.ngram import NgramModel
from asr.lm.perplexity import measure_perplexity
from asr.lm.pruning import pruned_to
from asr.lm.stored import load_model, save_model
from asr.lm.texts import read_text

_EVERY = 40  # one of this many paragraphs is held out
_MILLION = 1_000_000
_LOADS = 5
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Job:
    """A model to estimate in a process of its own.

    Attributes:
        text: path of the text file.
        unit: unit of the model, words or characters.
        order: order of the model.
        words: number of words of the text to read; 0: all.
        keeps: numbers of n-grams of smaller models; each becomes a row.
    """

    text: str
    unit: Unit
    order: int
    words: int = 0
    keeps: Sequence[int] = ()

    def rows(self) -> Iterator[str]:
        """Estimate, prune, save, load and measure a model; return the rows of the table."""
        train, dev = split(self.text)
        train = first_words(train, self.words) if self.words else train
        whole, seconds = timed(lambda: estimate_from_counts(count_ngrams(Corpus.of(train, self.unit), self.order)))
        words = sum(len(one.split()) for one in train) / _MILLION
        yield self._row(f"{self.unit}, {self.order}-gram, {words:.1f} million words", whole, f"{seconds:.1f}", dev)
        for keep in self.keeps:
            model, cut = timed(lambda number=keep: pruned_to(whole, number))
            yield self._row(f"the same, cut to {keep / _MILLION:g} million", model, f"+ {cut:.1f}", dev)

    def _row(self, name: str, model: NgramModel, seconds: str, dev: Sequence[str]) -> str:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        with tempfile.TemporaryDirectory() as folder:
            sizes, loads = self._stored(model, Path(folder))
        found = measure_perplexity(model, dev)
        cells = [
            name,
            f"{(len(model.trie) - 1) / _MILLION:.2f}",
            seconds,
            f"{peak:.0f}",
            " / ".join(f"{one / 1e6:.1f}" for one in sizes),
            " / ".join(f"{one:.2f}" for one in loads),
            f"{100 * found.unknown_share:.1f}",
            f"{found.perplexity:.4g}",
            f"{found.bits_per_character or math.nan:.3f}",
        ]
        return f"| {' | '.join(cells)} |"

    def _stored(self, model: NgramModel, folder: Path) -> tuple[list[int], list[float]]:
        """Return the size in bytes and the seconds to load of `.lm`, `.lm` of 8 bits and `.arpa.gz`."""
        sizes, loads = [], []
        for name, quantise in (("a.lm", False), ("b.lm", True), ("c.arpa.gz", False)):
            save_model(folder / name, model, quantise)
            sizes.append((folder / name).stat().st_size)
            rounds = _LOADS if name.endswith(".lm") else 1
            loads.append(statistics.median(timed(lambda at=name: load_model(folder / at))[1] for _ in range(rounds)))
        return sizes, loads


def split(text: str) -> tuple[list[str], list[str]]:
    """Return the paragraphs to estimate from, and those held out; a line `# NAME` begins a book."""
    lines = [one for one in read_text(text, "words").sentences if not one.startswith("# ")]
    return [one for at, one in enumerate(lines) if at % _EVERY], lines[::_EVERY]


def first_words(paragraphs: Sequence[str], number: int) -> list[str]:
    """Return the first paragraphs, up to a number of words."""
    kept, words = [], 0
    for one in paragraphs:
        if words >= number:
            break
        kept.append(one)
        words += len(one.split())
    return kept


def timed(make: Callable[[], _Made]) -> tuple[_Made, float]:
    """Return the result of a function, and the processor time that it took."""
    start = time.process_time()
    return make(), time.process_time() - start


def irstlm(text: str, words: int) -> str | None:
    """Return a row of IRSTLM's `tlm` on the same text, or None if it is not installed."""
    place = Path(os.environ.get("IRSTLM", "/usr/lib/irstlm")) / "bin"
    program = shutil.which("tlm", path=f"{place}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        return None
    train = first_words(split(text)[0], words)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "text").write_text("".join(f"<s> {one} </s>\n" for one in train), encoding="utf-8")
        command = [program, "-tr=text", "-n=5", "-lm=ikn", "-ps=no", "-oarpa=model.arpa"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return f"| IRSTLM, the same | | {used.ru_utime + used.ru_stime:.1f} | {used.ru_maxrss / 1024:.0f} | | | | | |"


def in_own_process(job: Job) -> str:
    """Return the rows of a job, run in a process of its own."""
    command = [sys.executable, __file__, job.text, "--job", json.dumps(asdict(job))]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", help="a text with a paragraph a line")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        print(*Job(**json.loads(given.job)).rows(), sep="\n")
        return
    print(
        "| model | million n-grams | estimating, + pruning, s | peak, MiB | `.lm` / 8 bits / `.arpa.gz`, MB |"
        " loading each, s | unknown % | perplexity | bits a character |\n|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    print(in_own_process(Job(given.text, "words", 5, _MILLION)), flush=True)
    if row := irstlm(given.text, _MILLION):
        print(row, flush=True)
    jobs = [Job(given.text, "words", 3, keeps=[_MILLION]), Job(given.text, "characters", 6)]
    jobs.append(Job(given.text, "characters", 8, keeps=[2 * _MILLION, _MILLION, _MILLION // 4]))
    for job in jobs:
        print(in_own_process(job), flush=True)


if __name__ == "__main__":
    main()
