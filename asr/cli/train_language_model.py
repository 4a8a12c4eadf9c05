"""`asr-train` with a recipe of a language model: train it on a text and report its bits a character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asr.cli.console import say, write_line
from asr.cli.train import run_folder, train_shown

if TYPE_CHECKING:
    from omegaconf import DictConfig


def train(config: DictConfig, options: Sequence[str]) -> None:
    """Train, measure dev and test, and write the model.

    Args:
        config: the composed configuration.
        options: the options in which the run differs from its recipe.
    """
    from asr.experiment.language_model_evaluation import evaluate_language_model
    from asr.experiment.language_model_experiment import LanguageModelExperiment
    from asr.experiment.schema import composed_language_model

    run_config, given = composed_language_model(config)
    with run_folder(run_config.recipe, given) as folder:
        experiment = LanguageModelExperiment(run_config, folder, options)
    train_shown(experiment.train, folder)
    result = evaluate_language_model(experiment.run)
    for name, one in result.splits.items():
        figures = f"{one.bits:.3f} bits a character ({one.bits_by_line:.3f} line by line)"
        write_line(name, figures, f"{one.characters} characters")
    seconds = result.training.seconds or 0.0
    say(f"training took {seconds:.0f} s; the model is {experiment.run.language_model}")
