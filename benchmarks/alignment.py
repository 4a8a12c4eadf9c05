"""Compare the boundaries of alignments with those set by hand: `python -m benchmarks.alignment`.

    python -m benchmarks.alignment                # TIMIT's sample and the embedded corpus, a table
    python -m benchmarks.alignment --learn        # learn the timing on the embedded corpus and write it
    python -m benchmarks.alignment --ink          # points of the embedded pen corpus that get the right letter
    python -m benchmarks.alignment --speed        # the search alone, plain and compiled
    python -m benchmarks.alignment --grid         # the numbers of alignment_change.py, on the embedded corpus alone

The aligner gets the labels of the hand labelling, in the inventory of the model, and the beginning of each label is
compared with the beginning set by hand. A label at the beginning of the file (a silence) is left out. Each recording is
aligned by itself. `quickstart` has all 61 labels. `english_phones` has neither closures nor silences, so a stop begins
at its burst. The rows:

- emission: the first frame of the label on the best path, and nothing else;
- timed: with the timing of `asr/recogniser/alignment_timing.json`;
- sharpened: also with boundaries moved to where the sound changes, as `asr-align` does;
- silences found: the same, but the aligner must find the pauses and the silences at both ends.

The timing is learned by least absolute deviations on the dev and test parts of the embedded corpus, whose voices are
not in the training data of the models. Nothing is chosen on TIMIT.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from asr.corpus.phonemes import fold_table
from asr.corpus.utterance import Utterance
from asr.ctc.alignment import Alignment, align
from asr.decoding.hypothesis import Hypothesis
from asr.ink import Ink
from asr.recogniser.alignment import (
    TranscriptDecoder,
    align_transcript,
    changes_in,
    spelled,
    spelled_utterance,
)
from asr.recogniser.alignment_change import sharpened
from asr.recogniser.alignment_timing import FILE, LONGEST_GAP, Timing, timing_of
from asr.recogniser.loading import load
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.sources import RawFrames, opened
from asr.seeds import derive_seed, generator
from data_prep import timit
from data_prep.espeak import reader as espeak
from data_prep.hershey import reader as hershey
from data_prep.hershey.hand import Writing

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
MODELS = {
    "quickstart": espeak.Config(train=2400, train_speakers=150),
    "english_phones": espeak.Config(),
}
"""The models, and the embedded corpus that each has learned from."""

_RATE = 16000  # hertz of both corpora
SILENCES = ("h#", "pau", "epi")
_RIDGE = 10.0  # pulls the offsets of rare labels towards 0
_LEAST = 0.003  # seconds: a smaller deviation counts as this one
_ROUNDS = 40


@dataclass(frozen=True)
class Phone:
    """A phone of the hand labelling; times in seconds."""

    label: str
    start: float
    end: float


@dataclass(frozen=True)
class Figures:
    """The percentage of boundaries within 20 and 50 ms, the median difference in seconds, and the boundary count."""

    within_20: float
    within_50: float
    median: float
    boundaries: int


def main() -> None:
    given = _arguments()
    if given.learn:
        learn()
    if given.ink:
        ink()
        return
    if given.speed:
        speed()
        return
    if given.grid:
        grid()
        return
    sample = timit.prepare(timit.Config(root=str(given.data / "timit_sample")))
    print(
        "| model | data | boundaries | row | within 20 ms | within 50 ms | median, ms |\n|---|---|---|---|---|---|---|"
    )
    for name, corpus in MODELS.items():
        recogniser = load(name).for_many(1000)
        embedded = espeak.prepare(corpus)
        for data, utterances in {
            "TIMIT sample, test": sample["test"],
            "TIMIT sample, all": [one for split in sample.values() for one in split],
            "embedded corpus, dev and test": [*embedded["dev"], *embedded["test"]],
        }.items():
            for row, figures in measured(recogniser, utterances).items():
                rates = f"{figures.within_20:.1f} | {figures.within_50:.1f} | {1000 * figures.median:+.0f}"
                print(f"| `{name}` | {data} | {figures.boundaries} | {row} | {rates} |", flush=True)


def measured(recogniser: Recogniser, utterances: Sequence[Utterance]) -> dict[str, Figures]:
    """Return the rows of one model on some utterances."""
    nothing, learned = Timing(0.0, 0.0, 0.0), timing_of(recogniser.inventory)
    rows = {"emission": nothing, "timed": learned, "sharpened": learned, "silences found": learned}
    deviations: dict[str, list[float]] = {row: [] for row in rows}
    for utterance in utterances:
        phones = phones_of(utterance)
        raw = raw_of(recogniser, utterance)
        changes = changes_in(recogniser, lambda raw=raw: [raw.values], raw.start)  # type: ignore[misc]
        assert changes is not None
        for row, timing in rows.items():
            said = [one for one in phones if row != "silences found" or one.label not in SILENCES]
            found = aligned(recogniser, replace(utterance, labels=tuple(one.label for one in said)), raw, timing)
            if row in ("sharpened", "silences found"):
                found = sharpened(found, changes, recogniser.inventory.unit)
            truth = [one.start for one in kept(said, recogniser)]
            pairs = zip(found.spans, truth, strict=True)
            deviations[row] += [span.start - start for span, start in pairs if start > 0]
    return {row: figures_of(np.array(values)) for row, values in deviations.items()}


def aligned(recogniser: Recogniser, utterance: Utterance, raw: RawFrames, timing: Timing) -> Hypothesis:
    """Return the alignment with a timing."""
    decoder = TranscriptDecoder(recogniser.inventory, spelled_utterance(recogniser.inventory, utterance), timing)
    return replace(recogniser, decoder=decoder).recognise([recogniser.frames(raw.values)], raw.start)[0][0]


def figures_of(deviations: NDArray[np.float64]) -> Figures:
    """Return the percentages for deviations in seconds."""
    near, nearly = (100 * float(np.mean(np.abs(deviations) <= limit + 1e-9)) for limit in (0.02, 0.05))
    return Figures(near, nearly, float(np.median(deviations)), len(deviations))


def phones_of(utterance: Utterance) -> list[Phone]:
    """Return the hand labelling beside a recording of TIMIT, or of the embedded corpus."""
    path = next(p for suffix in (".phn", ".PHN") if (p := utterance.source.with_suffix(suffix)).exists())
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return [Phone(label, int(start) / _RATE, int(end) / _RATE) for start, end, label in lines]


def kept(phones: Sequence[Phone], recogniser: Recogniser) -> list[Phone]:
    """Return the phones that the model has a label for."""
    table = fold_table(recogniser.inventory.fold or "timit61")
    return [one for one in phones if table[one.label] is not None]


def raw_of(recogniser: Recogniser, utterance: Utterance) -> RawFrames:
    """Return the frames of an utterance."""
    with opened(recogniser.extractor, utterance, None, None) as raw:
        assert isinstance(raw, RawFrames)
        return raw


# Learning


def learn() -> None:
    """Write the timing of all inventories."""
    tables: dict[str, Timing] = {}
    for name, corpus in MODELS.items():
        recogniser = load(name).for_many(1000)
        embedded = espeak.prepare(corpus)
        tables[recogniser.inventory.fold or ""] = learned(recogniser, [*embedded["dev"], *embedded["test"]])
    written = {
        "what": "how labels are timed, learned on the embedded corpus; see alignment_timing.py",
        "command": "python -m benchmarks.alignment --learn",
        "models": list(MODELS),
        "tables": {fold: asdict(timing) for fold, timing in tables.items()},
    }
    FILE.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def learned(recogniser: Recogniser, utterances: Sequence[Utterance]) -> Timing:
    """Return the timing that fits utterances with known boundaries best."""
    inventory, seconds = recogniser.inventory, recogniser.frame_seconds
    gaps: list[float] = []
    labels: list[int] = []
    late: list[float] = []  # seconds from the boundary to the emission
    tails: list[float] = []
    for utterance, found in emissions(recogniser, utterances):
        phones = phones_of(utterance)
        said = kept(phones, recogniser)
        quiet = {one.start for one in phones if one.label in SILENCES}
        before = 0.0
        for phone, label, first, last in zip(said, found.labels, found.start, found.end, strict=True):
            if phone.start > 0:
                gaps.append(min(first * seconds - before, LONGEST_GAP))
                labels.append(int(label))
                late.append(first * seconds - phone.start)
            if phone.end in quiet and phone.label not in SILENCES:
                tails.append(phone.end - last * seconds)
            before = last * seconds
    names = [inventory.labels[label] for label in labels]
    share, lag, offsets = fitted(np.array(gaps), names, np.array(late))
    used = {name: round(offset, 4) for name, offset in sorted(offsets.items())}
    return Timing(round(share, 3), round(lag, 4), round(float(np.median(tails)), 3), used)


def emissions(recogniser: Recogniser, utterances: Sequence[Utterance]) -> Iterator[tuple[Utterance, Alignment]]:
    """Return the frames of each utterance's labels."""
    for utterance in utterances:
        log_probs, lengths = recogniser.posteriors([recogniser.frames(raw_of(recogniser, utterance).values)])
        labels = np.array(recogniser.inventory.encode(utterance))
        yield utterance, align(log_probs[0, : lengths[0]], labels, recogniser.inventory.blank)


def fitted(
    gaps: NDArray[np.float64], names: Sequence[str], late: NDArray[np.float64]
) -> tuple[float, float, dict[str, float]]:
    """Fit late = share * gap - lag - offset(name) by least absolute deviations, as reweighted least squares."""
    known = sorted(set(names))
    columns = np.array([known.index(name) for name in names])
    factors = np.concatenate([gaps[:, None], -np.ones((len(gaps), 1)), -np.eye(len(known))[columns]], axis=1)
    ridge = np.diag([1e-6, 1e-6, *[_RIDGE] * len(known)]) * 0.01
    weights = np.ones(len(late))
    for _ in range(_ROUNDS):
        weighted = factors * weights[:, None]
        solved = np.linalg.solve(weighted.T @ factors + ridge, weighted.T @ late)
        weights = 0.01 / np.maximum(np.abs(factors @ solved - late), _LEAST)
    return float(solved[0]), float(solved[1]), dict(zip(known, solved[2:].tolist(), strict=True))


def grid() -> None:
    """Print how many boundaries of the embedded corpus lie within 20 ms, for other numbers of `alignment_change`."""
    print("| model | spread, s | weight | within 20 ms | within 50 ms |\n|---|---|---|---|---|")
    for name, corpus in MODELS.items():
        recogniser = load(name).for_many(1000)
        timing, unit = timing_of(recogniser.inventory), recogniser.inventory.unit
        embedded = espeak.prepare(corpus)
        deviations: dict[tuple[float, float], list[float]] = {}
        for utterance in [*embedded["dev"], *embedded["test"]]:
            raw = raw_of(recogniser, utterance)
            found = aligned(recogniser, utterance, raw, timing)
            changes = changes_in(recogniser, lambda raw=raw: [raw.values], raw.start)  # type: ignore[misc]
            assert changes is not None
            truth = [one.start for one in kept(phones_of(utterance), recogniser)]
            for numbers in product((0.015, 0.02, 0.03), (0.3, 0.6, 1.0, 1.5)):
                moved = sharpened(found, changes, unit, *numbers)
                pairs = zip(moved.spans, truth, strict=True)
                deviations.setdefault(numbers, []).extend(span.start - start for span, start in pairs if start > 0)
        for (spread, weight), values in deviations.items():
            figures = figures_of(np.array(values))
            print(f"| `{name}` | {spread} | {weight} | {figures.within_20:.1f} | {figures.within_50:.1f} |", flush=True)


def ink() -> None:
    """Print the share of points that get their own letter, written by hands that neither join nor come back."""
    corpus = hershey.Config()
    lines = [line for line in hershey.plan(corpus) if line.split == "test"]
    lines = [line for line in lines if not line.hand.joins and not line.hand.late][::4]
    seed = derive_seed(corpus.seed, "pen corpus")
    print("| model | lines | points | right, % |\n|---|---|---|---|")
    for name in ("quickstart_pen", "unipen"):
        recogniser = load(name).for_many(1000)
        right = total = 0
        for line in lines:
            writing = Writing(line.hand)
            written = writing.write(line.text, generator(seed, "ink", line.id))
            truth = letters_of(writing, written, line.text)
            found = align_transcript(recogniser, written, spelled(recogniser.inventory, line.text, line.id))
            given = [int(span.end - span.start) for span in found.spans if not span.label.isspace()]
            right += int((np.repeat(np.arange(len(given)), given) == truth).sum())
            total += len(truth)
        print(f"| `{name}` | {len(lines)} | {total} | {100 * right / total:.1f} |", flush=True)


def letters_of(writing: Writing, written: Ink, text: str) -> NDArray[np.int64]:
    """Return (N,) the number of the letter that each point belongs to."""
    numbers: list[int] = []
    for number, letter in enumerate(text.replace(" ", "")):
        glyph = writing._letters[letter]
        numbers += [number] * (len(glyph.strokes) + len(glyph.marks))
    return np.repeat(numbers, [len(stroke) for stroke in written.strokes])


def speed() -> None:
    """Print processor time of the search, plain and compiled, for a word of ink, a sentence and a minute."""
    rng = np.random.default_rng(1)
    print("| frames | labels of the transcript | plain, us | compiled, us |\n|---|---|---|---|")
    for n_frames, n_labels in ((57, 5), (280, 20), (3000, 250)):
        log_probs = np.log(rng.dirichlet(np.full(40, 0.1), n_frames) + 1e-9).astype(np.float32)
        labels = rng.integers(1, 40, n_labels)
        taken = []
        for compiled in (False, True):
            with patch("asr.ctc.alignment.worth_compiling", return_value=compiled):
                align(log_probs, labels)  # compiles
                taken.append(min(_seconds(log_probs, labels) for _ in range(9)))
        print(f"| {n_frames} | {n_labels} | {1e6 * taken[0]:.0f} | {1e6 * taken[1]:.0f} |")


def _seconds(log_probs: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    rounds = max(1, 100_000 // log_probs.shape[0] // len(labels))
    began = time.process_time()
    for _ in range(rounds):
        align(log_probs, labels)
    return float((time.process_time() - began) / rounds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with timit_sample")
    parser.add_argument("--grid", action="store_true", help="other numbers for the boundaries that are moved")
    parser.add_argument("--ink", action="store_true", help="measure letters of ink instead")
    parser.add_argument("--speed", action="store_true", help="how long the search takes")
    parser.add_argument("--learn", action="store_true", help="learn the timing and write it, before it is measured")
    return parser.parse_args()


if __name__ == "__main__":
    main()
