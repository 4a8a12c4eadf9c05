"""Build objects from plain configuration nodes: `{"_target_": "asr.room.Class", field: value}`.

A saved configuration comes from a file that somebody else may have written, so only code of this package, and of the
plugin modules that the user named, is ever imported.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asr.errors import ConfigError


def nearest(name: str, known: Iterable[str]) -> str:
    """A `; did you mean 'x'?` ending for an unknown name, empty when nothing is close."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


def target(path: str, plugins: Sequence[str] = ()) -> Any:
    """Import what a `_target_` names.

    Raises:
        ConfigError: the path lies outside `asr` and the plugins, or nothing is there.
    """
    if not any(path.startswith(root + ".") for root in ("asr", *plugins)):
        raise ConfigError(
            f"_target_ '{path}' lies outside this package; only `asr` and modules named in plugins=[...] may be loaded"
        )
    module_name, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"_target_ '{path}' cannot be loaded: {error}") from error


def build(node: Mapping[str, Any], plugins: Sequence[str] = (), /, **computed: Any) -> Any:
    """Call the `_target_` of a node with its other fields and with what was computed (sizes, inventories).

    Fields that are nodes with a `_target_` of their own are passed on as they are: the owner builds them, because only
    it knows the sizes they need.

    Raises:
        ConfigError: no `_target_`, one outside the allowed packages, or a field that the target does not take.
    """
    fields = {str(key): value for key, value in node.items() if key != "_target_"}
    if "_target_" not in node:
        raise ConfigError(f"a node with the fields {sorted(fields)} has no _target_")
    path = str(node["_target_"])
    called = target(path, plugins)
    known = set(inspect.signature(called).parameters)
    for name in fields:
        if name not in known:
            raise ConfigError(f"'{path}' has no option '{name}'{nearest(name, known)}")
    try:
        return called(**fields, **computed)
    except TypeError as error:
        raise ConfigError(f"'{path}' cannot be built: {error}") from error
