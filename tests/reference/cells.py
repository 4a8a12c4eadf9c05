"""Every recurrent cell written as its equations, one utterance, one step and mostly one gate at a time, in float64.

Each function takes the frames (T, F) of one utterance, the cell's weights by their names, and its options, and returns
the outputs (T, O) of one direction. Vectors of gates are cut up by name once, in `gates`, never by position later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from tests.reference.lstm import sigmoid

Array = npt.NDArray[np.float64]
Weights = Mapping[str, Array]
Reference = Callable[..., Array]


def gates(weights: Weights, names: str) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
    """W, R and b of each gate."""
    of = [dict(zip(names, np.split(weights[kind], len(names)), strict=True)) for kind in ("weight_ih", "weight_hh")]
    return of[0], of[1], dict(zip(names, np.split(weights["bias"], len(names)), strict=True))


def simple(frames: Array, weights: Weights, activation: str = "tanh") -> Array:
    h = np.zeros(len(weights["bias"]))
    outputs = []
    for x in frames:
        total = weights["weight_ih"] @ x + weights["weight_hh"] @ h + weights["bias"]
        h = np.tanh(total) if activation == "tanh" else np.maximum(total, 0.0)
        outputs.append(h)
    return np.array(outputs)


def lstm(frames: Array, weights: Weights) -> Array:
    w, r, b = gates(weights, "ifgo")
    h, c = np.zeros(len(b["i"])), np.zeros(len(b["i"]))
    outputs = []
    for x in frames:
        i, f, o = (sigmoid(w[k] @ x + r[k] @ h + b[k]) for k in "ifo")
        c = f * c + i * np.tanh(w["g"] @ x + r["g"] @ h + b["g"])
        h = o * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def lstm_peephole(frames: Array, weights: Weights) -> Array:
    w, r, b = gates(weights, "ifgo")
    p_i, p_f, p_o = weights["peepholes"]
    h, c = np.zeros_like(p_i), np.zeros_like(p_i)
    outputs = []
    for x in frames:
        i = sigmoid(w["i"] @ x + r["i"] @ h + p_i * c + b["i"])
        f = sigmoid(w["f"] @ x + r["f"] @ h + p_f * c + b["f"])
        c = f * c + i * np.tanh(w["g"] @ x + r["g"] @ h + b["g"])
        o = sigmoid(w["o"] @ x + r["o"] @ h + p_o * c + b["o"])
        h = o * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def gru(frames: Array, weights: Weights) -> Array:
    w, r, b = gates(weights, "rzn")
    h = np.zeros(len(b["r"]))
    outputs = []
    for x in frames:
        reset = sigmoid(w["r"] @ x + r["r"] @ h + b["r"])
        keep = sigmoid(w["z"] @ x + r["z"] @ h + b["z"])
        new = np.tanh(w["n"] @ x + b["n"] + reset * (r["n"] @ h + weights["bias_hn"]))
        h = (1 - keep) * new + keep * h
        outputs.append(h)
    return np.array(outputs)


def gru_before(frames: Array, weights: Weights) -> Array:
    w, r, b = gates(weights, "rzn")
    h = np.zeros(len(b["r"]))
    outputs = []
    for x in frames:
        reset = sigmoid(w["r"] @ x + r["r"] @ h + b["r"])
        keep = sigmoid(w["z"] @ x + r["z"] @ h + b["z"])
        new = np.tanh(w["n"] @ x + r["n"] @ (reset * h) + b["n"])
        h = (1 - keep) * new + keep * h
        outputs.append(h)
    return np.array(outputs)


def odyssey(frames: Array, weights: Weights, variant: str) -> Array:
    """Appendix A of Greff et al. 2017; the variants differ from its vanilla equations as said there."""
    missing = {"NIG": "i", "NFG": "f", "NOG": "o", "CIFG": "f"}.get(variant, "")
    w, r, b = gates(weights, "".join(name for name in "ifgo" if name != missing))
    h, c = np.zeros(len(b["g"])), np.zeros(len(b["g"]))
    seen = [] if variant == "NP" else [name for name in "ifo" if name != missing]
    p = dict.fromkeys("ifo", np.zeros_like(c)) | dict(zip(seen, weights["peepholes"], strict=True))
    last = dict.fromkeys("ifo", np.zeros_like(c))
    outputs = []
    for x in frames:
        back = {k: r[k] @ h for k in r}
        if variant == "FGR":
            q = weights["weight_gates"] @ np.concatenate([last["i"], last["f"], last["o"]])
            for k, part in zip("ifo", np.split(q, 3), strict=True):
                back[k] = back[k] + part
        total = {k: w[k] @ x + back[k] + b[k] for k in w}
        i = np.ones_like(c) if variant == "NIG" else sigmoid(total["i"] + p["i"] * c)
        f = np.ones_like(c) if variant == "NFG" else 1 - i if variant == "CIFG" else sigmoid(total["f"] + p["f"] * c)
        c = i * (total["g"] if variant == "NIAF" else np.tanh(total["g"])) + f * c
        o = np.ones_like(c) if variant == "NOG" else sigmoid(total["o"] + p["o"] * c)
        h = o * (c if variant == "NOAF" else np.tanh(c))
        last = {"i": i, "f": f, "o": o}
        outputs.append(h)
    return np.array(outputs)
