"""The steps after a search, for all decoders: rescore the candidates, choose one, and compute its confidences.

A search ranks labellings by its objective. Then follow

1. if `rescore` is set, a second language model (`asr.decoding.rescoring`), which ranks the candidates again;
2. the posteriors of the candidates (`asr.decoding.confidence`) and, if `risk` is set, the choice of least risk
   (`asr.decoding.risk`);
3. the confidences of labels, words and the utterance, calibrated if `calibration` is set (`asr.decoding.calibration`).

How a decoder uses this module:

- Its config dataclass inherits `FinishConfig`; its constructor takes the same options and makes
  `self.finish = Finish.of(inventory, FinishConfig(candidates, ...))`.
- Its `end(n_best)` lists the best `max(n_best, finish.candidates)` candidates without making hypotheses of them. Of
  those after the first `n_best`, it may leave out candidates whose score is more than `finish.gap` below the best.
- It returns `finish(candidates, make, n_best)`. `make(i)` makes the hypothesis of candidate i, with times, and with
  peaks as confidences: the highest posterior in the run of a label, the lowest of the labels of a word. It is called
  only for hypotheses that are returned, because aligning takes time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from asr.config import Component, check_values, config_class, one_of
from asr.decoding.calibration import UNCALIBRATED, Calibration
from asr.decoding.confidence import NEGLIGIBLE, candidate_posteriors, evidence_of, shares_of
from asr.decoding.hypothesis import Evidence, Hypothesis, Score, Trust
from asr.decoding.marks import LM_FILE, weight
from asr.decoding.rescoring import Rescoring
from asr.decoding.restriction import ALL
from asr.decoding.risk import RISKS, by_risk, expected_errors
from asr.lm.stored import load_model
from asr.text import normalise_text

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory
    from asr.lm.model import LanguageModel

Tokens: TypeAlias = tuple[str, ...]

IMPOSSIBLE = Hypothesis((), "", Score(-math.inf), (), (), 0.0, Evidence((), (), Trust(0.0, 0.0)))
"""The empty hypothesis with score -inf, which a search returns if every labelling has probability 0."""


@dataclass
class FinishConfig:
    """Options of `Finish`, the base of the config dataclasses of decoders that find several candidates.

    Attributes:
        candidates: how many labellings of the search are compared; 1: confidences are the peaks, as in greedy search.
        posterior_scale: the factor of the scores in the exponent of the posteriors; below 1 they become more equal.
        risk: `none` ranks candidates by score; `labels` or `words` ranks them by the expected number of errors in
            labels or words, fewest first.
        rescore: a second language model, by name or path; None: no rescoring.
        rescore_weight: the factor of its log probability.
        calibration: see `asr.decoding.calibration`; empty: none.
        labels: the labels that may be written, such as `digits` or `1 2 3`; see `asr.decoding.restriction`.
    """

    candidates: int = 20
    posterior_scale: float = 1.0
    risk: str = "none"
    rescore: str | None = field(default=None, metadata=LM_FILE)
    rescore_weight: float = field(default=0.5, metadata=weight(0.25, needs="rescore", least=0.0))
    calibration: list[float] = field(default_factory=list)
    labels: str = ALL


def best_alone(decoder: Component) -> Component:
    """Return a decoder that finds the same best text in about half the time, because it lists no other candidates.

    Other candidates influence the confidences, but the best text only if it is chosen by risk or by a second language
    model. A decoder with such an option, or without the options of `FinishConfig`, is returned unchanged.

    >>> from asr.decoding.beam import BeamConfig
    >>> from asr.decoding.finishing import best_alone
    >>> best_alone(Component.of(BeamConfig(beam=20))).options["candidates"]
    1
    """
    schema = config_class(decoder.target)
    if schema is None or not issubclass(schema, FinishConfig):
        return decoder
    options = decoder.completed().options
    needed = options["risk"] != "none" or options["rescore"] is not None
    return decoder if needed else decoder.with_options(candidates=1)


class Candidate(NamedTuple):
    """A labelling that a search found.

    Attributes:
        labels: the labels without surplus spaces, as in `Hypothesis.labels`.
        score: the score of the search.
        words: the text of each word.
    """

    labels: tuple[str, ...]
    score: Score
    words: tuple[str, ...]


def candidate(labels: tuple[str, ...], score: Score, inventory: Inventory) -> Candidate:
    """Make a candidate; its words are those of its text or, if the inventory has whole labels, the labels.

    Args:
        labels: the labels without blanks; surplus spaces are removed.
        score: the score of the search.
        inventory: the inventory of the labels.
    """
    if inventory.unit == "labels":
        return Candidate(labels, score, labels)
    written = "".join(labels)
    text = normalise_text(written)
    return Candidate(labels if text == written else _visible(labels), score, tuple(text.split()))


def _visible(labels: Tokens) -> Tokens:
    """Remove spaces at the ends, and all but the first of several in a row; see `without_surplus_spaces`."""
    pairs = zip(labels, (" ", *labels), strict=False)
    kept = [label for label, before in pairs if not (label.isspace() and before.isspace())]
    return tuple(kept[:-1] if kept and kept[-1].isspace() else kept)


@dataclass(frozen=True)
class Finish:
    """The steps after a search; the module describes them.

    Attributes:
        candidates: how many candidates a search should list.
        posterior_scale: see `FinishConfig`.
        risk: see `FinishConfig`.
        calibration: computes confidences from evidence; None: they are the posteriors or, of a single candidate, peaks.
        rescoring: the second language model; None: no rescoring.
    """

    candidates: int = 20
    posterior_scale: float = 1.0
    risk: str = "none"
    calibration: Calibration | None = None
    rescoring: Rescoring | None = None

    @classmethod
    def of(cls, inventory: Inventory, options: FinishConfig, model: LanguageModel | None = None) -> Finish:
        """Build the steps from checked options.

        Args:
            inventory: the labels.
            options: see `FinishConfig`.
            model: a language model, used instead of the one that `options.rescore` names.

        Raises:
            ConfigError: an option is out of range, or a language model does not fit the inventory.
            DataError, CheckpointError: the language model cannot be read.
        """
        check_values(
            vars(options),
            {
                "candidates": (options.candidates >= 1, "a whole number, 1 or more"),
                "posterior_scale": (0 < options.posterior_scale < float("inf"), "a number above 0"),
                "risk": one_of(options.risk, RISKS),
            },
        )
        calibration = Calibration.of(options.calibration)
        if model is None and options.rescore is not None:
            model = load_model(options.rescore, inventory.unit)
        rescoring = None if model is None else Rescoring.of(inventory, model, options.rescore_weight)
        if options.rescore_weight == 0:  # 0 * -inf would be NaN
            rescoring = None
        return cls(options.candidates, options.posterior_scale, options.risk, calibration, rescoring)

    @property
    def gap(self) -> float:
        """The distance in nats below the best score from which a candidate has no influence on the best hypothesis."""
        return (
            math.inf
            if self.rescoring is not None or self.risk != "none"
            else -math.log(NEGLIGIBLE) / self.posterior_scale
        )

    def __call__(self, found: Sequence[Candidate], make: Callable[[int], Hypothesis], n_best: int) -> list[Hypothesis]:
        """Return the best hypotheses, best first, with their confidences.

        Args:
            found: the candidates of the search, best first, at least one.
            make: makes the hypothesis of a candidate, given its number in `found`.
            n_best: the most hypotheses to return.
        """
        if self.rescoring is not None:
            scores = self.rescoring.scores(found)
            found = [one._replace(score=score) for one, score in zip(found, scores, strict=True)]
        distinct, posteriors = distinct_candidates(found, self.posterior_scale)
        labels = [found[i].labels for i in distinct]
        words = [found[i].words for i in distinct]
        hypotheses = []
        for place in self._order(labels, words, posteriors)[:n_best]:
            made = replace(make(distinct[place]), score=found[distinct[place]].score)
            of_labels, of_words = (shares_of(place, tokens, posteriors) for tokens in (labels, words))
            hypotheses.append(self.confident(made, evidence_of(made, of_labels, of_words, posteriors[place])))
        return hypotheses

    def confident(self, hypothesis: Hypothesis, evidence: Evidence) -> Hypothesis:
        """Return a hypothesis with the confidences that follow from its evidence."""
        if self.calibration is None and self.candidates == 1:
            return replace(hypothesis, confidence=evidence.utterance.peak, evidence=evidence)
        return (self.calibration or UNCALIBRATED)(hypothesis, evidence)

    def _order(self, labels: Sequence[Tokens], words: Sequence[Tokens], posteriors: Sequence[float]) -> Sequence[int]:
        if self.risk == "none":
            return range(len(posteriors))
        return by_risk(expected_errors(labels if self.risk == "labels" else words, posteriors))


def distinct_candidates(found: Sequence[Candidate], scale: float) -> tuple[list[int], list[float]]:
    """Rank candidates, and merge those with the same labels and words (homophones differ in their words).

    Returns:
        The numbers of the candidates that remain, best first, and the summed posterior of each.
    """
    ranked = sorted(range(len(found)), key=lambda i: -found[i].score.total)  # stable
    posteriors: dict[tuple[Tokens, Tokens], float] = {}
    best: dict[tuple[Tokens, Tokens], int] = {}
    for i, posterior in zip(ranked, candidate_posteriors([found[i].score.total for i in ranked], scale), strict=True):
        kind = (found[i].labels, found[i].words)
        posteriors[kind] = posteriors.get(kind, 0.0) + posterior
        best.setdefault(kind, i)
    return list(best.values()), list(posteriors.values())
