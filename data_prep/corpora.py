"""Find corpus readers by name, and read corpora with them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import ModuleType
from typing import Any

from asr.config import check_types, nearest
from asr.corpus.faults import CorpusFaults
from asr.corpus.handling import Handling, handled
from asr.corpus.splits import Corpus
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from data_prep.recordings import Progress, with_durations


def readers() -> list[str]:
    """Return the names of the readers that come with the package.

    >>> "timit" in readers()
    True
    """
    return sorted(_own_readers())


def _own_readers() -> dict[str, str]:
    """Return the import path of each reader: a module of `data_prep`, or the module `reader` of a package in it."""
    import data_prep

    found = pkgutil.iter_modules(data_prep.__path__)
    paths = {one.name: f"data_prep.{one.name}" + (".reader" if one.ispkg else "") for one in found}
    return {name: path for name, path in paths.items() if _is_reader(importlib.import_module(path))}


def load_reader(name: str, plugins: Sequence[str] = ()) -> ModuleType:
    """Import a reader.

    Args:
        name: one of `readers()`, or the import path of a user's module that `plugins` allows.
        plugins: names of user's modules that may be imported.

    Raises:
        ConfigError: there is no such reader, or the module has no `Config` or no `prepare`.
    """
    if name in plugins or any(name.startswith(f"{plugin}.") for plugin in plugins):
        path = name
    elif name in (own := _own_readers()):
        path = own[name]
    else:
        known = sorted(own)
        raise ConfigError(
            f"there is no corpus reader '{name}'{nearest(name, known)}; known: {', '.join(known)}; "
            "a module of your own must be named in plugins=[...]"
        )
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        raise ConfigError(f"the corpus reader '{name}' cannot be imported: {error}") from error
    if not _is_reader(module):
        raise ConfigError(f"the module '{name}' is not a corpus reader; expected a dataclass Config and prepare(...)")
    return module


def _is_reader(module: ModuleType) -> bool:
    return hasattr(module, "Config") and callable(getattr(module, "prepare", None))


def read_corpus(
    name: str,
    options: Mapping[str, Any],
    plugins: Sequence[str] = (),
    on_progress: Progress | None = None,
    handling: Handling | None = None,
) -> dict[str, list[Utterance]]:
    """Return the utterances of `load_corpus` by split; see there for arguments and errors."""
    return load_corpus(name, options, plugins, on_progress, handling).splits


def load_corpus(
    name: str,
    options: Mapping[str, Any],
    plugins: Sequence[str] = (),
    on_progress: Progress | None = None,
    handling: Handling | None = None,
) -> Corpus:
    """Read a corpus, and add the durations of its recordings.

    Args:
        name: name of the reader; see `load_reader`.
        options: values for fields of the reader's `Config`.
        plugins: names of user's modules that may be imported as readers.
        on_progress: called with `(what, done, total)`; also passed to the reader if its `prepare` accepts it.
        handling: how to treat faulty utterances, noise tags and look-alike characters; None for the defaults.

    Returns:
        The utterances by split, and everything that was left out (nothing without `on_error=skip`).

    Raises:
        ConfigError: there is no such reader, or an option is unknown or has the wrong type.
        DataError: the corpus is missing.
        Problems: the corpus has faults and `handling.on_error` is "error"; lists all of them.
    """
    handling = handling or Handling()
    module = load_reader(name, plugins)
    known = [option.name for option in fields(module.Config)]
    for option in options:
        if option not in known:
            near = nearest(option, [*known, *(one.name for one in fields(Handling))])
            raise ConfigError(f"the corpus reader '{name}' has no option '{option}'{near}; it has: {', '.join(known)}")
    check_types(module.Config, options)
    faults = CorpusFaults(collect=True)
    taken = inspect.signature(module.prepare).parameters
    offered = {"on_progress": on_progress, "faults": faults}
    splits = module.prepare(module.Config(**options), **{key: offered[key] for key in offered if key in taken})
    splits = with_durations(handled(splits, handling, faults), faults, on_progress)
    if handling.on_error == "error" or not any(splits.values()):
        faults.raise_all(f"the corpus '{name}'")
    return Corpus(splits, faults.skipped, tuple(faults.notes))
