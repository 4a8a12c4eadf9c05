"""The ways to run a layer, fastest first; all give what `loop` gives, up to rounding.

Choosing one is `choose`, over the one table `PATHS`. What a choice may depend on is the call alone, never what ran
before it: a training that is resumed takes the paths that it would have taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from torch import Tensor

from asr.recurrent import compiled
from asr.recurrent.cells.cell import Cell, State
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.compiled.kinds import Kind, kind_of
from asr.recurrent.layout import Layout

Run = Callable[[Sequence[Cell], Tensor, Layout], Tensor]
PreparedRun = Callable[[Tensor, Layout], Tensor]
Able = Callable[[Sequence[Cell], Tensor, Layout], bool]


def loop(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """Step by step under autograd: any cell, any device, any float type; slow.

    Args:
        cells: one that reads from each utterance's first frame to its last, or that and one that reads back.
        rows: (N, F) frames.
        layout: of the rows.

    Returns:
        (N, O), or both directions side by side.
    """
    outputs = [stream(cells[0], rows, layout)[0]]
    for cell in cells[1:]:
        outputs.append(layout.reverse(stream(cell, layout.reverse(rows), layout)[0]))
    return torch.cat(outputs, dim=-1)


def stream(cell: Cell, rows: Tensor, layout: Layout, state: State | None = None) -> tuple[Tensor, State]:
    """One direction from where it stood: the step-by-step loop with the state in the open.

    For utterances that come in pieces, and for truncated back-propagation through time: detach the state in between.

    Args:
        cell: reads from each utterance's first frame to its last.
        rows: (N, F) frames.
        layout: of the rows.
        state: of each utterance before its first frame, in the order of the batch; None: the cell's initial state.

    Returns:
        (N, O), and the state of each utterance after its own last frame, in the order of the batch.
    """
    steps = torch.split(cell.project(rows), layout.step_sizes)  # of the utterances still running, longest first
    now = cell.initial_state(steps[0]) if state is None else tuple(layout.sort(one) for one in state)
    outputs, ended = [], []
    for at_time in steps:
        if len(at_time) < len(now[0]):
            ended.append(tuple(one[len(at_time) :] for one in now))
            now = tuple(one[: len(at_time)] for one in now)
        output, now = cell.step(at_time, now)
        outputs.append(output)
    ended.append(now)
    return torch.cat(outputs), tuple(layout.unsort(torch.cat(parts[::-1])) for parts in zip(*ended, strict=True))


def vendor(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """`torch.lstm`: cuDNN on a GPU, oneDNN on a CPU in float32; arguments and result as of `loop`."""
    if layout.is_full:  # all of one length: torch's own backward direction is exact
        return layout.from_steps(_torch_lstm(cells, layout.to_steps(rows, False)), False)
    return _by_steps(lambda cell, steps: _torch_lstm([cell], steps), cells, rows, layout)


def kernels(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """`asr.recurrent.compiled`; arguments and result as of `loop`.

    Each row of the result is the same to the last bit whatever the batch it is in and the number of threads.
    """
    from asr.recurrent.compiled import sequence  # a second, and numba: only where it is used

    kind = kind_of(cells[0])
    assert kind is not None
    with torch.autocast("cpu", enabled=False):  # float32 throughout: kernels read memory, not types
        return sequence.layer(rows, layout, kind, cells)


def prepared(cells: Sequence[Cell], bfloat16: bool = False) -> PreparedRun | None:
    """The kernels for cells that only recognise from now on, one utterance as well as many.

    Args:
        cells: as of `loop`.
        bfloat16: round what is multiplied, see `compiled.prepared`.

    Returns:
        What runs a layer; with the weights of this moment, where they are packed. None: kernels cannot run here, or not
        these cells in bfloat16.
    """
    kind = _kernel(cells)
    if kind is None:
        return None
    from asr.recurrent.compiled.instructions import multiplies_pairs
    from asr.recurrent.compiled.prepared import Prepared, can_be_prepared

    packs = can_be_prepared(kind)
    if bfloat16 and not (packs and multiplies_pairs()):
        return None
    if not packs:
        return partial(kernels, cells)
    with torch.no_grad():
        return Prepared(kind, cells, bfloat16)


def _by_steps(run: Callable[[Cell, Tensor], Tensor], cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """Each direction over dense steps (S, B, F), with the padding last in both."""
    outputs = [
        layout.from_steps(run(cell, layout.to_steps(rows, backward)), backward)
        for cell, backward in zip(cells, (False, True), strict=False)
    ]
    return torch.cat(outputs, dim=-1)


def _torch_lstm(cells: Sequence[Cell], steps: Tensor) -> Tensor:
    """(S, B, F) to (S, B, H a cell); a second cell reads from the last step to the first."""
    zeros = steps.new_zeros(len(cells), steps.shape[1], cells[0].hidden)
    weights = [w for cell in cells for w in (cell.weight_ih, cell.weight_hh, cell.bias, torch.zeros_like(cell.bias))]
    training = torch.is_grad_enabled()
    # has_biases, num_layers, dropout, train, bidirectional, batch_first
    outputs: Tensor = torch.lstm(steps, [zeros, zeros], weights, True, 1, 0.0, training, len(cells) == 2, False)[0]
    return outputs


def _are_lstms(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> bool:
    return all(type(cell) is LstmCell for cell in cells)


def _suit_kernels(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> bool:
    """In float32 on a CPU; not one utterance that is only recognised: loading would take longer, see `prepared`."""
    worth_loading = torch.is_grad_enabled() or layout.batch_size > 1
    return worth_loading and _float32_on_a_cpu([rows]) and _kernel(cells) is not None


def _kernel(cells: Sequence[Cell]) -> Kind | None:
    """What kernels must know of the cells of a layer; None: they cannot run here, or not these."""
    kinds = {kind_of(cell) for cell in cells}
    suited = len(kinds) == 1 and None not in kinds and _float32_on_a_cpu(cell.weight_ih for cell in cells)
    return kinds.pop() if suited and compiled.available() else None


def _float32_on_a_cpu(tensors: Iterable[Tensor]) -> bool:
    return all(one.device.type == "cpu" and one.dtype == torch.float32 for one in tensors)


PATHS: tuple[tuple[Run, Able], ...] = (
    (kernels, _suit_kernels),
    (vendor, _are_lstms),
    (loop, lambda cells, rows, layout: True),
)


def choose(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Run:
    """The first path of `PATHS` that can run these cells on these rows."""
    return next(run for run, able in PATHS if able(cells, rows, layout))
