"""`asr-train` with a language-model recipe: train a model on a text and report its bits per character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asr.cli.console import say, write_line
from asr.cli.train import run_folder, train_with_display

if TYPE_CHECKING:
    from omegaconf import DictConfig


def train(config: DictConfig, options: Sequence[str]) -> None:
    """Train a language model, write it, and print its bits per character on dev and test.

    Args:
        config: the composed configuration.
        options: the command-line options that change the recipe, from `departures`.
    """
    from asr.experiment.language_model_evaluation import evaluate_language_model
    from asr.experiment.language_model_experiment import LanguageModelExperiment
    from asr.experiment.schema import composed_language_model

    run_config, given = composed_language_model(config)
    with run_folder(run_config.recipe, given) as folder:
        experiment = LanguageModelExperiment(run_config, folder, options)
    train_with_display(experiment.train, folder)
    result = evaluate_language_model(experiment.run)
    for name, one in result.splits.items():
        figures = f"{one.bits:.3f} bits per character ({one.bits_by_line:.3f} line by line)"
        write_line(name, figures, f"{one.characters} characters")
    seconds = result.training.seconds or 0.0
    say(f"training took {seconds:.0f} s; the model is {experiment.run.language_model}")
