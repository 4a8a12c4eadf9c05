"""The help text of `asr-train`: usage, the choices of each group, and the composed configuration.

Hydra's own help takes five seconds here, because it copies all stored configurations for each group.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from asr.cli import options
from asr.resources import resource

_USAGE = """\
asr-train: train a recogniser and report its error rates, or train a language model and report its bits per character.

  asr-train                                          train on the embedded corpus, a few minutes
  asr-train recipe=an4/ctc corpus.root=/data/an4     train with a recipe
  asr-train recipe=an4/ctc_alone training.epochs=50 model.hidden=250   change options of a recipe
  asr-train recipe=books/char_lstm corpus.root=/data/books.txt.gz      a language model; add --help for its options
  asr-train run_dir=runs/mine ...                    use this run folder; an unfinished run in it is resumed
  asr-train --multirun training.seed=1,2,3           one run for each value
  asr-train --cfg job ...                            print the configuration, do not train
  asr-train --debug ...                              show the traceback of an error

Recipes are the files recipes/<task>/<name>.yaml. Change any option below with group.option=value.
A value with special characters needs two pairs of quotes, for the shell and for the option: 'corpus.root="/data/a=b"'
Shell completion: eval "$(asr-train -sc install=bash)"; list of flags: asr-train --hydra-help
"""


def help_text(primary: str, overrides: Sequence[str], config_dir: str | None) -> str:
    """Return the help text for a command line.

    Args:
        primary: the name of the primary configuration file, from `asr.cli.options.primary_of`.
        overrides: the options of the command line; the printed configuration includes them.
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
    """Return the sorted choices of each group: dataclasses, recipes and YAML files."""
    found = {group: set(names) for group, names in options.groups().items()}
    for recipe in options.recipes():
        task, _, name = recipe.partition("/")
        found.setdefault(f"recipe/{task}", set()).add(name)
    for top in [resource("conf"), *([] if config_dir is None else [Path(config_dir)])]:
        for path in top.glob("*/**/*.yaml"):
            found.setdefault(path.parent.relative_to(top).as_posix(), set()).add(path.stem)
    return {group: sorted(found[group]) for group in sorted(found)}
