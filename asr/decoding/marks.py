"""Marks on the fields of a decoder's config dataclass: which options name files, and which are weights to tune.

`lm: str | None = field(default=None, metadata=LM_FILE)` is carried along where the decoder is saved with a model, and
`lm_weight: float = field(default=1.0, metadata=weight(0.5, needs="lm"))` is tuned by `asr-tune`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, fields
from enum import Enum

from asr.config import Component, config_class

_FILE = "file"
_WEIGHT = "weight"


class FileKind(Enum):
    """What a file holds."""

    ANY = "file"
    LANGUAGE_MODEL = "language model"
    WORDS = "list of words"


FILE: Mapping[str, FileKind] = {_FILE: FileKind.ANY}
"""The mark of an option that is the path of a file, or the name of one that comes with the package."""

LM_FILE: Mapping[str, FileKind] = {_FILE: FileKind.LANGUAGE_MODEL}
WORDS_FILE: Mapping[str, FileKind] = {_FILE: FileKind.WORDS}
"""The same for files of these kinds."""


@dataclass(frozen=True)
class Weight:
    """The way in which an option is tuned.

    Attributes:
        step: distance of two values on the first, coarse grid.
        needs: the option without which this one has no effect; empty: none.
        least: the smallest value that makes sense; None: there is none.
    """

    step: float
    needs: str = ""
    least: float | None = None


def weight(step: float, needs: str = "", least: float | None = None) -> Mapping[str, Weight]:
    """Return the mark of an option that `asr-tune` tunes; see `Weight`."""
    return {_WEIGHT: Weight(step, needs, least)}


def file_options(component: Component) -> frozenset[str]:
    """Return the options of a component that name files; none for a class from outside the package."""
    return frozenset(one for one, mark in _marks(component).items() if _FILE in mark)


def kind_of_file(component: Component, option: str) -> FileKind:
    """Return what the file of an option holds that `file_options` names."""
    kind = _marks(component)[option][_FILE]
    return kind if isinstance(kind, FileKind) else FileKind.ANY


def weights_of(component: Component) -> dict[str, Weight]:
    """Return the options of a component that are marked as weights."""
    marked = {name: mark.get(_WEIGHT) for name, mark in _marks(component).items()}
    return {name: one for name, one in marked.items() if isinstance(one, Weight)}


def effective_weights(component: Component) -> list[str]:
    """Return the options that are marked as weights and have an effect, because the options they need are set."""
    options = component.completed().options
    return [name for name, one in weights_of(component).items() if not one.needs or _is_there(options.get(one.needs))]


def _is_there(value: object) -> bool:
    """Whether an option has a value: a penalty of 0 is one, an empty name or list is none."""
    return len(value) > 0 if isinstance(value, Sized) else value is not None


def _marks(component: Component) -> dict[str, Mapping[str, object]]:
    schema = config_class(component.target)
    return {} if schema is None else {one.name: one.metadata for one in fields(schema)}
