"""A corpus that every machine can make in a moment: letters are tones, words are tones in a row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance

RATE = 16000
TONES = {"a": 400.0, "b": 900.0, "c": 1800.0, " ": 0.0}  # hertz
COUNTS = {"train": 64, "dev": 4, "test": 6}


def sound(text: str, rng: np.random.Generator) -> np.ndarray:
    """(N,) float32: 0.1 s a letter, with a short gap behind each."""
    time = np.arange(int(0.1 * RATE)) / RATE
    parts = []
    for letter in text:
        parts += [0.3 * np.sin(2 * np.pi * TONES[letter] * time), np.zeros(int(0.03 * RATE))]
    signal = np.concatenate(parts)
    return (signal + 0.003 * rng.standard_normal(len(signal))).astype(np.float32)


def make_corpus(root: Path, counts: Mapping[str, int] = COUNTS) -> Path:
    """Write WAV files and the manifests of train, dev and test; two speakers a split. Returns the manifests' folder."""
    rng = np.random.default_rng(5)
    for split, count in counts.items():
        utterances = []
        for number in range(count):
            text = "".join(rng.choice(list("abc"), rng.integers(2, 5)))
            if number % 3 == 0:
                text += " " + str(rng.choice(list("abc")))
            path = root / split / f"{split}{number:02d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, sound(text, rng), RATE)
            utterances.append(
                Utterance(
                    id=path.stem,
                    source=path,
                    duration=soundfile.info(path).duration,
                    text=text,
                    labels=tuple(text.replace(" ", "")),
                    speaker=f"{split}-{number % 2}",
                )
            )
        write_manifest(root / f"{split}.jsonl", utterances)
    return root


def small_run(root: Path, **changes: str) -> list[str]:
    """Overrides of `asr-train` for a run on this corpus that takes a second, whatever the recipe says."""
    options = {
        "recipe": "quickstart/speech",
        "corpus": "manifest",
        "corpus.manifests": str(root),
        "inventory.unit": "characters",
        "inventory.fold": "null",
        "normaliser": "corpus",
        "stacking": "none",
        "augment": "none",
        "schedule.warmup": "0.15",
        "training.average_decay": "0",
        "model.dropout": "0",
        "features": "mel64",
        "model.hidden": "32",
        "model.layers": "1",
        "optimizer.lr": "0.02",
        "training.epochs": "3",
        "training.frame_budget": "300",
        "training.tensorboard": "false",
        "training.threads": "1",
        "scoring.rates": "[cer,wer]",
        "cache_dir": str(root / "cache"),
    }
    return [f"{name}={value}" for name, value in (options | changes).items()]
