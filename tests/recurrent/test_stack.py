"""The whole stack: shapes, padding, batches, time reduction, and equality with packed `torch.nn.LSTM`."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from asr.config import Component, build
from asr.errors import ConfigError
from asr.recurrent.cells.lstm_projected import ProjectedLstmConfig
from asr.recurrent.layout import Layout
from asr.recurrent.stack import RecurrentStack, StackConfig

LENGTHS = [7, 12, 1, 5]


def batch(dtype: torch.dtype = torch.float32, padding: float = math.nan) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    frames = torch.randn(4, 12, 6, dtype=dtype)
    for row, length in zip(frames, LENGTHS, strict=True):
        row[length:] = padding
    return frames, torch.tensor(LENGTHS)


def stack(**options: object) -> RecurrentStack:
    torch.manual_seed(2)
    return RecurrentStack(n_features=6, n_labels=5, hidden=8, layers=3, **options)  # type: ignore[arg-type]


def packed_lstm(model: RecurrentStack, dtype: torch.dtype) -> nn.LSTM:
    """`torch.nn.LSTM` with the weights of a stack without time reduction."""
    lstm = nn.LSTM(model.n_features, model.hidden, len(model.layers), bidirectional=True, batch_first=True, dtype=dtype)
    for number, layer in enumerate(model.layers):
        for cell, suffix in ((layer.forward_cell, ""), (layer.backward_cell, "_reverse")):
            for name, value in cell.to_torch().items():
                kind, part = name.split("_")
                getattr(lstm, f"{kind}_{part}_l{number}{suffix}").data.copy_(value)
    return lstm


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
def test_equals_packed_lstm(dtype: torch.dtype, tolerance: float) -> None:
    model = stack().to(dtype)
    lstm = packed_lstm(model, dtype)
    frames, lengths = batch(dtype)
    log_probs, _ = model(frames, lengths)
    packed = pack_padded_sequence(frames, lengths, batch_first=True, enforce_sorted=False)
    hidden, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True)
    expected = model.output(hidden).log_softmax(-1)
    weights = torch.randn_like(expected)
    torch.testing.assert_close(log_probs, expected, atol=tolerance, rtol=tolerance)
    model.zero_grad()
    (log_probs * weights).sum().backward()
    (expected * weights).sum().backward()
    for number, layer in enumerate(model.layers):
        for cell, suffix in ((layer.forward_cell, ""), (layer.backward_cell, "_reverse")):
            for ours, theirs in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias", "bias_hh")):
                torch.testing.assert_close(
                    getattr(cell, ours).grad,
                    getattr(lstm, f"{theirs}_l{number}{suffix}").grad,
                    atol=20 * tolerance,
                    rtol=20 * tolerance,
                )


@pytest.mark.parametrize("reduction", [1, 2, 3])
def test_a_batch_equals_its_singles_with_nan_in_the_padding(reduction: int) -> None:
    model = stack(time_reduction=reduction)
    frames, lengths = batch()
    log_probs, out_lengths = model(frames, lengths)
    assert log_probs.shape == (4, model.out_length(12), 5)
    assert torch.isfinite(log_probs).all()
    for row, length, out_length, single in zip(log_probs, LENGTHS, out_lengths.tolist(), frames, strict=True):
        alone, alone_length = model(single[None, :length], torch.tensor([length]))
        assert alone_length.tolist() == [out_length] == [model.out_length(length)] == [-(-length // reduction)]
        torch.testing.assert_close(row[:out_length], alone[0], atol=1e-6, rtol=0)


def test_padding_reaches_no_gradient() -> None:
    model = stack()
    gradients = []
    for padding in (0.0, math.nan):
        frames, lengths = batch(padding=padding)
        frames.requires_grad_()
        log_probs, _ = model(frames, lengths)
        model.zero_grad()
        sum(row[:length].square().sum() for row, length in zip(log_probs, LENGTHS, strict=True)).backward()
        assert all((row[length:] == 0).all() for row, length in zip(frames.grad, LENGTHS, strict=True))
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    for clean, dirty in zip(*gradients, strict=True):
        assert torch.equal(clean, dirty)


@pytest.mark.parametrize(("direction", "seen"), [("forward", range(4)), ("backward", range(3, 7))])
def test_one_direction_sees_one_side(direction: str, seen: range) -> None:
    """What the fourth of seven frames gives depends on the frames up to it, or from it on."""
    model = stack(direction=direction)
    assert model.output.weight.shape == (5, 8)
    frames, lengths = batch()
    frames.requires_grad_()
    model(frames, lengths)[0][0, 3].square().sum().backward()
    assert frames.grad is not None
    assert frames.grad[0].abs().sum(dim=1).nonzero().flatten().tolist() == list(seen)
    assert not frames.grad[1:].any()


def test_skips_add_what_goes_into_a_layer_but_not_the_features() -> None:
    model = stack(skips=True, time_reduction=2, time_reduction_after=2)
    frames, lengths = batch()
    layout = Layout(lengths, 12, frames.device)
    first = model.layers[0](layout.pack(frames), layout)
    rows, reduced = layout.join(first + model.layers[1](first, layout), 2)
    expected = model.output(reduced.unpack(model.layers[2](rows, reduced))).log_softmax(-1)  # twice the size: no skip
    torch.testing.assert_close(model(frames, lengths)[0], expected, rtol=0, atol=1e-6)


def test_layers_take_what_the_cell_puts_out() -> None:
    """3 values a direction from 8 cells."""
    model = stack(cell=ProjectedLstmConfig(projection=3), time_reduction=2)
    assert [layer.forward_cell.n_inputs for layer in model.layers] == [6, 12, 6]
    assert model.output.weight.shape == (5, 6)


def test_builds_from_configuration_nodes() -> None:
    node = {
        "_target_": StackConfig()._target_,
        "cell": {"_target_": "asr.recurrent.cells.lstm.LstmCell", "forget_bias": 2.0},
        "hidden": 8,
        "layers": 1,
    }
    model = build(Component.of(node), n_features=6, n_labels=5)
    assert model.layers[0].forward_cell.bias[8:16].tolist() == [2.0] * 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": 0}, "hidden=0; expected 1 to 1048576"),
        ({"dropout": 1.0}, "dropout=1.0; expected 0 to below 1"),
        ({"direction": "up"}, "direction=up; expected one of both, forward, backward"),
        ({"time_reduction_after": 4}, "time_reduction_after=4; expected a layer, 1 to 3"),
    ],
)
def test_refuses_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RecurrentStack(n_features=6, n_labels=5, **options)  # type: ignore[arg-type]
