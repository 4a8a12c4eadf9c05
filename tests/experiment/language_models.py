"""A small text of three parts, and the run of a small language model on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir

from asr.cli import options
from asr.experiment.language_model_config import LanguageModelConfig
from asr.experiment.schema import composed_language_model
from asr.resources import resource

_WORDS = ("sun", "moon", "noon", "soon", "mouse")


def write_text(path: Path) -> Path:
    """Write a text: `novel` trains, `letters` is dev, `play` is test."""
    rng = np.random.default_rng(0)
    lines = []
    for name, count in (("novel", 120), ("letters", 20), ("play", 20)):
        lines.append(f"# {name}")
        lines += [" ".join(rng.choice(_WORDS, rng.integers(2, 6))) + "." for _ in range(count)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def small(root: Path, more: Sequence[str] = ()) -> LanguageModelConfig:
    """What `asr-train` would run, on the text of `write_text`."""
    return composed(
        [
            f"corpus.root={root}",
            "corpus.dev=[letters]",
            "corpus.test=[play]",
            "model.hidden=12",
            "model.embedding=6",
            "optimizer.lr=0.02",
            "stream.epoch_characters=600",
            "stream.cold_starts=0.1",
            "training.epochs=3",
            "training.max_utterances=4",
            "training.frame_budget=48",
            "training.threads=1",
            "training.tensorboard=false",
            *more,
        ]
    )


def composed(overrides: Sequence[str]) -> LanguageModelConfig:
    """What `asr-train` would run with these options of a language model."""
    options.store()
    with initialize_config_dir(str(resource("conf")), version_base="1.3"):
        return composed_language_model(compose("train_language_model", list(overrides)))[0]
