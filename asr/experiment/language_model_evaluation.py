"""Measure the bits per character of a trained language model, and write its file."""

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
    """Bits per character of one split; the end of a line counts as a character.

    Attributes:
        characters: the number of characters, with the ends of lines.
        bits: bits per character if the text is read continuously, so that earlier lines are known.
        bits_by_line: bits per character if each line is read on its own, as an n-gram model and a decoder do.
    """

    characters: int
    bits: float
    bits_by_line: float


@dataclass(frozen=True)
class LanguageModelResult:
    """Bits per character of a language model, and everything needed to measure them again.

    Attributes:
        recipe: `task/name`.
        seed: the seed of the run.
        options: the command-line options that change the recipe.
        parameters: the number of weights of the network.
        splits: bits per character of each split, by its name.
        training: the record of the training.
        evaluation_commit: the commit of the code that measured.
        date: the date of the evaluation, `YYYY-MM-DD`.
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
        """Return the result as plain values for JSON."""
        return asdict(self)


def evaluate_language_model(run: TextRunFolder, splits: Sequence[str] = ("dev", "test")) -> LanguageModelResult:
    """Measure the best model of a run, and write `result.json` and `model.lm` into its folder.

    Args:
        run: the run folder.
        splits: the splits to measure.

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
    """Return lines that describe the model, for its file."""
    bits = ", ".join(f"{name} {one.bits:.3f} ({one.bits_by_line:.3f} by line)" for name, one in result.splits.items())
    origin = f"recipe {result.recipe}, seed {result.seed}, commit {result.training.commit}"
    return [origin, f"bits per character: {bits}"]


def _training(run: TextRunFolder, texts: Texts) -> Training:
    """Return the record of the training, from the run folder."""
    start, training, last = run.read_start(), run.read_config().training, run.path / "checkpoints" / "last.pt"
    try:
        state = State.from_saved(load_checkpoint(last)["state"])
    except (AsrError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{last} has no valid training state: {one_line(error)}; train again") from error
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
