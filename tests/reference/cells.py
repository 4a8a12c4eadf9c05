"""Every recurrent cell written as its equations, one utterance, one step and mostly one gate at a time, in float64.

Each function takes the frames (T, F) of one utterance, the cell's weights by their names, and its options, and returns
the outputs (T, O) of one direction. Vectors of gates are cut up by name once, in `gates`, never by position later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from tests.reference.lstm import lstm as plain_lstm
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
    return plain_lstm(frames, weights["weight_ih"], weights["weight_hh"], weights["bias"])


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


def ligru(frames: Array, weights: Weights) -> Array:
    """In evaluation."""
    mean, deviation = weights["running_mean"], np.sqrt(weights["running_variance"] + 1e-5)
    r_z, r_n = np.split(weights["weight_hh"], 2)
    h = np.zeros(len(r_z))
    outputs = []
    for x in frames:
        a_z, a_n = np.split(weights["gain"] * (weights["weight_ih"] @ x - mean) / deviation + weights["bias"], 2)
        keep = sigmoid(a_z + r_z @ h)
        h = keep * h + (1 - keep) * np.maximum(a_n + r_n @ h, 0.0)
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


def lstm_projected(frames: Array, weights: Weights, projection: int) -> Array:
    w, r, b = gates(weights, "ifgo")
    h, c = np.zeros(projection), np.zeros(len(b["i"]))
    outputs = []
    for x in frames:
        i, f, o = (sigmoid(w[k] @ x + r[k] @ h + b[k]) for k in "ifo")
        c = f * c + i * np.tanh(w["g"] @ x + r["g"] @ h + b["g"])
        h = weights["weight_hr"] @ (o * np.tanh(c))
        outputs.append(h)
    return np.array(outputs)


def normalised(values: Array) -> Array:
    return (values - values.mean()) / np.sqrt(values.var() + 1e-5)


def lstm_layernorm(frames: Array, weights: Weights) -> Array:
    hidden = weights["weight_hh"].shape[1]
    h, c = np.zeros(hidden), np.zeros(hidden)
    outputs = []
    for x in frames:
        of_input = weights["gain_ih"] * normalised(weights["weight_ih"] @ x)
        of_output = weights["gain_hh"] * normalised(weights["weight_hh"] @ h)
        i, f, g, o = np.split(of_input + of_output + weights["bias"], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(weights["gain_cell"] * normalised(c) + weights["bias_cell"])
        outputs.append(h)
    return np.array(outputs)


def lstm_zoneout(frames: Array, weights: Weights, cell_zoneout: float, output_zoneout: float) -> Array:
    """In evaluation: the masks are their expectations."""
    w, r, b = gates(weights, "ifgo")
    h, c = np.zeros(len(b["i"])), np.zeros(len(b["i"]))
    outputs = []
    for x in frames:
        i, f, o = (sigmoid(w[k] @ x + r[k] @ h + b[k]) for k in "ifo")
        new = f * c + i * np.tanh(w["g"] @ x + r["g"] @ h + b["g"])
        h = output_zoneout * h + (1 - output_zoneout) * o * np.tanh(new)
        c = cell_zoneout * c + (1 - cell_zoneout) * new
        outputs.append(h)
    return np.array(outputs)


def convolved(maps: Array, weight: Array) -> Array:
    """(C, bands) with (C', C, kernel) to (C', bands): zeros beyond the edges, the kernel is not turned round."""
    n_bands, reach = maps.shape[1], weight.shape[2] // 2
    out = np.zeros((len(weight), n_bands))
    for to in range(len(weight)):
        for band in range(n_bands):
            for of in range(len(maps)):
                for tap in range(weight.shape[2]):
                    if 0 <= band + tap - reach < n_bands:
                        out[to, band] += weight[to, of, tap] * maps[of, band + tap - reach]
    return out


def conv_lstm(frames: Array, weights: Weights, channels: int, kernel: int) -> Array:
    assert weights["weight_hh"].shape[2] == kernel
    w, r, b = gates(weights, "ifgo")
    n_bands = weights["peepholes"].shape[1] // channels
    p_i, p_f, p_o = weights["peepholes"].reshape(3, channels, n_bands)
    h, c = np.zeros((channels, n_bands)), np.zeros((channels, n_bands))
    outputs = []
    for x in frames.reshape(len(frames), -1, n_bands):
        total = {k: convolved(x, w[k]) + convolved(h, r[k]) + b[k][:, None] for k in "ifgo"}
        i, f = sigmoid(total["i"] + p_i * c), sigmoid(total["f"] + p_f * c)
        c = f * c + i * np.tanh(total["g"])
        h = sigmoid(total["o"] + p_o * c) * np.tanh(c)
        outputs.append(h.flatten())
    return np.array(outputs)


def attention_lstm(frames: Array, weights: Weights, window: int) -> Array:
    w, r, b = gates(weights, "ifgoa")
    hidden = len(b["a"])
    past = [(np.zeros(hidden), np.zeros(hidden))]
    summary = np.zeros(hidden)
    outputs = []
    for x in frames:
        seen = past[-window:]
        query = w["a"] @ x + r["a"] @ summary + b["a"]
        scores = np.array([weights["scorer"] @ np.tanh(weights["weight_keys"] @ h + query) for h, _ in seen])
        shares = np.exp(scores) / np.exp(scores).sum()
        summary = sum((share * h for share, (h, _) in zip(shares, seen, strict=True)), np.zeros(hidden))
        memory = sum((share * c for share, (_, c) in zip(shares, seen, strict=True)), np.zeros(hidden))
        i, f, o = (sigmoid(w[k] @ x + r[k] @ summary + b[k]) for k in "ifo")
        c = f * memory + i * np.tanh(w["g"] @ x + r["g"] @ summary + b["g"])
        past.append((o * np.tanh(c), c))
        outputs.append(past[-1][0])
    return np.array(outputs)
