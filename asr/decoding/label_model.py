"""Connect a language model with an inventory: find the model's symbol for each label."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.errors import ConfigError, DataWarning
from asr.lm.automaton import NONE, Automaton
from asr.lm.model import BEGIN, END, SPACE, UNKNOWN, LanguageModel

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory

_ENOUGH, _TOO_FEW = 2, 20
"""A model that knows fewer than one in 2 labels causes a warning, one that knows fewer than one in 20 an error."""


def symbols_of_labels(model: LanguageModel | None, inventory: Inventory) -> NDArray[np.int32]:
    """Find the model's symbol for each label.

    A label that the model does not know becomes the unknown symbol: a rare label may be missing in the model's texts.
    A model that knows fewer than half of the labels (such as one of digits) causes a `DataWarning`.

    Args:
        model: a language model; None for no model.
        inventory: L labels.

    Returns:
        (L + 1,) int32: the symbol of each label, and then the symbol that ends an utterance. `NONE` for the blank, for
        the end if the model has no such symbol, and for all if there is no model.

    Raises:
        ConfigError: the model has another unit, knows fewer than one in twenty labels (spaces not counted), or lacks
            labels and has no unknown symbol.

    >>> from asr.corpus.inventory import Inventory
    >>> from asr.lm.stored import load_model
    >>> model = load_model("english_letters")
    >>> found = symbols_of_labels(model, Inventory(("<blank>", "a", "b"), unit="characters"))
    >>> [None if number == NONE else model.symbols[number] for number in found]
    [None, 'a', 'b', '</s>']
    """
    if model is None:
        return np.full(len(inventory) + 1, NONE, dtype=np.int32)
    if model.unit != inventory.unit:
        raise ConfigError(
            f"the language model has the unit {model.unit}, the recogniser {inventory.unit}; choose a model of "
            f"{inventory.unit}"
        )
    numbers = {symbol: number for number, symbol in enumerate(model.symbols)}
    end, unknown = numbers.get(END, NONE), numbers.get(UNKNOWN, NONE)
    known = {symbol: number for symbol, number in numbers.items() if symbol not in (BEGIN, END, UNKNOWN)}
    found = [
        NONE if at == inventory.blank else known.get(SPACE if _is_space(label, inventory) else label, unknown)
        for at, label in enumerate(inventory.labels)
    ]
    lacking = [inventory.labels[at] for at, one in enumerate(found) if one == NONE and at != inventory.blank]
    if lacking:
        raise ConfigError(
            f"the language model has neither {_listed(lacking)} nor a symbol for unknown labels; "
            "estimate it from texts with all labels"
        )
    _check_share(known, inventory)
    return np.array([*found, end], dtype=np.int32)


def _check_share(known: Collection[str], inventory: Inventory) -> None:
    """Warn, or raise a ConfigError, if a model knows few of the labels: results may be worse than without it."""
    labels = [one for at, one in enumerate(inventory.labels) if at != inventory.blank and not _is_space(one, inventory)]
    lacking = [one for one in labels if one not in known]
    n_known = len(labels) - len(lacking)
    if _ENOUGH * n_known >= len(labels):
        return
    problem = (
        f"the language model knows {n_known} of the recogniser's {len(labels)} labels; it lacks {_listed(lacking)}"
    )
    if _TOO_FEW * n_known < len(labels):
        raise ConfigError(
            f"{problem}; check whether its texts are in another case: `asr-lm build TEXT --labels-of MODEL` lists the"
            " symbols of a text that do not fit"
        )
    warnings.warn(f"{problem}, which therefore become unlikely", DataWarning, stacklevel=3)


def _is_space(label: str, inventory: Inventory) -> bool:
    return inventory.unit == "characters" and label == " "


def _listed(labels: Sequence[str]) -> str:
    named = ", ".join(map(repr, labels[:10]))
    return named if len(labels) <= 10 else f"{named} and {len(labels) - 10} more labels"


NO_ARCS = Automaton(
    first=np.zeros(2, dtype=np.int64),
    symbol=np.zeros(0, dtype=np.int32),
    log_prob=np.zeros(0, dtype=np.float32),
    target=np.zeros(0, dtype=np.int32),
    backoff=np.zeros(1, dtype=np.float32),
    shorter=np.full(1, NONE, dtype=np.int32),
    start=0,
)
"""An automaton without arcs, the placeholder where there is no language model."""
