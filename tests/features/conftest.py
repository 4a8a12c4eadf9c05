"""Signals and files that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from asr.corpus.utterance import Utterance


@pytest.fixture
def voice() -> NDArray[np.float32]:
    """(8000,) half a second of something with harmonics, noise, an offset and a silent stretch, full scale 1."""
    random = np.random.default_rng(1)
    time = np.arange(8000) / 16000
    signal = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 30)) * np.sin(2 * np.pi * 3 * time) * 0.1
    signal = signal + 0.003 * random.standard_normal(8000) + 0.01
    signal[3000:4000] = 0.0
    return signal.astype(np.float32)


@pytest.fixture
def recordings(tmp_path: Path) -> list[Utterance]:
    """Five short WAV files of two speakers and one segment of the last."""
    folder = tmp_path / "wav"
    folder.mkdir()
    random = np.random.default_rng(2)
    utterances = []
    for i in range(5):
        path = folder / f"u{i}.wav"
        soundfile.write(path, 0.1 * random.standard_normal(3000 + 900 * i), 16000)
        utterances.append(Utterance(f"u{i}", path, speaker=f"s{i % 2}"))
    return [*utterances, Utterance("part", utterances[-1].source, start=0.1, duration=0.2, speaker="s0")]
