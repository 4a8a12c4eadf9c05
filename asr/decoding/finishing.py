"""The steps after a search, for all decoders: rescore the candidates, choose one, and compute its confidences.

A search ranks labellings by its objective. After it come, each only if an option asks for it,

1. a second language model (`asr.decoding.rescoring`): candidates are ranked anew;
2. posteriors of the candidates (`asr.decoding.confidence`), and the choice of least risk (`asr.decoding.risk`);
3. confidences of labels, words and the utterance, calibrated (`asr.decoding.calibration`).

How a decoder uses this:

- its config dataclass inherits `FinishConfig`; its constructor takes the same options and makes
  `self._finish = Finish.of(inventory, FinishConfig(candidates, ...))`;
- its `end(n_best)` lists the best `max(n_best, finish.candidates)` candidates without making hypotheses of them, and
  may leave out those behind the `n_best` whose total score lies more than `finish.gap` below the best one's. It
  returns `finish(candidates, make, n_best)`. `make(i)` makes the hypothesis of candidate i, with times, and with the
  confidences that the posteriors alone give: the highest posterior in a label's run, the lowest of a word's labels.
  It is called for the returned ones only, so that nothing is aligned in vain.
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
"""What a search returns where no labelling is possible that it looks for."""


@dataclass
class FinishConfig:
    """Options of `Finish`: the base of the config dataclasses of decoders that find several candidates.

    Attributes:
        candidates: how many labellings of the search are compared; 1: confidences are the peaks, as of greedy
            search.
        posterior_scale: factor of the scores before they become posteriors; below 1 it evens them out.
        risk: `none` keeps the order of the scores; `labels` or `words` puts the candidate first whose expected number
            of errors in these is lowest.
        rescore: a second language model, by name or path; none by default.
        rescore_weight: factor of its log probability.
        calibration: see `asr.decoding.calibration`; empty for none.
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
    """Return a decoder that finds the same best texts in about half the time, because it lists no others.

    The other candidates serve the confidences, and the choice of the best text only where that is by risk or by a
    second language model. Such a decoder, and one without these options, is returned as it is.
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
        labels: as `Hypothesis.labels`, without surplus spaces. Candidates with equal labels and words count as one.
        score: of the search.
        words: as the labels of `Hypothesis.words`.
    """

    labels: tuple[str, ...]
    score: Score
    words: tuple[str, ...]


def candidate(labels: tuple[str, ...], score: Score, inventory: Inventory) -> Candidate:
    """Make a candidate whose words are those of its text, or its labels where the inventory holds whole labels.

    Args:
        labels: without blanks; surplus spaces are left out.
        score: of the search.
        inventory: of which the labels are.
    """
    if inventory.unit == "labels":
        return Candidate(labels, score, labels)
    written = "".join(labels)
    text = normalise_text(written)
    return Candidate(labels if text == written else _visible(labels), score, tuple(text.split()))


def _visible(labels: Tokens) -> Tokens:
    """Leave out spaces at the ends, and all but the first of several; see `without_surplus_spaces`."""
    pairs = zip(labels, (" ", *labels), strict=False)
    kept = [label for label, before in pairs if not (label.isspace() and before.isspace())]
    return tuple(kept[:-1] if kept and kept[-1].isspace() else kept)


@dataclass(frozen=True)
class Finish:
    """The steps after a search; see this module.

    Attributes:
        candidates: how many a search should list.
        posterior_scale, risk: see `FinishConfig`.
        calibration: makes confidences of evidence; None: they are the posteriors, of one candidate the peaks.
        rescoring: the second language model, if any.
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
            inventory: labels of the candidates.
            options: see `FinishConfig`.
            model: a language model in place of the one that `options.rescore` names.

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
        if options.rescore_weight == 0:  # of -inf, it is not a number
            rescoring = None
        return cls(options.candidates, options.posterior_scale, options.risk, calibration, rescoring)

    @property
    def gap(self) -> float:
        """The distance from the best score, in nats, beyond which a candidate affects only the list of the `n_best`."""
        return (
            math.inf
            if self.rescoring is not None or self.risk != "none"
            else -math.log(NEGLIGIBLE) / self.posterior_scale
        )

    def __call__(self, found: Sequence[Candidate], make: Callable[[int], Hypothesis], n_best: int) -> list[Hypothesis]:
        """Return the best hypotheses, best first, with their confidences.

        Args:
            found: what the search found, best first, at least one.
            make: makes the hypothesis of a candidate by its number in `found`.
            n_best: how many are wanted at most.
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
    """Rank candidates, and count those with the same labels and words as one (homophones differ in their words).

    Returns:
        the number of the best candidate of each kind, best first, and the posterior of each kind.
    """
    ranked = sorted(range(len(found)), key=lambda i: -found[i].score.total)  # stable
    posteriors: dict[tuple[Tokens, Tokens], float] = {}
    best: dict[tuple[Tokens, Tokens], int] = {}
    for i, posterior in zip(ranked, candidate_posteriors([found[i].score.total for i in ranked], scale), strict=True):
        kind = (found[i].labels, found[i].words)
        posteriors[kind] = posteriors.get(kind, 0.0) + posterior
        best.setdefault(kind, i)
    return list(best.values()), list(posteriors.values())
