"""Decode pen posteriors with a recurrent label model, in the search or after it, beside n-grams of letters.

    python benchmarks/decoding.py write FOLDER --sets unipen_words unipen_lines    # posteriors, dev and test
    python benchmarks/recurrent_decoding.py FOLDER runs/books/char_lstm/.../model.lm kn6.lm

The second model is an n-gram of the text that the recurrent model was trained on. Every side decodes utterances of dev,
taken in equal steps over the set. Its weights move by a step, one at a time, as long as fewer words are wrong. With the
best weights it decodes the utterances of test once. Milliseconds are processor time of one thread on test.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from measuring import environment
from numpy.typing import NDArray

from asr.corpus.inventory import Inventory
from asr.corpus.phonemes import fold
from asr.decoding.beam import BeamDecoder
from asr.decoding.greedy import GreedyDecoder
from asr.evaluation.tuning import sample_of
from asr.lm.model import LanguageModel
from asr.lm.stored import load_model
from asr.scoring.named_rates import count
from asr.scoring.rates import Rate, rate_of

START: Mapping[str, float] = {"lm_weight": 0.5, "insertion_bonus": 0.75}
STEPS = {"lm_weight": 0.25, "rescore_weight": 0.25, "insertion_bonus": 0.75}
CANDIDATES = 20


@dataclass(frozen=True)
class Written:
    """An utterance: its posteriors, its reference and its writer."""

    log_probs: NDArray[np.float32]
    text: str
    writer: str


@dataclass(frozen=True)
class Side:
    """A way to decode: greedy search if it has no model."""

    name: str
    model: LanguageModel | None = None
    beam: int = 100
    start: Mapping[str, float] = field(default_factory=lambda: START)
    rescore: str | None = None

    def decoder(self, inventory: Inventory, weights: Mapping[str, float]) -> BeamDecoder | GreedyDecoder:
        if self.model is None:
            return GreedyDecoder(inventory)
        candidates = CANDIDATES if self.rescore else 1
        decoder = BeamDecoder(
            inventory, model=self.model, beam=self.beam, candidates=candidates, rescore=self.rescore, **weights
        )  # type: ignore[arg-type]
        return decoder.for_many(10**6)


def sides(recurrent: str, ngram: str, beam: int) -> Iterator[Side]:
    """List the sides; greedy search first."""
    letters, same, network = (load_model(one, "characters") for one in ("english_letters", ngram, recurrent))
    both = {"lm_weight": 0.25, "rescore_weight": 0.25, "insertion_bonus": 0.75}
    yield Side("greedy")
    yield Side("`english_letters` in the search, beam 100", letters)
    yield Side("n-gram in the search, beam 100", same)
    yield Side(f"n-gram in the search, beam {beam}", same, beam)
    yield Side(f"recurrent model in the search, beam {beam}", network, beam)
    rescored = f"{CANDIDATES} texts rescored by the recurrent model"
    yield Side(f"n-gram in the search, beam 100, {rescored}", same, 100, both, recurrent)
    yield Side(f"`english_letters` in the search, beam 100, {rescored}", letters, 100, both, recurrent)


def read(folder: Path, name: str, split: str, most: int) -> tuple[Inventory, list[Written]]:
    """Read at most a number of the utterances that `decoding.py write` wrote, in equal steps."""
    with np.load(folder / f"{name}_{split}.npz") as file:
        log_probs, ends = file["log_probs"], np.cumsum(file["lengths"])
        texts, writers, labels = (file[key].tolist() for key in ("texts", "speakers", "labels"))
    parts = np.split(log_probs, ends[:-1])
    written = [Written(*one) for one in zip(parts, texts, writers, strict=True)]
    return Inventory(tuple(labels), "characters"), sample_of(written, most)  # type: ignore[type-var]


def decoded(decoder: BeamDecoder | GreedyDecoder, written: Sequence[Written]) -> tuple[list[Rate], float]:
    """Return the error rates of words and characters, and the milliseconds an utterance takes."""
    texts, seconds = [], []
    for one in written:
        start = time.process_time()
        search = decoder.begin(0.01)
        search.step(one.log_probs)
        texts.append(search.end(1)[0].text)
        seconds.append(time.process_time() - start)
    rates = []
    for name in ("wer", "cer"):
        counts = [
            count(name, tuple(one.text), tuple(text), "characters", fold)
            for one, text in zip(written, texts, strict=True)
        ]
        rates.append(rate_of(counts, [one.writer for one in written]))
    return rates, 1000 * statistics.fmean(seconds)


def best_weights(side: Side, inventory: Inventory, dev: Sequence[Written]) -> tuple[Mapping[str, float], list[Rate]]:
    """Return weights whose neighbours make no fewer word errors on dev, found by hill climbing."""
    tried: dict[tuple[float, ...], list[Rate]] = {}

    def errors(weights: Mapping[str, float]) -> int:
        point = tuple(weights.values())
        if point not in tried:
            tried[point] = decoded(side.decoder(inventory, weights), dev)[0]
        return tried[point][0].counts.errors

    best: Mapping[str, float] = {} if side.model is None else side.start
    while True:
        moved = [{**best, name: best[name] + sign * STEPS[name]} for name in best for sign in (-1, 1)]
        nearest = min([best, *(one for one in moved if min(one.values()) >= 0)], key=errors)
        if nearest is best:
            return best, tried[tuple(best.values())]
        best = nearest


def table(folder: Path, name: str, wanted: Sequence[Side], n_dev: int, n_test: int) -> None:
    """Print a row for each side."""
    inventory, dev = read(folder, name, "dev", n_dev)
    _, test = read(folder, name, "test", n_test)
    for side in wanted:
        weights, rates = best_weights(side, inventory, dev)
        found, ms = decoded(side.decoder(inventory, weights), test)
        shown = ", ".join(f"{value:g}" for value in weights.values())
        cells = [f"{one.percent:.1f}" for one in rates]
        cells += [f"{one.percent:.1f} [{one.low:.1f}, {one.high:.1f}]" for one in found]
        print(f"| `{name}` | {side.name} | {shown} | {' | '.join(cells)} | {ms:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("recurrent", help="the recurrent label model")
    parser.add_argument("ngram", help="the n-gram of the same text")
    parser.add_argument("--sets", nargs="+", default=["unipen_words", "unipen_lines"])
    parser.add_argument("--dev", type=int, default=200, help="utterances of dev")
    parser.add_argument("--test", type=int, default=400, help="utterances of test")
    parser.add_argument("--beam", type=int, default=20, help="of the search with the recurrent model")
    parser.add_argument("--only", default="", help="sides whose name holds this")
    given = parser.parse_args()
    print(environment("numpy", "numba") + f"\n\n{given.dev} utterances of dev, {given.test} of test\n")
    print("| set | label model | weights | dev WER | dev CER | test WER | test CER | ms an utterance |")
    print("|---|---|---|---|---|---|---|---|")
    wanted = [one for one in sides(given.recurrent, given.ngram, given.beam) if given.only in one.name]
    for name in given.sets:
        table(given.folder, name, wanted, given.dev, given.test)


if __name__ == "__main__":
    main()
