"""Build objects from configuration: a class that a `_target_` names, and the options it is built with.

A saved configuration comes from a file that somebody else may have written, so nothing is ever called but what a config
dataclass of this package stands beside and names, and what is in the plugin modules that the user named.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from types import ModuleType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from asr.errors import ConfigError, one_line

TARGET = "_target_"  # the key of a node that names the class to build
_PLAIN = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", NoneType: "null",
    list[float]: "a list of numbers", list[str]: "a list of words", dict[str, Any]: "a group of options",
}  # fmt: skip
_LONGEST = 60  # characters of a value in a message
_LONGEST_PATH = 120  # characters of a class's path in a message
_SHOWN = 8  # members of a list in a message
_LARGEST = 2**63 - 1  # whole number: larger ones fit neither arrays nor, some day, floats

_Schema = TypeVar("_Schema")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a `; did you mean 'x'?` ending for an unknown name, empty when nothing is close."""
    close = difflib.get_close_matches(name[:200], sorted(known), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


@dataclass(frozen=True)
class Component:
    """A class and the options to build it with: one node of a configuration.

    Attributes:
        target: the import path of the class.
        options: by name; a component among them is built by its owner, who knows the sizes that it needs.
    """

    target: str
    options: Mapping[str, Any]

    @classmethod
    def of(cls, node: object) -> Component:
        """Make a component of a node `{"_target_": "asr.room.Class", option: value}`, or of a config dataclass.

        Raises:
            ConfigError: it is neither, or names no class.
        """
        if isinstance(node, Component):
            return node
        if is_dataclass(node) and not isinstance(node, type):
            node = asdict(node)
        if not isinstance(node, Mapping):
            raise ConfigError(f"a part of the configuration is {shown(node)}; expected a node with a {TARGET}")
        values = {str(key): value for key, value in node.items()}
        target = values.pop(TARGET, None)
        if not isinstance(target, str):
            raise ConfigError(f"a node with the fields {shown(sorted(values))} has no {TARGET}")
        return cls(target, {key: _with_components(value) for key, value in values.items()})

    def to_node(self) -> dict[str, Any]:
        """Return the node, as plain values."""
        return {TARGET: self.target} | {
            key: value.to_node() if isinstance(value, Component) else value for key, value in self.options.items()
        }

    def completed(self) -> Component:
        """Add the defaults of the options that are left out, as in a node that was saved before they were there.

        A class that no config dataclass of this package names has no known defaults and stays as it is.
        """
        schema = config_class(self.target)
        if schema is None:
            return self
        given = {key: one.completed() if isinstance(one, Component) else one for key, one in self.options.items()}
        return Component(self.target, dict(Component.of(schema()).options) | given)

    def with_options(self, **options: Any) -> Component:
        """Return the same component with some options changed."""
        return replace(self, options=dict(self.options) | options)


def _with_components(value: object) -> object:
    return Component.of(value) if isinstance(value, Mapping) and TARGET in value else value


class Faults:
    """Collects the faults of a configuration, so that all of them are reported together."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    @contextmanager
    def noted(self, group: str = "") -> Iterator[None]:
        """Note a ConfigError that is raised in the block, with the name of its group, and go on behind the block."""
        try:
            yield
        except ConfigError as error:
            self.add(error, group)

    def add(self, error: ConfigError, group: str = "") -> None:
        """Note an error, with the name of its group."""
        for sentence in error.faults:
            self._found[_under(group, sentence)] = None

    def check(self) -> None:
        """Raise one ConfigError for everything that was noted; nothing when there was nothing."""
        raise_faults(list(self._found))


def _under(group: str, sentence: str) -> str:
    """Name the group of a fault: `hidden=0; expected ...` of the model becomes `model.hidden=0; expected ...`.

    A sentence that names a group becomes one with both names: `cell: ...` becomes `model.cell: ...`.
    """
    if not group:
        return sentence
    return f"{group}.{sentence}" if re.match(r"[\w.]+(=|: )", sentence) else f"{group}: {sentence}"


def raise_faults(sentences: Sequence[str]) -> None:
    """Raise a ConfigError that holds all sentences, if there are any."""
    if not sentences:
        return
    headline = f"{len(sentences)} options are not as expected:"
    raise ConfigError("\n  ".join([headline, *sentences]) if len(sentences) > 1 else sentences[0], sentences)


def check_values(values: Mapping[str, Any], conditions: Mapping[str, tuple[bool, str]]) -> None:
    """Raise a ConfigError that names every option that is not as expected: `name=value; expected ...`.

    Args:
        values: by name.
        conditions: by name, whether the value is as it should be, and what was expected.
    """
    raise_faults([_fault(name, values[name], expected) for name, (good, expected) in conditions.items() if not good])


def one_of(value: object, known: Iterable[str]) -> tuple[bool, str]:
    """Return the condition for `check_values` that an option is one of these names."""
    names = list(known)
    return value in names, f"one of {', '.join(names)}{nearest(str(value)[:_LONGEST], names)}"


def _fault(name: str, value: object, expected: str) -> str:
    return f"{name}={shown(value)}; expected {expected}"


def shown(value: object) -> str:
    """Write the value of an option as on a command line, in one short line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) >= 10**18:
        return f"about {'-' if value < 0 else ''}1e{int(value.bit_length() * math.log10(2))}"
    if isinstance(value, list | tuple):
        inside = ", ".join(map(shown, value[:_SHOWN]))
        return f"[{inside[:_LONGEST]}{', ...' if len(value) > _SHOWN or len(inside) > _LONGEST else ''}]"
    if isinstance(value, Mapping):
        return f"a group with {len(value)} options"
    text = str(value)[: _LONGEST + 1]
    text = text if re.fullmatch(r"[\w.,/+-]+", text) else repr(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


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
            f"_target_ {_path(path)} lies outside this package; only `asr` and modules named in plugins=[...] may be "
            "loaded"
        )
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
        found = getattr(module, name)
    except (ImportError, AttributeError, ValueError, OSError) as error:
        raise ConfigError(f"_target_ {_path(path)} cannot be loaded: {one_line(error)}") from error
    if not callable(found) or (own and not _offered(module, path)):
        raise ConfigError(f"_target_ {_path(path)} is nothing that a configuration can build")
    return found  # type: ignore[no-any-return]


def _path(path: str) -> str:
    return repr(path[:_LONGEST_PATH])


def _offered(module: ModuleType, path: str) -> bool:
    """Whether a config dataclass in the module has this `_target_`."""
    return _config_class_in(module, path) is not None


def _config_class_in(module: ModuleType, path: str) -> type | None:
    return next((one for one in vars(module).values() if _is_config_of(one, path)), None)


def _is_config_of(one: object, path: str) -> bool:
    return isinstance(one, type) and is_dataclass(one) and getattr(one, TARGET, None) == path


def config_class(path: str) -> type | None:
    """Return the config dataclass beside a class of this package; None for a class of somebody else's."""
    if not path.startswith("asr."):
        return None
    try:
        return _config_class_in(importlib.import_module(path.rpartition(".")[0]), path)
    except (ImportError, ValueError, OSError):
        return None


def build(component: Component, plugins: Sequence[str] = (), /, **computed: Any) -> Any:
    """Call the class of a component with its options and with what was computed (sizes, inventories).

    Raises:
        ConfigError: a class that is not allowed, an option that it does not have, a value of another type or one that
            it refuses.
    """
    called = target(component.target, plugins)
    known = set(inspect.signature(called).parameters) - set(computed)
    _check_options(component, known, config_class(component.target))
    try:
        return called(**component.options, **computed)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:  # RuntimeError: no memory, says torch
        raise ConfigError(f"{_path(component.target)} cannot be built: {one_line(error)}") from error


def configured(component: Component, schema: type[_Schema]) -> _Schema:
    """Return the options of a component as its config dataclass, without loading the class that they are of.

    Raises:
        ConfigError: an option that the class does not have, or a value of another type.
    """
    names = {one.name for one in fields(schema)} - {TARGET}  # type: ignore[arg-type]  # a dataclass
    _check_options(component, names, schema)
    return schema(**component.options)


def _check_options(component: Component, known: set[str], schema: type | None) -> None:
    faults = Faults()
    for name in component.options:
        if name not in known:
            told = f"{_path(component.target)} has no option {name[:_LONGEST]!r}{nearest(name, known)}"
            faults.add(ConfigError(told))
    if schema is not None:
        with faults.noted():
            check_types(schema, component.options)
    faults.check()


def check_types(node: type, options: Mapping[str, Any]) -> None:
    """Compare options, read from a file or a command line, with the types of the fields of a dataclass.

    Raises:
        ConfigError: a word where a number is expected, or a number where text is, with the remedy; a whole number
            that no array could count.
    """
    try:
        hints = get_type_hints(node)
    except NameError:  # a name that only the type checker imports
        return
    faults = []
    for name, value in options.items():
        kinds = _kinds(hints.get(name))
        if not set(kinds) <= set(_PLAIN) or any(_fits(value, kind) for kind in kinds):
            continue
        if value is None and str in kinds:  # `root=` gives None
            continue
        expected = " or ".join(_PLAIN[kind] for kind in kinds)
        if type(value) is int and {int, float} & set(kinds):
            expected += " of at most 18 digits"
        remedy = f"; put it in quotes: '{name}=\"{value}\"'" if str in kinds and _is_short(value) else ""
        faults.append(_fault(name, value, f"{expected}{remedy}"))
    raise_faults(faults)


def _is_short(value: object) -> bool:
    """Whether a value may be a text that YAML took for a number: 2024, 1.10, true."""
    return isinstance(value, bool | float) or (type(value) is int and abs(value) < 10**18)


def _fits(value: object, kind: Any) -> bool:
    if get_origin(kind) is list:
        return isinstance(value, list | tuple) and all(_fits(one, get_args(kind)[0]) for one in value)
    if get_origin(kind) is dict:
        return isinstance(value, Mapping)
    if kind in (int, float) and type(value) is int:
        return abs(value) <= _LARGEST
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The types of a union, or the one type."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
