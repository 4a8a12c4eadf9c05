"""Compute the steps of `window_steps` in torch, with torchaudio's matrices, for batches and GPUs.

The two backends share only the settings, so that tests can check one against the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from asr.errors import ConfigError, one_line
from asr.features.sound.differences import REACH
from asr.features.sound.framing import Framing
from asr.features.sound.options import SpectralConfig
from asr.features.sound.torchaudio_import import torchaudio_module

_CHUNK = {"cpu": 128}  # windows processed at a time; they fit into the processor's cache
_GPU_CHUNK = 1 << 14


class TorchaudioSteps:
    """The computation of frames from windows on a device of torch.

    Args:
        config: the settings of the features.
        framing: the positions of the windows.
        device: device of torch, such as `cpu` or `cuda`.

    Raises:
        ConfigError: torch does not have the device.
    """

    def __init__(self, config: SpectralConfig, framing: Framing, device: str = "cpu") -> None:
        self.config, self.framing = config, framing
        self.device = _device(device)
        self.fft_size = 1 << (framing.window - 1).bit_length()
        self.window = _window_function(config.window, framing.window).float().to(self.device)
        with _Exactly():
            bands, cepstra = _bands(config, self.fft_size), _cepstra(config)
        self.bands = bands.float().to(self.device)
        self.cepstra = cepstra.float().to(self.device) if config.kind == "mfcc" else None

    def frames(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the frames (T, F) of `Framing.padded` samples: bands or cepstra, and the energy if there is one."""
        windows = torch.tensor(samples, device=self.device).unfold(0, self.framing.window, self.framing.shift)
        return torch.cat([self._static(one) for one in torch.split(windows, self._chunk)]).cpu().numpy()

    def compute_batch(self, signals: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Compute the frames (T, F) of each signal (N,), differences included, without padding to a common length.

        Raises:
            DataError: a signal is empty.
        """
        if not signals:
            return []
        counts = [self.framing.n_frames(len(signal)) for signal in signals]
        stretches = [self.framing.padded(signal) for signal in signals]
        samples = torch.from_numpy(np.concatenate(stretches)).to(self.device)
        offsets = np.cumsum([0] + [len(one) for one in stretches[:-1]])
        starts = [at + self.framing.shift * np.arange(n) for at, n in zip(offsets, counts, strict=True)]
        windows = samples.unfold(0, self.framing.window, 1)  # a view with one window per sample
        every_start = torch.from_numpy(np.concatenate(starts)).to(self.device)
        static = torch.cat([self._static(windows[some]) for some in torch.split(every_start, self._chunk)])
        frames = self._with_differences(static, torch.tensor(counts, device=self.device)).cpu().numpy()
        return np.split(frames, np.cumsum(counts[:-1]))

    @property
    def _chunk(self) -> int:
        return _CHUNK.get(self.device.type, _GPU_CHUNK)

    def _static(self, windows: Tensor) -> Tensor:
        """Compute frames without differences, (n, F), from windows of samples, (n, W)."""
        config = self.config
        x = windows * config.scale
        if config.remove_offset:
            x -= x.mean(dim=1, keepdim=True, dtype=torch.float64)  # float64, so that a constant signal becomes 0
        energy = x.square().sum(dim=1, keepdim=True) if config.energy else None
        if config.preemphasis > 0:  # the first sample is its own predecessor (HTK, Kaldi)
            before = torch.cat([x[:, :1], x[:, :-1]], dim=1)
            x = torch.sub(x, before, alpha=config.preemphasis)
        x *= self.window
        # In float64, because the error of MKL's float32 FFT is five times that of numpy, which matters in quiet bands.
        spectrum = torch.fft.rfft(functional.pad(x, (0, self.fft_size - x.shape[1])).double())
        power = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)  # much faster than abs() ** 2
        frames: Tensor = (power.float() @ self.bands).clamp_(min=config.log_floor).log_()
        if self.cepstra is not None:
            frames = frames @ self.cepstra
        if energy is None:
            return frames
        return torch.cat([frames, energy.clamp_(min=config.log_floor).log_()], dim=1)

    def _with_differences(self, frames: Tensor, counts: Tensor) -> Tensor:
        """Append differences to the frames (T, F) of several utterances, of `counts` frames each."""
        if self.config.differences == 0:
            return frames
        ends = counts.cumsum(0)
        first = torch.repeat_interleave(ends - counts, counts)  # (T,) first frame of each frame's utterance
        last = torch.repeat_interleave(ends - 1, counts)
        places = torch.arange(len(frames), device=self.device)
        blocks = [frames]
        for _ in range(self.config.differences):
            blocks.append(_difference(blocks[-1], places, first, last))
        return torch.cat(blocks, dim=1)


def _difference(frames: Tensor, places: Tensor, first: Tensor, last: Tensor) -> Tensor:
    total = torch.zeros_like(frames)
    for k in range(1, REACH + 1):
        total += k * (frames[torch.minimum(places + k, last)] - frames[torch.maximum(places - k, first)])
    return total / (2 * sum(k * k for k in range(1, REACH + 1)))


class _Exactly(TorchFunctionMode):
    """Mode of this thread in which torchaudio computes its matrices in float64; float32 is inexact in narrow bands."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function of torch; functions that create ranges create them in float64."""
        exact = {"dtype": torch.float64} if func in (torch.arange, torch.linspace) else {}
        return func(*args, **(kwargs or {}), **exact)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(f"device={name}: torch cannot compute there: {one_line(error)}") from None
    return device


def _window_function(name: str, length: int) -> Tensor:
    """Return the window, (length,) float64; the rounding of float32 would be visible beside a loud tone."""
    if name == "rectangular":
        return torch.ones(length, dtype=torch.float64)
    if name == "hamming":
        return torch.hamming_window(length, periodic=False, dtype=torch.float64)
    hann = torch.hann_window(length, periodic=False, dtype=torch.float64)
    return hann**0.85 if name == "povey" else hann


def _bands(config: SpectralConfig, fft_size: int) -> Tensor:
    """Return the weights of the power spectrum, (fft_size / 2 + 1, n_mels)."""
    high = config.high_hz or config.rate / 2
    if config.triangles == "mel":
        banks = torchaudio_module("torchaudio.compliance.kaldi").get_mel_banks
        inner = banks(config.n_mels, fft_size, config.rate, config.low_hz, high, 100.0, -500.0, 1.0)[0]  # no warping
        return functional.pad(inner, (0, 1)).T.contiguous()  # the last band ends at the Nyquist frequency or before
    bands: Tensor = torchaudio_module("torchaudio.functional").melscale_fbanks(
        # Compute twice the bins at twice the rate and take half of them: torchaudio rounds half of an odd rate down.
        fft_size + 1, config.low_hz, high, config.n_mels, 2 * config.rate,
        norm="slaney" if config.area_norm else None, mel_scale=config.mel_scale,
    )  # fmt: skip
    return bands[: fft_size // 2 + 1].contiguous()


def _cepstra(config: SpectralConfig) -> Tensor:
    """Return the matrix of cosine transform and lifter, (n_mels, n_mfcc)."""
    matrix: Tensor = torchaudio_module("torchaudio.functional").create_dct(config.n_mfcc, config.n_mels, norm="ortho")
    if config.lifter == 0:
        return matrix
    return matrix * (1 + config.lifter / 2 * torch.sin(math.pi * torch.arange(config.n_mfcc) / config.lifter))
