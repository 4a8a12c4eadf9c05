"""Restrict a decoder to some of the labels, such as digits in a field of a form or capitals in a number plate.

Posteriors of different frames are independent in CTC. So the probability of a path, given that only allowed labels (and
the blank) are written, is the product of its posteriors, each divided by the sum over the allowed labels of its frame:

    p(path | allowed, x) = prod_t p_t(path_t) / sum over allowed labels k of p_t(k)

The division is the same for all allowed paths, so it does not change their ranking. It keeps posteriors normalised, as
searches require; scores and confidences then compare allowed labels only. The posteriors are restricted before a search
reads them, so this works for every decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.config import nearest
from asr.decoding.hypothesis import Hypothesis
from asr.errors import ConfigError

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory
    from asr.decoding.search import Search

ALL = "all"
"""The value of the option `labels` that allows all labels."""

_KINDS: Mapping[str, Callable[[str], bool]] = {
    "digits": lambda label: label in "0123456789",
    "upper": str.isupper,
    "lower": str.islower,
    "letters": str.isalpha,
    "symbols": lambda label: not (label.isalnum() or label.isspace()),
    "space": str.isspace,
}
"""Kinds of characters by name, with the test for each."""


class Restriction:
    """The labels that a decoder may write.

    Args:
        inventory: all labels.
        allowed: (L,) bool, whether each label may be written; true for the blank.
    """

    def __init__(self, inventory: Inventory, allowed: NDArray[np.bool_]) -> None:
        self.inventory, self.allowed = inventory, allowed

    @classmethod
    def of(cls, labels: str, inventory: Inventory) -> Restriction | None:
        """Read the option `labels` of a decoder; return None if it is `all`.

        Args:
            labels: labels of the inventory with white space between them, such as `aa b ch` or `1 2 3 X`. For an
                inventory of characters, also names of kinds: `digits`, `upper`, `lower`, `letters`, `symbols` and
                `space`. The space between words is allowed only if it is named, as in `digits . , space`.
            inventory: all labels.

        Raises:
            ConfigError: the inventory lacks one of the labels, or `labels` is empty.

        >>> from asr.corpus.inventory import Inventory
        >>> Restriction.of("digits", Inventory(("<blank>", "a", "1", "2"), unit="characters")).allowed.tolist()
        [True, False, True, True]
        """
        if labels == ALL:
            return None
        names = labels.split()
        if not names:
            raise ConfigError(f"labels={labels!r} names no label; give labels such as 'digits' or '1 2 3', or {ALL!r}")
        allowed = np.zeros(len(inventory), dtype=bool)
        allowed[inventory.blank] = True
        for name in names:
            allowed[_numbers(name, inventory)] = True
        return cls(inventory, allowed)

    def __call__(self, log_probs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (T, L) log probabilities, normalised over the allowed labels; -inf for all others.

        If all allowed labels of a frame have probability 0, the frame becomes certain blank.

        Raises:
            ValueError: the shape of `log_probs` is not (T, L).
        """
        if log_probs.ndim != 2 or log_probs.shape[1] != len(self.allowed):
            expected = f"(T, {len(self.allowed)})"
            raise ValueError(f"log_probs must be {expected}, the size of the inventory, got {log_probs.shape}")
        kept = np.where(self.allowed | np.isnan(log_probs), log_probs, -np.inf).astype(np.float64)
        best = kept.max(axis=1, keepdims=True, initial=-np.inf)  # (T, 1)
        kept[np.isneginf(best[:, 0]), self.inventory.blank] = 0.0
        best = np.where(np.isneginf(best), 0.0, best)
        total = best + np.log(np.exp(kept - best).sum(axis=1, keepdims=True))
        restricted: NDArray[np.float32] = (kept - total).astype(np.float32)
        return restricted


def _numbers(name: str, inventory: Inventory) -> list[int]:
    """Return the index of the label with a name, or the indices of all labels of the kind with this name."""
    if name in inventory.index:
        return [inventory.index[name]]
    kinds = _KINDS if inventory.unit == "characters" else {}
    if name not in kinds:
        known = [*kinds, *inventory.index]
        raise ConfigError(
            f"labels: the model has no label {name[:40]!r}{nearest(name, known)}; it has: {' '.join(known)[:400]}"
        )
    if found := [number for label, number in inventory.index.items() if kinds[name](label)]:
        return found
    raise ConfigError(f"labels: the model has no {name}; it has: {' '.join(inventory.index)[:400]}")


def restricted(search: Search, restriction: Restriction | None) -> Search:
    """Return a search that receives restricted posteriors; without a restriction, the search itself."""
    return search if restriction is None else RestrictedSearch(search, restriction)


class RestrictedSearch:
    """A search through restricted posteriors; see `asr.decoding.search.Search`."""

    def __init__(self, search: Search, restriction: Restriction) -> None:
        self._search, self._restriction = search, restriction

    def step(self, log_probs: NDArray[np.float32]) -> None:
        """Read the next frames."""
        self._search.step(self._restriction(log_probs))

    @property
    def text(self) -> str:
        """The best text of the frames so far."""
        return self._search.text

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        """Return the best hypotheses."""
        return self._search.end(n_best)
