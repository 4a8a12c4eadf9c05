"""What whole processes cost: wall time, processor time and peak memory of commands that start, recognise and end."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TRANSCRIBE = "from asr.cli.transcribe import main; main()"


@dataclass(frozen=True)
class Ended:
    """What one process took.

    Attributes:
        wall: seconds from its start to its end.
        processor: seconds of all cores.
        peak: bytes of memory that it held at most.
        output: what it printed.
    """

    wall: float
    processor: float
    peak: int
    output: str


@dataclass(frozen=True)
class Interpreter:
    """A Python of an environment that has the package, and what to call it in a table."""

    path: str
    called: str

    def command(self, code: str, *words: str) -> list[str]:
        return [self.path, "-c", code, *words]


def this_interpreter(called: str = "here") -> Interpreter:
    return Interpreter(sys.executable, called)


def ended(interpreter: Interpreter, code: str, *words: str) -> Ended:
    """Run Python code to its end; stops the benchmark when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            interpreter.command(code, *words), stdout=out, stderr=errors, env=_environment(interpreter), cwd="/"
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise SystemExit(f"{interpreter.path} -c {code!r} {' '.join(words)}: {errors.read().decode()}")
        return Ended(wall, usage.ru_utime + usage.ru_stime, 1024 * usage.ru_maxrss, out.read().decode().strip())


def _environment(interpreter: Interpreter) -> Mapping[str, str]:
    """The threads that a user has; the package of the interpreter's own environment."""
    kept = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    if interpreter.path != sys.executable:
        kept.pop("PYTHONPATH", None)
    return kept


def in_turns(
    interpreters: Sequence[Interpreter], code: str, words: Sequence[str], times: int
) -> dict[str, list[Ended]]:
    """Run the same code with each interpreter, in turns, after one run of each that fills the disk's cache."""
    found: dict[str, list[Ended]] = {one.called: [] for one in interpreters}
    for one in interpreters:
        ended(one, code, *words)
    for _ in range(times):
        for one in interpreters:
            found[one.called].append(ended(one, code, *words))
    return found


def middle(runs: Sequence[Ended], what: str) -> tuple[float, float, float]:
    """Median, least and most of a figure."""
    values = [float(getattr(one, what)) for one in runs]
    return statistics.median(values), min(values), max(values)


def write_ink(path: Path, strokes: Sequence[Sequence[Sequence[float]]]) -> None:
    path.write_text(json.dumps({"strokes": strokes}))
