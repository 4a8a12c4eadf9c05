"""The bits a character of a trained language model, and its file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from asr.errors import AsrError, CheckpointError, one_line
from asr.evaluation.model import today
from asr.evaluation.result import DataIdentity, Training
from asr.experiment.language_model_experiment import model_of
from asr.experiment.language_models import load_trained
from asr.experiment.lm_task import line_bits, stream_bits
from asr.experiment.provenance import commit
from asr.experiment.text_corpus import Texts
from asr.experiment.text_run_folder import TextRunFolder
from asr.files import write_json
from asr.lm.recurrent import RecurrentModel
from asr.lm.recurrent_file import save_recurrent
from asr.lm.recurrent_symbols import encoded
from asr.recogniser.loading import best_of
from asr.recurrent.label_model import LabelModel
from asr.training.checkpoint import load_checkpoint
from asr.training.loop import is_finished
from asr.training.state import State


@dataclass(frozen=True)
class TextBits:
    """The bits a character of one split; the end of a line counts as a character.

    Attributes:
        characters: with the ends of the lines.
        bits: a character, the text read in one go: what comes before a line is known.
        bits_by_line: a character, each line read on its own, as by an n-gram model and by the searches.
    """

    characters: int
    bits: float
    bits_by_line: float


@dataclass(frozen=True)
class LanguageModelResult:
    """Bits a character of a language model, and all that is needed to measure them again.

    Attributes:
        recipe: `task/name`.
        seed: of the run.
        options: the options in which the run differs from its recipe, as on a command line.
        parameters: numbers in the network.
        splits: by name.
        training: how the weights were made.
        evaluation_commit: of the code that measured.
        date: of the evaluation, `YYYY-MM-DD`.
    """

    recipe: str
    seed: int
    options: tuple[str, ...]
    parameters: int
    splits: Mapping[str, TextBits]
    training: Training
    evaluation_commit: str
    date: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def evaluate_language_model(run: TextRunFolder, splits: Sequence[str] = ("dev", "test")) -> LanguageModelResult:
    """Measure the best model of a run, and write `result.json` and `model.lm` into its folder.

    Raises:
        CheckpointError: the run has no finished epoch, or is damaged.
        DataError: the folder cannot be written.
    """
    config, texts, start = run.read_config(), run.read_data(), run.read_start()
    best = best_of(run.path)
    trained = load_trained(best)
    model = model_of(config, len(trained.symbols))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in trained.weights.items()})
    model.to(config.training.device).eval()
    result = LanguageModelResult(
        recipe=config.recipe,
        seed=config.training.seed,
        options=start.options,
        parameters=sum(one.numel() for one in model.parameters()),
        splits={name: _measured(model, trained, texts[name]) for name in splits},
        training=_training(run, texts),
        evaluation_commit=commit(),
        date=today(),
    )
    about = tuple(_about(result))
    save_recurrent(RecurrentModel(replace(trained.header, about=about), trained.weights), run.language_model)
    write_json(run.result, result.to_dict())
    return result


def _measured(model: LabelModel, trained: RecurrentModel, lines: Sequence[str]) -> TextBits:
    whole, end = encoded(lines, trained.symbols), trained.header.end
    each = np.split(whole, np.flatnonzero(whole == end)[:-1] + 1)
    return TextBits(len(whole), stream_bits(model, whole), line_bits(model, each, end))


def _about(result: LanguageModelResult) -> list[str]:
    """Return lines that describe the model to a reader of its file."""
    bits = ", ".join(f"{name} {one.bits:.3f} ({one.bits_by_line:.3f} by line)" for name, one in result.splits.items())
    return [f"recipe {result.recipe}, seed {result.seed}, commit {result.training.commit}", f"bits a character: {bits}"]


def _training(run: TextRunFolder, texts: Texts) -> Training:
    """Describe the training of the weights."""
    start, training, last = run.read_start(), run.read_config().training, run.path / "checkpoints" / "last.pt"
    try:
        state = State.from_saved(load_checkpoint(last)["state"])
    except (AsrError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{last} does not say where the run stood: {one_line(error)}; train again") from error
    return Training(
        command=start.provenance.command,
        commit=start.provenance.commit,
        resumed_with=start.later,
        seconds=round(state.train_seconds, 1),
        cpu_seconds=round(state.train_cpu_seconds, 1),
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        finished=is_finished(training.epochs, training.patience, state.epoch, state.epochs_since_best),
        device=training.device,
        environment=start.provenance.environment,
        data={name: DataIdentity(len(lines), _checksum(lines)) for name, lines in texts.items()},
    )


def _checksum(lines: Sequence[str]) -> str:
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
