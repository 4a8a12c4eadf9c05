"""Several ways to run a layer; all return the result of `loop`, up to rounding.

`choose` selects the fastest suitable one from the table `PATHS`. The choice depends only on the call, never on earlier
calls, so that a resumed training run takes the same paths as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from torch import Tensor

from asr.recurrent import compiled, threads
from asr.recurrent.cells.cell import Cell, State
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.compiled.kinds import Kind, can_continue, kind_of
from asr.recurrent.layout import Layout

Run = Callable[[Sequence[Cell], Tensor, Layout], Tensor]
PreparedRun = Callable[[Tensor, Layout], Tensor]
Supports = Callable[[Sequence[Cell], Tensor, Layout], bool]


def loop(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """Run the cells step by step under autograd: supports any cell, device and float type, but is slow.

    Args:
        cells: the cell of the forward direction, and optionally that of the backward direction.
        rows: (N, F) frames.
        layout: the layout of the rows.

    Returns:
        (N, O), the outputs of both directions concatenated if there are two.
    """
    outputs = [stream(cells[0], rows, layout)[0]]
    for cell in cells[1:]:
        outputs.append(layout.reverse(stream(cell, layout.reverse(rows), layout)[0]))
    return torch.cat(outputs, dim=-1)


def stream(cell: Cell, rows: Tensor, layout: Layout, state: State | None = None) -> tuple[Tensor, State]:
    """Run one direction step by step from a given state, and return the last state.

    Use it for utterances that arrive in pieces, and for truncated back-propagation through time (detach the state in
    between).

    Args:
        cell: the cell, which reads forwards.
        rows: (N, F) frames.
        layout: the layout of the rows.
        state: the state of each utterance before its first frame, in the order of the batch; None for the cell's
            initial state.

    Returns:
        (N, O), and the state of each utterance after its own last frame, in the order of the batch.
    """
    steps = torch.split(cell.project(rows), layout.step_sizes)  # one row for each utterance still running
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


def carry(cell: Cell, rows: Tensor, layout: Layout, state: State) -> tuple[Tensor, State]:
    """Run a forward cell from a given state, in the fastest suitable way; no gradient flows into the state.

    Use it for truncated back-propagation through time. `stream` is the reference.

    Args:
        cell: the cell, which reads forwards.
        rows: (N, F) frames.
        layout: the layout of the rows; all utterances have the same length.
        state: the state of each utterance before its first frame.

    Returns:
        (N, O), and the state of each utterance after its last frame, detached.

    Raises:
        ValueError: the utterances differ in length.
    """
    if not layout.is_full:
        raise ValueError(f"utterances must have the same length to carry a state, got {layout.lengths.tolist()}")
    if _float32_on_a_cpu([rows]) and _kernel([cell]) is not None and can_continue(cell):
        from asr.recurrent.compiled import sequence

        kind = kind_of(cell)
        assert kind is not None
        with torch.autocast("cpu", enabled=False):
            return sequence.continued(rows, layout, kind, cell, state)
    before = tuple(one.detach() for one in state)
    if type(cell) is LstmCell:
        outputs, state = _torch_lstm_from(cell, layout.to_steps(rows, False), before)
        outputs = layout.from_steps(outputs, False)
    else:
        outputs, state = stream(cell, rows, layout, before)
    return outputs, tuple(one.detach() for one in state)


def vendor(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """Run `torch.lstm`, which uses cuDNN on a GPU and oneDNN on a CPU in float32; arguments and result as in `loop`."""
    if layout.is_full and not _in_helpers():  # with equal lengths, torch's own backward direction is exact
        return layout.from_steps(_torch_lstm(cells, layout.to_steps(rows, False)), False)
    return _by_steps(lambda cell, steps: _torch_lstm([cell], steps), cells, rows, layout)


def kernels(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """Run the compiled kernels of `asr.recurrent.compiled`; arguments and result as in `loop`.

    The result for an utterance does not depend, bit for bit, on the rest of the batch or on the number of threads.
    """
    from asr.recurrent.compiled import sequence  # imported here: it takes a second, and needs numba

    kind = kind_of(cells[0])
    assert kind is not None
    with torch.autocast("cpu", enabled=False):  # kernels expect float32 in memory
        return sequence.layer(rows, layout, kind, cells)


def prepared(cells: Sequence[Cell], bfloat16: bool = False) -> PreparedRun | None:
    """Prepare kernels for cells whose weights no longer change; they run single utterances as well as batches.

    Args:
        cells: the cells of the layer, as in `loop`.
        bfloat16: whether to round the factors of products to bfloat16, see `compiled.prepared`.

    Returns:
        A function that runs the layer; it may use a copy of the current weights. None if kernels cannot run on this
        machine, or do not support these cells (in bfloat16).
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
    """Run each direction over dense steps (S, B, F); the padding comes last in both."""

    def direction(cell: Cell, backward: bool) -> Tensor:
        return layout.from_steps(run(cell, layout.to_steps(rows, backward)), backward)

    directions = [partial(direction, *one) for one in zip(cells, (False, True), strict=False)]
    outputs = threads.side_by_side(directions) if _in_helpers() else [one() for one in directions]
    return torch.cat(outputs, dim=-1)


def _in_helpers() -> bool:
    """Return whether the directions may run in different threads; under autocast they may not, as it is per thread."""
    return (threads.of_one_utterance() or 1) > 1 and not torch.is_autocast_enabled("cpu")


def _torch_lstm(cells: Sequence[Cell], steps: Tensor) -> Tensor:
    """Turn (S, B, F) into (S, B, H per cell); a second cell reads from the last step to the first."""
    zeros = steps.new_zeros(len(cells), steps.shape[1], cells[0].hidden)
    weights = [w for cell in cells for w in (cell.weight_ih, cell.weight_hh, cell.bias, torch.zeros_like(cell.bias))]
    training = torch.is_grad_enabled()
    # has_biases, num_layers, dropout, train, bidirectional, batch_first
    outputs: Tensor = torch.lstm(steps, [zeros, zeros], weights, True, 1, 0.0, training, len(cells) == 2, False)[0]
    return outputs


def _torch_lstm_from(cell: Cell, steps: Tensor, state: State) -> tuple[Tensor, State]:
    """Turn (S, B, F) into (S, B, H), starting from a state of tensors (B, H); also return the last state."""
    weights = [cell.weight_ih, cell.weight_hh, cell.bias, torch.zeros_like(cell.bias)]
    before = [one[None] for one in state]
    outputs, *last = torch.lstm(steps, before, weights, True, 1, 0.0, torch.is_grad_enabled(), False, False)
    return outputs, tuple(one[0] for one in last)


def _are_lstms(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> bool:
    return all(type(cell) is LstmCell for cell in cells)


def _suit_kernels(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> bool:
    """Return whether to use kernels: float32 on a CPU, and a gradient or several utterances, which justify loading."""
    worth_loading = torch.is_grad_enabled() or layout.batch_size > 1
    return worth_loading and _float32_on_a_cpu([rows]) and _kernel(cells) is not None


def _kernel(cells: Sequence[Cell]) -> Kind | None:
    """Return the kind of the cells of a layer; None if no kernel supports them, or kernels cannot run here."""
    kinds = {kind_of(cell) for cell in cells}
    suited = len(kinds) == 1 and None not in kinds and _float32_on_a_cpu(cell.weight_ih for cell in cells)
    return kinds.pop() if suited and compiled.available() else None


def _float32_on_a_cpu(tensors: Iterable[Tensor]) -> bool:
    return all(one.device.type == "cpu" and one.dtype == torch.float32 for one in tensors)


PATHS: tuple[tuple[Run, Supports], ...] = (
    (kernels, _suit_kernels),
    (vendor, _are_lstms),
    (loop, lambda cells, rows, layout: True),
)


def choose(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Run:
    """Return the first path of `PATHS` that supports these cells and rows."""
    return next(run for run, supports in PATHS if supports(cells, rows, layout))
