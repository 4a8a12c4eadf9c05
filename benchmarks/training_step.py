"""The recurrent layers against packed `torch.nn.LSTM` with the same weights: `python benchmarks/training_step.py`.

Both sides run in one process, in turns, after a check that they agree. A training step is the forward and the backward
pass of 16 ragged utterances of 150 to 300 frames with 123 values, from the padded frames to a weighted sum of the
padded outputs of the last layer; the output layer, the loss and the optimiser, the same on both sides, are left out.
One utterance is run by `torch.nn.LSTM` without packing. Threads: `OMP_NUM_THREADS`.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from asr.recurrent import compiled
from asr.recurrent.layout import Layout
from asr.recurrent.stack import RecurrentStack

N_FEATURES = 123  # Graves 2013: 40 filterbank energies and the energy, with first and second differences
TOLERANCE = 1e-5  # of outputs, and of gradients relative to the largest of their tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7, help="timed runs of each side, 5 or more")
    parser.add_argument("--sizes", nargs="+", default=["3x128", "3x250"], help="layers x units per direction")
    options = parser.parse_args()
    print(f"{environment()}\n")
    print(f"{'':32}{'packed nn.LSTM':>22}{'this':>22}{'times as fast':>22}{'frames/s':>10}{'differ by':>11}")
    for size in options.sizes:
        sides = Sides(*(int(number) for number in size.split("x")))
        for name, both, n_frames in (
            ("training step", (sides.packed_step, sides.stack_step), int(sides.lengths.sum())),
            ("forward", (sides.packed_forward, sides.stack_forward), int(sides.lengths.sum())),
            ("one utterance, forward", (sides.packed_single, sides.stack_single), int(sides.lengths[0])),
        ):
            difference = disagreement(*both)
            print(row(f"{size}, {name}", *timed(*both, options.pairs), n_frames, difference))


@dataclass
class Sides:
    """Both sides of the comparison, over the same weights and frames."""

    n_layers: int
    hidden: int

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.stack = RecurrentStack(N_FEATURES, n_labels=2, hidden=self.hidden, layers=self.n_layers)
        self.lstm = nn.LSTM(N_FEATURES, self.hidden, self.n_layers, bidirectional=True, batch_first=True)
        for number, layer in enumerate(self.stack.layers):
            for cell, suffix in ((layer.forward_cell, ""), (layer.backward_cell, "_reverse")):
                for name, value in cell.to_torch().items():
                    kind, part = name.split("_")
                    getattr(self.lstm, f"{kind}_{part}_l{number}{suffix}").data.copy_(value)
        self.lengths = torch.randint(150, 301, (16,))
        self.lengths[0] = 300
        self.frames = torch.randn(16, 300, N_FEATURES)
        self.weights = torch.randn(16, 300, 2 * self.hidden)

    def packed_step(self) -> list[Tensor]:
        """Outputs, and the gradients of all weights, in the order of `stack_step`."""
        self.lstm.zero_grad()
        outputs = self._packed()
        (outputs * self.weights).sum().backward()
        names = [f"{name}_l{k}{end}" for k in range(self.n_layers) for end in ("", "_reverse") for name in PARAMETERS]
        return [outputs.detach(), *(getattr(self.lstm, name).grad for name in names)]

    def stack_step(self) -> list[Tensor]:
        self.stack.zero_grad()
        outputs = self._padded(self.frames, self.lengths)
        (outputs * self.weights).sum().backward()
        return [outputs.detach(), *(parameter.grad for parameter in self.stack.layers.parameters())]

    @torch.no_grad()
    def packed_forward(self) -> list[Tensor]:
        return [self._packed()]

    @torch.no_grad()
    def stack_forward(self) -> list[Tensor]:
        return [self._padded(self.frames, self.lengths)]

    @torch.no_grad()
    def packed_single(self) -> list[Tensor]:
        return [self.lstm(self.frames[:1])[0]]

    @torch.no_grad()
    def stack_single(self) -> list[Tensor]:
        return [self._padded(self.frames[:1], self.lengths[:1])]

    def _packed(self) -> Tensor:
        packed = pack_padded_sequence(self.frames, self.lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]

    def _padded(self, frames: Tensor, lengths: Tensor) -> Tensor:
        layout = Layout(lengths, frames.shape[1], frames.device)
        rows = layout.pack(frames)
        for layer in self.stack.layers:
            rows = layer(rows, layout)
        return layout.unpack(rows)


PARAMETERS = ("weight_ih", "weight_hh", "bias_hh")  # the second bias has the gradient of the first
Run = Callable[[], list[Tensor]]


def disagreement(theirs: Run, ours: Run) -> float:
    """The largest difference of outputs; stops when anything differs by more than the tolerance."""
    one, other = theirs(), ours()
    for expected, value in zip(one, other, strict=True):
        scale = max(1.0, float(expected.abs().max()))
        difference = float((expected - value).abs().max())
        if not difference <= TOLERANCE * scale:
            raise SystemExit(f"the two sides differ by {difference:.1e} at a scale of {scale:.1e}: nothing was timed")
    return float((one[0] - other[0]).abs().max())


def timed(theirs: Run, ours: Run, pairs: int) -> tuple[list[float], list[float]]:
    """Seconds of each run, in turns, so that a busy machine slows both."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(pairs):
        for run, kept in zip((theirs, ours), seconds, strict=True):
            start = time.perf_counter()
            run()
            kept.append(time.perf_counter() - start)
    return seconds


def row(name: str, theirs: list[float], ours: list[float], n_frames: int, difference: float) -> str:
    ratios = [one / other for one, other in zip(theirs, ours, strict=True)]
    rate = n_frames / statistics.median(ours)
    times = f"{spread(theirs, 1e3, 'ms'):>22}{spread(ours, 1e3, 'ms'):>22}"
    return f"{name:32}{times}{spread(ratios, 1.0, ''):>22}{rate:>10.0f}{difference:>11.0e}"


def spread(values: list[float], factor: float, unit: str) -> str:
    """Median and range."""
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
    """Its name and what vector instructions torch uses."""
    names = [line.split(":")[1].strip() for line in read_lines("/proc/cpuinfo") if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()} ({torch.backends.cpu.get_cpu_capability()})"


def read_lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


if __name__ == "__main__":
    main()
