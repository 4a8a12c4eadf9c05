"""The loops of the prefix beam search over flat arrays; `asr.decoding.beam_memory` holds the arrays.

A prefix is a node of a tree: the prefix of its parent and one more label. Node 0 is the empty prefix. An entry of the
beam is a node with two masses. The mass in blank is the probability, summed over paths, that the frames so far spell
the prefix and end in blank; the mass in the label is the same for paths that end in the prefix's last label. Both are
multiplied by the factors of the labels (language model, bonus, boost). Masses are divided by the best one in each
frame, so that products do not underflow; the sum of the logarithms of these divisors is kept separately.
"""

from __future__ import annotations

import math
from typing import Any

from asr.compiling import Loop
from asr.decoding.loops import FACTOR, LAST_PLACE, WALK, _factor, _last_place, _walk

N_NODES, N_ENTRIES, N_FRAMES, STAMP, IS_QUIET, N_COUNTS = range(6)
"""Places in `counts`: the number of nodes, of entries, of frames in earlier chunks and of marks given so far, and
whether all paths end in blank."""


def _sort_falling(order: Any, n: Any, weights: Any, base: Any) -> Any:
    """Sort the first n labels of `order` by falling weight (Shell's sort with Knuth's distances).

    The weight of label k is `weights[base + k]`.
    """
    distance = 1
    while 3 * distance + 1 < n:
        distance = 3 * distance + 1
    while distance > 0:
        for i in range(distance, n):
            k, j = order[i], i
            weight = weights[base + k]
            while j >= distance and weights[base + order[j - distance]] < weight:
                order[j] = order[j - distance]
                j -= distance
            order[j] = k
        distance //= 3


def _keep_best(mass: Any, entry: Any, label: Any, spare: Any, size: Any, width: Any) -> Any:
    """Keep the `width` best of `size` candidates, of equal ones the earlier; return the least mass that is kept."""
    least, n_equal = _last_place(mass, spare, size, width)
    kept = 0
    for i in range(size):
        if mass[i] < least:
            continue
        if mass[i] == least:
            if n_equal == 0:
                continue
            n_equal -= 1
        mass[kept], entry[kept], label[kept] = mass[i], entry[i], label[i]
        kept += 1
    return least


def _row_of(state: Any, n_rows: Any, n_symbols: Any, row_of: Any, row_state: Any, row_factor: Any) -> Any:
    """Return the index at which a state's row in the cache begins; a state without a row gets one, filled with -1."""
    row = row_of[state]
    if row < 0:
        row = n_rows[0]
        n_rows[0] = row + 1
        row_of[state], row_state[row] = row, state
        for at in range(row * n_symbols, (row + 1) * n_symbols):
            row_factor[at] = -1.0
    return row * n_symbols


def _look_up(
    at: Any,
    state: Any,
    wanted: Any,
    weight: Any,
    bonus: Any,
    row_factor: Any,
    row_target: Any,
    first: Any,
    symbol: Any,
    log_prob: Any,
    target: Any,
    backoff: Any,
    shorter: Any,
) -> Any:
    """Fill one place of a row: the factor exp(weight * log p(symbol | state) + bonus), and the next state.

    The factor is 0 if the model gives the symbol the probability 0 or lacks it. Return the factor.
    """
    log_p, behind = _walk(first, symbol, log_prob, target, backoff, shorter, state, wanted)
    if log_p == -math.inf:
        row_factor[at], row_target[at] = 0.0, state
    else:
        row_factor[at], row_target[at] = _factor(weight * log_p + bonus), behind
    return row_factor[at]


def _advance(
    weights: Any,
    posteriors: Any,
    at: Any,
    n_frames: Any,
    n_labels: Any,
    blank: Any,
    skip_blank: Any,
    min_probability: Any,
    width: Any,
    room: Any,
    gap: Any,
    highest: Any,
    has_model: Any,
    weight: Any,
    bonus: Any,
    has_boost: Any,
    most_boost: Any,
    counts: Any,
    scale: Any,
    parent: Any,
    label: Any,
    state: Any,
    factor: Any,
    boost: Any,
    depth: Any,
    born: Any,
    child: Any,
    sibling: Any,
    place: Any,
    node: Any,
    in_blank: Any,
    in_label: Any,
    new_blank: Any,
    new_label: Any,
    head: Any,
    link: Any,
    mass: Any,
    source: Any,
    added: Any,
    spare: Any,
    order: Any,
    mark: Any,
    boost_target: Any,
    boost_factor: Any,
    wanted: Any,
    n_rows: Any,
    row_of: Any,
    row_state: Any,
    row_factor: Any,
    row_target: Any,
    first: Any,
    symbol: Any,
    log_prob: Any,
    target: Any,
    backoff: Any,
    shorter: Any,
) -> Any:
    """Process frames from `at` on, until they end or there is no room for more nodes or rows.

    Args:
        weights: (T * L,) the posteriors, divided by priors if these are given; paths are multiplied by them.
        posteriors: (T * L,) the posteriors; they decide which labels are left out and which frames are skipped.
        at, n_frames: the first frame to process, and the number of frames.
        n_labels, blank: L, and the index of the blank.
        skip_blank, min_probability: see `BeamConfig`.
        width: the most entries of the beam.
        room: the size of the arrays of candidates, at least twice `width`.
        gap: the smallest mass that is kept, relative to the best.
        highest: the largest factor that language model and bonus can give a label.
        has_model, weight, bonus: whether there is a language model, its weight, and the bonus of a label.
        has_boost, most_boost: whether phrases are boosted, and the largest factor of a boost.
        counts: see `N_NODES`.
        scale: (1,) the logarithm of the product of all divisors of the masses.
        parent, label: for each node its parent, and its last label.
        state, boost: for each node the states of the language model and of the boost after its labels.
        factor: for each node the factor of its last label.
        depth, born: for each node how many labels it has, and the frame in which it was made.
        child, sibling: for each node its first child, and the next child of the same parent (-1: none).
        place: for each node its entry (-1: none).
        node: for each entry its node.
        in_blank, in_label, new_blank, new_label: for each entry its masses before and after a frame.
        head, link: for each entry the first entry that extends it by one label, and the next entry that extends the
            same one (-1: none).
        mass, source, added: for each candidate its mass, the entry that it comes from, and the label that it adds (-1:
            none).
        spare: for each candidate a place to work in.
        order, mark: (L,) the labels to try in a frame, by falling weight; the last mark of each label.
        boost_target, boost_factor: (S * L,) see `asr.decoding.boost.Boost`; exp(gain) instead of the gain.
        wanted: (L + 1,) the symbol of each label, and of the end.
        n_rows, row_of, row_state: (1,) the number of cached rows, the row of each state (-1: none), and the state of
            each row.
        row_factor, row_target: for each row and label what `_look_up` found (factor -1: nothing yet).
        first, symbol, log_prob, target, backoff, shorter: see `asr.lm.automaton`.

    Returns:
        The first frame that was not processed.
    """
    n, n_nodes, n_symbols = counts[N_ENTRIES], counts[N_NODES], n_labels + 1
    limit = highest * most_boost
    is_quiet, stamp, n_before = counts[IS_QUIET], counts[STAMP], counts[N_FRAMES]
    while at < n_frames:
        base = at * n_labels
        if posteriors[base + blank] > skip_blank:  # as if blank were certain
            if is_quiet == 0:
                for i in range(n):
                    in_blank[i] += in_label[i]
                    in_label[i] = 0.0
                is_quiet = 1
            scale[0] += math.log(weights[base + blank])
            at += 1
            continue
        if n_nodes + width > len(parent) or (has_model and n_rows[0] + width > len(row_state)):
            break

        # the likeliest label is always tried, so that some prefix survives
        top = -1
        for k in range(n_labels):
            if k != blank and (top < 0 or weights[base + k] > weights[base + top]):
                top = k

        # paths that stay at a prefix (blank or its last label again), or reach it from its parent
        for i in range(n):
            head[i] = -1
        best, least, p_blank = 0.0, math.inf, weights[base + blank]
        for i in range(n):
            v = node[i]
            last = label[v]
            p_last = weights[base + last]
            value = in_label[i] * p_last
            if v > 0:
                before = place[parent[v]]
                if before >= 0:
                    reached = in_blank[before]
                    if label[parent[v]] != last:
                        reached += in_label[before]
                    value += reached * p_last * factor[v]
                    link[i] = head[before]
                    head[before] = i
            new_label[i] = value
            new_blank[i] = (in_blank[i] + in_label[i]) * p_blank
            total = new_blank[i] + value
            mass[i], source[i], added[i] = total, i, -1
            if total > best:
                best = total
            if total < least:
                least = total
        size, bar = n, best * gap
        if n == width and least > bar:
            bar = least

        # the labels whose extensions may exceed the bar, by falling weight
        most, n_order = 0.0, 0
        for i in range(n):
            if in_blank[i] + in_label[i] > most:
                most = in_blank[i] + in_label[i]
        for k in range(n_labels):
            is_looked_at = k != blank and (posteriors[base + k] >= min_probability or k == top)
            if is_looked_at and most * weights[base + k] * limit > bar:
                order[n_order] = k
                n_order += 1
        _sort_falling(order, n_order, weights, base)

        # new prefixes, with one more label
        for i in range(n):
            both = in_blank[i] + in_label[i]
            if n_order == 0 or both * weights[base + order[0]] * limit <= bar:
                continue
            v = node[i]
            last = label[v]
            stamp += 1
            j = head[i]
            while j >= 0:
                mark[label[node[j]]] = stamp
                j = link[j]
            row = -1
            for o in range(n_order):
                k = order[o]
                p = weights[base + k]
                if both * p * limit <= bar:
                    break
                if mark[k] == stamp:
                    continue
                value = (in_blank[i] if k == last else both) * p
                if has_boost:
                    value *= boost_factor[boost[v] * n_labels + k]
                if has_model:
                    if value * highest <= bar:
                        continue
                    if row < 0:
                        row = _row_of(state[v], n_rows, n_symbols, row_of, row_state, row_factor)
                    f = row_factor[row + k]
                    if f < 0.0:
                        f = _look_up(
                            row + k, state[v], wanted[k], weight, bonus, row_factor, row_target,
                            first, symbol, log_prob, target, backoff, shorter,
                        )  # fmt: skip
                    value *= f
                else:
                    value *= highest
                if value <= bar:
                    continue
                mass[size], source[size], added[size] = value, i, k
                size += 1
                if value > best:
                    best = value
                    if best * gap > bar:
                        bar = best * gap
                if size == room:
                    least = _keep_best(mass, source, added, spare, size, width)
                    size = width
                    if least > bar:
                        bar = least
        at += 1
        if best <= 0.0:  # every labelling of these frames has probability 0
            scale[0] = -math.inf
            continue
        if size > width:
            _keep_best(mass, source, added, spare, size, width)
            size = width

        # the new beam
        for i in range(n):
            place[node[i]] = -1
        bar, kept = best * gap, 0
        for c in range(size):
            if mass[c] < bar:
                continue
            i, k = source[c], added[c]
            v = node[i]
            if k < 0:
                mass[kept], source[kept], added[kept] = new_blank[i] / best, v, -1
                spare[kept] = new_label[i] / best
                kept += 1
                continue
            w = child[v]
            while w >= 0 and label[w] != k:
                w = sibling[w]
            if w < 0:
                w = n_nodes
                n_nodes += 1
                parent[w], label[w], child[w], sibling[w], place[w] = v, k, -1, child[v], -1
                child[v] = w
                factor[w], state[w], boost[w], depth[w], born[w] = highest, 0, 0, depth[v] + 1, n_before + at - 1
                if has_model:
                    row = row_of[state[v]] * n_symbols
                    factor[w], state[w] = row_factor[row + k], row_target[row + k]
                if has_boost:
                    at_boost = boost[v] * n_labels + k
                    factor[w] *= boost_factor[at_boost]
                    boost[w] = boost_target[at_boost]
            spare[kept] = mass[c] / best
            mass[kept], source[kept] = 0.0, w
            kept += 1
        n = kept
        for i in range(n):
            node[i], in_blank[i], in_label[i] = source[i], mass[i], spare[i]
            place[node[i]] = i
        is_quiet = 0
        scale[0] += math.log(best)
    counts[N_ENTRIES], counts[N_NODES], counts[IS_QUIET], counts[STAMP] = n, n_nodes, is_quiet, stamp
    return at


def _end_factors(
    n: Any,
    n_labels: Any,
    weight: Any,
    node: Any,
    state: Any,
    wanted: Any,
    found: Any,
    n_rows: Any,
    row_of: Any,
    row_state: Any,
    row_factor: Any,
    row_target: Any,
    first: Any,
    symbol: Any,
    log_prob: Any,
    target: Any,
    backoff: Any,
    shorter: Any,
) -> Any:
    """Write into `found` the language model's factor for the end of the utterance after each of `n` entries.

    `_advance` describes the arguments.
    """
    for i in range(n):
        at = _row_of(state[node[i]], n_rows, n_labels + 1, row_of, row_state, row_factor) + n_labels
        value = row_factor[at]
        if value < 0.0:
            value = _look_up(
                at, state[node[i]], wanted[n_labels], weight, 0.0, row_factor, row_target,
                first, symbol, log_prob, target, backoff, shorter,
            )  # fmt: skip
        found[i] = value


def _spell(nodes: Any, parent: Any, label: Any, factor: Any, depth: Any, labels: Any, factors: Any) -> Any:
    """Write into `labels` the labels of the prefixes of all `nodes`, concatenated, and into `factors` their factors."""
    start = 0
    for i in range(len(nodes)):
        v = nodes[i]
        start += depth[v]
        at = start
        while v > 0:
            at -= 1
            labels[at], factors[at] = label[v], factor[v]
            v = parent[v]


def _births(v: Any, parent: Any, born: Any, births: Any) -> Any:
    """Write into `births` (U,) the frame in which each prefix of node v, which has U labels, was made."""
    at = len(births)
    while v > 0:
        at -= 1
        births[at] = born[v]
        v = parent[v]


def _compact(
    n_nodes: Any,
    n: Any,
    parent: Any,
    label: Any,
    state: Any,
    factor: Any,
    boost: Any,
    depth: Any,
    born: Any,
    child: Any,
    sibling: Any,
    place: Any,
    node: Any,
    moved: Any,
) -> Any:
    """Remove the nodes that are no ancestor of an entry; return how many are left.

    `moved` is room for the new number of each node; `_advance` describes the other arguments.
    """
    for v in range(n_nodes):
        moved[v] = 0
    for i in range(n):
        moved[node[i]] = 1
    for v in range(n_nodes - 1, 0, -1):  # a parent is older than its children
        if moved[v] == 1:
            moved[parent[v]] = 1
    kept = 1
    child[0], moved[0] = -1, 0
    for v in range(1, n_nodes):
        if moved[v] == 0:
            continue
        w, before = kept, moved[parent[v]]
        kept += 1
        moved[v] = w
        parent[w], label[w], state[w], factor[w] = before, label[v], state[v], factor[v]
        boost[w], depth[w], born[w], place[w] = boost[v], depth[v], born[v], place[v]
        child[w], sibling[w] = -1, child[before]
        child[before] = w
    for i in range(n):
        node[i] = moved[node[i]]
    return kept


KEEP_BEST = Loop(_keep_best, (LAST_PLACE,))
SORT_FALLING, ROW_OF, LOOK_UP = Loop(_sort_falling), Loop(_row_of), Loop(_look_up, (WALK, FACTOR))
ADVANCE = Loop(_advance, (SORT_FALLING, KEEP_BEST, ROW_OF, LOOK_UP))
END_FACTORS = Loop(_end_factors, (ROW_OF, LOOK_UP))
SPELL, BIRTHS, COMPACT = Loop(_spell), Loop(_births), Loop(_compact)
