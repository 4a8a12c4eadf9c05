"""The small form of a model: about two bytes an n-gram.

Log probabilities and back-off weights are whole numbers from 0 to 255, in equal steps between the least and the largest
of all n-grams of one length, so that none is off by more than half a step; 255 stands for what is impossible, or as
good as that, which would stretch the steps of all others. Where arcs lead is not stored: it follows from the n-grams.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import NONE
from asr.lm.model import Unit
from asr.lm.ngram import LEAST, NgramModel, model_of
from asr.lm.trie import Trie, tree_of

_STEPS = 254  # between the least and the largest
_IMPOSSIBLE = 255  # a log probability of minus infinity, a back-off weight of `LEAST`

Arrays = dict[str, NDArray[Any]]


def packed(model: NgramModel) -> Arrays:
    """Return the arrays of the small form.

    `children` (S,), how many arcs each state has; `symbol` (A,), those of each arc; `states` (A / 8,), a bit for each
    arc, whether its n-gram is a state; `log_prob` (A,) and `backoff` (S,), codes; `scale` (order + 1, 4) float32, of
    each length of n-grams, the least value and the step of both.
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
    """Return codes, the least value and the step; those of NaN mean nothing."""
    impossible = values <= np.float32(LEAST)
    kept = np.isfinite(values) & ~impossible
    finite = values[kept]
    if not len(finite):
        return np.full(len(values), _IMPOSSIBLE, np.uint8), (0.0, 0.0)
    least, step = float(finite.min()), float(finite.max() - finite.min()) / _STEPS
    codes = np.rint((np.where(kept, values, least) - least) / (step or 1.0))
    return np.where(impossible, _IMPOSSIBLE, codes).astype(np.uint8), (least, step)


def _small(values: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return whole numbers in the narrowest type that holds them."""
    return values.astype(np.min_scalar_type(int(values.max())))


def unpacked(arrays: Mapping[str, NDArray[Any]], symbols: Sequence[str], unit: Unit) -> NgramModel:
    """Make a model of the small form.

    Raises:
        ValueError: the arrays do not have this form.
    """
    children, symbol, log_prob = arrays["children"], arrays["symbol"].astype(np.int32), arrays["log_prob"]
    arcs, states = len(symbol), len(children)
    own = np.unpackbits(arrays["states"], count=arcs) if len(arrays["states"]) * 8 >= arcs else np.zeros(0)
    if len(own) != arcs or own.sum() + 1 != states or len(arrays["backoff"]) != states or len(log_prob) != arcs:
        raise ValueError("its arrays do not fit each other")
    node = np.concatenate([[0], np.flatnonzero(own) + 1])
    first = np.concatenate([[0], np.cumsum(children, dtype=np.int64)])
    if first[-1] != arcs or first[1] != len(symbols) or (node[1:] > first[1:-1]).any():
        raise ValueError("its n-grams do not form a tree")
    parent = np.concatenate([[NONE], np.repeat(node, np.diff(first))])
    trie = tree_of(parent, np.concatenate([[NONE], symbol]).astype(np.int32), len(symbols))
    scale = arrays["scale"].reshape(-1, 4) if len(arrays["scale"]) == 4 * (trie.order + 1) else None
    if scale is None or not np.isfinite(scale).all():
        raise ValueError("its scale is not that of its n-grams")
    return model_of(symbols, unit, trie, *_values(trie, scale, log_prob, arrays["backoff"], node))


def _values(
    trie: Trie, scale: NDArray[np.float32], log_prob: NDArray[np.uint8], backoff: NDArray[np.uint8], node: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (M,) log probabilities and back-off weights of the codes of nodes 1.. and of the states' nodes."""
    log_probs, weights = np.zeros(len(trie), np.float32), np.zeros(len(node), np.float32)
    for length in range(trie.order + 1):
        least, step, least_weight, weight_step = scale[length]
        level = trie.level(length)
        table = np.minimum(0.0, least + step * np.arange(256, dtype=np.float32))
        table[_IMPOSSIBLE] = -np.inf
        if length:
            log_probs[level] = table[log_prob[level.start - 1 : level.stop - 1]]
        low, high = np.searchsorted(node, (level.start, level.stop))
        codes = backoff[low:high]
        weights[low:high] = np.where(codes == _IMPOSSIBLE, LEAST, least_weight + weight_step * codes)
    backoffs = np.zeros(len(trie), np.float32)
    backoffs[node] = weights
    return log_probs, backoffs
