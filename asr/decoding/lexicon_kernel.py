"""The loops of the lexicon search; what they look for, and how they prune, is said in `asr.decoding.lexicon`.

A hypothesis is a labelling and the words that it spells so far. It is numbered when it first comes into the beam, and
keeps its number: hypothesis 0 is the empty one, and another is told by the hypothesis it extends, its last label, and
the word that this label completed. Masses are probabilities, not logarithms: what a hypothesis has is its probability
times what language models and look-ahead give, divided by the best one's at the last frame; the logarithm of all that
was divided by is kept beside them. So no frame needs a logarithm or, but for a word's end, an exponential.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from asr.compiling import Loop

NONE = -1
"""No word, no node, no hypothesis."""
OUTSIDE = -2
"""A word outside the lexicon, and the node of labels that no spelling begins with."""

SCALE, BEST, CUT, LEAST = 0, 1, 2, 3
"""Places in `levels`: the logarithm that masses are divided by; of the frame: the best mass, the least that is within
the gap, and the least that may come in while the beam is full."""
N_LIVE, N_FOUND, IS_FULL = 0, 1, 2
"""Places in `counts`: hypotheses in the beam, hypotheses that have numbers, whether candidates found no room."""


class Rules(NamedTuple):
    """What is searched for, in numbers that do not change.

    `ahead` is the look-ahead of a word outside the lexicon, `outside` what such a word costs; `gap` is a factor.
    """

    width: int
    blank: int
    separator: int
    one_word: bool
    open: bool
    fused: bool
    unknown: int
    beam: int
    min_probability: float
    gap: float
    skip_blank: float
    word_weight: float
    word_bonus: float
    outside: float
    ahead: float
    label_weight: float


class Nodes(NamedTuple):
    """The tree (see `asr.decoding.lexicon_tree.Tree`), the logarithm `ahead` of the best that a word below a node can
    add, and `ratio`, by what the mass changes when a node is come to from its parent."""

    first: Any
    label: Any
    first_word: Any
    word: Any
    ahead: Any
    ratio: Any


class Model(NamedTuple):
    """An automaton (see `asr.lm.automaton`), and its symbol for each word of the lexicon or label of the inventory."""

    symbol_of: Any
    first: Any
    symbol: Any
    log_prob: Any
    target: Any
    backoff: Any
    shorter: Any
    end: int


class Found(NamedTuple):
    """All hypotheses that have numbers.

    `child` and `sibling` chain the hypotheses that extend one; `slot` is the place among the candidates of the frame,
    or NONE; `step` is what the mass is multiplied by on the way from the parent, but for the label's posterior;
    `language` is what language models have added, weighted.
    """

    parent: Any
    label: Any
    node: Any
    word: Any
    word_state: Any
    label_state: Any
    child: Any
    sibling: Any
    slot: Any
    step: Any
    language: Any


class Beam(NamedTuple):
    """The hypotheses in the beam, and their masses after paths that end in blank and in the last label."""

    hypothesis: Any
    in_blank: Any
    in_label: Any


class Candidates(NamedTuple):
    """What may come into the beam: a hypothesis with a number, or with NONE and what tells it."""

    hypothesis: Any
    in_blank: Any
    in_label: Any
    parent: Any
    label: Any
    node: Any
    word: Any
    word_state: Any
    label_state: Any
    step: Any
    language: Any
    total: Any
    order: Any


def _walk(model: Any, state: int, symbol: int) -> Any:
    """Return the log probability of a symbol in a state, and the state behind it: `Automaton.step` in a loop."""
    weight = 0.0
    while state >= 0:
        low, high = model.first[state], model.first[state + 1]
        end = high
        while low < high:
            middle = (low + high) // 2
            if model.symbol[middle] < symbol:
                low = middle + 1
            else:
                high = middle
        if low < end and model.symbol[low] == symbol:
            return weight + model.log_prob[low], model.target[low]
        weight += model.backoff[state]
        state = model.shorter[state]
    return -math.inf, 0


def _child(nodes: Any, node: int, label: int) -> Any:
    """Return the child of a node that a label leads to, or NONE."""
    low, end = nodes.first[node], nodes.first[node + 1]
    high = end
    while low < high:
        middle = (low + high) // 2
        if nodes.label[middle] < label:
            low = middle + 1
        else:
            high = middle
    return low if low < end and nodes.label[low] == label else NONE


def _kth_largest(values: Any, n_values: int, k: int) -> Any:
    """Return the k-th largest of the first n values, k from 1 to n, and put them in another order (Hoare 1961)."""
    low, high, wanted = 0, n_values - 1, k - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if wanted <= j:
            high = j
        elif wanted >= i:
            low = i
        else:
            break
    return values[wanted]


def _extend(
    hypothesis: int,
    label: int,
    base: float,
    target: int,
    word: int,
    rules: Any,
    nodes: Any,
    words: Any,
    labels: Any,
    found: Any,
    new: Any,
    levels: Any,
    counts: Any,
    n_new: int,
) -> Any:
    """Give a hypothesis' mass to the one that a label makes of it; return the number of candidates.

    Args:
        hypothesis: its number.
        label: the label.
        base: the mass that comes along, times the label's posterior.
        target: the node behind the label.
        word: the word that the label completes, or OUTSIDE, or NONE.
        rules, nodes, words, labels, found, new, levels, counts: see the classes above.
        n_new: the number of candidates.
    """
    child = found.child[hypothesis]
    while child >= 0 and (found.label[child] != label or found.word[child] != word):
        child = found.sibling[child]
    word_state, label_state, step, language = 0, 0, 1.0, 0.0
    if child >= 0:
        step = found.step[child]
        mass = base * step
        slot = found.slot[child]
        if slot >= 0:
            new.in_label[slot] += mass
            if new.in_blank[slot] + new.in_label[slot] > levels[BEST]:
                levels[BEST] = new.in_blank[slot] + new.in_label[slot]
                levels[CUT] = levels[BEST] * rules.gap
            return n_new
    else:
        node = found.node[hypothesis]
        word_state, label_state = found.word_state[hypothesis], found.label_state[hypothesis]
        language = found.language[hypothesis]
        if word == NONE and target >= 0:
            step = nodes.ratio[target]
        elif word == NONE:
            step = 1.0 if node == OUTSIDE else math.exp(rules.ahead - nodes.ahead[node])
        else:
            known = word >= 0
            symbol = words.symbol_of[word] if known else rules.unknown
            log_prob, word_state = _walk(words, word_state, symbol)
            expected = nodes.ahead[node] if node >= 0 else rules.ahead
            log_prob *= rules.word_weight
            language += log_prob
            gained = log_prob + rules.word_bonus + nodes.ahead[target] - expected
            step = math.exp(gained if known else gained - rules.outside)
        if rules.fused and base * step >= levels[CUT]:
            log_prob, label_state = _walk(labels, label_state, labels.symbol_of[label])
            log_prob *= rules.label_weight
            language += log_prob
            step *= math.exp(log_prob)
        mass = base * step
    if mass < levels[CUT] or mass <= levels[LEAST]:
        return n_new
    if n_new == len(new.hypothesis):
        counts[IS_FULL] = 1
        return n_new
    new.hypothesis[n_new] = child
    new.in_blank[n_new] = 0.0
    new.in_label[n_new] = mass
    new.parent[n_new] = hypothesis
    new.label[n_new] = label
    new.node[n_new] = target
    new.word[n_new] = word
    new.word_state[n_new] = word_state
    new.label_state[n_new] = label_state
    new.step[n_new] = step
    new.language[n_new] = language
    if mass > levels[BEST]:
        levels[BEST] = mass
        levels[CUT] = mass * rules.gap
    return n_new + 1


def _search(
    probabilities: Any,
    frame: int,
    n_frames: int,
    active: Any,
    rules: Any,
    nodes: Any,
    words: Any,
    labels: Any,
    found: Any,
    beam: Any,
    new: Any,
    levels: Any,
    counts: Any,
) -> Any:
    """Take frames from `frame` on; return the frame that could not be taken for want of room, or `n_frames`.

    Args:
        probabilities: (T * L,) float64 posteriors.
        frame, n_frames: the first, and the one behind the last.
        active: (L,) room for the labels that a frame looks at.
        rules, nodes, words, labels, found, beam, new: see the classes above.
        levels: (4,) float64, see `SCALE`.
        counts: (3,) int64, see `N_LIVE`.
    """
    while frame < n_frames:
        n_live, n_found = counts[N_LIVE], counts[N_FOUND]
        if n_found + rules.beam > len(found.parent):
            return frame
        row = frame * rules.width
        p_blank = probabilities[row + rules.blank]
        if p_blank > rules.skip_blank:
            for k in range(n_live):
                beam.in_blank[k] += beam.in_label[k]
                beam.in_label[k] = 0.0
            levels[SCALE] += math.log(p_blank)
            frame += 1
            continue
        n_active = 0
        for label in range(rules.width):
            if label != rules.blank and probabilities[row + label] >= rules.min_probability:
                active[n_active] = label
                n_active += 1
        best, least = 0.0, math.inf
        for k in range(n_live):
            one = beam.hypothesis[k]
            last = found.label[one]
            new.hypothesis[k] = one
            new.in_blank[k] = (beam.in_blank[k] + beam.in_label[k]) * p_blank
            new.in_label[k] = beam.in_label[k] * probabilities[row + last] if last >= 0 else 0.0
            found.slot[one] = k
            total = new.in_blank[k] + new.in_label[k]
            best, least = max(best, total), min(least, total)
        levels[BEST], levels[CUT] = best, best * rules.gap
        levels[LEAST] = least if n_live == rules.beam else 0.0
        n_new = n_live
        for k in range(n_live):
            one = beam.hypothesis[k]
            last, node = found.label[one], found.node[one]
            whole = beam.in_blank[k] + beam.in_label[k]
            first_end, last_end = 0, 0
            if node >= 0:
                first_end, last_end = nodes.first_word[node], nodes.first_word[node + 1]
            for a in range(n_active):
                label = active[a]
                base = (beam.in_blank[k] if label == last else whole) * probabilities[row + label]
                if base >= levels[CUT] and base > 0.0:  # within a word nothing is added to it
                    target = _child(nodes, node, label) if node >= 0 else NONE
                    if target < 0 and rules.open and label != rules.separator:
                        target = OUTSIDE
                    if target != NONE:
                        n_new = _extend(
                            one, label, base, target, NONE,
                            rules, nodes, words, labels, found, new, levels, counts, n_new,
                        )  # fmt: skip
                if rules.one_word or (rules.separator >= 0 and label != rules.separator):
                    continue
                target = 0 if rules.separator >= 0 else _child(nodes, 0, label)
                if target < 0:
                    continue
                for end in range(first_end, last_end):
                    n_new = _extend(
                        one, label, base, target, nodes.word[end],
                        rules, nodes, words, labels, found, new, levels, counts, n_new,
                    )  # fmt: skip
                if rules.open and node != 0 and first_end == last_end:
                    n_new = _extend(
                        one, label, base, target, OUTSIDE,
                        rules, nodes, words, labels, found, new, levels, counts, n_new,
                    )  # fmt: skip
        for k in range(n_live):
            found.slot[beam.hypothesis[k]] = NONE
        if counts[IS_FULL] != 0:
            return frame
        _keep(n_new, rules, found, beam, new, levels, counts)
        frame += 1
    return frame


def _keep(n_new: int, rules: Any, found: Any, beam: Any, new: Any, levels: Any, counts: Any) -> None:
    """Keep the best candidates as the beam, and give numbers to those that have none."""
    best = levels[BEST]
    if best <= 0.0:  # no path goes on
        counts[N_LIVE] = 0
        return
    n_near = 0
    for i in range(n_new):
        new.total[i] = new.in_blank[i] + new.in_label[i]
        if new.total[i] >= levels[CUT] and new.total[i] > 0.0:
            new.order[n_near] = new.total[i]
            n_near += 1
    limit, n_equal = 0.0, n_new
    if n_near > rules.beam:
        limit = _kth_largest(new.order, n_near, rules.beam)
        n_equal = rules.beam
        for i in range(n_near):
            if new.order[i] > limit:
                n_equal -= 1
    limit = max(limit, levels[CUT])
    n_kept, n_found = 0, counts[N_FOUND]
    for i in range(n_new):
        total = new.total[i]
        if total < limit or total <= 0.0:
            continue
        if total == limit and n_near > rules.beam:
            if n_equal == 0:
                continue
            n_equal -= 1
        one = new.hypothesis[i]
        if one < 0:
            one = n_found
            n_found += 1
            parent = new.parent[i]
            found.parent[one] = parent
            found.label[one] = new.label[i]
            found.node[one] = new.node[i]
            found.word[one] = new.word[i]
            found.word_state[one] = new.word_state[i]
            found.label_state[one] = new.label_state[i]
            found.step[one] = new.step[i]
            found.language[one] = new.language[i]
            found.child[one] = NONE
            found.slot[one] = NONE
            found.sibling[one] = found.child[parent]
            found.child[parent] = one
        beam.hypothesis[n_kept] = one
        beam.in_blank[n_kept] = new.in_blank[i] / best
        beam.in_label[n_kept] = new.in_label[i] / best
        n_kept += 1
    levels[SCALE] += math.log(best)
    counts[N_LIVE], counts[N_FOUND] = n_kept, n_found


def _finish(
    rules: Any,
    nodes: Any,
    words: Any,
    labels: Any,
    found: Any,
    beam: Any,
    levels: Any,
    counts: Any,
    hypothesis: Any,
    last_word: Any,
    score: Any,
    language: Any,
) -> Any:
    """Score the ways in which the utterance can end here; return how many there are.

    Args:
        rules, nodes, words, labels, found, beam, levels, counts: see `_search`.
        hypothesis, last_word: room for the hypothesis of each way, and the word that its last label ends (or OUTSIDE,
            or NONE for the empty hypothesis).
        score, language: room for the objective of each way, and for what language models add to it.
    """
    n_ways = 0
    for k in range(counts[N_LIVE]):
        one = beam.hypothesis[k]
        node = found.node[one]
        rest = math.log(beam.in_blank[k] + beam.in_label[k]) + levels[SCALE] - found.language[one]
        rest -= nodes.ahead[node] if node >= 0 else rules.ahead
        said = found.language[one]
        if rules.fused and labels.end >= 0:
            said += rules.label_weight * _walk(labels, found.label_state[one], labels.end)[0]
        first, last = 0, 0
        if node >= 0:
            first, last = nodes.first_word[node], nodes.first_word[node + 1]
        n_words = last - first
        if n_words == 0 and rules.open and node != 0:
            n_words = 1
        if one == 0 and not rules.one_word:
            if words.end >= 0:
                said += rules.word_weight * _walk(words, found.word_state[one], words.end)[0]
            hypothesis[n_ways], last_word[n_ways], score[n_ways], language[n_ways] = 0, NONE, rest + said, said
            n_ways += 1
        for at in range(n_words):
            word = nodes.word[first + at] if last > first else OUTSIDE
            log_prob, state = _walk(words, found.word_state[one], words.symbol_of[word] if word >= 0 else rules.unknown)
            if words.end >= 0:
                log_prob += _walk(words, state, words.end)[0]
            hypothesis[n_ways], last_word[n_ways] = one, word
            language[n_ways] = said + rules.word_weight * log_prob
            score[n_ways] = rest + language[n_ways] + rules.word_bonus - (rules.outside if word < 0 else 0.0)
            n_ways += 1
    return n_ways


WALK, CHILD, KTH_LARGEST = Loop(_walk), Loop(_child), Loop(_kth_largest)
EXTEND = Loop(_extend, (WALK,))
KEEP = Loop(_keep, (KTH_LARGEST,))
SEARCH = Loop(_search, (CHILD, EXTEND, KEEP))
FINISH = Loop(_finish, (WALK,))
