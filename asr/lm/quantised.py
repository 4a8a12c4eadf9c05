"""The 8-bit form of an n-gram model: about two bytes per n-gram.

Log probabilities and back-off weights are codes from 0 to 254, in equal steps between the least and the largest value
of all n-grams of one length; no value is off by more than half a step. Code 255 stands for minus infinity and for
values near it, which would stretch the steps of all others. The targets of arcs are not stored: they follow from the
n-grams.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import Automaton
from asr.lm.model import GrowingAutomaton, Unit
from asr.lm.ngram import LEAST, NgramModel
from asr.lm.unfolding import IMPOSSIBLE, Unfolding

_STEPS = 254  # between the least and the largest

Arrays = dict[str, NDArray[Any]]


def packed(model: NgramModel) -> Arrays:
    """Return the arrays of the 8-bit form of a model.

    Returns:
        `children`: (S,) how many arcs each state has.
        `symbol`: (A,) the symbol of each arc.
        `states`: (A / 8,) uint8, one bit for each arc: whether its n-gram is a state.
        `log_prob`, `backoff`: (A,) and (S,) uint8, codes.
        `scale`: (4 (order + 1),) float32; for each length of n-grams the least log probability, its step, the least
        back-off weight, and its step.
    """
    arcs, trie = model.arcs, model.trie
    is_state = np.zeros(len(trie), np.bool_)
    is_state[model.state_nodes] = True
    scale = np.zeros((trie.order + 1, 4), np.float32)
    log_prob, backoff = np.zeros(len(trie), np.uint8), np.zeros(len(trie), np.uint8)
    for length in range(trie.order + 1):
        level = trie.level(length)
        log_prob[level], scale[length, :2] = _coded(model.log_probs[level])
        backoff[level], scale[length, 2:] = _coded(np.where(is_state[level], model.backoffs[level], np.nan))
    return {
        "children": _small(np.diff(arcs.first)),
        "symbol": _small(arcs.symbol),
        "states": np.packbits(is_state[1:]),
        "log_prob": log_prob[1:],
        "backoff": backoff[model.state_nodes],
        "scale": scale.reshape(-1),
    }


def _coded(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Return (codes, (least value, step)); the code of NaN is arbitrary."""
    impossible = values <= np.float32(LEAST)
    kept = np.isfinite(values) & ~impossible
    finite = values[kept]
    if not len(finite):
        return np.full(len(values), IMPOSSIBLE, np.uint8), (0.0, 0.0)
    least, step = float(finite.min()), float(finite.max() - finite.min()) / _STEPS
    codes = np.rint((np.where(kept, values, least) - least) / (step or 1.0))
    return np.where(impossible, IMPOSSIBLE, codes).astype(np.uint8), (least, step)


def _small(values: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return whole numbers of 0 or more in the narrowest type that holds them."""
    return values.astype(np.min_scalar_type(int(values.max())))


class SmallModel(NgramModel):
    """A model in the 8-bit form; it decodes states when a search or a property needs them.

    Args:
        symbols: the symbols by number.
        unit: the unit of the symbols.
        arrays: the arrays that `packed` returns.

    Raises:
        ValueError: the arrays do not have this form.
    """

    _unfolding: Unfolding

    def __init__(self, symbols: Sequence[str], unit: Unit, arrays: Mapping[str, NDArray[Any]]) -> None:
        vars(self).update(symbols=tuple(symbols), unit=unit, _unfolding=Unfolding(arrays, symbols))

    @cached_property
    def arcs(self) -> Automaton:
        """The automaton with all states decoded."""
        return self._unfolding.whole()

    def automaton(self) -> GrowingAutomaton:
        """Return the states and arcs; all searches share them."""
        return self._unfolding
