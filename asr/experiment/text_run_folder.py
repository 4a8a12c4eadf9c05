"""The run folder of a language model; it stores the cleaned text."""

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
        """The folder with a text file for each split, with one sentence or paragraph in each line."""
        return self.path / "text"

    @property
    def language_model(self) -> Path:
        """The path of the finished model, for decoders and `asr-generate`."""
        return self.path / "model.lm"

    def write_data(self, config: LanguageModelConfig, data: Texts) -> None:
        """Write the text of each split."""
        texts = {f"{name}.txt": "".join(f"{line}\n" for line in data[name]) for name in SPLITS}
        write_together(self.data, {name: text.encode() for name, text in texts.items()})

    def read_data(self) -> Texts:
        """Read the text of each split.

        Raises:
            CheckpointError: a file is missing or damaged.
        """
        try:
            read = {name: (self.data / f"{name}.txt").read_text(encoding="utf-8") for name in SPLITS}
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.data}: its text cannot be read: {error}; begin a new run") from error
        return {name: tuple(text.split("\n")[:-1]) for name, text in read.items()}
