"""The loops of the lexicon search; `asr.decoding.lexicon` describes the objective and the pruning.

A hypothesis is a labelling and the words that it spells so far. It gets a number when it first enters the beam.
Hypothesis 0 is the empty one; any other is identified by the hypothesis that it extends (its parent), its last label,
and the word that ended before this label, if any. The mass of a hypothesis is its probability, not a logarithm, times
the factors of language models and look-ahead. Masses are divided by the best one in each frame; the sum of the
logarithms of these divisors is kept separately. So only the ends of words need an exponential.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from asr.compiling import Loop
from asr.decoding.loops import FACTOR, LAST_PLACE, WALK, _factor, _last_place, _walk

NONE = -1
"""The number for no word, no node or no hypothesis."""
OUTSIDE = -2
"""The number of a word outside the lexicon, and of the node of labels that are the beginning of no spelling."""

N_LIVE, N_FOUND, N_FRAMES, STAMP, IS_QUIET, N_COUNTS = range(6)
"""Places in `counts`: the number of hypotheses in the beam, of hypotheses with numbers, of frames in earlier chunks and
of marks given so far, and whether all paths end in blank."""


class Rules(NamedTuple):
    """The constants of a search.

    Attributes:
        width: L, the size of the inventory.
        blank: the index of the blank.
        separator: the label between words, or `NONE`.
        one_word: whether an utterance is exactly one word.
        is_open: whether words outside the lexicon are recognised.
        fused: whether there is a language model of labels.
        unknown: the symbol of words outside the lexicon in the model of words.
        beam: how many hypotheses the beam holds.
        min_probability: see `asr.decoding.lexicon.LexiconConfig`.
        gap: the smallest mass that is kept, relative to the best.
        skip_blank: see `asr.decoding.lexicon.LexiconConfig`.
        word_weight: the weight of the model of words.
        word_bonus: nats added for each word.
        outside: nats subtracted for a word outside the lexicon.
        ahead: the look-ahead of a word outside the lexicon.
        label_weight: the weight of the model of labels.
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
    """The tree of spellings with its look-ahead.

    Attributes:
        first, label, first_word, word: see `asr.decoding.lexicon_tree.Tree`.
        ahead: (N,) the look-ahead: the nats that the best word at or below a node adds.
        ratio: (N,) the factor of the mass on the way from the parent to a node: exp(ahead - the parent's ahead).
    """

    first: Any
    label: Any
    first_word: Any
    word: Any
    ahead: Any
    ratio: Any


class Model(NamedTuple):
    """A language model for the loops.

    Attributes:
        symbol_of: (W,) or (L,) the model's symbol for each word of the lexicon, or each label of the inventory.
        first, symbol, log_prob, target, backoff, shorter, end: see `asr.lm.automaton.Automaton`.
    """

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

    Attributes:
        parent, label: the hypothesis that each extends, and its last label.
        node: the node of the tree that the labels of its unfinished word lead to.
        word: the word that ended before its last label, or `NONE`.
        word_state, label_state: the states of the language models.
        child, sibling: the first hypothesis that extends it, and the next one that extends the same parent.
        place: its place in the beam, or `NONE`.
        born: the frame in which it got its number.
        step: the factor of the mass from the parent to the hypothesis, without the posterior of the label.
        language: the sum of weighted log probabilities from language models.
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
    """The hypotheses in the beam.

    Attributes:
        hypothesis: the number of each.
        head, link: for each the place of the first that extends it, and of the next that extends the same parent.
        active: the labels to try in a frame, by falling posterior.
        mark: the last mark of each label.
        in_blank, in_label: for each the mass of paths that end in blank, and of paths that end in its last label.
    """

    hypothesis: Any
    head: Any
    link: Any
    active: Any
    mark: Any
    in_blank: Any
    in_label: Any


class Candidates(NamedTuple):
    """Candidates for the beam: known hypotheses by number, and new ones with number `NONE` and their fields.

    The fields are those of `Found` and `Beam`; `mass` is the sum of `in_blank` and `in_label`, and `order` is room to
    work in.
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
    """Return the child of a node with a label, or `NONE`."""
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
    """Keep the `width` best of `size` candidates, of equal ones the earlier; return the least mass that is kept."""
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
    """Process frames from `frame` on, until they end or there is no room for more hypotheses.

    Args:
        posteriors: (T * L,) float64.
        frame, n_frames: the first frame to process, and the number of frames.
        rules, nodes: the constants, and the tree.
        words, labels: the language models of words and of labels.
        found, beam, new: all hypotheses, those in the beam, and room for candidates.
        scale: (1,) the logarithm of the product of all divisors of the masses.
        counts: see `N_LIVE`.

    Returns:
        The first frame that was not processed.
    """
    # Unpacked first, because compiled code counts a reference each time it takes an array out of a tuple.
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

        # paths that stay at a hypothesis (blank or its last label again), or reach it from its parent
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

        # new hypotheses, with one more label: within the word (end = NONE), or after each word that may end here
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
                word, highest, gained = NONE, 1.0, 0.0  # within a word, no factor is above 1
                leaving = 1.0  # the factor of leaving the lexicon within a word; above 1 if all words below are rare
                if end < 0 and is_open and node >= 0:
                    leaving = _factor(outside_ahead - ahead[node])
                    if leaving > highest:
                        highest = leaving
                if end >= 0:
                    word = word_at[first_end + end] if first_end >= 0 else OUTSIDE
                    gained = word_bonus - (ahead[node] if node >= 0 else outside_ahead)
                    if word == OUTSIDE:
                        gained -= outside
                    highest = _factor(gained + ahead[0])  # no word has log p > 0, no node has a better look-ahead
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
        if best <= 0.0:  # every continuation has probability 0
            continue
        if size > beam_width:
            _select(beam_width, size, new)
            size = beam_width
        bar = best * gap
        for at in range(size):
            if mass[at] < bar or mass[at] / best <= 0.0:  # the quotient may underflow
                continue
            one = new_hypothesis[at]
            if one < 0:
                parent = new_parent[at]
                one = child_of[parent]  # the hypothesis may have been in the beam before
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
    """Score all endings: a hypothesis of the beam together with a last word that its labels complete.

    Args:
        rules, nodes, words, labels, found, beam, scale, counts: see `_search`.
        hypothesis, last_word: receive the hypothesis of each ending, and its last word (`OUTSIDE` for one outside the
            lexicon, `NONE` for the empty hypothesis).
        score, language: receive the objective of each ending, and the part of it from language models.

    Returns:
        How many endings there are.
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
