"""Choose a component as on a command line, `group=name` and `group.option=value`, without Hydra.

A name is that of a config dataclass, or of a preset in `conf/<group>/`, which Hydra reads too: both give the same
component.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from asr.config import Component, Faults, check_types, config_class, nearest, target
from asr.errors import ConfigError
from asr.resources import resource

_OPTION = re.compile(r"[A-Za-z_][\w.]*=")
_SCIENTIFIC = re.compile(r"[-+]?[0-9]+\.?[0-9]*[eE][-+]?[0-9]+")  # YAML 1.1 takes 1e-3 for a word
_INFINITE = ("inf", "-inf")  # likewise; Hydra takes them for numbers


@dataclass(frozen=True)
class Group:
    """A part of the configuration of which there are several kinds.

    Attributes:
        name: as on a command line: `decoder`.
        classes: the config dataclasses by name.
        short: for some options of theirs, the option of commands that sets it and chooses the class: `--lm`.
    """

    name: str
    classes: Mapping[str, type]
    short: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        """What can be chosen: dataclasses, and presets of `conf/`."""
        presets = {path.stem for path in (resource("conf") / self.name).glob("*.yaml")}
        return sorted({name for name in self.classes if not name.endswith("schema")} | presets)


def is_option(word: str) -> bool:
    """Whether a word of a command line is an option, not the path of a file: `./a=b.wav` is a path.

    >>> [is_option(one) for one in ("decoder.width=5", "decoder=greedy", "./a=b.wav", "in/a=b.wav", "a.wav")]
    [True, True, False, False, False]
    """
    return _OPTION.match(word) is not None


def choose(group: Group, words: Sequence[str], default: Component, plugins: Sequence[str] = ()) -> Component:
    """Choose a component.

    Args:
        group: of which it is one.
        words: `group=NAME` (or a class of the plugins' by its import path) and `group.OPTION=VALUE`, the last of each
            counts; empty for the default.
        default: the component whose options are changed where no name is given.
        plugins: modules of the user's that may hold its class.

    Returns:
        The component with all options that it has.

    Raises:
        ConfigError: an unknown name or option, a value of another type; names the nearest known one.
    """
    component, changes = default, {}
    for word in words:
        name, value = _parted(word, group)
        if name:
            changes[name] = _value(value)
        else:
            component = _by_name(value, group, plugins)
    return _changed(component, changes, group)


def _parted(word: str, group: Group) -> tuple[str, str]:
    """The name of the option, empty for the choice itself, and what is written behind it."""
    key, equals, value = word.partition("=")
    head, dot, name = key.partition(".")
    if not equals or head != group.name or bool(dot) != bool(name):
        raise ConfigError(f"'{word}': expected {group.name}=NAME or {group.name}.OPTION=VALUE")
    return name, value


def _by_name(name: str, group: Group, plugins: Sequence[str]) -> Component:
    if "." in name:
        target(name, plugins)  # raises where it may not be loaded
        return Component(name, {})
    known = group.names()
    if name not in known:
        raise ConfigError(f"there is no {group.name} '{name}'{nearest(name, known)}; there is {', '.join(known)}")
    return _named(name, group)


def _named(name: str, group: Group) -> Component:
    """The component of a dataclass, or of a preset: what it begins with, and its own lines on top."""
    if name in group.classes:
        return Component.of(group.classes[name]())
    from asr.plain_yaml import load_plain_yaml

    path = resource("conf") / group.name / f"{name}.yaml"
    match load_plain_yaml(path.read_text(encoding="utf-8")):
        case {"defaults": [str(first), "_self_"], **values}:
            return _changed(_named(first, group), {str(key): value for key, value in values.items()}, group)
    raise ConfigError(f"{path} cannot be chosen here: it is composed of several groups")


def _unknown(name: str, component: Component, group: Group) -> str:
    """Say that a component has no such option, and which one is near or which other class of the group has it."""
    by_target = {Component.of(one()).target: called for called, one in group.classes.items()}
    called = by_target.get(component.target, component.target.rpartition(".")[2])
    has = f"{called} has {', '.join(component.options) or 'no options'}"
    others = [other for other, one in group.classes.items() if name in {each.name for each in fields(one)}]
    if not others:
        return f"there is no option '{group.name}.{name}'{nearest(name, component.options)}; {has}"
    short = f", or use {group.short[name]}" if name in group.short else ""
    return f"{called} has no option '{name}'; add {group.name}={others[0]}{short}; {has}"


def _changed(component: Component, changes: Mapping[str, Any], group: Group) -> Component:
    """The component with other options; those of a class of this package are checked."""
    schema = config_class(component.target)
    if schema is None:
        return component.with_options(**changes)
    complete, faults = component.completed(), Faults()
    for name in changes:
        if name not in complete.options:
            faults.add(ConfigError(_unknown(name, complete, group)))
    hints = get_type_hints(schema)
    fitting = {name: _as(hints[name], value) for name, value in changes.items() if name in hints}
    with faults.noted(group.name):
        check_types(schema, fitting)
    faults.check()
    return complete.with_options(**fitting)


def _as(kind: Any, value: object) -> object:
    """The value as the type of its field has it: whole numbers, 1e-3 and inf are numbers where a number is expected."""
    if isinstance(value, list):
        inner = next((get_args(one)[0] for one in _kinds(kind) if get_origin(one) is list), None)
        return value if inner is None else [_as(inner, one) for one in value]
    kinds = _kinds(kind)
    if float in kinds and str not in kinds and isinstance(value, str):
        return float(value) if _SCIENTIFIC.fullmatch(value) or value in _INFINITE else value
    if float in kinds and int not in kinds and type(value) is int and abs(value) < 2**63:
        return float(value)
    return value


def _kinds(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _value(text: str) -> object:
    """One YAML scalar or list: numbers, words, true, null."""
    if _SCIENTIFIC.fullmatch(text.strip()):
        return float(text)
    from asr.plain_yaml import load_plain_yaml  # here: whoever gives no options does not wait for yaml

    try:
        return load_plain_yaml(text)
    except ValueError as error:
        raise ConfigError(f"'{text}' cannot be read as a value: {error}") from error
