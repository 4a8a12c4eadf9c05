"""Prefix beam search: find the likeliest labelling, summed over its paths, optionally with a language model of labels.

The search maximises over labellings l of the frames x (Graves 2012, "Supervised sequence labelling with recurrent
neural networks", section 7.5; Hannun and others 2014, arXiv 1408.2873):

    log p(l | x) + lm_weight * log p_lm(l </s>) + insertion_bonus * |l| + boost_weight * (labels of expected phrases)

p(l | x) is the sum over all paths that spell l. With a `prior_weight`, posteriors are divided by the priors of their
labels, raised to that power. Paths that spell the same prefix are merged, so the sums are exact but for pruning:

- only the best `beam` prefixes are kept from frame to frame, and only those at most `gap` nats worse than the best;
- a label does not begin in a frame where its posterior is below `min_probability`, except the likeliest label;
- a frame whose blank has a posterior above `skip_blank` is treated as if blank were certain.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asr.compiling import Loop
from asr.config import check_values
from asr.decoding.beam_loop import ADVANCE, BIRTHS, COMPACT, END_FACTORS, N_ENTRIES, N_FRAMES, N_NODES, SPELL
from asr.decoding.beam_memory import Prefixes, Rows, arcs
from asr.decoding.boost import Boost, read_phrases
from asr.decoding.compiled import CompiledDecoder
from asr.decoding.finishing import IMPOSSIBLE, Candidate, Finish, FinishConfig, candidate
from asr.decoding.hypothesis import Hypothesis, Score, without_surplus_spaces, words_of
from asr.decoding.label_model import NO_ARCS, symbols_of_labels
from asr.decoding.marks import LM_FILE, WORDS_FILE, weight
from asr.decoding.posteriors import checked_posteriors
from asr.decoding.restriction import ALL, Restriction, restricted
from asr.decoding.timing import spans_of
from asr.lm.automaton import NONE
from asr.lm.stored import load_model

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory
    from asr.decoding.search import Search
    from asr.lm.model import GrowingAutomaton, LanguageModel

_LEAST_MASS = 1e-200
"""The smallest mass of a prefix, relative to the best one, with which products do not underflow."""


@dataclass
class BeamConfig(FinishConfig):
    """Options of `BeamDecoder`.

    The options inherited from `FinishConfig` control the steps after the search.

    Attributes:
        beam: how many prefixes are kept from frame to frame.
        lm: a language model of labels: the name of one that comes with the package, or a file.
        lm_weight: the factor of its log probability.
        insertion_bonus: nats added for each label.
        min_probability: labels with a lower posterior in a frame do not begin there; 0: all may begin.
        gap: nats by which a prefix may be worse than the best; inf: the limit of the numbers, 460.
        skip_blank: a frame whose blank has a higher posterior is treated as certain blank; 1: no frame.
        boost: a file of expected phrases, one per line; see `asr.decoding.boost`.
        boost_weight: nats added for each label of such a phrase.
        prior_weight: the power of the priors that posteriors are divided by.
        priors: (L,) the relative frequency of each label in training, blank included; empty: unknown.
    """

    _target_: str = "asr.decoding.beam.BeamDecoder"
    beam: int = 100
    lm: str | None = field(default=None, metadata=LM_FILE)
    lm_weight: float = field(default=1.0, metadata=weight(0.25, needs="lm", least=0.0))
    insertion_bonus: float = field(default=0.0, metadata=weight(0.5))
    min_probability: float = 1e-4
    gap: float = 25.0
    skip_blank: float = 0.999
    boost: str | None = field(default=None, metadata=WORDS_FILE)
    boost_weight: float = field(default=1.0, metadata=weight(0.5, needs="boost", least=0.0))
    prior_weight: float = field(default=0.0, metadata=weight(0.1, needs="priors", least=0.0))
    priors: list[float] = field(default_factory=list)


class BeamDecoder(CompiledDecoder):
    """Prefix beam search; the module describes the objective, `BeamConfig` the options.

    Args:
        inventory: the labels, one of which is the blank.
        model: a language model, used instead of the one that `lm` names.

    Raises:
        ConfigError: an option is out of range, or a language model does not fit the inventory.
        DataError, CheckpointError: a file of an option cannot be read.

    >>> from asr.corpus.inventory import Inventory
    >>> decoder = BeamDecoder(Inventory(("<blank>", "a"), unit="labels"))
    >>> search = decoder.begin(frame_seconds=0.02)
    >>> search.step(np.log(np.array([[0.6, 0.4], [0.6, 0.4]], dtype=np.float32)))
    >>> [best] = search.end()
    >>> best.labels, round(best.score.acoustic, 2)  # three paths spell "a", p = 0.64; the best path is blank, p = 0.36
    (('a',), -0.45)
    """

    def __init__(
        self,
        inventory: Inventory,
        beam: int = 100,
        lm: str | None = None,
        lm_weight: float = 1.0,
        insertion_bonus: float = 0.0,
        min_probability: float = 1e-4,
        gap: float = 25.0,
        skip_blank: float = 0.999,
        boost: str | None = None,
        boost_weight: float = 1.0,
        prior_weight: float = 0.0,
        priors: Sequence[float] = (),
        candidates: int = 20,
        posterior_scale: float = 1.0,
        risk: str = "none",
        rescore: str | None = None,
        rescore_weight: float = 0.5,
        calibration: Sequence[float] = (),
        labels: str = ALL,
        model: LanguageModel | None = None,
    ) -> None:
        self.options = BeamConfig(
            beam=beam, lm=lm, lm_weight=lm_weight, insertion_bonus=insertion_bonus, min_probability=min_probability,
            gap=gap, skip_blank=skip_blank, boost=boost, boost_weight=boost_weight, prior_weight=prior_weight,
            priors=list(priors), candidates=candidates,
            posterior_scale=posterior_scale, risk=risk, rescore=rescore, rescore_weight=rescore_weight,
            calibration=list(calibration), labels=labels,
        )  # fmt: skip
        _check(self.options, len(inventory))
        self.finish = Finish.of(inventory, self.options)
        self.restriction = Restriction.of(labels, inventory)
        self.inventory = inventory
        self.divisors = np.array(priors, dtype=np.float64) ** prior_weight if prior_weight else None
        """The divisors of the posteriors (L,); None if `prior_weight` is 0."""
        if model is None and lm is not None:
            model = load_model(lm, inventory.unit)
        self._model = model if lm_weight > 0 else None
        self._shared = None if self._model is None else self._model.automaton()
        self.symbols = symbols_of_labels(self._model, inventory)
        """The symbols of the labels and of the end, see `symbols_of_labels`."""
        phrases = read_phrases(boost, inventory, boost_weight) if boost is not None and boost_weight > 0 else {}
        self.boost = Boost.of(phrases, inventory)
        self.boost_factors = np.exp(self.boost.gain)
        """The boost, and the factors of its arcs."""
        spaces = (at for at, one in enumerate(inventory.labels) if one.isspace() and inventory.unit == "characters")
        self.spaces = frozenset(spaces)
        """The labels that are spaces between words."""
        self._idle_rows: list[Rows] = []  # a search borrows one for each step

    def begin(self, frame_seconds: float, offset: float = 0.0) -> Search:
        """Return the search for one utterance; see `asr.decoding.search.Decoder`."""
        return restricted(BeamSearch(self, frame_seconds, offset), self.restriction)

    def automaton(self) -> GrowingAutomaton | None:
        """Return the automaton for one search: the shared one if it is complete, else a new one; None: no model."""
        if self._model is None or (self._shared is not None and self._shared.complete):
            return self._shared
        return self._model.automaton()

    def new_rows(self) -> Rows:
        """Return a new, empty cache of the language model's arcs."""
        return Rows(len(self.symbols), self.options.beam)

    def borrow_rows(self) -> Rows:
        """Return a cache of arcs that no other search uses until `give_back`."""
        try:
            return self._idle_rows.pop()
        except IndexError:
            return self.new_rows()

    def give_back(self, rows: Rows) -> None:
        """Take a borrowed cache back, for later searches."""
        self._idle_rows.append(rows)


def _check(options: BeamConfig, n_labels: int) -> None:
    positive = all(one > 0 and math.isfinite(one) for one in options.priors)
    fits = positive and len(options.priors) in ({n_labels} if options.prior_weight else {0, n_labels})
    check_values(
        vars(options),
        {
            "beam": (1 <= options.beam <= 100_000, "1 to 100,000 prefixes"),
            "lm_weight": (0 <= options.lm_weight < math.inf, "0 or more"),
            "insertion_bonus": (abs(options.insertion_bonus) <= 100, "-100 to 100 nats"),
            "min_probability": (0 <= options.min_probability < 1, "0 to below 1"),
            "gap": (options.gap > 0, "more than 0 nats"),
            "skip_blank": (0 < options.skip_blank <= 1, "above 0 to 1"),
            "boost_weight": (0 <= options.boost_weight <= 20, "0 to 20 nats"),
            "prior_weight": (0 <= options.prior_weight <= 1, "0 to 1"),
            "priors": (fits, f"{n_labels} numbers above 0, one for each label"),
        },
    )


class BeamSearch:
    """A prefix beam search through one utterance; see `BeamDecoder`.

    The result does not depend on how the frames are divided into chunks.

    Args:
        decoder: the decoder, with its options.
        frame_seconds: see `asr.decoding.search.Decoder.begin`.
        offset: see `asr.decoding.search.Decoder.begin`.
    """

    def __init__(self, decoder: BeamDecoder, frame_seconds: float, offset: float) -> None:
        self._decoder, self._frame_seconds, self._offset = decoder, frame_seconds, offset
        self._chunks: list[NDArray[np.float32]] = []
        self._growing = decoder.automaton()
        self._arcs = NO_ARCS if self._growing is None else self._growing.expanded(np.zeros(0, dtype=np.int32))
        self._own_rows = None if self._growing is None or self._growing.complete else decoder.new_rows()
        self._prefixes = Prefixes(decoder.options.beam, len(decoder.inventory), self._arcs.start)

    def step(self, log_probs: NDArray[np.float32]) -> None:
        """Read the next frames; see `asr.decoding.search.Search`.

        Raises:
            ValueError: the shape is another one, a value is NaN, or the probabilities of a frame do not sum to 1.
        """
        posteriors = checked_posteriors(log_probs, len(self._decoder.inventory), int(self._prefixes.counts[N_FRAMES]))
        weights = posteriors if self._decoder.divisors is None else posteriors / self._decoder.divisors
        self._chunks.append(np.array(log_probs, dtype=np.float32))
        with self._rows() as rows:
            if self._own_rows is None:
                self._advance(weights, posteriors, rows)
                return
            for t in range(len(weights)):
                if posteriors[t, self._decoder.inventory.blank] <= self._decoder.options.skip_blank:
                    self._expand()
                self._advance(weights[t : t + 1], posteriors[t : t + 1], rows)

    @property
    def text(self) -> str:
        """The best text of the frames so far, scored without the end of the utterance."""
        best = self._totals().argmax()
        (labels,), _ = self._spelled(self._prefixes.node[best : best + 1])
        return self._decoder.inventory.text(self._decoder.inventory.decode(labels.tolist()))

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        """Return the best hypotheses; see `asr.decoding.search.Search`."""
        if self._prefixes.scale[0] == -math.inf:
            return [IMPOSSIBLE]
        n_best = max(1, n_best)
        finish = self._decoder.finish
        found, prefixes = self._candidates(max(n_best, finish.candidates), finish.gap if n_best == 1 else math.inf)
        return finish(found, lambda i: self._hypothesis(*prefixes[i], found[i]), n_best)

    def candidates(self, n: int) -> list[Candidate]:
        """Return the best labellings so far, as if the utterance ended here, best first, without times and confidences.

        At least `n` different ones are returned if the search has so many; others may occur twice.
        """
        return self._candidates(n)[0]

    def _candidates(
        self, n_wanted: int, gap: float = math.inf
    ) -> tuple[list[Candidate], list[tuple[int, NDArray[np.int64]]]]:
        """Return candidates, and for each its node and its labels (U,) with surplus spaces.

        At least `n_wanted` of them are different if there are so many; none is more than `gap` nats below the best.
        """
        inventory = self._decoder.inventory
        ends = self._end_factors()
        totals = self._totals() * ends * self._end_boosts()
        order = np.array([totals.argmax()]) if n_wanted == 1 else np.argsort(-totals, kind="stable")
        order = order[: int((totals >= totals.max() * math.exp(-gap)).sum())]
        n = n_wanted
        while True:
            nodes = self._prefixes.node[order[:n]]
            labels, factors = self._spelled(nodes)
            shown = [self._shown(one) for one in labels]
            if n >= len(order) or len(set(shown)) >= n_wanted:
                break
            n *= 2  # some differ only in surplus spaces
        scores = map(self._score, totals[order[:n]].tolist(), labels, factors, ends[order[:n]].tolist())
        found = [candidate(inventory.decode(one), score, inventory) for one, score in zip(shown, scores, strict=True)]
        return found, list(zip(nodes.tolist(), labels, strict=True))

    def _shown(self, labels: NDArray[np.int64]) -> tuple[int, ...]:
        """Return labels (U,) without surplus spaces; see `asr.decoding.hypothesis.without_surplus_spaces`."""
        spaces = self._decoder.spaces
        kept: list[int] = []
        for one in labels.tolist():
            if one not in spaces or (kept and kept[-1] not in spaces):
                kept.append(one)
        if kept and kept[-1] in spaces:
            kept.pop()
        return tuple(kept)

    @contextmanager
    def _rows(self) -> Iterator[Rows]:
        """Provide the cache of the language model's arcs."""
        if self._own_rows is not None:
            yield self._own_rows
            return
        rows = self._decoder.borrow_rows()
        yield rows
        self._decoder.give_back(rows)

    def _run(self, loop: Loop, *values: object) -> Any:
        return loop.run(self._decoder.compiles, *values)

    def _advance(self, weights: NDArray[np.float64], posteriors: NDArray[np.float64], rows: Rows) -> None:
        options, decoder, prefixes = self._decoder.options, self._decoder, self._prefixes
        at, flat_weights, flat_posteriors = 0, weights.reshape(-1), posteriors.reshape(-1)
        while True:
            rows.make_room(len(self._arcs.shorter))
            at = self._run(
                ADVANCE, flat_weights, flat_posteriors, at, len(weights), weights.shape[1], decoder.inventory.blank,
                float(options.skip_blank), float(options.min_probability), prefixes.width, prefixes.room,
                max(math.exp(-options.gap), _LEAST_MASS), math.exp(options.insertion_bonus), self._growing is not None,
                float(options.lm_weight), float(options.insertion_bonus), decoder.boost.is_there,
                float(decoder.boost_factors.max()), prefixes.counts, prefixes.scale,
                *prefixes.nodes, *prefixes.entries, decoder.boost.target, decoder.boost_factors, decoder.symbols,
                *rows.arrays, *arcs(self._arcs),
            )  # fmt: skip
            if at == len(weights):
                break
            if prefixes.needs_room():
                self._make_room()
        prefixes.counts[N_FRAMES] += len(weights)

    def _make_room(self) -> None:
        """Remove the nodes that no entry needs, and double the arrays while more than half of them is in use."""
        prefixes = self._prefixes
        n_nodes, n = int(prefixes.counts[N_NODES]), int(prefixes.counts[N_ENTRIES])
        moved = np.empty(n_nodes, dtype=np.int32)
        prefixes.counts[N_NODES] = self._run(COMPACT, n_nodes, n, *prefixes.nodes, prefixes.node, moved)
        while 2 * (prefixes.counts[N_NODES] + prefixes.width) > len(prefixes.parent):
            prefixes.grow()

    def _expand(self) -> None:
        """Let the language model compute the arcs of the states of all entries, which the next frame reads."""
        assert self._growing is not None
        entries = self._prefixes.node[: self._prefixes.counts[N_ENTRIES]]
        self._arcs = self._growing.expanded(self._prefixes.state[entries])

    def _totals(self) -> NDArray[np.float64]:
        n = self._prefixes.counts[N_ENTRIES]
        return self._prefixes.in_blank[:n] + self._prefixes.in_label[:n]

    def _end_factors(self) -> NDArray[np.float64]:
        """Return exp(lm_weight log p(</s>)) of each entry."""
        prefixes, n = self._prefixes, int(self._prefixes.counts[N_ENTRIES])
        found, symbols = np.ones(n), self._decoder.symbols
        if self._growing is None or symbols[-1] == NONE:
            return found
        if self._own_rows is not None:
            self._expand()
        with self._rows() as rows:
            rows.make_room(len(self._arcs.shorter))
            self._run(
                END_FACTORS, n, len(symbols) - 1, float(self._decoder.options.lm_weight), prefixes.node, prefixes.state,
                symbols, found, *rows.arrays, *arcs(self._arcs),
            )  # fmt: skip
        return found

    def _end_boosts(self) -> NDArray[np.float64]:
        """Return, for each entry, the factor that removes the boost of an unfinished phrase at the end."""
        boost, prefixes = self._decoder.boost, self._prefixes
        n = prefixes.counts[N_ENTRIES]
        return np.exp(boost.end_gain[prefixes.boost[prefixes.node[:n]]]) if boost.is_there else np.ones(n)

    def _spelled(self, nodes: NDArray[np.int32]) -> tuple[list[NDArray[np.int64]], list[NDArray[np.float64]]]:
        """Return for each node the labels (U,) of its prefix, and the factor (U,) of each label."""
        prefixes = self._prefixes
        borders = [0, *accumulate(prefixes.depth[nodes].tolist())]
        labels, factors = np.empty(borders[-1], dtype=np.int64), np.empty(borders[-1])
        self._run(SPELL, nodes, prefixes.parent, prefixes.label, prefixes.factor, prefixes.depth, labels, factors)
        parts = [slice(*border) for border in pairwise(borders)]
        return [labels[part] for part in parts], [factors[part] for part in parts]

    def _score(self, total: float, labels: NDArray[np.int64], factors: NDArray[np.float64], end: float) -> Score:
        """Divide the score of a labelling into its parts.

        Args:
            total: the mass of the labelling, with all terms of the objective.
            labels: (U,) the labels.
            factors: (U,) the factor of each label.
            end: the language model's factor for the end of the utterance.
        """
        if total <= 0.0:
            return Score(-math.inf)
        boost, whole = self._decoder.boost, math.log(total) + float(self._prefixes.scale[0])
        bonus, boosted = self._decoder.options.insertion_bonus * len(labels), boost.gains(labels.tolist())
        model = 0.0
        if self._growing is not None:
            model = float(np.log(factors).sum()) - bonus - boosted[0] + math.log(end)
        return Score(whole - model - bonus - sum(boosted), model, bonus, sum(boosted))

    def _hypothesis(self, node: int, labels: NDArray[np.int64], found: Candidate) -> Hypothesis:
        inventory, prefixes = self._decoder.inventory, self._prefixes
        births = np.empty(len(labels), dtype=np.int64)
        self._run(BIRTHS, node, prefixes.parent, prefixes.born, births)
        if len(self._chunks) > 1:
            self._chunks = [np.concatenate(self._chunks)]
        frames = self._chunks[0] if self._chunks else np.zeros((0, len(inventory)), dtype=np.float32)
        spans = spans_of(labels, frames, inventory, self._frame_seconds, self._offset, births)
        spans = without_surplus_spaces(spans, inventory.unit)
        words = words_of(spans, inventory.unit)
        return Hypothesis(found.labels, inventory.text(found.labels), found.score, spans, words)
