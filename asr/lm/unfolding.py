"""Decode the automaton of the 8-bit form state by state, when a search needs it; `asr.lm.quantised` has the form.

The form lists the n-grams and which of them are states. The target of an arc is its own n-gram if that is a state;
otherwise it is the target of the arc with the same symbol from the shorter context. The shorter context of a state is
the target of the arc with its last symbol from the shorter context of its parent. So a state can be decoded as soon as
its shorter context is decoded.

One utterance reaches some hundred states of a million. After many utterances, or if the whole automaton is asked for,
all states are decoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import NONE, Automaton
from asr.lm.model import BEGIN, END, UNKNOWN
from asr.lm.ngram import LARGEST_BACKOFF, LEAST
from asr.lm.trie import LONGEST

IMPOSSIBLE = 255
"""The code of a log probability of minus infinity, and of a back-off weight of `LEAST`."""

_ENOUGH = 500
"""The most calls (one per frame) that decode new states; then all are decoded, which takes about as long again."""

States = NDArray[np.integer[Any]]


class Unfolding:
    """The states and arcs of a model in the 8-bit form: a `GrowingAutomaton`.

    Searches in several threads may share it: threads that decode the same state write the same values, and a state
    counts as known only after its arcs are written.

    Args:
        arrays: the arrays that `asr.lm.quantised.packed` returns.
        symbols: the symbols of the model.

    Raises:
        ValueError: the arrays do not have this form.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], symbols: Sequence[str]) -> None:
        self._form, self._n_symbols, self._asked = arrays, len(symbols), 0
        self.complete = False
        is_state, own, first = _tree(arrays, len(symbols))
        self._is_state, self._own = is_state, own
        self._keys = _keys(arrays["symbol"], arrays["children"], len(symbols))
        self._levels = _levels(own, first)
        order = len(self._levels) - 1 - int(first[self._levels[-2]] == first[-1])  # the longest n-grams may be states
        self._log_probs, self._backoffs = _tables(arrays, self._levels, order)
        n_states, n_arcs = len(first) - 1, len(is_state)
        self._known = np.zeros(n_states, np.bool_)
        at = {one: place for place, one in enumerate(symbols) if one in (BEGIN, END, UNKNOWN)}
        begin = at.get(BEGIN, NONE)
        self._arcs = Automaton(  # zeros take no memory until something is written to them
            first=first,
            symbol=np.zeros(n_arcs, np.int32),
            log_prob=np.zeros(n_arcs, np.float32),
            target=np.zeros(n_arcs, np.int32),
            backoff=np.zeros(n_states, np.float32),
            shorter=np.zeros(n_states, np.int32),
            start=1 + int(np.count_nonzero(is_state[:begin])) if begin != NONE and is_state[begin] else 0,
            end=at.get(END, NONE),
            unknown=at.get(UNKNOWN, NONE),
        )
        self._arcs.shorter[0] = NONE
        self._unfold(np.zeros(1, np.int64))
        self._arcs.backoff[0] = 0.0  # the root has no shorter context
        if begin != NONE:
            self._arcs.log_prob[begin] = -np.inf  # context only

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        """Return the automaton with the arcs of these states and of all shorter contexts.

        Args:
            states: the start, or targets of arcs of known states.
        """
        if self.complete or self._known[states].all():
            return self._arcs
        self._asked += 1
        if self._asked > _ENOUGH:
            return self.whole()
        chain = [self._unknown(states)]
        while len(chain[-1]):
            chain.append(self._unknown(self._arcs.shorter[chain[-1]]))
        for some in reversed(chain):
            self._unfold(self._unknown(some))
        return self._arcs

    def _unknown(self, states: States) -> States:
        """Return the states that are not known, sorted, each once; `numpy.unique` would first import masked arrays."""
        left = np.sort(states[~self._known[states]])
        return left[np.diff(left, prepend=NONE) > 0]

    def whole(self) -> Automaton:
        """Return the automaton with the arcs of all states."""
        if not self.complete:
            for low, high in zip(self._levels, self._levels[1:], strict=False):
                self._unfold(low + np.flatnonzero(~self._known[low:high]))
            self.complete = True
        return self._arcs

    def _unfold(self, states: States) -> None:
        """Decode the arcs of states (K,); they are sorted, and their shorter contexts are known."""
        arcs = self._arcs
        count = arcs.first[states + 1] - arcs.first[states]
        at = np.repeat(arcs.first[states] - np.cumsum(count) + count, count) + np.arange(count.sum())  # (n,) arcs
        symbol, is_state = self._form["symbol"][at].astype(np.int32), self._is_state[at]
        behind = self._behind(np.repeat(arcs.shorter[states], count), symbol)
        own = 1 + np.searchsorted(self._own, at[is_state].astype(np.int32))
        arcs.shorter[own] = behind[is_state]
        behind[is_state] = own
        length = np.searchsorted(self._levels, states, side="right") - 1
        arcs.symbol[at], arcs.target[at] = symbol, behind
        arcs.log_prob[at] = self._log_probs[np.repeat(length, count), self._form["log_prob"][at]]
        arcs.backoff[states] = self._backoffs[length, self._form["backoff"][states]]
        self._known[states] = True

    def _behind(self, contexts: NDArray[np.int32], symbols: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return (n,) the state that follows a context and a symbol; the root if the context is `NONE`.

        Args:
            contexts: (n,) known states, or `NONE`; overwritten.
            symbols: (n,) symbols.
        """
        found = np.zeros(len(contexts), np.int32)
        open_ = np.flatnonzero(contexts != NONE)
        while len(open_):  # ends: the root has an arc for every symbol
            wanted = contexts[open_].astype(self._keys.dtype) * self._n_symbols + symbols[open_]
            at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
            there = self._keys[at] == wanted
            found[open_[there]] = self._arcs.target[at[there]]
            open_ = open_[~there]
            contexts[open_] = self._arcs.shorter[contexts[open_]]
        return found


def _tree(
    arrays: Mapping[str, NDArray[Any]], n_symbols: int
) -> tuple[NDArray[np.bool_], NDArray[np.int32], NDArray[np.int64]]:
    """Read the shape of the tree.

    Returns:
        (A,) whether the n-gram of each arc is a state; (S - 1,) the arcs whose n-grams are states 1, 2, ...; and
        (S + 1,) where the arcs of each state begin.

    Raises:
        ValueError: the arrays do not fit each other.
    """
    children, bits = arrays["children"], arrays["states"]
    n_states, n_arcs = len(children), len(arrays["symbol"])
    if len(bits) * 8 < n_arcs or len(arrays["backoff"]) != n_states or len(arrays["log_prob"]) != n_arcs:
        raise ValueError("its arrays do not fit each other")
    is_state = np.unpackbits(bits, count=n_arcs).view(np.bool_)
    own = np.flatnonzero(is_state).astype(np.int32)
    if len(own) + 1 != n_states:
        raise ValueError("its arrays do not fit each other")
    first = np.zeros(n_states + 1, np.int64)
    np.cumsum(children, out=first[1:])
    if first[-1] != n_arcs or first[1] != n_symbols or (own >= first[1:-1]).any():
        raise ValueError("its n-grams do not form a tree")
    return is_state, own, first


def _keys(symbol: NDArray[Any], children: NDArray[Any], n_symbols: int) -> NDArray[Any]:
    """Return (A,) state * V + symbol of each arc, sorted; raise a ValueError if they are not."""
    most = len(children) * n_symbols
    state: NDArray[Any] = np.arange(0, most, n_symbols).astype(np.int32 if most < 2**31 else np.int64)
    keys = np.repeat(state, children)
    np.add(keys, symbol, out=keys, casting="unsafe")
    if symbol.max() >= n_symbols or not (keys[1:] > keys[:-1]).all():
        raise ValueError("the symbols after a context are not sorted")
    return keys


def _levels(own: NDArray[np.int32], first: NDArray[np.int64]) -> list[int]:
    """Return where the states of each length begin, from length 0 (the root), and how many states there are."""
    levels = [0, 1]
    while levels[-1] < len(first) - 1:  # the states of a length are those to which the arcs of the length before lead
        levels.append(1 + int(np.searchsorted(own, first[levels[-1]])))
        if len(levels) > LONGEST + 1:
            raise ValueError(f"it has n-grams of more than {LONGEST} symbols")
    return levels


def _tables(
    arrays: Mapping[str, NDArray[Any]], levels: Sequence[int], order: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the values of the 256 codes for states of each length: log probabilities and back-off weights, (n, 256).

    Raises:
        ValueError: the scale has another size, or a value that is used is not finite or too large.
    """
    scale, codes = arrays["scale"], np.arange(256, dtype=np.float32)
    if len(scale) != 4 * (order + 1) or not np.isfinite(scale).all():
        raise ValueError("its scale does not fit the lengths of its n-grams")
    least, step, least_weight, weight_step = scale.reshape(-1, 4).T[:, :, None]
    with np.errstate(over="ignore"):
        log_probs = np.minimum(np.float32(0.0), least[1:] + step[1:] * codes)
        weights = least_weight + weight_step * codes
    log_probs[:, IMPOSSIBLE], weights[:, IMPOSSIBLE] = -np.inf, LEAST
    for low, high, values in zip(levels, levels[1:], weights, strict=False):
        used = values[np.bincount(arrays["backoff"][low:high], minlength=256) > 0]
        if not (np.isfinite(used).all() and (used <= LARGEST_BACKOFF).all()):
            raise ValueError(f"a back-off weight is not finite, or above {LARGEST_BACKOFF:.0f}")
    return log_probs, weights
