"""The convolution along frequency: against loops, in the stack, and its options."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from asr.errors import ConfigError
from asr.recurrent.bands import BandConvolution
from asr.recurrent.stack import RecurrentStack

NODE = {
    "_target_": "asr.recurrent.bands.BandConvolution",
    "bands": 10,
    "channels": [3, 4],
    "widths": [3, 5],
    "pools": [2, 2],
}


def slow(front: BandConvolution, frame: Tensor) -> Tensor:
    """One frame through sums written out: weight * value over channels and neighbours, then each group's largest."""
    values = frame.view(-1, front.bands)  # (C, bands)
    for layer, pool in zip(front.layers, front.pools, strict=True):
        n_units, _, _, width = layer.weight.shape
        n_bands = values.shape[1]
        out = torch.zeros(n_units, n_bands, dtype=frame.dtype)
        for unit in range(n_units):
            for band in range(n_bands):
                total = layer.bias[unit].clone()
                for channel in range(values.shape[0]):
                    for offset in range(width):
                        neighbour = band + offset - width // 2
                        if 0 <= neighbour < n_bands:
                            total += layer.weight[unit, channel, 0, offset] * values[channel, neighbour]
                out[unit, band] = max(total, torch.zeros(()).to(total))
        values = torch.stack([out[:, i * pool : (i + 1) * pool].amax(1) for i in range(n_bands // pool)], dim=1)
    return values.flatten()


@pytest.mark.parametrize("bands", [10, 7])
def test_equals_the_sums_written_out(bands: int) -> None:
    torch.manual_seed(3)
    front = BandConvolution(3 * bands, bands, [3, 4], [3, 5], [2, 3]).double()
    rows = torch.randn(5, 3 * bands, dtype=torch.float64)
    got = front(rows)
    assert got.shape == (5, front.n_outputs)
    torch.testing.assert_close(got, torch.stack([slow(front, row) for row in rows]), atol=1e-12, rtol=0)


def test_a_pattern_one_band_higher_gives_the_same_maximum() -> None:
    torch.manual_seed(3)
    front = BandConvolution(12, 12, [4], [3], [12])
    low = torch.zeros(1, 12)
    low[0, 4:6] = torch.tensor([1.0, -2.0])
    torch.testing.assert_close(front(low), front(low.roll(1, dims=1)))


def test_batches_and_padding_change_nothing_above_it() -> None:
    torch.manual_seed(3)
    model = RecurrentStack(n_features=20, n_labels=5, front=NODE, hidden=8, layers=2)
    lengths = [7, 12, 1]
    frames = torch.full((3, 12, 20), math.nan)
    for row, length in zip(frames, lengths, strict=True):
        row[:length] = torch.randn(length, 20)
    together, _ = model(frames, torch.tensor(lengths))
    for row, length, got in zip(frames, lengths, together, strict=True):
        alone, _ = model(row[None, :length], torch.tensor([length]))
        torch.testing.assert_close(got[:length], alone[0], atol=1e-6, rtol=0)
    together.sum().backward()
    assert all(torch.isfinite(values.grad).all() for values in model.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bands": 7}, r"model\.front\.bands=7: frames of 20 values are no blocks of so many bands; set it to"),
        ({"channels": [3]}, "1 channels, 2 widths and 2 pools; give one each a layer"),
        ({"channels": [3, 0]}, r"model\.front\.channels=\[3, 0\]: expected 1\.\.4096 each"),
        ({"widths": [3, 4]}, r"model\.front\.widths=\[3, 4\]: expected odd numbers"),
        ({"pools": [2, 8]}, r"model\.front\.pools=\[2, 8\]: nothing is left of 10 bands"),
        ({"pools": [0, 1]}, "nothing is left"),
    ],
)
def test_senseless_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RecurrentStack(n_features=20, n_labels=5, front=NODE | options, hidden=8, layers=1)
