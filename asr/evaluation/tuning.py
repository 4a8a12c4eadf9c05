"""Tune the weights of a decoder on a development set: posteriors are computed once, and decoded with many weights.

The weights are chosen on all speakers together, so the error rate of the choice is too optimistic for other people.
Therefore each speaker (each tenth of the speakers, if there are more than ten) is also decoded with the weights that
are best for all others, among the same points, and the error rate over all speakers is reported as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.config import Component, nearest
from asr.corpus.phonemes import fold
from asr.corpus.utterance import Utterance
from asr.decoding.calibration import fit_calibration
from asr.decoding.choice import DecoderChoice, named
from asr.decoding.finishing import best_alone
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.marks import Weight, effective_weights, weights_of
from asr.decoding.search import Decoder, decode, for_many
from asr.errors import ConfigError, DataError
from asr.evaluation.model import default_rates
from asr.evaluation.recognised import Compared, Recognised
from asr.evaluation.split import Progress, listen, people_of
from asr.evaluation.tuning_search import Axis, Point, WeightSearch, best_of, expected_tries
from asr.recogniser.batching import Posteriors, posteriors_of
from asr.recogniser.parts import decoder_of
from asr.recogniser.recogniser import Recogniser
from asr.scoring.edits import ErrorCounts
from asr.scoring.named_rates import check_labels, check_rates, rates_of_unit
from asr.scoring.rates import Rate
from asr.scoring.utterances import rates_of

_UTTERANCES = "utterances"

FOLDS = 10
"""The most parts into which speakers are divided; each is decoded with the weights that are best for the others."""


@dataclass(frozen=True)
class Tuning:
    """The result of a tuning. A point is one value for each weight.

    Attributes:
        rate: the error rate that was minimised.
        axes: the weights.
        surface: the error counts of every point that was tried, sorted by point.
        chosen: the best point.
        choice: the decoder with the best weights and, if it supports that, with calibrated confidences.
        before: the error rates with the earlier decoder of the model; empty if they cannot be compared.
        after: the error rates with the choice, on the utterances that it was chosen on.
        others: the error rates if each part is decoded with the weights that are best for the other parts.
        n_folds: how many parts there are.
        parts: the word for what was divided: `speakers`, `writers`, or `utterances` if fewer than two people are known.
    """

    rate: str
    axes: tuple[Axis, ...]
    surface: Mapping[Point, ErrorCounts]
    chosen: Point
    choice: DecoderChoice
    before: Mapping[str, Rate]
    after: Mapping[str, Rate]
    others: Mapping[str, Rate]
    n_folds: int
    parts: str

    @property
    def is_worse(self) -> bool:
        """True if the choice makes more errors than the model's earlier decoder."""
        return bool(self.before) and self.after[self.rate].counts.errors > self.before[self.rate].counts.errors

    @property
    def farthest(self) -> list[str]:
        """The names of the weights whose best value is as far from the start as the search goes."""
        return [axis.name for axis, value in zip(self.axes, self.chosen, strict=True) if axis.is_farthest(value)]


def tune(
    recogniser: Recogniser,
    decoder: DecoderChoice,
    utterances: Sequence[Utterance],
    cache_dir: Path,
    on_progress: Progress,
    *,
    split: str = "dev",
    rate: str | None = None,
    names: Sequence[str] = (),
    plugins: Sequence[str] = (),
    keep_weights: bool = False,
) -> Tuning:
    """Tune the weights of a decoder, and calibrate its confidences.

    Args:
        recogniser: the model, with its earlier decoder.
        decoder: the decoder to tune; the search begins at its weights.
        utterances: at least one utterance, with transcripts.
        cache_dir: the folder in which computed frames are kept.
        on_progress: called with `(what, done, total)`.
        split: the name of the set of utterances.
        rate: the error rate to minimise; None: the first of the default rates.
        names: the options to tune; empty: all that the decoder marks as weights.
        plugins: modules of the user that may hold the decoder.
        keep_weights: only calibrate, and keep the weights.

    Raises:
        ConfigError: the decoder lacks a named weight, or has no weights or no calibration; or the rate does not fit the
            inventory.
        DataError: there are no utterances, a transcript is missing, or a source cannot be read.
    """
    axes = () if keep_weights else axes_of(decoder, names)
    if keep_weights:
        check_calibration(decoder)
    compared = Compared.of(recogniser.inventory, decoder_of(recogniser.config, decoder, plugins))
    rates = _rates(compared, rate)
    if not utterances:
        raise DataError(f"{split} has no utterances; tuning requires utterances with transcripts")
    for one in utterances:
        compared.reference(one)  # raises early if a transcript is missing
    before = recogniser.for_many(len(utterances))
    posteriors = _posteriors(before, utterances, cache_dir, split, on_progress)
    trial = _Trial(before, decoder, axes, utterances, posteriors, plugins)
    surface: dict[Point, NDArray[np.int64]] = {}  # (N, 4): the fields of `ErrorCounts` of each utterance

    def attempt(points: Sequence[Point]) -> list[Point]:
        for point in points:
            if (recognised := trial.if_accepted(point)) is None:
                continue
            surface[point] = np.array([_fields(one.count(rates[0])) for one in recognised])
            expected = max(expected_tries(axes), len(surface))
            on_progress(f"decoding {split} with other weights", len(surface), expected)
        return [point for point in points if point in surface]

    chosen = (
        WeightSearch(axes, lambda point: _total(surface[point]).errors, attempt).run() if axes else attempt([()])[0]
    )
    folds, people = folds_of(utterances), people_of(utterances)
    without = [_chosen_without(fold, axes, surface) for fold in folds]
    found = {point: trial.with_weights(point) for point in {chosen, *without}}
    scores = {point: [one.score(rates) for one in recognised] for point, recognised in found.items()}
    return Tuning(
        rate=rates[0],
        axes=axes,
        surface={point: _total(surface[point]) for point in sorted(surface)},
        chosen=chosen,
        choice=named(_calibrated(trial.component(chosen), found[chosen]), decoder.chosen_on if keep_weights else split),
        before=_rates_before(trial, before.decoder, compared, rates, people),
        after=rates_of(scores[chosen], people),
        others=rates_of([scores[point][i] for point, fold in zip(without, folds, strict=True) for i in fold], people),
        n_folds=len(folds),
        parts=parts_of(utterances),
    )


def sample_of(utterances: Sequence[Utterance], at_most: int) -> list[Utterance]:
    """Return at most so many utterances, in equal steps over all of them, so that many speakers are included.

    >>> sample_of(list("abcdefg"), 3)
    ['a', 'c', 'e']
    """
    size = min(at_most, len(utterances))
    return [utterances[i * len(utterances) // size] for i in range(size)]


def check_calibration(decoder: DecoderChoice) -> None:
    """Raise a ConfigError if a decoder has no calibration."""
    if "calibration" not in decoder.component.completed().options:
        raise ConfigError(f"the decoder {decoder.name} has no calibration; choose another, such as decoder=beam")


def _calibrated(decoder: Component, recognised: Sequence[Recognised]) -> Component:
    """Return the decoder with a fitted calibration; without that option or without evidence, return it unchanged."""
    known = [one for one in recognised if one.hypothesis.evidence is not None]
    if "calibration" not in decoder.options or not known:
        return decoder
    calibration = fit_calibration([one.hypothesis for one in known], [one.truth for one in known])
    return decoder.with_options(calibration=[float(f"{number:.5g}") for number in calibration.numbers()])


def _chosen_without(fold: Sequence[int], axes: Sequence[Axis], surface: Mapping[Point, NDArray[np.int64]]) -> Point:
    """Return the point that is best for the utterances outside a fold."""
    errors = {point: _total(np.delete(counts, fold, axis=0)).errors for point, counts in surface.items()}
    return best_of(set(surface), axes, errors.__getitem__)


def axes_of(decoder: DecoderChoice, names: Sequence[str] = ()) -> tuple[Axis, ...]:
    """Return the weights to tune.

    Args:
        decoder: the decoder with the weights.
        names: the options to tune; empty: all that the decoder marks as weights and that have an effect.

    Raises:
        ConfigError: there are no weights, or a named option has no effect or is not a number.
    """
    options, weights = decoder.component.completed().options, weights_of(decoder.component)
    effective = effective_weights(decoder.component)
    head, names = decoder.name.partition(",")[0], names or effective
    if not names:
        raise ConfigError(
            f"the decoder {head} has no weights to tune; choose another, such as decoder=beam decoder.lm=FILE"
        )
    numbers = {
        name: float(value) for name, value in options.items() if isinstance(value, int | float) and value is not True
    }
    for name in names:
        if name in weights and name not in effective:
            needed = f"decoder.{weights[name].needs}"
            raise ConfigError(f"{name} has no effect without {needed}; set {needed}=..., or tune another weight")
        if name not in numbers:
            known = f"; expected one of {', '.join(numbers)}" if numbers else ""
            raise ConfigError(f"the decoder {head} has no weight '{name}'{nearest(name, numbers)}{known}")
    return tuple(Axis(name, numbers[name], weights.get(name) or _unmarked(numbers[name])) for name in names)


def _unmarked(start: float) -> Weight:
    """Return the steps for an option that a user names although it is not marked as a weight."""
    return Weight(abs(start) / 2 or 0.5)


def _rates(compared: Compared, rate: str | None) -> list[str]:
    """Return the rates to report, with the one to minimise first."""
    inventory, unit = compared.inventory, compared.unit
    usual = [one for one in default_rates(inventory, unit) if one != rate]
    rates = usual if rate is None else [rate, *usual]
    if rate is not None and rate not in rates_of_unit(unit):
        check_rates([rate], unit)
    check_labels(rates, inventory.labels[1:], unit, fold)
    return rates


def _rates_before(
    trial: _Trial, decoder: Decoder, compared: Compared, rates: Sequence[str], people: str
) -> dict[str, Rate]:
    """Return the rates of the earlier decoder; none if it is compared in another unit than the tuned one."""
    if Compared.of(compared.inventory, decoder) != compared:
        return {}
    return rates_of([one.score(rates) for one in trial.recognised(decoder)], people)


class _Trial:
    """The decoding of the same posteriors with different weights.

    Args:
        recogniser: the recogniser that computed the posteriors.
        decoder: the decoder whose weights are tuned.
        axes: the weights.
        utterances: the utterances, with transcripts.
        posteriors: the posteriors of the utterances.
        plugins: modules of the user that may hold the decoder.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        decoder: DecoderChoice,
        axes: Sequence[Axis],
        utterances: Sequence[Utterance],
        posteriors: Sequence[Posteriors],
        plugins: Sequence[str],
    ) -> None:
        self._recogniser, self._decoder, self._axes = recogniser, decoder, tuple(axes)
        self._utterances, self._posteriors, self._plugins = utterances, posteriors, plugins
        self._held = decoder_of(recogniser.config, decoder, plugins)  # keeps the language model loaded

    def component(self, point: Point) -> Component:
        """Return the decoder with the weights of a point; an option that was a whole number stays one if possible."""
        options = self._decoder.component.completed().options
        values = {
            axis.name: int(value) if type(options[axis.name]) is int and value.is_integer() else value
            for axis, value in zip(self._axes, point, strict=True)
        }
        return self._decoder.component.completed().with_options(**values)

    def if_accepted(self, point: Point) -> list[Recognised] | None:
        """Decode all utterances for their best texts; return None if the decoder does not accept the weights."""
        component = self.component(point)
        if not any(axis.name == "candidates" for axis in self._axes):
            component = best_alone(component)  # only the best texts are scored
        try:
            return self._decoded(component)
        except ConfigError:  # such as beam=0 or beam=0.5; the start was accepted, so nothing else is wrong
            return None

    def with_weights(self, point: Point) -> list[Recognised]:
        """Decode all utterances with the weights of a point, with confidences."""
        return self._decoded(self.component(point))

    def _decoded(self, component: Component) -> list[Recognised]:
        decoder = decoder_of(self._recogniser.config, named(component), self._plugins)
        return self.recognised(for_many(decoder, len(self._utterances) * expected_tries(self._axes)))

    def recognised(self, decoder: Decoder) -> list[Recognised]:
        """Decode all utterances with a decoder."""
        found: dict[int, Hypothesis] = {}
        for one in self._posteriors:
            decoded = decode(decoder, one.log_probs, one.lengths, self._recogniser.frame_seconds)
            found.update(zip(one.numbers, (n_best[0] for n_best in decoded), strict=True))
        compared = Compared.of(self._recogniser.inventory, decoder)
        return [compared(one, [found[i]]) for i, one in enumerate(self._utterances)]


def _posteriors(
    recogniser: Recogniser, utterances: Sequence[Utterance], cache_dir: Path, split: str, on_progress: Progress
) -> list[Posteriors]:
    """Compute the posteriors of all utterances."""
    cache, heard = listen(
        recogniser, utterances, cache_dir, lambda done, total: on_progress(f"frames of {split}", done, total)
    )
    sizes = [heard.stacking.out_length(cache.n_frames(i)) for i in range(len(utterances))]
    found, n_done = [], 0
    for one in posteriors_of(heard, sizes, lambda i: heard.frames(cache.frames(i), utterances[i].speaker)):
        found.append(one)
        n_done += len(one.numbers)
        on_progress(f"posteriors of {split}", n_done, len(utterances))
    return found


def folds_of(utterances: Sequence[Utterance]) -> list[list[int]]:
    """Divide utterances by their speakers into `FOLDS` parts, or into one part per speaker if there are fewer.

    The parts have about the same size. An utterance without a speaker counts as a speaker of its own; if there is a
    single speaker, every utterance does.

    Returns:
        The numbers of the utterances of each part; no parts if there would be fewer than two.
    """
    single = parts_of(utterances) == _UTTERANCES
    by_speaker: dict[str, list[int]] = {}
    for i, one in enumerate(utterances):
        alone = one.speaker is None or single
        by_speaker.setdefault(f"utterance {i}" if alone else f"speaker {one.speaker}", []).append(i)
    folds: list[list[int]] = [[] for _ in range(min(FOLDS, len(by_speaker)))]
    for numbers in sorted(by_speaker.values(), key=lambda numbers: (-len(numbers), numbers)):
        min(folds, key=len).extend(numbers)
    return folds if len(folds) > 1 else []


def parts_of(utterances: Sequence[Utterance]) -> str:
    """Return what `folds_of` divides: `speakers`, `writers`, or `utterances` if fewer than two people are known."""
    known = {one.speaker for one in utterances}
    return people_of(utterances) if len(known) > 1 else _UTTERANCES


def _fields(counts: ErrorCounts) -> tuple[int, int, int, int]:
    return counts.correct, counts.substitutions, counts.deletions, counts.insertions


def _total(counts: NDArray[np.int64]) -> ErrorCounts:
    return ErrorCounts(*(int(one) for one in counts.sum(axis=0)))
