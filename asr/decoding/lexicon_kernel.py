"""The loops of the lexicon search; `asr.decoding.lexicon` states the objective and the pruning.

A hypothesis is a labelling and the words that it spells so far. It gets a number when it first enters the beam, and
keeps it. Hypothesis 0 is the empty one; any other is identified by the hypothesis that it extends, its last label, and
the word that this label completed. Masses are probabilities, not logarithms: a hypothesis' mass is its probability
times the factors of language models and look-ahead, divided by the best mass of the last frame; the logarithm of all
divisors is kept beside them. So no frame needs a logarithm, and only the ends of words need an exponential.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from asr.compiling import Loop
from asr.decoding.loops import FACTOR, LAST_PLACE, WALK, _factor, _last_place, _walk

NONE = -1
"""No word, no node, no hypothesis."""
OUTSIDE = -2
"""A word outside the lexicon, and the node of labels that no spelling begins with."""

N_LIVE, N_FOUND, N_FRAMES, STAMP, IS_QUIET, N_COUNTS = range(6)
"""Places in `counts`: hypotheses in the beam, hypotheses that have numbers, frames of the chunks before, marks given so
far, whether all paths end in blank."""


class Rules(NamedTuple):
    """The constants of a search.

    `ahead` is the look-ahead of a word outside the lexicon, `outside` what such a word costs; `gap` is a factor.
    """

    width: int
    blank: int
    separator: int
    one_word: bool
    is_open: bool
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

    `child` and `sibling` chain the hypotheses that extend one; `place` is where one stands in the beam, or NONE; `born`
    is the frame in which it got its number; `step` is the factor of the mass on the way from the parent, without the
    label's posterior; `language` is what language models have added, weighted.
    """

    parent: Any
    label: Any
    node: Any
    word: Any
    word_state: Any
    label_state: Any
    child: Any
    sibling: Any
    place: Any
    born: Any
    step: Any
    language: Any


class Beam(NamedTuple):
    """The hypotheses in the beam, and their masses after paths that end in blank and in the last label.

    `head` and `link` chain the places of those that extend one; `active` and `mark` are of the labels: those that a
    frame looks at, by falling posterior, and the last mark of each.
    """

    hypothesis: Any
    head: Any
    link: Any
    active: Any
    mark: Any
    in_blank: Any
    in_label: Any


class Candidates(NamedTuple):
    """Candidates for the beam: hypotheses with a number, or with NONE and the fields that identify a new one.

    `mass` is the sum of `in_blank` and `in_label`; `order` is room to select in.
    """

    hypothesis: Any
    parent: Any
    label: Any
    node: Any
    word: Any
    word_state: Any
    label_state: Any
    in_blank: Any
    in_label: Any
    step: Any
    language: Any
    mass: Any
    order: Any


def _child(first: Any, label_of: Any, node: int, label: int) -> Any:
    """Return the child of a node that a label leads to, or NONE."""
    low, end = first[node], first[node + 1]
    high = end
    while low < high:
        middle = (low + high) // 2
        if label_of[middle] < label:
            low = middle + 1
        else:
            high = middle
    return low if low < end and label_of[low] == label else NONE


def _select(width: int, size: int, new: Any) -> Any:
    """Keep the best of `size` candidates, the earlier ones of equals; return the mass of the last of them."""
    (
        hypothesis, parent, label, node, word, word_state, label_state,
        in_blank, in_label, step, language, mass, order,
    ) = new  # fmt: skip
    least, n_equal = _last_place(mass, order, size, width)
    to = 0
    for at in range(size):
        if mass[at] < least:
            continue
        if mass[at] == least:
            if n_equal == 0:
                continue
            n_equal -= 1
        if to < at:
            hypothesis[to], parent[to], label[to], node[to] = hypothesis[at], parent[at], label[at], node[at]
            word[to], word_state[to], label_state[to] = word[at], word_state[at], label_state[at]
            in_blank[to], in_label[to], mass[to] = in_blank[at], in_label[at], mass[at]
            step[to], language[to] = step[at], language[at]
        to += 1
    return least


def _search(
    posteriors: Any,
    frame: int,
    n_frames: int,
    rules: Any,
    nodes: Any,
    words: Any,
    labels: Any,
    found: Any,
    beam: Any,
    new: Any,
    scale: Any,
    counts: Any,
) -> Any:
    """Process frames from `frame` on; return the first frame left, where the room for hypotheses has run out.

    Args:
        posteriors: (T * L,) float64.
        frame, n_frames: the first, and the one behind the last.
        rules, nodes, words, labels, found, beam, new: see the classes above.
        scale: (1,) the logarithm that masses are divided by.
        counts: see `N_LIVE`.
    """
    # names of their own: compiled code counts a reference each time it takes an array out of a tuple
    (
        width, blank, separator, one_word, is_open, fused, unknown, beam_width, min_probability, gap, skip_blank,
        word_weight, word_bonus, outside, outside_ahead, label_weight,
    ) = rules  # fmt: skip
    first_child, node_label, first_word, word_at, ahead, ratio = nodes
    word_symbol, word_first, word_arc, word_log, word_target, word_back, word_shorter, _ = words
    label_symbol, label_first, label_arc, label_log, label_target, label_back, label_shorter, _ = labels
    (
        parent_of, label_of, node_of, word_of, word_state, label_state, child_of, sibling_of, place, born, steps,
        languages,
    ) = found  # fmt: skip
    hypothesis, head, link, active, mark, in_blank, in_label = beam
    (
        new_hypothesis, new_parent, new_label, new_node, new_word, new_word_state, new_label_state,
        new_blank, new_in_label, new_step, new_language, mass, _,
    ) = new  # fmt: skip
    n_live, n_found, stamp, is_quiet = counts[N_LIVE], counts[N_FOUND], counts[STAMP], counts[IS_QUIET]
    n_before = counts[N_FRAMES]
    while frame < n_frames:
        row = frame * width
        p_blank = posteriors[row + blank]
        if p_blank > skip_blank:  # as if blank were certain
            if is_quiet == 0:
                for i in range(n_live):
                    in_blank[i] += in_label[i]
                    in_label[i] = 0.0
                is_quiet = 1
            scale[0] += math.log(p_blank)
            frame += 1
            continue
        if n_found + beam_width > len(parent_of):
            break

        n_active = 0
        for label in range(width):
            p = posteriors[row + label]
            if label != blank and p >= min_probability and p > 0.0:
                at = n_active
                while at > 0 and posteriors[row + active[at - 1]] < p:
                    active[at] = active[at - 1]
                    at -= 1
                active[at] = label
                n_active += 1
        p_top = posteriors[row + active[0]] if n_active > 0 else 0.0

        # every hypothesis goes on with blank or its last label, or is reached from the one that it extends
        for i in range(n_live):
            head[i] = NONE
        best, least = 0.0, math.inf
        for i in range(n_live):
            one = hypothesis[i]
            value = 0.0
            if one > 0:
                last, parent = label_of[one], parent_of[one]
                p = posteriors[row + last]
                value = in_label[i] * p
                before = place[parent]
                if before >= 0:
                    whole = in_blank[before]
                    if label_of[parent] != last:
                        whole += in_label[before]
                    value += whole * p * steps[one]
                    link[i] = head[before]
                    head[before] = i
            new_hypothesis[i], new_in_label[i] = one, value
            new_blank[i] = (in_blank[i] + in_label[i]) * p_blank
            total = new_blank[i] + value
            mass[i] = total
            if total > best:
                best = total
            if total < least:
                least = total
        bar, size = best * gap, n_live
        if n_live == beam_width and least > bar:
            bar = least

        # hypotheses with one label more: within the word (end = NONE), and behind each word that ends here
        for i in range(n_live):
            one = hypothesis[i]
            node, last = node_of[one], label_of[one]
            whole = in_blank[i] + in_label[i]
            first_end, n_ends = 0, 0
            if one_word == 0 and node != 0:
                if node > 0:
                    first_end = first_word[node]
                    n_ends = first_word[node + 1] - first_end
                if n_ends == 0 and is_open:
                    n_ends, first_end = 1, NONE
            for end in range(NONE, n_ends):
                word, highest, gained = NONE, 1.0, 0.0  # within a word of the lexicon nothing is gained
                leaving = 1.0  # what the step to a word outside the lexicon gains, where all words below are rare
                if end < 0 and is_open and node >= 0:
                    leaving = _factor(outside_ahead - ahead[node])
                    if leaving > highest:
                        highest = leaving
                if end >= 0:
                    word = word_at[first_end + end] if first_end >= 0 else OUTSIDE
                    gained = word_bonus - (ahead[node] if node >= 0 else outside_ahead)
                    if word == OUTSIDE:
                        gained -= outside
                    highest = _factor(gained + ahead[0])  # no word is likelier than 1, none begins better
                if whole * p_top * highest <= bar:
                    continue
                stamp += 1
                j = head[i]
                while j >= 0:
                    if word_of[hypothesis[j]] == word:
                        mark[label_of[hypothesis[j]]] = stamp
                    j = link[j]
                is_known, state, said = end < 0, word_state[one], languages[one]
                for a in range(n_active):
                    label = active[a]
                    p = posteriors[row + label]
                    if whole * p * highest <= bar:
                        break
                    if mark[label] == stamp:
                        continue
                    base = (in_blank[i] if label == last else whole) * p
                    if base * highest <= bar:
                        continue
                    if end < 0:
                        target = _child(first_child, node_label, node, label) if node >= 0 else NONE
                        if target >= 0:
                            step = ratio[target]
                        elif is_open and label != separator:
                            target = OUTSIDE
                            step = leaving
                        else:
                            continue
                    else:
                        if separator < 0:
                            target = _child(first_child, node_label, 0, label)
                        else:
                            target = 0 if label == separator else NONE
                        if target < 0:
                            continue
                        if not is_known:
                            log_prob, state = _walk(
                                word_first, word_arc, word_log, word_target, word_back, word_shorter,
                                state, word_symbol[word] if word >= 0 else unknown,
                            )  # fmt: skip
                            said += word_weight * log_prob
                            gained += word_weight * log_prob
                            is_known = True
                        step = _factor(gained + ahead[target])
                    if base * step <= bar:
                        continue
                    spelled, behind = 0.0, 0
                    if fused:
                        spelled, behind = _walk(
                            label_first, label_arc, label_log, label_target, label_back, label_shorter,
                            label_state[one], label_symbol[label],
                        )  # fmt: skip
                        spelled *= label_weight
                        step *= _factor(spelled)
                    value = base * step
                    if value <= bar:
                        continue
                    new_hypothesis[size], new_parent[size], new_label[size], new_node[size] = NONE, one, label, target
                    new_word[size], new_word_state[size], new_label_state[size] = word, state, behind
                    new_step[size], new_language[size] = step, said + spelled
                    new_blank[size], new_in_label[size], mass[size] = 0.0, value, value
                    size += 1
                    if value > best:
                        best = value
                        if best * gap > bar:
                            bar = best * gap
                    if size == len(mass):
                        least = _select(beam_width, size, new)
                        size = beam_width
                        if least > bar:
                            bar = least

        # the new beam
        for i in range(n_live):
            place[hypothesis[i]] = NONE
        frame, is_quiet, n_live = frame + 1, 0, 0
        if best <= 0.0:  # no path goes on
            continue
        if size > beam_width:
            _select(beam_width, size, new)
            size = beam_width
        bar = best * gap
        for at in range(size):
            if mass[at] < bar or mass[at] / best <= 0.0:  # beside the best it may be too small for a number
                continue
            one = new_hypothesis[at]
            if one < 0:
                parent = new_parent[at]
                one = child_of[parent]  # it may have left the beam and come back
                while one >= 0 and (label_of[one] != new_label[at] or word_of[one] != new_word[at]):
                    one = sibling_of[one]
                if one < 0:
                    one = n_found
                    n_found += 1
                    parent_of[one], label_of[one], node_of[one] = parent, new_label[at], new_node[at]
                    word_of[one], word_state[one], label_state[one] = (
                        new_word[at],
                        new_word_state[at],
                        new_label_state[at],
                    )
                    steps[one], languages[one], born[one] = new_step[at], new_language[at], n_before + frame - 1
                    child_of[one], sibling_of[one] = NONE, child_of[parent]
                    child_of[parent] = one
            place[one] = n_live
            hypothesis[n_live] = one
            in_blank[n_live], in_label[n_live] = new_blank[at] / best, new_in_label[at] / best
            n_live += 1
        scale[0] += math.log(best)
    counts[N_LIVE], counts[N_FOUND], counts[STAMP], counts[IS_QUIET] = n_live, n_found, stamp, is_quiet
    return frame


def _finish(
    rules: Any,
    nodes: Any,
    words: Any,
    labels: Any,
    found: Any,
    beam: Any,
    scale: Any,
    counts: Any,
    hypothesis: Any,
    last_word: Any,
    score: Any,
    language: Any,
) -> Any:
    """Score the ways in which the utterance can end here; return how many there are.

    Args:
        rules, nodes, words, labels, found, beam, scale, counts: see `_search`.
        hypothesis, last_word: room for the hypothesis of each way, and the word that its last label ends (or OUTSIDE,
            or NONE for the empty hypothesis).
        score, language: room for the objective of each way, and for what language models add to it.
    """
    _, words_first, words_arc, words_log, words_target, words_back, words_shorter, words_end = words
    _, first_of, arc_of, log_of, target_of, back_of, shorter_of, labels_end = labels
    n_ways = 0
    for k in range(counts[N_LIVE]):
        one = beam.hypothesis[k]
        node = found.node[one]
        rest = math.log(beam.in_blank[k] + beam.in_label[k]) + scale[0] - found.language[one]
        rest -= nodes.ahead[node] if node >= 0 else rules.ahead
        said = found.language[one]
        if rules.fused and labels_end >= 0:
            said += (
                rules.label_weight
                * _walk(first_of, arc_of, log_of, target_of, back_of, shorter_of, found.label_state[one], labels_end)[0]
            )
        first, last = 0, 0
        if node >= 0:
            first, last = nodes.first_word[node], nodes.first_word[node + 1]
        n_words = last - first
        if n_words == 0 and rules.is_open and node != 0:
            n_words = 1
        if one == 0 and not rules.one_word:
            if words_end >= 0:
                said += rules.word_weight * _walk(
                    words_first, words_arc, words_log, words_target, words_back, words_shorter,
                    found.word_state[one], words_end,
                )[0]  # fmt: skip
            hypothesis[n_ways], last_word[n_ways], score[n_ways], language[n_ways] = 0, NONE, rest + said, said
            n_ways += 1
        for at in range(n_words):
            word = nodes.word[first + at] if last > first else OUTSIDE
            log_prob, state = _walk(
                words_first, words_arc, words_log, words_target, words_back, words_shorter,
                found.word_state[one], words.symbol_of[word] if word >= 0 else rules.unknown,
            )  # fmt: skip
            if words_end >= 0:
                log_prob += _walk(
                    words_first, words_arc, words_log, words_target, words_back, words_shorter, state, words_end
                )[0]
            hypothesis[n_ways], last_word[n_ways] = one, word
            language[n_ways] = said + rules.word_weight * log_prob
            score[n_ways] = rest + language[n_ways] + rules.word_bonus - (rules.outside if word < 0 else 0.0)
            n_ways += 1
    return n_ways


CHILD, SELECT = Loop(_child), Loop(_select, (LAST_PLACE,))
SEARCH = Loop(_search, (CHILD, WALK, SELECT, FACTOR))
FINISH = Loop(_finish, (WALK,))
