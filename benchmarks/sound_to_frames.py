"""Time sound to frames against torchaudio, in times real time of one core; rows of the table of `recognition.py`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from measuring import Effort, Figure, Row, agreed, timed
from numpy.typing import NDArray
from test_sets import recordings, spoken

import asr
from asr.audio import audio_info, read_audio
from asr.corpus.utterance import Utterance
from asr.features.sound.spectral import SpectralFeatures
from asr.features.sound.torchaudio_import import torchaudio_module

Frames = NDArray[np.float32]
Compute = Callable[[NDArray[np.float32]], Frames]
KALDI = SpectralFeatures(window="povey", scale=32768.0, log_floor=float(np.finfo(np.float32).eps))
BAR = "500 (1,000)"


def sound_rows(given: argparse.Namespace, effort: Effort) -> Iterator[Row]:
    """Time the features of the bundle with both backends, Kaldi's against torchaudio's own, and files to frames."""
    chosen = recordings(given.data)
    files = [Utterance(path.stem, path) for path in spoken(chosen, effort.seconds_of_sound)]
    signals, total = [read_audio(one.source) for one in files], sum(audio_info(one.source).seconds for one in files)
    ours = asr.load(chosen.model).extractor
    assert isinstance(ours, SpectralFeatures)
    other = replace(ours, backend="torchaudio")
    on = f"{chosen.called}, {total:.0f} s"
    for what, sides in {
        f"sound to frames, features of `{chosen.model}` ({ours.dim} values)": {
            "numpy": ours.compute, "backend torchaudio": other.compute
        },
        f"sound to frames, Kaldi's features ({KALDI.dim} values)": {
            "numpy": KALDI.compute, "`torchaudio.compliance.kaldi.fbank`": kaldi
        },
    }.items():  # fmt: skip
        yield computed(what, on, sides, signals, total, effort)
    both = {
        "numpy": lambda: [ours.compute(ours.read(one)) for one in files],
        "backend torchaudio": lambda: [other.compute(other.read(one)) for one in files],
    }
    times = timed(both, effort.rounds)
    rates = [Figure.rate(total, times[name], "times real time") for name in both]
    yield Row(f"file to frames, features of `{chosen.model}`", on, "numpy", rates[0], "backend torchaudio", rates[1])


def computed(
    what: str, on: str, sides: Mapping[str, Compute], signals: list[NDArray[np.float32]], total: float, effort: Effort
) -> Row:
    runs: dict[str, Callable[[], list[Frames]]] = {
        name: lambda compute=compute: [compute(one) for one in signals]  # type: ignore[misc]
        for name, compute in sides.items()
    }
    ours, theirs = (np.concatenate(run()) for run in runs.values())
    scale = float(np.ptp(theirs))
    times = timed(runs, effort.rounds)
    rates = [Figure.rate(total, one, "times real time") for one in times.values()]
    first, second = sides
    return Row(what, on, first, rates[0], second, rates[1], f"{agreed(ours / scale, theirs / scale)} of the range", BAR)


def kaldi(signal: NDArray[np.float32]) -> Frames:
    fbank = torchaudio_module("torchaudio.compliance.kaldi").fbank
    samples = torch.from_numpy(signal)[None] * 32768
    frames: Frames = fbank(samples, num_mel_bins=40, dither=0.0, energy_floor=0.0).numpy()
    return frames
