"""Convolution along frequency below the recurrent layers: what a formant looks like is learned once for all bands.

Abdel-Hamid and others 2014, "Convolutional neural networks for speech recognition" (IEEE/ACM TASLP 22), sections III
and IV, with full weight sharing: neighbouring frames and difference blocks are channels, the maximum over neighbouring
bands lets a voice stand a little higher or lower. Each frame is computed for itself, so padding cannot matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asr.errors import ConfigError


@dataclass
class BandConvolutionConfig:
    """Options of `BandConvolution`; one entry a layer in each list."""

    _target_: str = "asr.recurrent.bands.BandConvolution"
    bands: int = 64  # of a frame; n_features must be a multiple
    channels: list[int] = field(default_factory=lambda: [32, 64])
    widths: list[int] = field(default_factory=lambda: [9, 5])  # bands that a unit sees, odd
    pools: list[int] = field(default_factory=lambda: [2, 4])  # neighbours of which the largest is kept


class BandConvolution(nn.Module):
    """Convolution over bands, rectification and maximum pooling, layer by layer.

    Args:
        n_features: F, size of a frame: blocks of `bands` values.
        bands: values of a block.
        channels: units a band, for each layer.
        widths: bands that a unit sees; zeros stand beyond the first and the last band.
        pools: neighbours of which the largest is kept; a last group that is not full is left out.

    Attributes:
        n_outputs: size of a frame behind it.

    Raises:
        ConfigError: options that do not fit each other or the frames.
    """

    def __init__(
        self, n_features: int, bands: int, channels: Sequence[int], widths: Sequence[int], pools: Sequence[int]
    ) -> None:
        super().__init__()
        _check(n_features, bands, channels, widths, pools)
        self.bands, self.pools = bands, tuple(pools)
        self.layers = nn.ModuleList()
        n_channels, left = n_features // bands, bands
        for n_units, width, pool in zip(channels, widths, pools, strict=True):
            self.layers.append(nn.Conv2d(n_channels, n_units, (1, width), padding=(0, width // 2)))
            n_channels, left = n_units, left // pool
        self.n_outputs = n_channels * left

    def forward(self, rows: Tensor) -> Tensor:
        """(N, F) frames to (N, n_outputs)."""
        values = rows.reshape(len(rows), -1, 1, self.bands)
        values = values.contiguous(
            memory_format=torch.channels_last
        )  # twice as fast on a CPU as one-dimensional layers
        for layer, pool in zip(self.layers, self.pools, strict=True):
            values = F.max_pool2d(layer(values).relu_(), (1, pool))  # (N, C, 1, bands / pools so far)
        return values.flatten(1)


def _check(n_features: int, bands: int, channels: Sequence[int], widths: Sequence[int], pools: Sequence[int]) -> None:
    if bands < 1 or n_features % bands:
        raise ConfigError(
            f"model.front.bands={bands}: frames of {n_features} values are no blocks of so many bands; "
            "set it to features.n_mels, with features.energy=false"
        )
    if not 0 < len(channels) == len(widths) == len(pools):
        raise ConfigError(
            f"model.front: {len(channels)} channels, {len(widths)} widths and {len(pools)} pools; give one each a layer"
        )
    if any(not 1 <= n_units <= 4096 for n_units in channels):
        raise ConfigError(f"model.front.channels={list(channels)}: expected 1..4096 each")
    if any(width < 1 or width % 2 == 0 for width in widths):
        raise ConfigError(f"model.front.widths={list(widths)}: expected odd numbers")
    left = bands
    for pool in pools:
        left = left // pool if pool >= 1 else 0
    if left == 0:
        raise ConfigError(f"model.front.pools={list(pools)}: nothing is left of {bands} bands")
