"""Configuration of a run that trains a recurrent language model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asr.config import Component, check_values
from asr.experiment.settings import plain_settings, read_settings
from asr.experiment.text_corpus import TextConfig
from asr.training.loop import TrainingConfig

TASK = "language_model"
"""The value of `task:` in a recipe that trains a language model."""


@dataclass
class StreamConfig:
    """Options for reading the text.

    The text is read in `training.max_utterances` parallel streams. A step of training reads `training.frame_budget`
    characters, over all streams.
    """

    epoch_characters: int | None = None  # characters of an epoch, after which dev is measured; None: the whole text
    cold_starts: float = 0.02  # share of the windows that start at a line's beginning without context, as in decoding

    def __post_init__(self) -> None:
        enough = self.epoch_characters is None or self.epoch_characters >= 1
        conditions = {
            "epoch_characters": (enough, "1 or more, or null for the whole text"),
            "cold_starts": (0 <= self.cold_starts <= 1, "a share, 0 to 1"),
        }
        check_values(vars(self), conditions)


@dataclass(frozen=True)
class LanguageModelConfig:
    """The whole configuration of a run, except its folder.

    Attributes:
        recipe: the recipe's name.
        corpus: the source of the text.
        model: the network.
        optimizer, schedule: the optimiser and its learning rates.
        task: always `TASK`.
        stream, training: see their classes.
        plugins: the user's modules with classes of the components.
    """

    recipe: str
    corpus: TextConfig
    model: Component
    optimizer: Component
    schedule: Component
    task: str = TASK
    stream: StreamConfig = field(default_factory=StreamConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    plugins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise a ConfigError if `task` is not `TASK`, or a step has less than one character for each stream."""
        streams, budget = self.training.max_utterances, self.training.frame_budget
        enough = f"{streams} or more: a character for each of the training.max_utterances={streams} streams"
        check_values({"task": self.task}, {"task": (self.task == TASK, f"{TASK}, as in the recipe")})
        check_values({"training.frame_budget": budget}, {"training.frame_budget": (budget >= streams, enough)})

    @property
    def window(self) -> int:
        """The number of characters of each stream in one step."""
        return self.training.frame_budget // self.training.max_utterances

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as the plain values of a run folder's `config.yaml`."""
        return plain_settings(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LanguageModelConfig:
        """Read the values that Hydra composed, or that `to_dict` returned.

        Raises:
            ConfigError: lists every option that is unknown, missing or of the wrong type.
        """
        return read_settings(cls, values)
