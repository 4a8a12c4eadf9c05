"""Build objects from configuration: a `_target_` names the class, and the other fields are its arguments.

A saved configuration may come from a stranger's file. Therefore only two kinds of class are ever called: a class of
this package whose module has a config dataclass with this `_target_`, and a class of a plugin module that the user
named.
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
_LARGEST = 2**63 - 1  # a larger whole number does not fit into an int64 array

_Schema = TypeVar("_Schema")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` to append to a message about an unknown name; empty if no known name is close.

    >>> nearest("wdith", ["beam", "width"])
    "; did you mean 'width'?"
    """
    close = difflib.get_close_matches(name[:200], sorted(known), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


@dataclass(frozen=True)
class Component:
    """A class and the options to build it with: one node of a configuration.

    Attributes:
        target: the import path of the class.
        options: the arguments by name. `build` passes a component among them on unbuilt; the class builds it itself,
            because it knows the sizes to pass.

    >>> Component.of({"_target_": "asr.decoding.beam.Beam", "width": 8}).with_options(width=4).to_node()
    {'_target_': 'asr.decoding.beam.Beam', 'width': 4}
    """

    target: str
    options: Mapping[str, Any]

    @classmethod
    def of(cls, node: object) -> Component:
        """Convert a node `{"_target_": "asr.room.Class", option: value}` or an instance of a config dataclass.

        Raises:
            ConfigError: `node` is neither of these, or has no `_target_`.
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
        """Return the component as a node of plain values, with the class under `_target_`."""
        return {TARGET: self.target} | {
            key: value.to_node() if isinstance(value, Component) else value for key, value in self.options.items()
        }

    def completed(self) -> Component:
        """Return the component with the default value of every option that is not given.

        A node that an older version saved may lack options. A class of a plugin has no known defaults; its component
        is returned unchanged.
        """
        schema = config_class(self.target)
        if schema is None:
            return self
        given = {key: one.completed() if isinstance(one, Component) else one for key, one in self.options.items()}
        return Component(self.target, dict(Component.of(schema()).options) | given)

    def flat(self, prefix: str) -> dict[str, Any]:
        """Return all options, with those of components in it and the classes, by their names on a command line.

        >>> Component("a.Net", {"hidden": 8, "cell": Component("a.Cell", {})}).flat("model")
        {'model._target_': 'a.Net', 'model.hidden': 8, 'model.cell._target_': 'a.Cell'}
        """
        found = {f"{prefix}.{TARGET}": self.target}
        for key, value in self.options.items():
            name = f"{prefix}.{key}"
            found |= value.flat(name) if isinstance(value, Component) else {name: value}
        return found

    def with_options(self, **options: Any) -> Component:
        """Return a copy with these options added or replaced."""
        return replace(self, options=dict(self.options) | options)


def _with_components(value: object) -> object:
    return Component.of(value) if isinstance(value, Mapping) and TARGET in value else value


class Faults:
    """A collector of the faults of a configuration, so that all of them are reported together."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    @contextmanager
    def noted(self, group: str = "") -> Iterator[None]:
        """Catch a ConfigError raised in a `with` block, and record it under the name of its group."""
        try:
            yield
        except ConfigError as error:
            self.add(error, group)

    def add(self, error: ConfigError, group: str = "") -> None:
        """Record an error under the name of its group."""
        for sentence in error.faults:
            self._found[_under(group, sentence)] = None

    def check(self) -> None:
        """Raise one ConfigError for all recorded faults; do nothing if there are none."""
        raise_faults(list(self._found))


def _under(group: str, sentence: str) -> str:
    """Prefix a fault with the name of its group.

    >>> _under("model", "hidden=0; expected 1 or more")
    'model.hidden=0; expected 1 or more'
    >>> _under("model", "cell: expected a class"), _under("model", "two cells differ")
    ('model.cell: expected a class', 'model: two cells differ')
    """
    if not group:
        return sentence
    return f"{group}.{sentence}" if re.match(r"[\w.]+(=|: )", sentence) else f"{group}: {sentence}"


def raise_faults(sentences: Sequence[str]) -> None:
    """Raise one ConfigError that lists all sentences; do nothing if there are none."""
    if not sentences:
        return
    headline = f"{len(sentences)} options are not as expected:"
    raise ConfigError("\n  ".join([headline, *sentences]) if len(sentences) > 1 else sentences[0], sentences)


def check_values(values: Mapping[str, Any], conditions: Mapping[str, tuple[bool, str]]) -> None:
    """Raise a ConfigError that lists every bad option as `name=value; expected ...`; do nothing if all are good.

    Args:
        values: the options by name.
        conditions: for the name of an option, whether its value is good, and a phrase for what was expected.

    >>> check_values({"width": 0}, {"width": (False, "1 or more")})
    Traceback (most recent call last):
    asr.errors.ConfigError: width=0; expected 1 or more
    """
    raise_faults([_fault(name, values[name], expected) for name, (good, expected) in conditions.items() if not good])


def one_of(value: object, known: Iterable[str]) -> tuple[bool, str]:
    """Return a condition for `check_values`: the value must be one of these names.

    >>> one_of("gredy", ["beam", "greedy"])
    (False, "one of beam, greedy; did you mean 'greedy'?")
    """
    names = list(known)
    return value in names, f"one of {', '.join(names)}{nearest(str(value)[:_LONGEST], names)}"


def _fault(name: str, value: object, expected: str) -> str:
    return f"{name}={shown(value)}; expected {expected}"


def shown(value: object) -> str:
    """Return the value of an option as it is written on a command line, shortened to one short line.

    >>> shown(True), shown([1.0, 2.0]), shown("two words")
    ('true', '[1.0, 2.0]', "'two words'")
    """
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
    """Import the user's plugin modules; raise a ConfigError if one cannot be imported."""
    for name in plugins:
        try:
            importlib.import_module(name)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"plugins: '{name}' cannot be imported: {error}") from error


def target(path: str, plugins: Sequence[str] = ()) -> Callable[..., Any]:
    """Import the class that a `_target_` names.

    Args:
        path: the import path of the class.
        plugins: the user's modules that may be loaded besides this package.

    Raises:
        ConfigError: the path lies outside `asr` and the plugins; it cannot be imported; or it is a part of `asr`
            without a config dataclass, such as a function that writes files.
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
        raise ConfigError(f"_target_ {_path(path)} cannot be built from a configuration; expected a configurable class")
    return found  # type: ignore[no-any-return]


def _path(path: str) -> str:
    return repr(path[:_LONGEST_PATH])


def _offered(module: ModuleType, path: str) -> bool:
    """Return whether a config dataclass in the module has this `_target_`."""
    return _config_class_in(module, path) is not None


def _config_class_in(module: ModuleType, path: str) -> type | None:
    return next((one for one in vars(module).values() if _is_config_of(one, path)), None)


def _is_config_of(one: object, path: str) -> bool:
    return isinstance(one, type) and is_dataclass(one) and getattr(one, TARGET, None) == path


def config_class(path: str) -> type | None:
    """Return the config dataclass whose `_target_` is this class of `asr`; None if there is none, or for a plugin."""
    if not path.startswith("asr."):
        return None
    try:
        return _config_class_in(importlib.import_module(path.rpartition(".")[0]), path)
    except (ImportError, ValueError, OSError):
        return None


def build(component: Component, plugins: Sequence[str] = (), /, **computed: Any) -> Any:
    """Build a component: call its class with its options and with computed arguments.

    Args:
        component: the class and its options.
        plugins: the user's modules that may hold the class.
        computed: arguments that are not configured, such as sizes or an inventory.

    Returns:
        The new object.

    Raises:
        ConfigError: the class is not allowed, an option does not exist, or a value has the wrong type or is refused.
    """
    called = target(component.target, plugins)
    known = set(inspect.signature(called).parameters) - set(computed)
    _check_options(component, known, config_class(component.target))
    try:
        return called(**component.options, **computed)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:  # RuntimeError: no memory, says torch
        raise ConfigError(f"{_path(component.target)} cannot be built: {one_line(error)}") from error


def configured(component: Component, schema: type[_Schema]) -> _Schema:
    """Return the options of a component as an instance of its config dataclass, without importing its class.

    Raises:
        ConfigError: the dataclass has no such option, or a value has the wrong type.
    """
    names = {one.name for one in fields(schema)} - {TARGET}  # type: ignore[arg-type]  # a dataclass
    _check_options(component, names, schema)
    return schema(**component.options)


def _check_options(component: Component, known: set[str], schema: type | None) -> None:
    faults = Faults()
    for name in component.options:
        if name not in known:
            message = f"{_path(component.target)} has no option {name[:_LONGEST]!r}{nearest(name, known)}"
            faults.add(ConfigError(message))
    if schema is not None:
        with faults.noted():
            check_types(schema, component.options)
    faults.check()


def check_types(node: type, options: Mapping[str, Any]) -> None:
    """Check that options from a file or a command line have the types of a dataclass's fields.

    Args:
        node: the dataclass.
        options: values by field name; names that are no field are ignored.

    Raises:
        ConfigError: a value has the wrong type, or a whole number does not fit into 64 bits. The message lists all
            such options and says how to quote a text that YAML reads as a number.
    """
    try:
        hints = get_type_hints(node)
    except NameError:  # a name that only the type checker imports
        return
    faults = []
    for name, value in options.items():
        kinds = types_of(hints.get(name))
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
    """Return whether a value may be a text that YAML read as something else, such as 2024, 1.10 or true."""
    return isinstance(value, bool | float) or (type(value) is int and abs(value) < 10**18)


def _fits(value: object, kind: Any) -> bool:
    if get_origin(kind) is list:
        return isinstance(value, list | tuple) and all(_fits(one, get_args(kind)[0]) for one in value)
    if get_origin(kind) is dict:
        return isinstance(value, Mapping)
    if kind in (int, float) and type(value) is int:
        return abs(value) <= _LARGEST
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def types_of(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union type, or the type itself as a tuple of one.

    >>> types_of(int | None), types_of(str)
    ((<class 'int'>, <class 'NoneType'>), (<class 'str'>,))
    """
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
