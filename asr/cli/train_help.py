"""The help of `asr-train`: what it is called with, what can be chosen, and the composed configuration.

Hydra's own help copies every stored configuration for each group that it lists, which takes five seconds here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from asr.cli import options
from asr.resources import resource

_USAGE = """\
asr-train: train a recogniser and report its error rates, or a language model and its bits a character.

  asr-train                                          the embedded corpus, a few minutes
  asr-train recipe=an4/ctc corpus.root=/data/an4     a recipe
  asr-train recipe=an4/ctc_alone training.epochs=50 model.hidden=250
  asr-train recipe=books/char_lstm corpus.root=/data/books.txt.gz      a language model; its options with --help
  asr-train run_dir=runs/mine ...                    start there, or go on where an unfinished run stopped
  asr-train --multirun training.seed=1,2,3           several runs
  asr-train --cfg job ...                            print the configuration only
  asr-train --debug ...                              show the traceback of an error

Recipes are in recipes/<task>/<name>.yaml. Any option below can be overridden as group.option=value.
A value with special characters needs quotes twice, for the shell and for the option: 'corpus.root="/data/a=b"'
Shell completion: eval "$(asr-train -sc install=bash)"; flags with dashes: asr-train --hydra-help
"""


def help_text(primary: str, overrides: Sequence[str], config_dir: str | None) -> str:
    """Return the help for a command line.

    Args:
        primary: the file of conf/ that it composes.
        overrides: its options, which the composed configuration shows.
        config_dir: a folder of the user's with more choices; None for none.

    Raises:
        HydraException: the options cannot be composed.
    """
    own = [] if config_dir is None else [f"hydra.searchpath=['file://{Path(config_dir).absolute()}']"]
    with initialize_config_dir(str(resource("conf")), version_base="1.3"):
        config = compose(primary, [*overrides, *own])
    groups = "\n".join(f"{group}: {', '.join(names)}" for group, names in _choices(config_dir).items())
    composed = OmegaConf.to_yaml(config)
    return f"{_USAGE}\n== Groups (group=option) ==\n{groups}\n\n== The composed configuration ==\n{composed}"


def _choices(config_dir: str | None) -> dict[str, list[str]]:
    """Return what can be chosen for each group."""
    found = {group: set(names) for group, names in options.groups().items()}
    for recipe in options.recipes():
        task, _, name = recipe.partition("/")
        found.setdefault(f"recipe/{task}", set()).add(name)
    for top in [resource("conf"), *([] if config_dir is None else [Path(config_dir)])]:
        for path in top.glob("*/**/*.yaml"):
            found.setdefault(path.parent.relative_to(top).as_posix(), set()).add(path.stem)
    return {group: sorted(found[group]) for group in sorted(found)}
