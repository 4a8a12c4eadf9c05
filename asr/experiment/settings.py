"""Read, write and compare the configurations of runs as plain values, for recognisers and language models."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from asr.config import Component, Faults, check_types, check_values, nearest, raise_faults
from asr.errors import ConfigError
from asr.saved_targets import with_current_targets

HARMLESS = ("cache_dir", "training.workers", "training.checkpoint_seconds", "training.tensorboard")
"""Options that do not affect results, and may change when a run is resumed."""

_LONGEST = 60  # characters of an unknown option in a message

C = TypeVar("C")


def plain_settings(config: Any) -> dict[str, Any]:
    """Convert a configuration dataclass to the plain values of a run folder's `config.yaml`."""
    return {one.name: _plain(getattr(config, one.name)) for one in fields(config)}


def read_settings(kind: type[C], values: Mapping[str, Any]) -> C:
    """Convert plain values from Hydra, or from `plain_settings` of this or an earlier version, to a configuration.

    Args:
        kind: the dataclass of the configuration; its fields are components, dataclasses of options, words and
            `plugins`.
        values: the plain values by field name.

    Raises:
        ConfigError: lists every option that is unknown, missing or of the wrong type.
    """
    current, faults, known = with_current_targets(dict(values)), Faults(), get_type_hints(kind)
    with faults.noted():
        _check_names("", known, current)
    read: dict[str, Any] = {}
    for name, hint in known.items():
        if name in current:
            with faults.noted():
                read[name] = _typed(name, hint, current[name])
    faults.check()
    missing = [name for name in _required(kind) if name not in read]
    if missing:
        raise ConfigError(f"these options must be given: {', '.join(f'{name}=...' for name in missing)}")
    return kind(**read)


def differences(one: Any, other: Any) -> dict[str, tuple[object, object]]:
    """Return the options in which two configurations differ, except `HARMLESS` ones.

    Returns:
        For the full name of each such option, its values in `one` and in `other`.
    """
    old, new = dict(_flat(plain_settings(one))), dict(_flat(plain_settings(other)))
    keys = sorted((old.keys() | new.keys()) - set(HARMLESS))
    return {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}


def _required(kind: Any) -> list[str]:
    return [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]


def _typed(name: str, kind: Any, value: Any) -> Any:
    """Convert the value of one field of a configuration to its type."""
    if kind is Component or is_dataclass(kind):
        check_values({name: value}, {name: (isinstance(value, Mapping), "a group of options")})
        return Component.of(value) if kind is Component else _group(name, kind, value)
    if name == "plugins":
        words = isinstance(value, list) and all(isinstance(one, str) for one in value)
        check_values({name: value}, {name: (words, "a list of modules, such as [my.features]")})
        return tuple(value)
    check_values({name: value}, {name: (value is None or isinstance(value, str), "a word")})
    return value


def _group(name: str, kind: Any, values: Mapping[Any, Any]) -> Any:
    """Convert the options of one group to its dataclass; report all faults together."""
    known, faults = [one.name for one in fields(kind)], Faults()
    with faults.noted():
        _check_names(f"{name}.", known, values)
    there = {key: value for key, value in values.items() if key in known}
    with faults.noted(name):
        check_types(kind, there)
        read = kind(**there)
    faults.check()
    return read


def _check_names(prefix: str, names: Collection[str], values: Mapping[Any, Any]) -> None:
    """Raise a ConfigError that lists every option whose name is unknown."""
    known = [f"{prefix}{name}" for name in names]
    given = [f"{prefix}{key}"[:_LONGEST] for key in values]
    raise_faults(
        [
            f"there is no option {name!r}{nearest(name, known)}; `asr-train --help` lists them"
            for name in given
            if name not in known
        ]
    )


def _plain(value: object) -> object:
    if isinstance(value, Component):
        return value.to_node()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _flat(node: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping):
        for name, one in node.items():
            yield from _flat(one, f"{prefix}{name}.")
    else:
        yield prefix[:-1], node
