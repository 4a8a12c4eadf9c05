"""`asr-train`: from a corpus to an error-rate table, as one recipe says."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from asr.cli import schema
from asr.cli.command import run
from asr.cli.progress import Steps, TrainingDisplay, console, fail
from asr.cli.tables import print_result
from asr.config import nearest
from asr.errors import AsrError, ConfigError, listed
from asr.resources import resource

_OF_NO_ACCOUNT = (
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
"""Where things are, and on what machine: no other experiment."""


def main() -> None:
    """Entry point."""
    run(_main)


def _main() -> None:
    schema.store()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come to us, not to a traceback printer
    failed: list[AsrError] = []

    def job(config: DictConfig) -> None:
        try:
            _train(config)
        except AsrError as error:  # kept from Hydra, which would print it a second time; other runs go on
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                fail(str(error))
                error = AsrError("a run failed; see above")
            failed.append(error)

    composed = hydra.main(config_path=str(resource("conf")), config_name="train", version_base="1.3")(job)
    try:
        composed()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_explain(error)) from error
    if failed:
        raise failed[0] if len(failed) == 1 else AsrError(f"{len(failed)} runs failed; see above")


def _train(config: DictConfig) -> None:
    from asr.recognition.experiment import Experiment
    from asr.recognition.finish import evaluate_run
    from asr.training.loop import Stopped

    values = schema.plain(config)
    given = values.pop("run_dir")
    folder = Path(given) if given else _new_folder(values["recipe"])
    console.print(f"recipe {values['recipe']}, run folder {folder}", soft_wrap=True)
    try:
        with Steps() as steps:
            experiment = Experiment(values, folder, steps, departures(HydraConfig.get().overrides.task))
    except BaseException:
        if not given:
            _remove_empty(folder)
        raise
    if values["init"] is not None:
        new = experiment.new_labels
        anew = f"; it does not know {new} of the {len(experiment.inventory)} labels, which begin anew" if new else ""
        console.print(f"training begins with the weights of {values['init']}{anew}", soft_wrap=True)
    if experiment.left_out:
        console.print(f"{len(experiment.left_out)} training utterances are left out, too short for their labels:")
        console.print("\n".join(listed(experiment.left_out)), soft_wrap=True)
    display = TrainingDisplay()
    try:
        with display.shown():
            experiment.train(display)
    except Stopped as stopped:
        console.print(f"{stopped}; go on with: {_command(folder)}", soft_wrap=True)
        sys.exit(128 + stopped.signal)
    with Steps() as steps:
        result = evaluate_run(experiment.run, ("dev", "test"), steps, values["plugins"])
    print_result(result)
    console.print(f"training took {result['train_seconds']:.0f} s; the run is in {experiment.run.path}", soft_wrap=True)


def _new_folder(recipe: str) -> Path:
    """Made at once, so that commands that start in the same second do not share it."""
    stamp = Path("runs") / recipe / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for number in count(1):
        folder = stamp if number == 1 else stamp.with_name(f"{stamp.name}_{number}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            break
    return folder


def _remove_empty(folder: Path) -> None:
    """The folder and those above it that it leaves empty; nothing where something is in it."""
    with suppress(OSError):
        os.removedirs(folder)


def departures(overrides: Sequence[str]) -> list[str]:
    """The options of a command line that make a run another one than its recipe with another seed."""
    from asr.recognition.run_folder import HARMLESS

    given = {one.partition("=")[0].lstrip("+"): one for one in overrides}  # the last one counts
    return sorted(one for name, one in given.items() if name not in {*HARMLESS, *_OF_NO_ACCOUNT})


def _command(folder: Path) -> str:
    """The command that goes on with this run."""
    given = HydraConfig.get()
    configs = [f"--config-dir={one.path}" for one in given.runtime.config_sources if one.provider == "command-line"]
    overrides = [one for one in given.overrides.task if not one.startswith("run_dir=")]
    return shlex.join(["asr-train", *configs, *overrides, f"run_dir={folder}"])


def _like_a_readers(name: str) -> str:
    """The nearest option of any corpus reader."""
    from data_prep.corpora import load_reader, readers

    options = {one.name for reader in readers() for one in fields(load_reader(reader).Config)}
    return nearest(name, sorted(f"corpus.options.{option}" for option in options))


def _explain(error: Exception) -> str:
    """Hydra's and OmegaConf's messages in one sentence that names the nearest known option."""
    text = str(error).strip()
    bare = re.search(r"Error parsing override '([^'=]+)'\s+missing EQUAL", text)
    if bare:
        recipe = bare.group(1) if bare.group(1) in schema.recipes() else ""
        return f"'{bare.group(1)}' is not option=value" + (f"; did you mean recipe={recipe}?" if recipe else "")
    cause = str(error.__cause__ or "")
    unknown = re.search(r"Could not override '([^']+)'", text) or re.search(r"full_key: (\S+)", f"{text}\n{cause}")
    if "not in" in f"{text}{cause}" and unknown:
        name = unknown.group(1)
        if name in ("corpus.options", "corpus.pool"):
            return f"{name}={{...}} names what is not set yet; add one by one: +{name}.NAME=..."
        if name.startswith(("corpus.options.", "corpus.pool.")):  # free, but what is new there is said to be new
            return f"'{name}' is not set yet{_like_a_readers(name)}; to add it, put a plus before it: +{name}=..."
        known = _known_options()
        near = [one for one in known if one.endswith(f".{name}")]
        hint = f"; did you mean '{near[0]}'?" if near else nearest(name, known)
        return f"there is no option '{name}'{hint}; `asr-train --help` lists them"
    typed = re.search(r"(Value '.*' of type .*)", cause)
    if typed:
        place = re.search(r"full_key: (\S+)", cause)
        return f"{place.group(1) if place else 'option'}: {typed.group(1)}"
    choice = re.search(r"Could not find '([^']+)'", text)
    if choice is None:
        return text
    if choice.group(1).startswith("recipe/"):
        group, name, options = "recipe", choice.group(1).removeprefix("recipe/"), list(schema.recipes())
    else:
        group, _, name = choice.group(1).rpartition("/")
        options = [one for one in re.findall(r"^\t(\S+)$", text, re.MULTILINE) if one != "schema"]
    return f"there is no {group}={name}{nearest(name, options)}; there are: {', '.join(options)}"


def _known_options() -> list[str]:
    """Every option of every group, with dots."""
    names: list[str] = []

    def walk(prefix: str, node: Any) -> None:
        for key in node:
            names.append(f"{prefix}{key}")
            child = None if OmegaConf.is_missing(node, key) else node[key]
            if OmegaConf.is_dict(child):
                walk(f"{prefix}{key}.", child)

    walk("", OmegaConf.structured(schema.RunConfig))
    for group, nodes in schema.GROUPS.items():
        for node in nodes.values():
            walk(group.replace("/", ".") + ".", OmegaConf.structured(node))
    return sorted(set(names))
