"""Time the recurrent layers against `torch.nn` and plain loops: `python benchmarks/recurrent.py`.

Both sides run in one process, in turns, after a check that they agree. A training step is the forward and the backward
pass of ragged utterances of 150 to 300 frames with 123 values, from the padded frames to a weighted sum of the padded
outputs of the last layer. The output layer, the loss and the optimiser are the same on both sides and are left out.

- The LSTM against packed `torch.nn.LSTM` with the same weights; one utterance against `torch.nn.LSTM` without packing,
  with a prepared stack (`RecurrentStack.prepare`), in float32 and in bfloat16.
- One utterance, prepared and not, in one thread against as many as torch has, beside 0, 1 and 2 processes that keep a
  core busy each.
- Every other cell against our own LSTM of the same size, and against a plain loop over the padded steps under autograd,
  which calls `project` and `step` of the same cells.
- The peak memory of a training step above that of the process before it; each side has a process of its own.

`OMP_NUM_THREADS` sets the number of threads.
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from asr.experiment.schema import GROUPS
from asr.recurrent import compiled
from asr.recurrent.layout import Layout
from asr.recurrent.options import VARIANTS
from asr.recurrent.stack import RecurrentStack

N_FEATURES = 123  # Graves 2013: 40 filterbank energies and the energy, with first and second differences
BANDS = 41  # of a convolution
TOLERANCE = 1e-5  # for outputs, and for gradients relative to the largest of their tensor
ROUNDED_TOLERANCE = 0.02  # for outputs between -1 and 1 whose factors are rounded by up to 2 ** -9 of their size
SIZES = ("3x128x16", "3x128x64", "3x250x16", "5x250x16")  # layers x units per direction x utterances
OTHERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("lstm_peephole", {}),
    ("gru", {}),
    ("gru_before", {}),
    *(("odyssey", {"variant": variant}) for variant in VARIANTS if variant not in ("V", "NP")),  # V, NP: as above
    ("simple", {}),
    ("ligru", {}),
    ("lstm_projected", {}),
    ("lstm_layernorm", {}),
    ("lstm_zoneout", {}),
    ("conv_lstm", {}),
    ("attention_lstm", {}),
)
Run = Callable[[], list[Tensor]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7, help="timed runs of each side, 5 or more")
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="layers x units per direction x utterances")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), help="which; all")
    parser.add_argument("--single", action="store_true", help="of the LSTM against torch.nn, one utterance alone")
    options = parser.parse_args()
    print(environment())
    if options.single:
        against_torch(options.sizes, options.pairs, single=True)
        return
    for name in options.tables:
        TABLES[name](options.sizes, options.pairs)


def against_torch(sizes: Sequence[str], pairs: int, single: bool = False) -> None:
    print(heading("the LSTM", "packed nn.LSTM", "this", "times as fast"))
    for size in sizes:
        sides = AgainstTorch(*numbers(size))
        for name, both in sides.comparisons().items():
            if single and not name.startswith("one"):
                continue
            tolerance = ROUNDED_TOLERANCE if "bfloat16" in name else TOLERANCE
            print(line(f"{size}, {name}", *both, pairs, tolerance), flush=True)
        if not single:
            print(f"{f'{size}, peak memory of a step':40}{memory(size):>66}", flush=True)


def beside_busy_processes(sizes: Sequence[str], pairs: int) -> None:
    print(heading("one utterance", "one thread", "this", "times as fast"))
    for size in sizes:
        sides = AgainstTorch(*numbers(size))
        for name, single in (("prepared", sides.prepared_single), ("as loaded", sides.stack_single)):
            for count in (0, 1, 2):
                with busy(count):
                    both = in_one_thread(single), single
                    print(line(f"{size}, {name}, beside {count}", *both, pairs, TOLERANCE), flush=True)


def in_one_thread(run: Run) -> Run:
    def alone() -> list[Tensor]:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return run()
        finally:
            torch.set_num_threads(before)

    return alone


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Run other processes that keep a core busy each."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


def against_our_lstm(sizes: Sequence[str], pairs: int) -> None:
    print(heading("other cells, training step", "our LSTM", "this", "times its time"))
    for size in [one for one in sizes if one in ("3x128x16", "3x250x16")]:
        ours = OneCell("lstm", {}, *numbers(size))
        for name, chosen in OTHERS:
            other = OneCell(name, chosen, *numbers(size))
            timings = timed(ours.step, other.step, pairs)
            print(row(f"{size}, {other.title}", *timings, lambda one, two: two / one), flush=True)


def against_plain_loops(sizes: Sequence[str], pairs: int) -> None:
    print(heading("other cells, training step", "plain loop", "this", "times as fast"))
    for name, chosen in OTHERS:
        short, other = (OneCell(name, chosen, *numbers("3x128x16"), longest) for longest in (30, 300))
        difference = disagreement(
            short.plain_step, short.step, 5 * TOLERANCE
        )  # without a forget gate, rounding grows from step to step, and normalisation divides by what is small
        timings = timed(other.plain_step, other.step, pairs)
        print(f"{row(f'3x128x16, {other.title}', *timings, lambda one, two: one / two)}{difference:>11.0e}", flush=True)


def numbers(size: str) -> tuple[int, int, int]:
    n_layers, hidden, n_utterances = (int(number) for number in size.split("x"))
    return n_layers, hidden, n_utterances


TABLES = {
    "torch": against_torch,
    "busy": beside_busy_processes,
    "lstm": against_our_lstm,
    "loops": against_plain_loops,
}


@dataclass
class Batch:
    """Ragged utterances."""

    n_utterances: int
    longest: int = 300
    lengths: Tensor = field(init=False)
    frames: Tensor = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.lengths = torch.randint(self.longest // 2, self.longest + 1, (self.n_utterances,))
        self.lengths[0] = self.longest
        self.frames = torch.randn(self.n_utterances, self.longest, N_FEATURES)

    def through(self, stack: RecurrentStack, n_utterances: int | None = None) -> Tensor:
        """Return the padded outputs of the last layer."""
        lengths, frames = self.lengths[:n_utterances], self.frames[:n_utterances]
        layout = Layout(lengths, frames.shape[1], frames.device)
        rows = layout.pack(frames)
        with stack.threads_for(rows, layout):
            for layer in stack.layers:
                rows = layer(rows, layout)
        return layout.unpack(rows)


class AgainstTorch:
    """Both sides of the comparison, with the same weights and frames."""

    def __init__(self, n_layers: int, hidden: int, n_utterances: int) -> None:
        self.batch, self.n_layers = Batch(n_utterances), n_layers
        self.stack = RecurrentStack(N_FEATURES, n_labels=2, hidden=hidden, layers=n_layers)
        self.lstm = nn.LSTM(N_FEATURES, hidden, n_layers, bidirectional=True, batch_first=True)
        for number, layer in enumerate(self.stack.layers):
            for cell, suffix in ((layer.forward_cell, ""), (layer.backward_cell, "_reverse")):
                for name, value in cell.to_torch().items():
                    kind, part = name.split("_")
                    getattr(self.lstm, f"{kind}_{part}_l{number}{suffix}").data.copy_(value)
        self.prepared, self.rounded = copy.deepcopy(self.stack), copy.deepcopy(self.stack)
        self.prepared.prepare()
        self.has_rounded = self.rounded.prepare(bfloat16=True)
        self.weights = torch.randn(n_utterances, 300, 2 * hidden)

    def comparisons(self) -> dict[str, tuple[Run, Run]]:
        return {
            "training step": (self.packed_step, self.stack_step),
            "forward": (self.packed_forward, self.stack_forward),
            "one utterance": (self.packed_single, self.prepared_single),
            **({"one utterance, bfloat16": (self.packed_single, self.rounded_single)} if self.has_rounded else {}),
        }

    def packed_step(self) -> list[Tensor]:
        """Return the outputs and the gradients of all weights, in the order of `stack_step`."""
        self.lstm.zero_grad()
        outputs = self._packed()
        (outputs * self.weights).sum().backward()
        parameters = ("weight_ih", "weight_hh", "bias_hh")  # the second bias has the gradient of the first
        names = [f"{name}_l{k}{end}" for k in range(self.n_layers) for end in ("", "_reverse") for name in parameters]
        return [outputs.detach(), *(getattr(self.lstm, name).grad for name in names)]

    def stack_step(self) -> list[Tensor]:
        return step(self.stack, self.batch.through, self.weights)

    @torch.no_grad()
    def packed_forward(self) -> list[Tensor]:
        return [self._packed()]

    @torch.no_grad()
    def stack_forward(self) -> list[Tensor]:
        return [self.batch.through(self.stack)]

    @torch.no_grad()
    def packed_single(self) -> list[Tensor]:
        return [self.lstm(self.batch.frames[:1])[0]]

    @torch.no_grad()
    def prepared_single(self) -> list[Tensor]:
        return [self.batch.through(self.prepared, 1)]

    @torch.no_grad()
    def stack_single(self) -> list[Tensor]:
        return [self.batch.through(self.stack, 1)]

    @torch.no_grad()
    def rounded_single(self) -> list[Tensor]:
        return [self.batch.through(self.rounded, 1)]

    def _packed(self) -> Tensor:
        batch = self.batch
        packed = pack_padded_sequence(batch.frames, batch.lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


class OneCell:
    """A stack of one cell, run by this project and by a plain loop.

    Zoneout takes its expectation, and the light GRU normalises with its running averages, so that both agree.
    """

    def __init__(
        self, name: str, options: Mapping[str, Any], n_layers: int, hidden: int, n_utterances: int, longest: int = 300
    ) -> None:
        self.title = " ".join([name, *map(str, options.values())])
        self.batch = Batch(n_utterances, longest)
        if name == "conv_lstm":
            hidden = round(hidden / BANDS) * BANDS
            options = {"channels": hidden // BANDS}
        torch.manual_seed(0)
        node = asdict(GROUPS["model/cell"][name]()) | dict(options)
        self.stack = RecurrentStack(N_FEATURES, n_labels=2, cell=node, hidden=hidden, layers=n_layers)
        if name in ("lstm_zoneout", "ligru"):
            self.stack.eval()

    def step(self) -> list[Tensor]:
        return step(self.stack, self.batch.through)

    def plain_step(self) -> list[Tensor]:
        return step(self.stack, self._plain)

    def _plain(self, stack: RecurrentStack) -> Tensor:
        lengths, frames = self.batch.lengths, self.batch.frames
        time = torch.arange(frames.shape[1])[None]
        padded = time >= lengths[:, None]
        mirrored = torch.where(padded, time, lengths[:, None] - 1 - time)[:, :, None]
        for layer in stack.layers:
            outputs = []
            for cell in layer.cells:
                backward = cell is layer.backward_cell
                steps = frames.gather(1, mirrored.expand_as(frames)) if backward else frames
                state, found = None, []
                for at_time in steps.unbind(1):
                    projected = cell.project(at_time)
                    output, state = cell.step(projected, cell.initial_state(projected) if state is None else state)
                    found.append(output)
                all_steps = torch.stack(found, dim=1)
                outputs.append(all_steps.gather(1, mirrored.expand_as(all_steps)) if backward else all_steps)
            frames = torch.cat(outputs, dim=-1)
        return frames.masked_fill(padded[:, :, None], 0.0)


def step(stack: RecurrentStack, run: Callable[[RecurrentStack], Tensor], weights: Tensor | None = None) -> list[Tensor]:
    """Return the outputs and the gradients of all weights."""
    stack.zero_grad()
    outputs = run(stack)
    (outputs if weights is None else outputs * weights).sum().backward()
    return [outputs.detach(), *(one.grad for one in stack.layers.parameters() if one.grad is not None)]


def line(name: str, theirs: Run, ours: Run, pairs: int, tolerance: float) -> str:
    """Return a row of a table in which both sides compute the same."""
    difference = disagreement(theirs, ours, tolerance)
    return f"{row(name, *timed(theirs, ours, pairs), lambda one, two: one / two)}{difference:>11.0e}"


def disagreement(theirs: Run, ours: Run, tolerance: float = TOLERANCE) -> float:
    """Return the largest difference of outputs; stop if outputs or gradients differ by more than the tolerance."""
    one, other = theirs(), ours()
    for expected, value in zip(one, other, strict=True):
        scale = max(1.0, float(expected.abs().max()))
        difference = float((expected - value).abs().max())
        if not difference <= tolerance * scale:
            raise SystemExit(f"the two sides differ by {difference:.1e} at a scale of {scale:.1e}: nothing was timed")
    return float((one[0] - other[0]).abs().max())


def timed(theirs: Run, ours: Run, pairs: int) -> tuple[list[float], list[float]]:
    """Time each run in turns, so that a busy machine slows both alike."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(pairs):
        for run, kept in zip((theirs, ours), seconds, strict=True):
            start = time.perf_counter()
            run()
            kept.append(time.perf_counter() - start)
    return seconds


def heading(name: str, theirs: str, ours: str, ratio: str) -> str:
    return f"\n{name:40}{theirs:>22}{ours:>22}{ratio:>22}{'differ by':>11}"


def row(name: str, theirs: list[float], ours: list[float], ratio: Callable[[float, float], float]) -> str:
    ratios = [ratio(one, other) for one, other in zip(theirs, ours, strict=True)]
    times = f"{spread(theirs, 1e3, 'ms'):>22}{spread(ours, 1e3, 'ms'):>22}"
    return f"{name:40}{times}{spread(ratios, 1.0, ''):>22}"


def memory(size: str) -> str:
    """Return the peak of both sides and their ratio; each side has a process that did one small step before."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        theirs, ours = (pool.apply(peak, (size, side)) for side in ("packed_step", "stack_step"))
    return f"{theirs / 2**20:.0f} MiB {ours / 2**20:>14.0f} MiB {ours / theirs:>15.2f} times"


def peak(size: str, side: str) -> int:
    """Return the bytes by which a first step raises the peak memory of this process; works on Linux alone."""
    getattr(AgainstTorch(1, 16, 2), side)()
    run = getattr(AgainstTorch(*numbers(size)), side)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = resident("VmRSS")
    run()
    return resident("VmHWM") - before


def resident(which: str) -> int:
    (line,) = (line for line in read_lines("/proc/self/status") if line.startswith(f"{which}:"))
    return 1024 * int(line.split()[1])


def spread(values: list[float], factor: float, unit: str) -> str:
    """Return the median and range."""
    low, middle, high = (factor * value for value in (min(values), statistics.median(values), max(values)))
    digits = 0 if middle >= 100 else 1
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f}) {unit}".strip()


def environment() -> str:
    root = Path(__file__).resolve().parents[1]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True).stdout
    threads, path = torch.get_num_threads(), "kernels" if compiled.available() else "no kernels"
    return (
        f"{processor()}, {threads} threads, {path}; Python {platform.python_version()}, torch {torch.__version__}, "
        f"commit {commit.strip() or 'unknown'}"
    )


def processor() -> str:
    """Return the name of the processor and the vector instructions that torch uses."""
    names = [line.split(":")[1].strip() for line in read_lines("/proc/cpuinfo") if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()} ({torch.backends.cpu.get_cpu_capability()})"


def read_lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


if __name__ == "__main__":
    main()
