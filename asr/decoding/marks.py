"""Metadata for the fields of a decoder's config dataclass: which options name files, and which are weights to tune.

The file of `lm: str | None = field(default=None, metadata=LM_FILE)` is copied when the decoder is saved with a model.
The option `lm_weight: float = field(default=1.0, metadata=weight(0.5, needs="lm"))` is tuned by `asr-tune`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, fields
from enum import Enum

from asr.config import Component, config_class

_FILE = "file"
_WEIGHT = "weight"


class FileKind(Enum):
    """The kind of content of a file."""

    ANY = "file"
    LANGUAGE_MODEL = "language model"
    WORDS = "list of words"


FILE: Mapping[str, FileKind] = {_FILE: FileKind.ANY}
"""The metadata of an option that names a file: a path, or the name of a file that comes with the package."""

LM_FILE: Mapping[str, FileKind] = {_FILE: FileKind.LANGUAGE_MODEL}
WORDS_FILE: Mapping[str, FileKind] = {_FILE: FileKind.WORDS}
"""The same for language models and for lists of words."""


@dataclass(frozen=True)
class Weight:
    """The range and the step for tuning an option.

    Attributes:
        step: the distance between two values on the first, coarse grid.
        needs: the name of another option that must be set for this one to have an effect; empty: none.
        least: the smallest sensible value; None: there is no limit.
    """

    step: float
    needs: str = ""
    least: float | None = None


def weight(step: float, needs: str = "", least: float | None = None) -> Mapping[str, Weight]:
    """Return the metadata of an option that `asr-tune` tunes; `Weight` describes the arguments."""
    return {_WEIGHT: Weight(step, needs, least)}


def file_options(component: Component) -> frozenset[str]:
    """Return the options of a component that name files; none if the class has no known config dataclass."""
    return frozenset(one for one, mark in _marks(component).items() if _FILE in mark)


def kind_of_file(component: Component, option: str) -> FileKind:
    """Return the kind of file that an option names; `option` is one of `file_options(component)`."""
    kind = _marks(component)[option][_FILE]
    return kind if isinstance(kind, FileKind) else FileKind.ANY


def weights_of(component: Component) -> dict[str, Weight]:
    """Return the options of a component that are marked as weights, by name.

    >>> from asr.decoding.beam import BeamConfig
    >>> from asr.decoding.marks import weights_of
    >>> weights_of(Component.of(BeamConfig()))["insertion_bonus"]
    Weight(step=0.5, needs='', least=None)
    """
    marked = {name: mark.get(_WEIGHT) for name, mark in _marks(component).items()}
    return {name: one for name, one in marked.items() if isinstance(one, Weight)}


def effective_weights(component: Component) -> list[str]:
    """Return the options that are marked as weights and have an effect, because the options that they need are set.

    >>> from asr.decoding.beam import BeamConfig
    >>> from asr.decoding.marks import effective_weights
    >>> effective_weights(Component.of(BeamConfig(lm="english_letters")))
    ['lm_weight', 'insertion_bonus']
    """
    options = component.completed().options
    return [name for name, one in weights_of(component).items() if not one.needs or _is_there(options.get(one.needs))]


def _is_there(value: object) -> bool:
    """Return whether an option is set: 0 counts as set; None, an empty name and an empty list do not."""
    return len(value) > 0 if isinstance(value, Sized) else value is not None


def _marks(component: Component) -> dict[str, Mapping[str, object]]:
    schema = config_class(component.target)
    return {} if schema is None else {one.name: one.metadata for one in fields(schema)}
