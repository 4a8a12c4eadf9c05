"""Measure confidences, and the effect of risk and rescoring: `python benchmarks/confidences.py MODEL CORPUS ...`.

    python benchmarks/confidences.py an4 an4 root=DATA/an4 --weight 0.4 --bonus 0.7
    python benchmarks/confidences.py unipen_words unipen root=DATA/unipen.zip category=words --weight 0.9 --bonus 0.7

Decodes dev and test with greedy search, with the beam, and with the beam and an n-gram of the labels of the training
texts; fits a calibration on dev; prints tables in Markdown. The first table compares ways to compute confidences, on
dev alone, with the speakers in ten folds: cross entropy in nats a word, and expected calibration error. The other
tables report test.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

import asr
from asr.corpus.splits import Corpus
from asr.decoding.beam import BeamDecoder
from asr.decoding.calibration import fit_calibration, fit_curve, logit
from asr.decoding.finishing import Candidate, Finish
from asr.decoding.greedy import GreedyDecoder
from asr.decoding.hypothesis import Hypothesis, Span, Trust
from asr.decoding.hypothesis import words_of as words_of_spans
from asr.decoding.rescoring import Rescoring
from asr.evaluation.recognised import truth_of
from asr.evaluation.split import listen
from asr.experiment.corpus_splits import splits_to_score
from asr.lm.corpus import Corpus as Texts
from asr.lm.counting import count_ngrams
from asr.lm.kneser_ney import estimate_from_counts
from asr.lm.model import SPACE, LanguageModel
from asr.recogniser.recogniser import Recogniser
from asr.resources import user_cache
from asr.scoring.calibration import are_right, calibration_error
from asr.scoring.edits import ErrorCounts, count_errors

AT_A_TIME = 32
FOLDS = 10
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """The posteriors of a split, and its references."""

    log_probs: list[NDArray[np.float32]]
    references: list[tuple[str, ...]]
    speakers: list[str]


@dataclass(frozen=True)
class Words:
    """The evidence for words, whether they are right, and their speakers."""

    trust: list[Trust]
    right: list[bool]
    speakers: list[str]


def main() -> None:
    given = arguments()
    recogniser = asr.load(given.model)
    corpus = splits_to_score(given.corpus, given.options, (), lambda *told: None)
    dev, test = (posteriors(recogniser, corpus, name) for name in ("dev", "test"))
    model, second = (language_model(recogniser, corpus, order) for order in (given.order, given.second))
    tables(recogniser, dev, test, model, second, given)


def tables(
    recogniser: Recogniser,
    dev: Split,
    test: Split,
    model: LanguageModel,
    second: LanguageModel,
    given: argparse.Namespace,
) -> None:
    inventory = recogniser.inventory
    fused, lighter = (
        BeamDecoder(inventory, lm_weight=given.weight, insertion_bonus=given.bonus, model=one)
        for one in (model, second)
    )
    searches = {"greedy": GreedyDecoder(inventory), "beam": BeamDecoder(inventory), "beam, n-gram": fused}
    found = {name: (decoded(one, dev), decoded(one, test)) for name, one in searches.items()}
    choices({name: [best for _, best in of_dev] for name, (of_dev, _) in found.items()}, dev)
    for name, (of_dev, of_test) in found.items():
        report(name, [best for _, best in of_dev], [best for _, best in of_test], dev, test)
    plain, listed = ([candidates for candidates, _ in found[name][1]] for name in ("beam", "beam, n-gram"))
    print("\n| risk | posterior_scale | WER, test | CER, test |\n| --- | --- | --- | --- |")
    for risk, scale in (("none", 1.0), *((risk, scale) for risk in ("words", "labels") for scale in (1.0, 0.5))):
        print(f"| {risk} | {scale:g} | {rates(Finish(risk=risk, posterior_scale=scale), listed, test)} |")
    print("\n| in the search | rescored with | WER, test | CER, test |\n| --- | --- | --- | --- |")
    from_second = [candidates for candidates, _ in decoded(lighter, test)]
    with_bonus = [[rewarded(one, given.bonus) for one in candidates] for candidates in plain]
    rescoring = Finish(rescoring=Rescoring.of(inventory, model, given.weight))
    halved = Finish(rescoring=Rescoring.of(inventory, model, given.weight / 2))
    for name, finish, candidates in (
        ("none", Finish(), plain),
        ("none", halved, with_bonus),
        ("none", rescoring, with_bonus),
        (f"{given.second}-gram", Finish(), from_second),
        (f"{given.second}-gram", halved, from_second),
        (f"{given.order}-gram", Finish(), listed),
    ):
        added = finish.rescoring
        with_what = "none" if added is None else f"{given.order}-gram, weight {added.weight:g}"
        print(f"| {name} | {with_what} | {rates(finish, candidates, test)} |", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("corpus")
    parser.add_argument("options", nargs="*")
    parser.add_argument("--weight", type=float, default=1.0, help="of the language model, chosen on dev")
    parser.add_argument("--bonus", type=float, default=0.0, help="nats a label, chosen on dev")
    parser.add_argument("--order", type=int, default=6, help="of the language model")
    parser.add_argument(
        "--second", type=int, default=4, help="order of the model that is put in its place or beside it"
    )
    return parser.parse_intermixed_args()


def posteriors(recogniser: Recogniser, corpus: Corpus, name: str) -> Split:
    utterances = corpus.splits[name]
    cache, heard = listen(recogniser.for_many(len(utterances)), utterances, user_cache() / "frames")
    found: dict[int, NDArray[np.float32]] = {}
    order = sorted(range(len(utterances)), key=cache.n_frames)
    for start in range(0, len(order), AT_A_TIME):
        batch = order[start : start + AT_A_TIME]
        frames = [heard.frames(cache.frames(i), utterances[i].speaker) for i in batch]
        log_probs, lengths = heard.posteriors(frames)
        found |= {i: one[:length].copy() for i, one, length in zip(batch, log_probs, lengths, strict=True)}
    references = [recogniser.inventory.symbols_of(one) for one in utterances]
    return Split([found[i] for i in range(len(utterances))], references, [str(one.speaker) for one in utterances])


def language_model(recogniser: Recogniser, corpus: Corpus, order: int) -> LanguageModel:
    inventory = recogniser.inventory
    characters = inventory.unit == "characters"
    texts = [("" if characters else " ").join(inventory.symbols_of(one)) for one in corpus.splits["train"]]
    known = [SPACE if characters and label == " " else label for label in inventory.labels[1:]]
    return estimate_from_counts(count_ngrams(Texts.of(texts, inventory.unit, vocabulary=known), order))


class Listing:
    """A replacement for the last step of a decoder that keeps the candidates."""

    candidates = 50
    gap = float("inf")

    def __init__(self) -> None:
        self.found: list[Candidate] = []

    def __call__(self, found: Sequence[Candidate], make: Callable[[int], Hypothesis], n_best: int) -> list[Hypothesis]:
        self.found = list(found)
        return Finish()(found[:20], make, 1)  # as many as by default


def decoded(decoder: Any, split: Split) -> list[tuple[list[Candidate], Hypothesis]]:
    """Return the candidates and the best hypothesis of each utterance."""
    decoder = decoder.for_many(len(split.log_probs)) if hasattr(decoder, "for_many") else decoder
    decoder.finish = Listing()
    rows = []
    for log_probs in split.log_probs:
        search = decoder.begin(1.0)
        search.step(log_probs)
        best = search.end()[0]
        rows.append((decoder.finish.found, best))
    return rows


def words_of(found: Sequence[Hypothesis], split: Split) -> Words:
    trust, right, speakers = [], [], []
    for one, reference, speaker in zip(found, split.references, split.speakers, strict=True):
        assert one.evidence is not None
        good = are_right(truth_of(reference, "characters").words, [word.label for word in one.words])
        trust += one.evidence.words
        right += good
        speakers += [speaker] * len(good)
    return Words(trust, right, speakers)


def choices(searches: dict[str, list[Hypothesis]], dev: Split) -> None:
    """Fit each kind of confidence to the words of nine tenths of the speakers, and measure it on the others."""
    print("| search | confidence | nats a word, dev | error, %, dev |\n| --- | --- | --- | --- |")
    for name, found_in_dev in searches.items():
        words = words_of(found_in_dev, dev)
        ways = WAYS if len({trust.posterior for trust in words.trust}) > 1 else {one: WAYS[one] for one in GREEDY}
        for way, fit in ways.items():
            found = held_out(fit, words)
            error = calibration_error(found.tolist(), words.right, words.speakers)
            truth = np.array(words.right)
            nats = -np.log(np.clip(np.where(truth, found, 1 - found), 1e-3, 1)).mean()
            print(f"| {name} | {way} | {nats:.4f} | {100 * error.error:.1f} |")
    print("\n| search | calibration | of | error, %, test |\n| --- | --- | --- | --- |")


Fitted = Callable[[Sequence[Trust]], Floats]


def logistic(*used: int) -> Callable[[Sequence[Trust], Sequence[bool]], Fitted]:
    """Fit a logistic regression on some of the evidence."""

    def reduced(trust: Sequence[Trust]) -> list[Trust]:
        return [Trust(*(value if place in used else 0.5 for place, value in enumerate(one))) for one in trust]

    def fit(trust: Sequence[Trust], right: Sequence[bool]) -> Fitted:
        curve = fit_curve(reduced(trust), right)
        return lambda others: np.array([curve(one) for one in reduced(others)])

    return fit


def isotonic(place: int) -> Callable[[Sequence[Trust], Sequence[bool]], Fitted]:
    """Fit a monotone map of one kind of evidence (pool adjacent violators), linear between its steps."""

    def fit(trust: Sequence[Trust], right: Sequence[bool]) -> Fitted:
        pools: list[list[float]] = []  # number of right words, of all words, sum of logits
        for one, good in sorted((logit(each[place]), good) for each, good in zip(trust, right, strict=True)):
            pools.append([good, 1, one])
            while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
                last = pools.pop()
                pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
        places, shares = [pool[2] / pool[1] for pool in pools], [pool[0] / pool[1] for pool in pools]
        return lambda others: np.interp([logit(each[place]) for each in others], places, shares)

    return fit


def as_it_is(place: int) -> Callable[[Sequence[Trust], Sequence[bool]], Fitted]:
    return lambda trust, right: lambda others: np.array([one[place] for one in others])


WAYS = {
    "posterior": as_it_is(0),
    "peaks": as_it_is(1),
    "posterior, isotonic": isotonic(0),
    "peaks, isotonic": isotonic(1),
    "posterior, logistic": logistic(0),
    "peaks, logistic": logistic(1),
    "both, logistic": logistic(0, 1),
}
GREEDY = ("peaks", "peaks, isotonic", "peaks, logistic")


def held_out(fit: Callable[[Sequence[Trust], Sequence[bool]], Fitted], words: Words) -> Floats:
    known = sorted(set(words.speakers))
    found = np.zeros(len(words.trust))
    for fold in range(min(FOLDS, len(known))):
        out = set(known[fold :: min(FOLDS, len(known))])
        rest = [i for i, one in enumerate(words.speakers) if one not in out]
        mine = [i for i, one in enumerate(words.speakers) if one in out]
        fitted = fit([words.trust[i] for i in rest], [words.right[i] for i in rest])
        found[mine] = fitted([words.trust[i] for i in mine])
    return found


def report(name: str, of_dev: list[Hypothesis], of_test: list[Hypothesis], dev: Split, test: Split) -> None:
    """Measure the confidences of test with the maps fitted on dev."""
    calibration = fit_calibration(of_dev, [truth_of(reference, "characters") for reference in dev.references])
    calibrated = [calibration(one, one.evidence) for one in of_test if one.evidence is not None]
    numbers = ", ".join(f"{number:.4g}" for number in calibration.numbers())
    for kind, hypotheses in (("none", of_test), (f"[{numbers}]", calibrated)):
        for what, row in rows_of(hypotheses, test):
            print(f"| {name} | {kind} | {what} | {row} |", flush=True)


def rows_of(found: Sequence[Hypothesis], split: Split) -> Iterator[tuple[str, str]]:
    truths = [truth_of(reference, "characters") for reference in split.references]
    pairs = list(zip(found, truths, strict=True))
    words, labels = [], []
    for one, truth in pairs:
        names = [word.label for word in one.words]
        sure = [word.confidence for word in one.words]
        words.append(list(zip(sure, are_right(truth.words, names), strict=True)))
        sure = [span.confidence for span in one.spans]
        labels.append(list(zip(sure, are_right(truth.labels, one.labels), strict=True)))
    utterances = [[(one.confidence, one.labels == truth.labels)] for one, truth in pairs]
    for what, groups in (("words", words), ("labels", labels), ("utterances", utterances)):
        people = [who for who, group in zip(split.speakers, groups, strict=True) for _ in group]
        flat = list(chain.from_iterable(groups))
        yield what, str(calibration_error([one for one, _ in flat], [good for _, good in flat], people))


def rates(finish: Finish, found: Sequence[Sequence[Candidate]], split: Split) -> str:
    """Return the errors in words and in characters, in percent, of the candidates that a finish chooses."""
    words, labels = ErrorCounts(), ErrorCounts()
    for candidates, reference in zip(found, split.references, strict=True):
        truth = truth_of(reference, "characters")
        (best,) = finish(candidates, partial(bare, candidates), 1)
        words += count_errors(truth.words, best.text.split())
        labels += count_errors(truth.labels, best.labels)
    return f"{100 * words.rate:.2f} | {100 * labels.rate:.2f}"


def rewarded(one: Candidate, bonus: float) -> Candidate:
    """Add a bonus for each label to a candidate; it offsets a language model's preference for short texts."""
    return one._replace(score=replace(one.score, insertion=bonus * len(one.labels)))


def bare(candidates: Sequence[Candidate], number: int) -> Hypothesis:
    """Return a hypothesis without times."""
    labels, score, words = candidates[number]
    spans = tuple(Span(label, place, place + 1, 1.0) for place, label in enumerate(labels))
    return Hypothesis(labels, " ".join(words), score, spans, words_of_spans(spans, "characters"))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
