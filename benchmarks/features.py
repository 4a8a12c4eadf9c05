"""Measure how many seconds of sound become frames in a second on one core: `python benchmarks/features.py [FOLDER]`.

FOLDER holds sound files (FLAC, WAV, ...); without it, ten minutes of synthetic sound are written. First the frames are
checked against torchaudio.compliance.kaldi and the second backend. Then everything is timed in turns, so that a busy
machine slows all alike. Times are processor time.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
import yaml
from numpy.typing import NDArray

from asr.audio import audio_info, read_audio
from asr.corpus.utterance import Utterance
from asr.features.cache import FrameCache
from asr.features.sound.augment import Augmenter
from asr.features.sound.spectral import SpectralFeatures
from asr.features.sound.torchaudio_import import torchaudio_module

ROUNDS = 7
LIMIT_SECONDS = 600.0  # seconds of sound
PRESETS = ("graves2013", "kaldi", "mfcc", "mel64")
BLOCK = 8000  # samples of a block, for sound that arrives in blocks
CONF = Path(__file__).resolve().parents[1] / "conf" / "features"


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        paths, total = sounds(Path(sys.argv[1]) if len(sys.argv) > 1 else synthetic(Path(scratch)))
        signals = [read_audio(path) for path in paths]
        check(signals[0])
        times = timed(ways(paths, signals, Path(scratch)))
    print(f"{len(paths)} files, {total:.0f} s of sound, one core; {versions()}\n")
    print(f"{'what':44} {'x real time':>12} {'slowest':>9} {'fastest':>9}")
    for name, seconds in times.items():
        figures = [total / one for one in (statistics.median(seconds), max(seconds), min(seconds))]
        print(f"{name:44} {figures[0]:12.0f} {figures[1]:9.0f} {figures[2]:9.0f}")


def sounds(folder: Path) -> tuple[list[Path], float]:
    """Return files of about `LIMIT_SECONDS` together, and their total duration in seconds."""
    chosen, total = [], 0.0
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".wav", ".flac", ".ogg", ".mp3")):
        chosen.append(path)
        total += audio_info(path).seconds
        if total >= LIMIT_SECONDS:
            break
    return chosen, total


def synthetic(folder: Path) -> Path:
    """Write 150 FLAC files of 4 s: harmonics of changing loudness, and noise."""
    random = np.random.default_rng(1)
    seconds = np.arange(64000) / 16000
    for i in range(150):
        pitch = random.uniform(80, 250)
        voice = sum(np.sin(2 * np.pi * pitch * k * seconds) / k for k in range(1, 20))
        signal = 0.1 * voice * np.sin(np.pi * 3 * seconds) ** 2 + 0.003 * random.standard_normal(64000)
        soundfile.write(folder / f"{i:03d}.flac", signal, 16000)
    return folder


def preset(name: str, backend: str = "numpy") -> SpectralFeatures:
    lines = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    return SpectralFeatures(**{key: value for key, value in lines.items() if key != "defaults"}, backend=backend)


def check(signal: NDArray[np.float32]) -> None:
    """Check that our Kaldi preset, torchaudio's Kaldi and the second backend agree."""
    frames = preset("kaldi").compute(signal)
    others = {
        "torchaudio.compliance.kaldi.fbank": kaldi(signal).numpy(),
        "features.backend=torchaudio": preset("kaldi", "torchaudio").compute(signal),
        "the same, from blocks": np.concatenate(list(preset("kaldi").compute_blocks(blocks(signal)))),
    }
    for name, other in others.items():
        apart = float(np.abs(frames - other).max() / np.ptp(frames))
        print(f"largest difference to {name}: {apart:.1e} of the range")
        if apart > 3e-5:
            sys.exit("that is too much")
    print()


def kaldi(signal: NDArray[np.float32]) -> torch.Tensor:
    fbank = torchaudio_module("torchaudio.compliance.kaldi").fbank
    samples = torch.from_numpy(signal)[None] * 32768
    frames: torch.Tensor = fbank(samples, num_mel_bins=40, dither=0.0, energy_floor=0.0)
    return frames


def blocks(signal: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    return (signal[begin : begin + BLOCK] for begin in range(0, len(signal), BLOCK))


def ways(paths: list[Path], signals: list[NDArray[np.float32]], scratch: Path) -> dict[str, Callable[[], object]]:
    """Return the functions to time by name; each processes all the sound once."""
    runs: dict[str, Callable[[], object]] = {
        "read only": lambda: [read_audio(path) for path in paths],
        "read only, soundfile.read": lambda: [soundfile.read(path, dtype="float32") for path in paths],
    }
    for name in PRESETS:
        features = preset(name)
        runs[f"{name} ({features.dim}), compute"] = lambda f=features: [f.compute(one) for one in signals]
        runs[f"{name} ({features.dim}), read + compute"] = lambda f=features: [
            f.compute(f.read(Utterance(path.stem, path))) for path in paths
        ]
        other = preset(name, "torchaudio")
        runs[f"{name} ({features.dim}), compute, torchaudio"] = lambda f=other: [f.compute(one) for one in signals]
    graves, other = preset("graves2013"), preset("graves2013", "torchaudio")
    runs[f"graves2013, blocks of {BLOCK / 16000} s"] = lambda: [list(graves.compute_blocks(blocks(x))) for x in signals]
    runs["graves2013, all at once, torchaudio"] = lambda: other.compute_batch(signals)
    if torch.cuda.is_available():
        runs["graves2013, all at once, torchaudio, cuda"] = lambda: other.compute_batch(signals, device="cuda")
    runs["torchaudio.compliance.kaldi.fbank (40)"] = lambda: [kaldi(one) for one in signals]
    runs["librosa log mel spectrogram (64)"] = lambda: [
        np.log(librosa.feature.melspectrogram(y=one, sr=16000, n_fft=512, hop_length=160, n_mels=64) + 1e-10)
        for one in signals
    ]
    augmenter = Augmenter(time_masks=2, time_mask_frames=100, frequency_masks=2, frequency_mask_bands=15, blocks=3)
    frames = [preset("graves2013").compute(one) for one in signals]
    plans = [augmenter.plan(0, str(i)) for i in range(len(frames))]
    runs["masks on cached frames (123)"] = lambda: [augmenter.mask(*pair) for pair in zip(plans, frames, strict=True)]
    utterances, cached = [Utterance(str(i), path) for i, path in enumerate(paths)], preset("graves2013")
    FrameCache.open(utterances, cached, scratch / "cache")
    runs["finding the cache again (123)"] = lambda: FrameCache.open(utterances, cached, scratch / "cache")
    return runs


def timed(runs: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the processor seconds of every round, after one round to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 1):
        for name, run in runs.items():
            started = time.process_time()
            run()
            if turn > 0:
                seconds[name].append(time.process_time() - started)
    return seconds


def versions() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    cpu = platform.processor() or platform.machine()
    packages = f"numpy {np.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    return f"{packages}, {cpu}, commit {commit.stdout.strip() or '?'}"


if __name__ == "__main__":
    main()
