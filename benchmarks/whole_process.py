"""Whole processes that start, recognise and end: rows of the table of `recognition.py`.

Measures wall time, processor time and peak memory of each process, with the threads that a user has, in turns with an
earlier version if one is given.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import Effort, Figure, Row
from test_sets import TestSet, as_json, inks, of_two_seconds, recordings, words

import asr

TRANSCRIBE = "from asr.cli.transcribe import main; main()"
TRAIN = "from asr.cli.train import main; main()"
LAUNCHER = """
import os, sys, time
start = time.perf_counter()
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
print([time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss])
sys.exit(os.waitstatus_to_exitcode(status))
"""  # a small process of its own: the peak memory of a process counts from before it becomes another program
NEW_FOLDER = "<new folder>"  # a word of a command; each process gets a new folder in its place
MIB = float(2**20)


@dataclass(frozen=True)
class Ended:
    """Time and memory of one process.

    Attributes:
        wall: seconds from its start to its end.
        processor: seconds of all cores.
        peak: peak memory in bytes.
        output: what it printed.
    """

    wall: float
    processor: float
    peak: int
    output: str


def process_rows(given: argparse.Namespace, effort: Effort) -> Iterator[Row]:
    """Measure transcribing a recording and a word, importing the package, and importing what it depends on."""
    here, before = given.python or sys.executable, given.before
    sound, pen = recordings(given.data), words(given.data)
    with tempfile.TemporaryDirectory() as folder:
        ink = Path(folder) / "word.json"
        ink.write_text(json.dumps(as_json(inks(pen.sample(1))[0])))
        for what, chosen, path, bar in (
            ("`asr-transcribe`, one recording of two seconds", sound, of_two_seconds(sound), "0.5 s, 120 MiB (0.3 s)"),
            ("`asr-transcribe`, one word of ink", pen, ink, "0.5 s (0.3 s)"),
        ):
            runs = in_turns([here, before], TRANSCRIBE, [chosen.model, str(path)], effort.processes)
            yield row(what, *described(chosen), runs, bar)
    runs = in_turns([here, before], "import asr", [], effort.processes)
    yield row("`import asr`, whole process", "", "", runs, "20 ms above `python -c pass`")
    for code in ("pass", "import numpy", *(["import torch"] if not given.python else [])):
        yield row(f"`python -c '{code}'`, whole process", "", "", in_turns([here], code, [], effort.processes), "")


def quickstart_rows(given: argparse.Namespace, effort: Effort) -> Iterator[Row]:
    """Measure one epoch of the quickstart on pen strokes, with its frames and its evaluation."""
    options = ["recipe=quickstart/pen", "training.epochs=1", "training.threads=1", f"run_dir={NEW_FOLDER}"]
    runs = in_turns([sys.executable, given.before], TRAIN, options, 2)
    yield row(
        "`asr-train recipe=quickstart/pen training.epochs=1`", "embedded pen strokes", "torch", runs, "not slower"
    )


def described(chosen: TestSet) -> tuple[str, str]:
    """Return a description of the bundle, split and decoder, and one of the engine."""
    recogniser = asr.load(chosen.model)
    on = f"`{chosen.model}`, {chosen.called}, {recogniser.decoder_choice.name}"
    return on, recogniser.engine_choice.name


def in_turns(pythons: Sequence[str | None], code: str, words: Sequence[str], times: int) -> list[list[Ended]]:
    """Run the same code with each interpreter in turns, after one run of each that fills the disk cache."""
    there = [python for python in pythons if python]
    found: list[list[Ended]] = [[] for _ in there]
    for turn in range(times + 1):
        for python, kept in zip(there, found, strict=True):
            ended = run(python, code, words)
            if turn:
                kept.append(ended)
    return found


def run(python: str, code: str, words: Sequence[str]) -> Ended:
    """Run code to its end; stop the benchmark if it fails."""
    with tempfile.TemporaryDirectory() as new:
        command = [python, "-c", code, *(word.replace(NEW_FOLDER, f"{new}/new") for word in words)]
        launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
        done = subprocess.run(launcher, capture_output=True, text=True, env=own(python), cwd="/")
    if done.returncode != 0:
        raise SystemExit(f"{python} -c '{code}' {' '.join(words)}: {done.stderr}")
    wall, processor, kilobytes = json.loads(done.stdout.splitlines()[-1])
    return Ended(wall, processor, 1024 * kilobytes, "\n".join(done.stdout.splitlines()[:-1]))


def own(python: str) -> dict[str, str]:
    """Return the environment of a process: no limit on threads, and no packages of this interpreter in another."""
    left_out = {"OMP_NUM_THREADS"} | ({"PYTHONPATH"} if python != sys.executable else set())
    return {name: value for name, value in os.environ.items() if name not in left_out}


def row(what: str, on: str, engine: str, runs: Sequence[Sequence[Ended]], bar: str) -> Row:
    texts = {one.output for side in runs for one in side}
    (measured, also), *earlier = [(milliseconds(side), beside(side)) for side in runs]
    before = "".join(f"{figure}{rest}" for figure, rest in earlier)
    agreement = "" if not (earlier and on) else "same text" if len(texts) == 1 else f"{len(texts)} texts"
    return Row(what, on, engine, measured, agreement=agreement, bar=bar, also=also, before=before)


def milliseconds(side: Sequence[Ended]) -> Figure:
    return Figure(tuple(1e3 * one.wall for one in side), "ms")


def beside(side: Sequence[Ended]) -> str:
    """Return the medians of memory and processor time."""
    peak, processor = (statistics.median(getattr(one, name) for one in side) for name in ("peak", "processor"))
    return f", {peak / MIB:.0f} MiB ({1e3 * processor:.0f} ms of processor time)"
