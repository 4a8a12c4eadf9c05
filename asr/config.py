"""Build objects from plain configuration nodes: `{"_target_": "asr.room.Class", field: value}`.

A saved configuration comes from a file that somebody else may have written, so nothing is ever called but what a config
dataclass of this package stands beside and names, and what is in the plugin modules that the user named.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from types import ModuleType, NoneType
from typing import Any, get_args, get_type_hints

from asr.errors import ConfigError

_PLAIN = {str, int, float, bool, NoneType}


def nearest(name: str, known: Iterable[str]) -> str:
    """A `; did you mean 'x'?` ending for an unknown name, empty when nothing is close."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


def check_values(values: Mapping[str, Any], conditions: Mapping[str, tuple[bool, str]], group: str = "") -> None:
    """Raise a ConfigError at the first option that is not as expected.

    Args:
        values: by name.
        conditions: by name, whether the value is as it should be, and what was expected.
        group: of the options, for the message.
    """
    for name, (good, expected) in conditions.items():
        if not good:
            raise ConfigError(f"{group and group + '.'}{name}={values[name]}; expected {expected}")


def check_plugins(plugins: Sequence[str]) -> None:
    """Raise a ConfigError where a module of the user's cannot be imported."""
    for name in plugins:
        try:
            importlib.import_module(name)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"plugins: '{name}' cannot be imported: {error}") from error


def target(path: str, plugins: Sequence[str] = ()) -> Callable[..., Any]:
    """Import what a `_target_` names.

    Raises:
        ConfigError: the path lies outside `asr` and the plugins, nothing is there, or it is a part of `asr` that no
            config dataclass offers: a function that writes files, say.
    """
    own = path.startswith("asr.")
    if not own and not any(path.startswith(root + ".") for root in plugins):
        raise ConfigError(
            f"_target_ '{path}' lies outside this package; only `asr` and modules named in plugins=[...] may be loaded"
        )
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
        found = getattr(module, name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"_target_ '{path}' cannot be loaded: {error}") from error
    if not callable(found) or (own and not _offered(module, path)):
        raise ConfigError(f"_target_ '{path}' is nothing that a configuration can build")
    return found  # type: ignore[no-any-return]


def _offered(module: ModuleType, path: str) -> bool:
    """Whether a config dataclass in the module has this `_target_`."""
    return any(is_dataclass(one) and getattr(one, "_target_", None) == path for one in vars(module).values())


def build(node: Mapping[str, Any], plugins: Sequence[str] = (), /, **computed: Any) -> Any:
    """Call the `_target_` of a node with its other fields and with what was computed (sizes, inventories).

    Fields that are nodes with a `_target_` of their own are passed on as they are: the owner builds them, because only
    it knows the sizes they need.

    Raises:
        ConfigError: no `_target_`, one that is not allowed, a field that the target does not take, or a value that it
            refuses.
    """
    fields = {str(key): value for key, value in node.items() if key != "_target_"}
    if "_target_" not in node:
        raise ConfigError(f"a node with the fields {sorted(fields)} has no _target_")
    path = str(node["_target_"])
    called = target(path, plugins)
    try:
        known = set(inspect.signature(called).parameters)
        for name in fields:
            if name not in known:
                raise ConfigError(f"'{path}' has no option '{name}'{nearest(name, known)}")
        return called(**fields, **computed)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"'{path}' cannot be built: {error}") from error


def completed(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node with the defaults that it leaves out, as one does that was saved before an option was there.

    A `_target_` that no config dataclass of this package names has no defaults to be known: its node stays as it is.
    """
    path = str(node.get("_target_", ""))
    if path.startswith("asr."):
        for one in vars(importlib.import_module(path.rpartition(".")[0])).values():
            if isinstance(one, type) and is_dataclass(one) and getattr(one, "_target_", None) == path:
                return asdict(one()) | dict(node)
    return dict(node)


def check_types(node: type, options: Mapping[str, Any]) -> None:
    """Compare options, read from a command line that does not tell types, with the fields of a dataclass.

    Raises:
        ConfigError: a word where a number is expected, or a number where text is, with the remedy.
    """
    try:
        hints = get_type_hints(node)
    except NameError:  # a name that only the type checker imports
        return
    for name, value in options.items():
        kinds = get_args(hints[name]) or (hints[name],)
        if not set(kinds) <= _PLAIN or (isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))):
            continue
        if (value is None and str in kinds) or (float in kinds and type(value) is int):  # `root=` gives None
            continue
        names = " or ".join("null" if kind is NoneType else kind.__name__ for kind in kinds)
        remedy = f"; put it in quotes: '{name}=\"{value}\"'" if str in kinds else ""
        raise ConfigError(f"{name}={value}: expected {names}, not {type(value).__name__}{remedy}")
