"""The readers by name, and the way of their utterances into manifests."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

from asr.config import check_types, nearest
from asr.corpus.checks import check_utterances
from asr.corpus.manifest import utterance_problems, write_manifest
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError, Problems
from data_prep.recordings import Progress, with_durations

SPLITS = ("train", "dev", "test")


def readers() -> list[str]:
    """Names of the readers that come with the package: the modules of `data_prep` with a `Config` and a `prepare`."""
    import data_prep

    names = sorted(module.name for module in pkgutil.iter_modules(data_prep.__path__))
    return [name for name in names if _is_reader(importlib.import_module(f"data_prep.{name}"))]


def load_reader(name: str, plugins: Sequence[str] = ()) -> ModuleType:
    """The module of a reader: one of `readers()`, or a module of the user's that is named in `plugins`.

    Raises:
        ConfigError: there is no such reader, or the plugin has no `Config` and `prepare`.
    """
    if name in plugins or any(name.startswith(f"{plugin}.") for plugin in plugins):
        path = name
    elif name in readers():
        path = f"data_prep.{name}"
    else:
        known = readers()
        raise ConfigError(
            f"there is no corpus reader '{name}'{nearest(name, known)}; known: {', '.join(known)}; "
            "a module of your own must be named in plugins=[...]"
        )
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        raise ConfigError(f"the corpus reader '{name}' cannot be imported: {error}") from error
    if not _is_reader(module):
        raise ConfigError(f"the module '{name}' is no corpus reader; it needs a dataclass Config and prepare(config)")
    return module


def _is_reader(module: ModuleType) -> bool:
    return hasattr(module, "Config") and callable(getattr(module, "prepare", None))


def read_corpus(
    name: str,
    options: Mapping[str, Any],
    plugins: Sequence[str] = (),
    on_progress: Progress | None = None,
) -> dict[str, list[Utterance]]:
    """Prepare a corpus: its utterances, with the durations of their recordings, by split.

    Args:
        name: the reader, see `load_reader`.
        options: fields of the reader's `Config`.
        plugins: modules of the user's that may be readers.
        on_progress: hears `(what, done, total)`; handed to the reader too where its `prepare` takes it.

    Raises:
        ConfigError: no such reader, or it has no such option, or one of another type.
        DataError: the corpus is not there or not what it should be; `Problems` names all there is.
    """
    module = load_reader(name, plugins)
    known = [option.name for option in fields(module.Config)]
    for option in options:
        if option not in known:
            near = nearest(option, known)
            raise ConfigError(f"the corpus reader '{name}' has no option '{option}'{near}; it has: {', '.join(known)}")
    check_types(module.Config, options)
    takes_progress = "on_progress" in inspect.signature(module.prepare).parameters
    arguments = {"on_progress": on_progress} if takes_progress else {}
    splits = module.prepare(module.Config(**options), **arguments)
    return with_durations(splits, what=f"the corpus '{name}'", on_progress=on_progress)


def write_corpus(splits: Mapping[str, Sequence[Utterance]], out: str | Path) -> dict[str, Path]:
    """Check the utterances and splits, then write `train.jsonl`, `dev.jsonl` and `test.jsonl` into the folder `out`.

    Nothing gets its final name before all three are complete, so manifests of an earlier run stay as they were when
    something is wrong.

    Returns:
        path of each manifest.

    Raises:
        Problems: everything that is wrong, together.
        DataError: the folder cannot be written.
    """
    out = Path(out)
    problems = [f"the split '{name}' is empty" for name in SPLITS if not splits.get(name)]
    for name, utterances in splits.items():
        for utterance in utterances:
            problems += [f"{name}: '{utterance.id}': {problem}" for problem in utterance_problems(utterance)]
    try:
        check_utterances(splits, None)
    except Problems as error:
        problems += error.problems
    if problems:
        raise Problems(problems, what=f"the corpus for {out}")
    paths = {name: out / f"{name}.jsonl" for name in SPLITS}
    waiting = {name: path.with_name(f".{path.name}.new") for name, path in paths.items()}
    try:
        for name, path in waiting.items():
            write_manifest(path, splits[name])
        for name, path in paths.items():
            os.replace(waiting[name], path)
    except OSError as error:
        raise DataError(f"the manifests cannot be written to {out}: {error.strerror}") from error
    finally:
        for path in waiting.values():
            with suppress(OSError):  # where they could not be written they cannot be removed
                path.unlink()
    return paths
