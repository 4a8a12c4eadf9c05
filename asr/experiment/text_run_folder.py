"""The run folder of a language model: it keeps the text as the model reads it."""

from __future__ import annotations

from pathlib import Path

from asr.corpus.splits import SPLITS
from asr.errors import CheckpointError
from asr.experiment.language_model_config import LanguageModelConfig
from asr.experiment.run_folder import AnyRunFolder
from asr.experiment.text_corpus import Texts
from asr.files import write_together


class TextRunFolder(AnyRunFolder[LanguageModelConfig, Texts]):
    """The folder of a run that trains a language model."""

    settings = LanguageModelConfig
    data_names = tuple(f"{name}.txt" for name in SPLITS)

    @property
    def data(self) -> Path:
        """The text of the run, a file a split, a sentence or paragraph a line."""
        return self.path / "text"

    @property
    def language_model(self) -> Path:
        """The finished model, for searches and `asr-generate`."""
        return self.path / "model.lm"

    def write_data(self, config: LanguageModelConfig, data: Texts) -> None:
        """Write the text."""
        texts = {f"{name}.txt": "".join(f"{line}\n" for line in data[name]) for name in SPLITS}
        write_together(self.data, {name: text.encode() for name, text in texts.items()})

    def read_data(self) -> Texts:
        """Read the text.

        Raises:
            CheckpointError: a file is missing or damaged.
        """
        try:
            read = {name: (self.data / f"{name}.txt").read_text(encoding="utf-8") for name in SPLITS}
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.data} does not hold the text of the run: {error}; begin a new run") from error
        return {name: tuple(text.split("\n")[:-1]) for name, text in read.items()}
