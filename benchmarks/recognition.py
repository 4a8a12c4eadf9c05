"""Time recognition against peers on the same work: `python benchmarks/recognition.py`.

Prints a table in Markdown. Both sides of a row run in one process, in turns, after a check that they agree: onnxruntime
on the exported model, torch eager (`nn.LSTM` with the same weights), torchaudio's features. Words, features and the
long utterance are timed by processor time in one thread; whole processes and the frame cache by wall time.

    python benchmarks/recognition.py --python LIGHT/bin/python   # whole processes of another environment
    python benchmarks/recognition.py --before OLD/bin/python     # the version before beside this one
    python benchmarks/recognition.py --quick                     # a minute, to see that it runs

Test sets are read from `--data`; where they are missing, the embedded corpora are used and named in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from every_engine import BFLOAT16, EAGER, NUMPY, ONNX, PREPARED, TORCH, engines_of, every_engine, random_network
from frame_cache import timed as filled
from measuring import HEADING, QUICK, Effort, Figure, Row, Run, agreed, environment, timed
from numpy.typing import NDArray
from product_limit import HEADING as LIMIT_HEADING
from product_limit import limits, operations
from recurrent import AgainstTorch, disagreement
from sound_to_frames import sound_rows
from test_sets import DATA, as_json, inks, words
from whole_process import process_rows, quickstart_rows

import asr
from asr.ink import Ink
from asr.recogniser.recogniser import Recogniser

AT_A_TIME = 32
Versus = tuple[str, str, str]  # engine, the peer's engine, the bar

ALONE: tuple[Versus, ...] = (
    (NUMPY, ONNX, "85"),
    (TORCH, EAGER, ""),
    (PREPARED, EAGER, "150 (175)"),
    (BFLOAT16, PREPARED, "200 (250)"),
)
TOGETHER: tuple[Versus, ...] = (
    (NUMPY, ONNX, ""),
    (TORCH, EAGER, ""),
    (PREPARED, EAGER, "260 (300)"),
    (BFLOAT16, PREPARED, "350 (450)"),
)


def main() -> None:
    if os.environ.get("OMP_NUM_THREADS") != "1":  # start again: numpy and torch have started their threads
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "OMP_NUM_THREADS": "1"})
    given = arguments()
    effort = QUICK if given.quick else Effort()
    print(environment("numpy", "torch", "torchaudio", "onnxruntime"), end="\n\n")
    print(HEADING)
    for name in given.rows:
        for row in ROWS[name](given, effort):
            print(row, flush=True)
    if "words" in given.rows:
        print_limit(given.data, effort)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rows",
        nargs="+",
        choices=ROWS,
        default=[name for name in ROWS if name != "quickstart"],
        help="which; all but quickstart, which trains for minutes",
    )
    parser.add_argument("--quick", action="store_true", help="few words and runs: figures that mean little")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that holds an4 and unipen.zip")
    parser.add_argument("--python", help="the interpreter that whole processes run with; this one")
    parser.add_argument(
        "--before", help="the interpreter of the version before recognition without torch: its processes and words, too"
    )
    return parser.parse_args()


def word_rows(given: argparse.Namespace, effort: Effort) -> Iterator[Row]:
    """Measure words a second of processor time from ink to text, one by one and 32 at a time."""
    chosen = words(given.data).sample(effort.words)
    found, engines = inks(chosen), every_engine(chosen.model)
    on = f"`{chosen.model}`, {chosen.called}, {engines[NUMPY].decoder_choice.name}"
    apart = differences(engines, found)
    for what, versus, size in (("one word", ALONE, 1), (f"{AT_A_TIME} words at a time", TOGETHER, AT_A_TIME)):
        runs = {name: Transcribing(one, found, size) for name, one in engines.items()}
        texts = {name: run() for name, run in runs.items()}
        seconds = timed(runs, effort.rounds)
        rates = {name: Figure.rate(len(found), each, "words/s") for name, each in seconds.items()}
        earlier = before(given.before, chosen.model, found, effort.rounds, size) if given.before else {}
        for name, peer, bar in (one for one in versus if one[0] in rates):
            same = sum(one == two for one, two in zip(texts[name], texts[peer], strict=True))
            agreement = f"{same} of {len(found)} texts; {apart[name]} from {NUMPY}"
            told = "" if name not in earlier else earlier[name].told(texts[name])
            yield Row(what, on, name, rates[name], peer, rates[peer], agreement, bar, before=told)


@dataclass(frozen=True)
class Before:
    """The seconds of an earlier version, and its texts."""

    rate: Figure
    texts: Sequence[str]

    def told(self, texts: Sequence[str]) -> str:
        """Return the figure, and the number of texts that differ now."""
        other = sum(one != two for one, two in zip(self.texts, texts, strict=True))
        return f"{self.rate}{f', {other} other texts' if other else ''}"


def before(python: str, model: str, found: Sequence[Ink], rounds: int, size: int) -> dict[str, Before]:
    """Run `words_before.py` with the interpreter of an earlier version, in the same number of threads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inks.json"
        path.write_text(json.dumps([as_json(ink) for ink in found]))
        script = Path(__file__).with_name("words_before.py")
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [python, str(script), model, str(path), str(rounds), str(size)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=folder, env=environment)
    took = json.loads(done.stdout)
    return {
        name: Before(Figure.rate(len(found), one["seconds"], "words/s"), one["texts"]) for name, one in took.items()
    }


@dataclass(frozen=True)
class Transcribing:
    """A run that recognises all words, a number of them at a time."""

    recogniser: Recogniser
    inks: Sequence[Ink]
    size: int

    def __call__(self) -> list[str]:
        if self.size == 1:
            return [self.recogniser.transcribe(one).text for one in self.inks]
        starts = range(0, len(self.inks), self.size)
        return [one.text for at in starts for one in self.recogniser.transcribe(list(self.inks[at : at + self.size]))]


def differences(engines: dict[str, Recogniser], found: Sequence[Ink]) -> dict[str, str]:
    """Return the largest difference of log posteriors from those of numpy; stop the benchmark if it is too large."""
    frames = [network_input(engines[NUMPY], ink) for ink in found]
    values = {name: np.concatenate([one.posteriors([each])[0][0] for each in frames]) for name, one in engines.items()}
    return {name: agreed(one, values[NUMPY], rounded=name == BFLOAT16) for name, one in values.items()}


def network_input(recogniser: Recogniser, ink: Ink) -> NDArray[np.float32]:
    extractor = recogniser.extractor
    return recogniser.frames(extractor.compute(extractor.signal_of(ink)))  # type: ignore[attr-defined]


def print_limit(data: Path, effort: Effort) -> None:
    """Print the speed that the matrix products alone allow for the words."""
    chosen = words(data).sample(effort.words)
    recogniser = asr.load(chosen.model)
    assert recogniser.engines.network is not None
    weights = recogniser.engines.network.weights
    n_frames = round(statistics.fmean(len(network_input(recogniser, ink)) for ink in inks(chosen)))
    million = operations(weights, n_frames) / 1e6
    print(f"\nMatrix products alone: a word of `{chosen.model}` has {n_frames} frames on average,")
    print(f"which take {million:.0f} million operations. One thread, processor time:\n\n{LIMIT_HEADING}")
    for size in (1, AT_A_TIME):
        for name, limit in limits(weights, n_frames, size):
            print(limit.line(name), flush=True)


def long_rows(given: argparse.Namespace, effort: Effort) -> Iterator[Row]:
    """Time one utterance through a network of 5 x 250 units."""
    network = random_network(5, 250, n_features=123, n_labels=62)
    frames = np.random.default_rng(0).standard_normal((1, 300, 123), dtype=np.float32)
    lengths = np.array([300], dtype=np.int64)
    runs: dict[str, Callable[[], NDArray[np.float32]]] = {
        name: lambda one=one: one.posteriors(frames, lengths)[0]  # type: ignore[misc]
        for name, one in engines_of(network).items()
    }
    found = {name: run() for name, run in runs.items()}
    seconds = timed(runs, effort.long_rounds)
    times = {name: Figure(tuple(1e3 * one for one in each), "ms") for name, each in seconds.items()}
    for name, bar in ((NUMPY, "100 ms"), (TORCH, ""), (PREPARED, "as before")):
        apart = agreed(found[name], found[EAGER])
        yield Row(
            "one utterance of 300 frames of 123 values", "5 x 250 units, random weights, no decoder", name,
            times[name], EAGER, times[EAGER], apart, bar,
        )  # fmt: skip


def cache_rows(given: argparse.Namespace, effort: Effort) -> Iterator[Row]:
    """Measure inks a second of wall time while the frame cache is filled."""
    chosen = words(given.data).sample(effort.inks)
    with tempfile.TemporaryDirectory() as folder:
        times = filled(chosen.utterances, Path(folder))
    alone, two = (Figure.rate(len(chosen.utterances), [one.wall for one in each], "inks/s") for each in times)
    allowed = statistics.median(one.here / (other.here + other.workers / 2) for one, other in zip(*times, strict=True))
    yield Row(
        "filling the frame cache, two workers", chosen.called, "", two, "one process", alone, "same bytes",
        "1.8 times", f" (their processor time allows {allowed:.2f} times)",
    )  # fmt: skip


def training_rows(given: argparse.Namespace, effort: Effort) -> Iterator[Row]:
    """Time a training step, forward and backward, in processor time."""
    sides = AgainstTorch(3, 128, 16)
    runs: dict[str, Run] = {"here": sides.stack_step, "packed": sides.packed_step}
    apart = disagreement(sides.packed_step, sides.stack_step)
    here, packed = (Figure(tuple(1e3 * one for one in each), "ms") for each in timed(runs, effort.rounds).values())
    what, on = "training step, 16 utterances", "3 x 128 units, random weights, 150 to 300 frames"
    yield Row(what, on, "torch", here, "packed `nn.LSTM`", packed, f"{apart:.0e}", "not slower than before")


ROWS: dict[str, Callable[[argparse.Namespace, Effort], Iterator[Row]]] = {
    "processes": process_rows,
    "words": word_rows,
    "long": long_rows,
    "sound": sound_rows,
    "cache": cache_rows,
    "training": training_rows,
    "quickstart": quickstart_rows,
}


if __name__ == "__main__":
    main()
