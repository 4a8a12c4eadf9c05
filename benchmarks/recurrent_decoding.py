"""Decode pen posteriors with a recurrent label model, in the search or after it, beside an n-gram of letters.

    python benchmarks/decoding.py write FOLDER --sets unipen_words unipen_lines    # posteriors, dev and test
    python benchmarks/recurrent_decoding.py FOLDER runs/books/char_lstm/.../model.lm

Every side decodes the same utterances of dev, in equal steps over the set, with each of its weights. The weights with
the fewest wrong words there read the utterances of test, once. Milliseconds are processor time of one thread on test.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
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

FUSED = tuple(product((0.5, 0.7, 0.9), (0.75, 1.5)))  # weights, and bonuses in nats a character
RESCORED = tuple(product((0.0, 0.3, 0.6), (0.3, 0.6), (1.5,)))
CANDIDATES = 20


@dataclass(frozen=True)
class Spoken:
    """An utterance: its posteriors, and what was written by whom."""

    log_probs: NDArray[np.float32]
    text: str
    writer: str


@dataclass(frozen=True)
class Side:
    """A way to decode: options of the beam search for each choice of weights; none: greedy search."""

    name: str
    choices: Sequence[Mapping[str, float]] = ({},)
    beam: int = 0
    model: LanguageModel | None = None
    rescore: str | None = None

    def decoder(self, inventory: Inventory, weights: Mapping[str, float]) -> BeamDecoder | GreedyDecoder:
        if not self.beam:
            return GreedyDecoder(inventory)
        candidates = CANDIDATES if self.rescore else 1
        decoder = BeamDecoder(
            inventory, model=self.model, beam=self.beam, candidates=candidates, rescore=self.rescore, **weights
        )  # type: ignore[arg-type]
        return decoder.for_many(10**6)


def sides(model: str, beam: int) -> Iterator[Side]:
    """List the sides; greedy search first."""
    fused = [{"lm_weight": weight, "insertion_bonus": bonus} for weight, bonus in FUSED]
    both = [{"lm_weight": one, "rescore_weight": other, "insertion_bonus": bonus} for one, other, bonus in RESCORED]
    letters, recurrent = load_model("english_letters", "characters"), load_model(model, "characters")
    yield Side("greedy")
    yield Side("n-gram in the search, beam 100", fused, 100, letters)
    yield Side(f"n-gram in the search, beam {beam}", fused, beam, letters)
    yield Side(f"recurrent model in the search, beam {beam}", fused, beam, recurrent)
    yield Side(
        f"n-gram in the search, beam 100, {CANDIDATES} texts rescored by the recurrent model", both, 100, letters, model
    )


def read(folder: Path, name: str, split: str, most: int) -> tuple[Inventory, list[Spoken]]:
    """Read what `decoding.py write` wrote, at most so many utterances in equal steps."""
    with np.load(folder / f"{name}_{split}.npz") as file:
        log_probs, ends = file["log_probs"], np.cumsum(file["lengths"])
        texts, writers, labels = (file[key].tolist() for key in ("texts", "speakers", "labels"))
    parts = np.split(log_probs, ends[:-1])
    spoken = [Spoken(*one) for one in zip(parts, texts, writers, strict=True)]
    return Inventory(tuple(labels), "characters"), sample_of(spoken, most)  # type: ignore[type-var]


def decoded(decoder: BeamDecoder | GreedyDecoder, spoken: Sequence[Spoken]) -> tuple[list[Rate], float]:
    """Return the rates of words and characters, and milliseconds an utterance."""
    texts, seconds = [], []
    for one in spoken:
        start = time.process_time()
        search = decoder.begin(0.01)
        search.step(one.log_probs)
        texts.append(search.end(1)[0].text)
        seconds.append(time.process_time() - start)
    rates = []
    for name in ("wer", "cer"):
        counts = [
            count(name, tuple(one.text), tuple(text), "characters", fold)
            for one, text in zip(spoken, texts, strict=True)
        ]
        rates.append(rate_of(counts, [one.writer for one in spoken]))
    return rates, 1000 * statistics.fmean(seconds)


def table(folder: Path, name: str, chosen_sides: Sequence[Side], n_dev: int, n_test: int) -> None:
    """Print a row for each side."""
    inventory, dev = read(folder, name, "dev", n_dev)
    _, test = read(folder, name, "test", n_test)
    for side in chosen_sides:
        tried = [(decoded(side.decoder(inventory, weights), dev)[0], weights) for weights in side.choices]
        rates, weights = min(tried, key=lambda one: one[0][0].counts.errors)
        found, ms = decoded(side.decoder(inventory, weights), test)
        shown = ", ".join(f"{value:g}" for value in weights.values())
        cells = [f"{one.percent:.1f}" for one in rates] + [
            f"{one.percent:.1f} [{one.low:.1f}, {one.high:.1f}]" for one in found
        ]
        print(f"| {name} | {side.name} | {shown} | {' | '.join(cells)} | {ms:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", help="the recurrent label model")
    parser.add_argument("--sets", nargs="+", default=["unipen_words", "unipen_lines"])
    parser.add_argument("--dev", type=int, default=200, help="utterances of dev")
    parser.add_argument("--test", type=int, default=400, help="utterances of test")
    parser.add_argument("--beam", type=int, default=20, help="of the search with the recurrent model")
    parser.add_argument("--only", default="", help="sides whose name holds this")
    given = parser.parse_args()
    print(environment("numpy", "numba") + f"\n\n{given.dev} utterances of dev, {given.test} of test\n")
    print("| set | label model | weights, bonus | dev WER | dev CER | test WER | test CER | ms an utterance |")
    print("|---|---|---|---|---|---|---|---|")
    wanted = [one for one in sides(given.model, given.beam) if given.only in one.name]
    for name in given.sets:
        table(given.folder, name, wanted, given.dev, given.test)


if __name__ == "__main__":
    main()
