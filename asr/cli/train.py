"""`asr-train`: train a recogniser or a language model by a recipe, and report its error rates."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.command import run
from asr.cli.console import fail, say
from asr.errors import AsrError, ConfigError, listed
from asr.extras import require
from asr.files import make_new_folder, obstacle

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from asr.training.watching import Watcher

_NOT_PART_OF_EXPERIMENT = (
    "recipe",
    "run_dir",
    "corpus.root",
    "corpus.manifests",
    "corpus.options.cache",
    "corpus.options.audio_root",
    "training.seed",
    "training.threads",
    "training.device",
)
"""Options for places, the machine and the seed; changing them does not make another experiment."""
_REQUIRED_PACKAGES = ("torch", "torchaudio", "hydra", "omegaconf", "numba", "tensorboard")


def main() -> None:
    """Run `asr-train`."""
    run(_main)


def _main() -> None:
    """Compose the configuration before importing anything slow, so that help and wrong options are answered at once."""
    require(*_REQUIRED_PACKAGES, what="asr-train")
    import hydra  # imported inside `run`, which handles Ctrl-C
    from hydra._internal.utils import get_args_parser
    from hydra.core.hydra_config import HydraConfig
    from hydra.errors import HydraException
    from hydra.types import RunMode
    from omegaconf.errors import OmegaConfBaseException

    from asr.cli import options
    from asr.cli.overrides import check_arguments, explain
    from asr.resources import resource

    given, others = get_args_parser().parse_known_args()
    check_arguments(sys.argv[1:], [one for one in others if one.startswith("-")])
    options.store()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let Hydra raise errors instead of printing them
    failed: list[AsrError | OSError] = []

    def job(config: DictConfig) -> None:
        try:
            _check_folder(config)
            _train(config)
        except OmegaConfBaseException as error:  # an interpolation of a missing value
            failed.append(ConfigError(explain(error)))
        except (AsrError, OSError) as error:  # Hydra would print it a second time
            failed.append(error)
        if failed and HydraConfig.get().mode == RunMode.MULTIRUN:  # continue with the other runs
            fail(failed[-1])
            failed[-1] = AsrError("a run failed; see above")

    primary = options.primary_of(given.overrides, given.config_dir)
    composed = hydra.main(config_path=str(resource("conf")), config_name=primary, version_base="1.3")(job)
    try:
        if given.help:
            from asr.cli.train_help import help_text

            print(help_text(primary, given.overrides, given.config_dir))
        else:
            composed()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error)) from error
    if failed:
        raise failed[0] if len(failed) == 1 else AsrError(f"{len(failed)} runs failed; see above")


def _check_folder(config: DictConfig) -> None:
    """Raise a ConfigError if the run folder cannot be written; called before the corpus is read."""
    if config.run_dir is not None and (why := obstacle(Path(config.run_dir))):
        raise ConfigError(f"run_dir={config.run_dir} {why}; give another folder")


def _train(config: DictConfig) -> None:
    from hydra.core.hydra_config import HydraConfig

    if config.get("task") is not None:
        from asr.cli.train_language_model import train

        train(config, departures(HydraConfig.get().overrides.task))
    else:
        _train_recogniser(config)


def _train_recogniser(config: DictConfig) -> None:
    from hydra.core.hydra_config import HydraConfig

    from asr.cli.progress import Steps
    from asr.cli.tables import print_result
    from asr.experiment.experiment import Experiment
    from asr.experiment.run_evaluation import evaluate_run
    from asr.experiment.schema import composed

    run_config, given = composed(config)
    with run_folder(run_config.recipe, given) as folder, Steps() as steps:
        experiment = Experiment(run_config, folder, steps, departures(HydraConfig.get().overrides.task))
    if run_config.init is not None:
        new = experiment.new_labels
        n = len(experiment.inventory)
        fresh = f"; {new} of its {n} labels are new and start with random weights" if new else ""
        say(f"training starts from the weights of {run_config.init}{fresh}")
    for note in experiment.corpus.notes:
        say(note)
    if experiment.corpus.skipped:
        say(f"{len(experiment.corpus.skipped)} items of the corpus are left out; {experiment.run.data} lists them")
    if experiment.left_out:
        headline = f"{len(experiment.left_out)} training utterances are left out: too short for their labels:"
        say(headline, *listed(experiment.left_out))
    train_with_display(experiment.train, folder)
    with Steps() as steps:
        result = evaluate_run(experiment.run, ("dev", "test"), steps, run_config.plugins)
    print_result(result)
    say(f"training took {result.training.seconds:.0f} s; the run is in {experiment.run.path}")


@contextmanager
def run_folder(recipe: str, given: str | None) -> Iterator[Path]:
    """Print and yield the folder of a run; if the `with` block fails, remove a new folder that is still empty.

    Args:
        recipe: the name of the recipe.
        given: the folder that the user gave; None to create a new one.
    """
    folder = Path(given) if given else new_folder(recipe)
    say(f"recipe {recipe}, run folder {folder}")
    try:
        yield folder
    except BaseException:
        if not given:
            remove_empty(folder)
        raise


def train_with_display(train: Callable[[Watcher], object], folder: Path) -> None:
    """Train with a progress display; if training is stopped, print the command that resumes it and exit.

    Args:
        train: the function that trains, called with the display.
        folder: the run folder.

    Raises:
        SystemExit: a signal stopped the training; the status is 128 plus the signal's number.
    """
    from asr.cli.progress import TrainingDisplay
    from asr.training.loop import Stopped

    display = TrainingDisplay()
    try:
        with display.shown():
            train(display)
    except Stopped as stopped:
        say(f"{stopped}; resume with: {command_for(folder)}")
        sys.exit(128 + stopped.signal)


def new_folder(recipe: str) -> Path:
    """Create a new run folder `runs/RECIPE/DATE_TIME` and return it.

    A number is added to the name if another command created this folder in the same second.
    """
    stamp = Path("runs") / recipe / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for number in count(1):
        folder = stamp if number == 1 else stamp.with_name(f"{stamp.name}_{number}")
        if make_new_folder(folder):
            break
    return folder


def remove_empty(folder: Path) -> None:
    """Remove a folder and its parents as far as they are empty."""
    with suppress(OSError):
        os.removedirs(folder)


def departures(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that make a run a different experiment from its recipe, sorted.

    Options that do not affect the result in principle, such as paths, the device and the seed, are left out. If an
    option is given several times, the last one counts.

    >>> departures(["model.hidden=64", "training.seed=2", "model.hidden=32"])
    ['model.hidden=32']
    """
    from asr.experiment.settings import HARMLESS

    given = {one.partition("=")[0].lstrip("+"): one for one in overrides}
    return sorted(one for name, one in given.items() if name not in {*HARMLESS, *_NOT_PART_OF_EXPERIMENT})


def command_for(folder: Path) -> str:
    """Return the shell command that resumes the current run in its folder."""
    from hydra.core.hydra_config import HydraConfig

    given = HydraConfig.get()
    configs = [f"--config-dir={one.path}" for one in given.runtime.config_sources if one.provider == "command-line"]
    overrides = [one for one in given.overrides.task if not one.startswith("run_dir=")]
    return shlex.join(["asr-train", *configs, *overrides, f"run_dir={folder}"])
