"""A training run of a language model, in a run folder from which it can be resumed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from asr.config import Faults, build, check_plugins
from asr.errors import DataError
from asr.experiment.language_model_config import LanguageModelConfig
from asr.experiment.lm_task import LanguageModelTask
from asr.experiment.text_corpus import Texts, read_texts
from asr.experiment.text_run_folder import TextRunFolder
from asr.experiment.text_streams import TextStreams
from asr.lm.recurrent import label_model_config
from asr.lm.recurrent_header import LabelModelHeader
from asr.lm.recurrent_symbols import ASCII, character_symbols, encoded
from asr.recurrent.label_model import LabelModel
from asr.seeds import derive_seed
from asr.training.loop import Trainer
from asr.training.state import State
from asr.training.watching import Watcher


class LanguageModelExperiment:
    """A training run: the text, network, optimiser and run folder, ready to train.

    The constructor makes the cheap checks first, so that most errors appear before the text is read.

    Args:
        config: the whole configuration.
        folder: the run folder; an unfinished run in it with the same configuration is resumed.
        options: the command-line options that change the recipe; the result reports them.

    Raises:
        ConfigError: lists every invalid option.
        DataError: the text or the run folder is invalid.
    """

    def __init__(self, config: LanguageModelConfig, folder: Path, options: Sequence[str] = ()) -> None:
        self.config = config
        check_plugins(config.plugins)
        if config.training.threads:
            torch.set_num_threads(config.training.threads)
        self.run = TextRunFolder(folder)
        self.run.check(config)
        check_language_model_options(config)  # before the text is read
        self.texts = self.run.read_data() if self.run.started else read_texts(config.corpus)
        self.header = header_of(config, self.texts)
        torch.manual_seed(derive_seed(config.training.seed, "weights"))
        self.model = model_of(config, len(self.header.symbols)).to(config.training.device)
        self.optimizer = build(config.optimizer, config.plugins, parameters=self.model.parameters())
        self.schedule = build(config.schedule, config.plugins)
        with self.run.alone():
            self.run.check(config)  # again: another process may have begun a run here meanwhile
            if not self.run.started:
                self.run.begin(config, self.texts, options)

    def train(self, watcher: Watcher) -> State:
        """Train until the run is finished, starting from its last checkpoint if there is one.

        Args:
            watcher: the display to report progress to.

        Raises:
            asr.training.loop.Stopped: a signal stopped the training.
            TrainingError: a loss or gradient is not finite.
        """
        task = LanguageModelTask(self.model, self.header, self._streams(), self.encoded("dev"))
        trainer = Trainer(task, self.config.training, self.optimizer, self.schedule, self.run.path, watcher)
        with self.run.alone():
            if trainer.resume() and not trainer.finished:
                self.run.record_resume()
            return trainer.run()

    def encoded(self, split: str) -> NDArray[np.int64]:
        """Return the label numbers of all lines of a split, concatenated, (N,).

        Raises:
            DataError: the split has a character that is not among the model's symbols.
        """
        found = encoded(self.texts[split], self.header.symbols)
        if (found < 0).any():
            raise DataError(f"the text of {split} has a character that is not among the model's symbols")
        return found

    def _streams(self) -> TextStreams:
        training, stream = self.config.training, self.config.stream
        return TextStreams(
            self.encoded("train"),
            self.header.end,
            training.max_utterances,
            self.config.window,
            training.seed,
            stream.epoch_characters,
            stream.cold_starts,
        )


def header_of(config: LanguageModelConfig, texts: Texts) -> LabelModelHeader:
    """Return the header of the model: its symbols (from ASCII or from the training text) and its network."""
    ascii = config.corpus.ascii
    characters = ASCII if ascii else set(chain.from_iterable(texts["train"]))
    symbols = character_symbols(characters, unknown=not ascii)
    return LabelModelHeader(symbols, "characters", config.model.completed())


def model_of(config: LanguageModelConfig, n_labels: int, device: str | None = None) -> LabelModel:
    """Build the network.

    Args:
        config: the configuration of the run.
        n_labels: the number of symbols.
        device: the device of the weights, such as `meta` for shapes only; None for the CPU.

    Raises:
        ConfigError: the network does not have an option, or refuses its value.
    """
    faults = Faults()
    with faults.noted("model"), torch.device(device or "cpu"):
        model: LabelModel = build(config.model, config.plugins, n_labels=n_labels, plugins=config.plugins)
    faults.check()
    return model


def check_language_model_options(config: LanguageModelConfig) -> None:
    """Check the options of all components, with a network of shapes without weights.

    Raises:
        ConfigError: lists every invalid option.
    """
    faults = Faults()
    with faults.noted("schedule"):
        build(config.schedule, config.plugins)
    with faults.noted("optimizer"):
        build(config.optimizer, config.plugins, parameters=[torch.nn.Parameter(torch.zeros(1))])
    with faults.noted():
        label_model_config(config.model)
        model_of(config, 1, device="meta")
    faults.check()
