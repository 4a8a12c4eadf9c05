"""Choose a component with `group=name` and `group.option=value`, as on a command line, without Hydra.

A name belongs to a config dataclass, or to a preset in `conf/<group>/`. Hydra reads the same presets and gives the same
component.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, get_args, get_origin, get_type_hints

from asr.config import Component, Faults, check_types, config_class, nearest, target, types_of
from asr.errors import ConfigError
from asr.resources import resource

_OPTION = re.compile(r"[A-Za-z_][\w.]*=")
_SCIENTIFIC = re.compile(r"[-+]?[0-9]+\.?[0-9]*[eE][-+]?[0-9]+")  # YAML 1.1 reads 1e-3 as text, Hydra as a number
_INFINITE = ("inf", "-inf")  # the same


@dataclass(frozen=True)
class Group:
    """A part of the configuration with several components to choose from, such as `decoder`.

    Attributes:
        name: the name on a command line: `decoder`.
        classes: the config dataclasses by name; names that end with "schema" cannot be chosen.
        short: for the names of some options, the command-line option that chooses the class and sets it, such as
            `--lm`.
    """

    name: str
    classes: Mapping[str, type]
    short: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return the sorted names that can be chosen: dataclasses, and presets in `conf/`."""
        presets = {path.stem for path in (resource("conf") / self.name).glob("*.yaml")}
        return sorted({name for name in self.classes if not name.endswith("schema")} | presets)


def is_option(word: str) -> bool:
    """Return whether a word of a command line is `option=value`; anything else, like `./a=b.wav`, is a path.

    >>> [is_option(one) for one in ("decoder.width=5", "decoder=greedy", "./a=b.wav", "in/a=b.wav", "a.wav")]
    [True, True, False, False, False]
    """
    return _OPTION.match(word) is not None


def choose(group: Group, words: Sequence[str], default: Component, plugins: Sequence[str] = ()) -> Component:
    """Choose a component of a group, and set its options, from the words of a command line.

    Args:
        group: the group that the component belongs to.
        words: `group=NAME`, where NAME may also be the import path of a plugin's class, and `group.OPTION=VALUE`.
            Later words override earlier ones; without any the result is the default.
        default: the component to start from if no NAME is given.
        plugins: the user's modules that may hold the class.

    Returns:
        The component with a value for every option.

    Raises:
        ConfigError: a name or option does not exist (the message names the nearest known one), or a value has the
            wrong type.
    """
    component, changes = default, {}
    for word in words:
        name, value = _split(word, group)
        if name:
            changes[name] = _value(value)
        else:
            component = _by_name(value, group, plugins)
    return _changed(component, changes, group)


def _split(word: str, group: Group) -> tuple[str, str]:
    """Split `group.OPTION=VALUE` into OPTION and VALUE; OPTION is empty for `group=NAME`."""
    key, equals, value = word.partition("=")
    head, dot, name = key.partition(".")
    if not equals or head != group.name or bool(dot) != bool(name):
        raise ConfigError(f"'{word}': expected {group.name}=NAME or {group.name}.OPTION=VALUE")
    return name, value


def _by_name(name: str, group: Group, plugins: Sequence[str]) -> Component:
    if "." in name:
        target(name, plugins)  # raises if it may not be loaded
        return Component(name, {})
    known = group.names()
    if name not in known:
        raise ConfigError(f"there is no {group.name} '{name}'{nearest(name, known)}; expected {', '.join(known)}")
    return _named(name, group)


def _named(name: str, group: Group) -> Component:
    """Return the component of a dataclass, or of a preset: the one in its `defaults`, changed by its own lines."""
    if name in group.classes:
        return Component.of(group.classes[name]())
    from asr.plain_yaml import load_plain_yaml

    path = resource("conf") / group.name / f"{name}.yaml"
    match load_plain_yaml(path.read_text(encoding="utf-8")):
        case {"defaults": [str(first), "_self_"], **values}:
            return _changed(_named(first, group), {str(key): value for key, value in values.items()}, group)
    raise ConfigError(f"{path} cannot be chosen here: it is composed of several groups")


def _unknown(name: str, component: Component, group: Group) -> str:
    """Return the message for an unknown option: it names the nearest option, or another class that has this option."""
    by_target = {Component.of(one()).target: called for called, one in group.classes.items()}
    called = by_target.get(component.target, component.target.rpartition(".")[2])
    has = f"{called} has {', '.join(component.options) or 'no options'}"
    others = [other for other, one in group.classes.items() if name in {each.name for each in fields(one)}]
    if not others:
        return f"there is no option '{group.name}.{name}'{nearest(name, component.options)}; {has}"
    short = f", or use {group.short[name]}" if name in group.short else ""
    return f"{called} has no option '{name}'; add {group.name}={others[0]}{short}; {has}"


def _changed(component: Component, changes: Mapping[str, Any], group: Group) -> Component:
    """Return the component with changed options; check the options of this package's classes."""
    schema = config_class(component.target)
    if schema is None:
        return component.with_options(**changes)
    complete, faults = component.completed(), Faults()
    for name in changes:
        if name not in complete.options:
            faults.add(ConfigError(_unknown(name, complete, group)))
    hints = get_type_hints(schema)
    fitting = {name: _converted(hints[name], value) for name, value in changes.items() if name in hints}
    with faults.noted(group.name):
        check_types(schema, fitting)
    faults.check()
    return complete.with_options(**fitting)


def _converted(kind: Any, value: object) -> object:
    """Convert whole numbers, 1e-3 and inf to float if the field's type is float; return other values unchanged."""
    if isinstance(value, list):
        inner = next((get_args(one)[0] for one in types_of(kind) if get_origin(one) is list), None)
        return value if inner is None else [_converted(inner, one) for one in value]
    kinds = types_of(kind)
    if float in kinds and str not in kinds and isinstance(value, str):
        return float(value) if _SCIENTIFIC.fullmatch(value) or value in _INFINITE else value
    if float in kinds and int not in kinds and type(value) is int and abs(value) < 2**63:
        return float(value)
    return value


def _value(text: str) -> object:
    """Read one YAML value: a number, text, true, null or a list."""
    if _SCIENTIFIC.fullmatch(text.strip()):
        return float(text)
    from asr.plain_yaml import load_plain_yaml  # imported here: commands without options start faster

    try:
        return load_plain_yaml(text)
    except ValueError as error:
        raise ConfigError(f"'{text}' cannot be read as a value: {error}") from error
