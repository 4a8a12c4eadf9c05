"""The matrices of the mel spectrum and its cosine transform, taken from torchaudio."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor

from asr.errors import ConfigError
from asr.features.sound.torchaudio_import import torchaudio_module

_LISTED = 8  # bands in a message


def mel_bands(
    n_mels: int,
    fft_size: int,
    rate: int,
    low_hz: float,
    high_hz: float,
    scale: str = "htk",
    triangles: str = "mel",
    area_norm: bool = False,
) -> Tensor:
    """Triangular bands, equally spaced in mel, each reaching from the middle of one neighbour to that of the other.

    Args:
        n_mels: bands.
        fft_size: samples of the FFT.
        rate: hertz.
        low_hz: where the first band begins.
        high_hz: where the last band ends.
        scale: `htk` or `slaney`.
        triangles: sides straight over `mel` (scale `htk` only) or over `hertz`.
        area_norm: divide each band by half its width in hertz (`hertz` only).

    Returns:
        (fft_size / 2 + 1, n_mels) float32, weights of the power spectrum.

    Raises:
        ConfigError: a band is so narrow that no FFT bin lies in it.
    """
    if triangles == "mel":
        kaldi = torchaudio_module("torchaudio.compliance.kaldi")
        inner = kaldi.get_mel_banks(n_mels, fft_size, rate, low_hz, high_hz, 100.0, -500.0, 1.0)[0]  # no VTLN warping
        bands = torch.nn.functional.pad(inner, (0, 1)).T  # all but the Nyquist frequency, where the last band ends
    else:
        functional = torchaudio_module("torchaudio.functional")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about empty bands: an error below
            bands = functional.melscale_fbanks(
                fft_size // 2 + 1, low_hz, high_hz, n_mels, rate, norm="slaney" if area_norm else None, mel_scale=scale
            )
    empty = (bands.amax(dim=0) == 0).nonzero().flatten().tolist()
    if empty:
        listed = ", ".join(map(str, empty[:_LISTED])) + (", ..." if len(empty) > _LISTED else "")
        raise ConfigError(
            f"n_mels={n_mels}; expected fewer bands: {listed} (from 0) are narrower than a bin of the FFT"
            f" ({rate / fft_size:.1f} Hz); a longer window or a wider range of hertz helps, too"
        )
    return bands.contiguous()


def cosine_transform(n_mels: int, n_mfcc: int) -> Tensor:
    """(n_mels, n_mfcc) orthonormal DCT-II, as in Kaldi, librosa and torchaudio."""
    return torchaudio_module("torchaudio.functional").create_dct(n_mfcc, n_mels, norm="ortho")  # type: ignore[no-any-return]


def lifter_weights(n_mfcc: int, lifter: float) -> Tensor:
    """(n_mfcc,) weights 1 + lifter / 2 * sin(pi * i / lifter), i from 0 (HTK Book, chapter 5); ones for lifter 0."""
    if lifter == 0:
        return torch.ones(n_mfcc)
    return 1 + lifter / 2 * torch.sin(math.pi * torch.arange(n_mfcc) / lifter)
