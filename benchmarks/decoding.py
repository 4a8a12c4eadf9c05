"""Compare prefix beam search with other decoders, on the same posteriors, in one process.

python benchmarks/decoding.py write FOLDER     # posteriors of dev and test, and training texts (needs `[train]`)
python benchmarks/decoding.py speed FOLDER     # mean scores, then processor time in turns; missing peers are left out
python benchmarks/decoding.py errors FOLDER    # search errors of each kind of pruning
python benchmarks/decoding.py plain FOLDER     # plain Python against compiled loops: the same results, and its time
python benchmarks/decoding.py boost FOLDER     # expected words: what boosting gains, and what it costs elsewhere
python benchmarks/decoding.py growth FOLDER    # cost against frames, labels and beam; two threads against one

Peers, from PyPI: flashlight-text with kenlm, fast-ctc-decode, ctc-beam-decoder. Every side gets the posteriors of one
utterance at a time and returns a labelling. The mean score is the objective, computed again for each labelling over all
its paths. The blank between words is an ordinary label here, so no side removes surplus blanks.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numpy as np
from measuring import environment, spread, timed
from numpy.typing import NDArray

from asr.corpus.inventory import Inventory
from asr.decoding.beam import BeamDecoder
from asr.decoding.lexicon_search import log_probability
from asr.decoding.search import decode
from asr.lm.corpus import Corpus
from asr.lm.counting import count_ngrams
from asr.lm.kneser_ney import estimate_from_counts
from asr.lm.model import END, SPACE
from asr.lm.ngram import NgramModel
from asr.lm.stored import save_model

SETS = {  # the model, the corpus, and its options
    "an4": ("an4", "an4", {"root": "an4"}),
    "unipen_words": ("unipen_words", "unipen", {"root": "unipen.zip", "category": "words"}),
    "unipen_lines": ("unipen", "unipen", {"root": "unipen.zip", "category": "text"}),
}
USUAL = ("an4", "unipen_words")
OFF = {"min_probability": 0.0, "gap": math.inf, "skip_blank": 1.0}
PRUNINGS = {
    "beam of 200": {"beam": 200},
    "beam of 100": {"beam": 100},
    "beam of 30": {"beam": 30},
    "beam of 10": {"beam": 10},
    "labels above 1e-5": {"min_probability": 1e-5},
    "labels above 1e-4": {"min_probability": 1e-4},
    "labels above 1e-3": {"min_probability": 1e-3},
    "gap of 25": {"gap": 25.0},
    "gap of 10": {"gap": 10.0},
    "blank above 0.9999 skipped": {"skip_blank": 0.9999},
    "blank above 0.999 skipped": {"skip_blank": 0.999},
    "blank above 0.99 skipped": {"skip_blank": 0.99},
    "the defaults": {"beam": 100, "min_probability": 1e-4, "gap": 25.0, "skip_blank": 0.999},
}
WIDE = 1000  # entries of a beam with practically no search errors
FIRST = 0xE000  # first of the characters that stand for labels in peers that require characters
WEIGHT = 0.5  # weight of the language model in all rows

Labels = tuple[str, ...]
Decode = Callable[[NDArray[np.float32]], Labels]


@dataclass(frozen=True)
class Posteriors:
    """The posteriors of some utterances, and the texts of the training set."""

    name: str
    inventory: Inventory
    utterances: Sequence[NDArray[np.float32]]
    train: Path
    texts: Sequence[str] = ()

    @classmethod
    def read(cls, folder: Path, name: str, split: str, most: int) -> Posteriors:
        with np.load(folder / f"{name}_{split}.npz") as file:
            log_probs, lengths, labels, texts = (file[key] for key in ("log_probs", "lengths", "labels", "texts"))
        utterances = np.split(log_probs, np.cumsum(lengths)[:-1])[:most]
        inventory = Inventory(tuple(SPACE if one == " " else one for one in labels.tolist()), "labels")
        return cls(name, inventory, utterances, folder / f"{name}_train.txt", texts.tolist()[:most])

    @cached_property
    def model(self) -> NgramModel:
        """Return a 6-gram of the training texts."""
        texts = self.train.read_text(encoding="utf-8").splitlines()
        lines = [" ".join(SPACE if one == " " else one for one in text) for text in texts]
        return estimate_from_counts(count_ngrams(Corpus.of(lines, "labels", vocabulary=self.inventory.labels[1:]), 6))

    def score(self, log_probs: NDArray[np.float32], labels: Labels, fused: bool) -> float:
        """Return the objective of a labelling."""
        acoustic = log_probability(log_probs, tuple(self.inventory.index[one] for one in labels), 0)
        if not fused:
            return acoustic
        automaton, total = self.model.automaton().expanded(np.zeros(0, dtype=np.int32)), 0.0
        state = automaton.start
        for one in (*labels, END):
            value, state = automaton.step(state, self.model.symbols.index(one))
            total += value
        return acoustic + WEIGHT * total

    def mean_score(self, run: Decode, fused: bool) -> float:
        return statistics.fmean(self.score(one, run(one), fused) for one in self.utterances)


def ours(posteriors: Posteriors, fused: bool = False, **options: float) -> Decode:
    model = posteriors.model if fused else None
    decoder = BeamDecoder(posteriors.inventory, candidates=1, lm_weight=WEIGHT, model=model, **options).for_many(10**6)  # type: ignore[arg-type]

    def run(log_probs: NDArray[np.float32]) -> Labels:
        search = decoder.begin(0.01)
        search.step(log_probs)
        return search.candidates(1)[0].labels

    return run


def whole(posteriors: Posteriors, candidates: int) -> Decode:
    """Return hypotheses with times, words and confidences."""
    decoder = BeamDecoder(posteriors.inventory, candidates=candidates).for_many(10**6)

    def run(log_probs: NDArray[np.float32]) -> Labels:
        search = decoder.begin(0.01)
        search.step(log_probs)
        return search.end()[0].labels

    return run


def flashlight(posteriors: Posteriors, folder: Path, fused: bool, n_tokens: int, threshold: float) -> Decode:
    from flashlight.lib.text.decoder import (
        CriterionType,
        LexiconFreeDecoder,
        LexiconFreeDecoderOptions,
        ZeroLM,
    )
    from flashlight.lib.text.decoder.kenlm import KenLM
    from flashlight.lib.text.dictionary import Dictionary

    labels, options = posteriors.inventory.labels, LexiconFreeDecoderOptions
    model = ZeroLM()
    if fused:
        path = folder / f"{posteriors.name}.arpa"
        save_model(path, posteriors.model)
        model = KenLM(str(path), Dictionary(list(labels)))
    chosen = options(
        beam_size=100, beam_size_token=n_tokens, beam_threshold=threshold, lm_weight=WEIGHT * math.log(10) * fused,
        sil_score=0.0, log_add=True, criterion_type=CriterionType.CTC,
    )  # fmt: skip
    decoder = LexiconFreeDecoder(chosen, model, 0, 0, [])

    def run(log_probs: NDArray[np.float32]) -> Labels:
        frames = np.ascontiguousarray(log_probs)
        best = decoder.decode(frames.ctypes.data, *frames.shape)[0]
        return tuple(labels[one] for one, _ in groupby(best.tokens) if one > 0)

    return run


def fast_ctc_decode(posteriors: Posteriors, threshold: float) -> Decode:
    from fast_ctc_decode import beam_search

    labels = posteriors.inventory.labels
    names = ["", *(chr(FIRST + at) for at in range(1, len(labels)))]  # this peer accepts any strings

    def run(log_probs: NDArray[np.float32]) -> Labels:
        text, _ = beam_search(np.exp(log_probs), names, beam_size=100, beam_cut_threshold=threshold)
        return tuple(labels[ord(one) - FIRST] for one in text)

    return run


def ctc_beam_decoder(posteriors: Posteriors) -> Decode:
    from ctc_beam_decoder import build_ctcdecoder

    labels = posteriors.inventory.labels
    decoder = build_ctcdecoder([*(chr(FIRST + at) for at in range(1, len(labels))), ""])

    def run(log_probs: NDArray[np.float32]) -> Labels:
        text = decoder.decode(np.ascontiguousarray(np.roll(log_probs, -1, axis=1)), beam_width=100)
        return tuple(labels[ord(one) - FIRST] for one in text)

    return run


def speed(sets: Sequence[Posteriors], only: str, rounds: int) -> None:
    print(environment("numpy", "numba", "flashlight-text", "kenlm", "fast-ctc-decode", "ctc-beam-decoder"))
    print("\n| posteriors | search, beam 100 | mean score | ms an utterance | times our time |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for one in sets:
            for title, fused, sides in comparisons(one, Path(name)):
                if only in title:
                    compare(one, title, fused, sides, rounds)


def comparisons(one: Posteriors, folder: Path) -> list[tuple[str, bool, dict[str, Callable[[], Decode]]]]:
    """Return the comparisons; the first side of each is this project's."""
    every = len(one.inventory)
    plain = {
        "ours": lambda: ours(one, **OFF),
        "flashlight-text": lambda: flashlight(one, folder, False, every, 1e9),
        "fast-ctc-decode": lambda: fast_ctc_decode(one, 0.0),
    }
    pruned = {
        "ours": lambda: ours(one),
        "ours, with times, words and confidences": lambda: whole(one, 1),
        "the same with posteriors of 20 candidates": lambda: whole(one, 20),
        "flashlight-text, 10 tokens, threshold 25": lambda: flashlight(one, folder, False, 10, 25.0),
        "fast-ctc-decode, threshold 0.001": lambda: fast_ctc_decode(one, 0.001),
        "ctc-beam-decoder": lambda: ctc_beam_decoder(one),
    }
    fused = {
        "ours": lambda: ours(one, True, **OFF),
        "flashlight-text, KenLM": lambda: flashlight(one, folder, True, every, 1e9),
    }
    fused_pruned = {
        "ours": lambda: ours(one, True),
        "flashlight-text, KenLM, 10 tokens, threshold 25": lambda: flashlight(one, folder, True, 10, 25.0),
    }
    return [
        ("all labels", False, plain),
        ("each with its pruning", False, pruned),
        ("6-gram, all labels", True, fused),
        ("6-gram, each with its pruning", True, fused_pruned),
    ]


def compare(one: Posteriors, title: str, fused: bool, sides: dict[str, Callable[[], Decode]], rounds: int) -> None:
    runs: dict[str, Decode] = {}
    for name, make in sides.items():
        try:
            runs[name] = make()
        except ImportError:
            continue
    scores = {name: one.mean_score(run, fused) for name, run in runs.items()}
    everything = {name: lambda run=run: [run(frames) for frames in one.utterances] for name, run in runs.items()}
    seconds = timed(everything, rounds)
    for name, values in seconds.items():
        ratios = [theirs / our for theirs, our in zip(values, seconds["ours"], strict=True)]
        per = spread([value / len(one.utterances) * 1000 for value in values])
        print(f"| {one.name} | {title}: {name} | {scores[name]:.4f} | {per} | {spread(ratios)} |", flush=True)


def errors(sets: Sequence[Posteriors]) -> None:
    """Measure the share of utterances whose best score is below that of a beam of `WIDE` with all pruning off."""
    print("| posteriors | pruning | search errors, % | with a 6-gram, % | other labels, % | with a 6-gram, % |")
    print("|---|---|---|---|---|---|")
    for one in sets:
        best = [found(one, fused, **OFF, beam=WIDE) for fused in (False, True)]
        for name, options in PRUNINGS.items():
            cells: tuple[list[float], list[float]] = ([], [])
            for fused, whole in zip((False, True), best, strict=True):
                pruned = found(one, fused, **OFF | {"beam": WIDE} | options)
                pairs = [(*this, *other) for this, other in zip(pruned, whole, strict=True)]
                lower = [score < best_score - 1e-4 for score, _, best_score, _ in pairs]
                cells[0].append(100 * statistics.fmean(lower))
                cells[1].append(100 * statistics.fmean(labels != others for _, labels, _, others in pairs))
            print(f"| {one.name} | {name} | " + " | ".join(f"{cell:.2f}" for row in cells for cell in row) + " |")


def found(one: Posteriors, fused: bool, **options: float) -> list[tuple[float, Labels]]:
    """Return labellings, and their scores over all their paths."""
    run = ours(one, fused, **options)
    labellings = [run(frames) for frames in one.utterances]
    return [(one.score(*pair, fused), pair[1]) for pair in zip(one.utterances, labellings, strict=True)]


def plain(sets: Sequence[Posteriors]) -> None:
    """Compare labellings and scores with and without numba, with the default pruning."""
    print("| posteriors | search | utterances | other labels | largest difference of scores | ms in plain Python |")
    print("|---|---|---|---|---|---|")
    for one in sets:
        for fused in (False, True):
            decoder = BeamDecoder(
                one.inventory, candidates=1, lm_weight=WEIGHT, model=one.model if fused else None
            )  # fmt: skip
            found: list[list[tuple[Labels, float]]] = []
            seconds: list[float] = []
            for compiles in (True, False):
                BeamDecoder.compiles = compiles  # type: ignore[assignment, method-assign]
                results = []
                for log_probs in one.utterances:
                    start = time.process_time()
                    search = decoder.begin(0.01)
                    search.step(log_probs)
                    best = search.candidates(1)[0]
                    seconds.append(time.process_time() - start)
                    results.append((best.labels, best.score.total))
                found.append(results)
            pairs = list(zip(*found, strict=True))
            n_other = sum(this[0] != other[0] for this, other in pairs)
            most = max(abs(this[1] - other[1]) for this, other in pairs)
            in_plain = sorted(1000 * value for value in seconds[len(one.utterances) :])
            ms = f"{statistics.fmean(in_plain):.1f}, the longest {in_plain[-1]:.0f}"
            search_name = "with a 6-gram" if fused else "no language model"
            print(f"| {one.name} | {search_name} | {len(pairs)} | {n_other} | {most:.0e} | {ms} |", flush=True)


def boost(sets: Sequence[Posteriors]) -> None:
    """Boost an eighth of the words of the split, at most 50, and print the error rates of these and of the others."""
    print(
        "| posteriors | search | nats a label | expected words wrong, % | other words wrong, % |\n|---|---|---|---|---|"
    )
    for one in sets:
        words = sorted({word for text in one.texts for word in text.split()})
        expected = set(random.Random(1).sample(words, min(50, len(words) // 8)))
        inventory = Inventory(tuple(" " if label == SPACE else label for label in one.inventory.labels), "characters")
        lines = one.train.read_text(encoding="utf-8").splitlines()
        model = estimate_from_counts(
            count_ngrams(Corpus.of(lines, "characters", vocabulary=one.inventory.labels[1:]), 6)
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "expected.txt"
            path.write_text("\n".join(sorted(expected)), encoding="utf-8")
            for fused in (False, True):
                for weight in (0.0, 0.5, 1.0, 2.0, 3.0):
                    decoder = BeamDecoder(
                        inventory, candidates=1, lm_weight=WEIGHT, model=model if fused else None, boost=str(path),
                        boost_weight=weight,
                    ).for_many(10**6)  # fmt: skip
                    rates = " | ".join(f"{rate:.1f}" for rate in wrong(one, decoder, expected))
                    print(f"| {one.name} | {'6-gram' if fused else 'no model'} | {weight} | {rates} |", flush=True)


def wrong(one: Posteriors, decoder: BeamDecoder, expected: set[str]) -> list[float]:
    """Return the error rates in percent of the boosted words and of the other words of the texts."""
    counts = {True: [0, 0], False: [0, 0]}
    for log_probs, text in zip(one.utterances, one.texts, strict=True):
        search = decoder.begin(0.01)
        search.step(log_probs)
        found, said = "".join(search.candidates(1)[0].labels).split(), text.split()
        right = {
            at
            for block in SequenceMatcher(None, said, found, autojunk=False).get_matching_blocks()
            for at in range(block.a, block.a + block.size)
        }
        for at, word in enumerate(said):
            counts[word in expected][0] += at not in right
            counts[word in expected][1] += 1
    return [100 * errors / max(1, total) for errors, total in (counts[True], counts[False])]


def growth(sets: Sequence[Posteriors], rounds: int) -> None:
    """Double the frames, the beam and the labels, one by one, and time the search."""
    for one in sets:
        joined = np.concatenate(one.utterances[:32])
        print(f"\n{one.name}, ms: frames, labels (random posteriors, all looked at), beam; two threads against one")
        for n in (len(joined) // 4, len(joined) // 2, len(joined)):
            show(f"{n} frames", ours(one), joined[:n], rounds)
        for n in (50, 100, 200, 400, 800):
            labels = Inventory(("<blank>", *(chr(0x4E00 + at) for at in range(n - 1))), "characters")
            scores = np.random.default_rng(0).normal(size=(100, n), scale=3.0)
            frames = np.asarray(scores - np.log(np.exp(scores).sum(1, keepdims=True)), dtype=np.float32)
            wide = Posteriors(one.name, labels, [], one.train)
            show(f"{n} labels", ours(wide, **OFF), frames, rounds)
        for n in (25, 50, 100, 200, 400, 800):
            show(f"beam of {n}", ours(one, beam=n), joined, rounds)
        threads(one, rounds)


def show(what: str, run: Decode, frames: NDArray[np.float32], rounds: int) -> None:
    run(frames)
    seconds = timed({"it": lambda: run(frames)}, rounds)["it"]
    print(f"{what:>16}: {spread([1000 * value for value in seconds])}", flush=True)


def threads(one: Posteriors, rounds: int) -> None:
    """Time a batch of 32 in elapsed time."""
    utterances = one.utterances[:32]
    lengths = np.array([len(frames) for frames in utterances])
    batch = np.zeros((len(utterances), lengths.max(), len(one.inventory)), dtype=np.float32)
    for row, frames in zip(batch, utterances, strict=True):
        row[: len(frames)] = frames
    decoder = BeamDecoder(one.inventory, candidates=1).for_many(10**6)
    runs = {n: lambda n=n: decode(decoder, batch, lengths, 0.01, threads=n) for n in (1, 2)}
    for run in runs.values():
        run()
    seconds = timed(runs, rounds, time.perf_counter)  # type: ignore[arg-type]
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]  # type: ignore[index]
    print(f"  32 on two cores: {spread(ratios)} times as fast as on one", flush=True)


def write(folder: Path, names: Sequence[str], data: Path) -> None:
    """Compute posteriors of dev and test with the pretrained models."""
    from asr.evaluation.split import listen
    from asr.recogniser.loading import load
    from asr.resources import user_cache
    from data_prep.corpora import load_corpus

    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        model, reader, options = SETS[name]
        splits = load_corpus(reader, options | {"root": str(data / options["root"])}).splits
        texts = "\n".join(one.text or "" for one in splits["train"])
        (folder / f"{name}_train.txt").write_text(texts + "\n", encoding="utf-8")
        for split in ("dev", "test"):
            said = splits[split]
            cache, recogniser = listen(load(model).for_many(len(said)), said, user_cache() / "frames")
            found = []
            for at, one in enumerate(said):
                log_probs, _ = recogniser.posteriors([recogniser.frames(cache.frames(at), one.speaker)])
                found.append(log_probs[0].astype(np.float32))
            np.savez(
                folder / f"{name}_{split}.npz", log_probs=np.concatenate(found),
                lengths=np.array([len(one) for one in found]), labels=np.array(recogniser.inventory.labels),
                texts=np.array([one.text for one in said]), speakers=np.array([one.speaker or "" for one in said]),
            )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("write", "speed", "errors", "plain", "boost", "growth"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=USUAL)
    parser.add_argument("--split", default="test")
    parser.add_argument("--most", type=int, default=300, help="utterances of each set")
    parser.add_argument("--only", default="", help="rows of `speed` whose name holds this")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if given.what == "write":
        write(given.folder, given.sets, given.data)
        return
    sets = [Posteriors.read(given.folder, name, given.split, given.most) for name in given.sets]
    if given.what == "speed":
        speed(sets, given.only, given.rounds)
    elif given.what == "errors":
        errors(sets)
    elif given.what == "plain":
        plain(sets)
    elif given.what == "boost":
        boost(sets)
    else:
        growth(sets, given.rounds)


if __name__ == "__main__":
    main()
