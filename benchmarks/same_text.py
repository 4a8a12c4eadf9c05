"""Check that every engine gives the same text: `python benchmarks/same_text.py`.

Recognises all test utterances of AN4 (`an4`), of speechocean762 (`english_phones`) and UNIPEN's words (`unipen_words`)
with each engine in batches, and with numpy one by one; compares texts and log posteriors with those of numpy in
batches. Test sets that are not below `--data` are replaced by embedded corpora or left out.

A text that differs is a tie if, at each frame whose best label differs, numpy's log posteriors of the two labels
differ by less than twice the bound: each of them may differ by the bound between two engines. The script exits with
status 1 on any other difference, except with bfloat16, which rounds and is only reported.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from every_engine import BFLOAT16, NUMPY, every_engine
from measuring import environment
from numpy.typing import NDArray
from test_sets import DATA, TestSet, phones, recordings, words

from asr.decoding.search import decode
from asr.evaluation.split import listen
from asr.features.grouping import group_by_length
from asr.recogniser.recogniser import Recogniser
from asr.recurrent.options import BATCH_TOLERANCE
from asr.resources import user_cache

BOUND = BATCH_TOLERANCE  # for log posteriors of two engines
ALONE = "numpy, one by one"
HEADING = "| model, split, decoder | engine | texts | equal | ties | other | largest difference of log posteriors |"
HEADING += "\n|---|---|---|---|---|---|---|"
Frames = NDArray[np.float32]


@dataclass
class Compared:
    """The comparison of one engine with the reference."""

    texts: int = 0
    equal: int = 0
    ties: int = 0
    others: list[str] = field(default_factory=list)  # ids of utterances whose texts differ, and not by a tie
    largest: float = 0.0

    def add(self, name: str, reference: Output, output: Output) -> None:
        """Compare the outputs of one utterance."""
        self.texts += 1
        self.largest = max(self.largest, float(np.abs(reference.log_probs - output.log_probs).max()))
        if reference.text == output.text:
            self.equal += 1
        elif is_tie(reference.log_probs, output.log_probs):
            self.ties += 1
        else:
            self.others.append(name)


@dataclass(frozen=True)
class Output:
    """Text and (T, L) log posteriors of one utterance."""

    text: tuple[str, ...]
    log_probs: Frames


def is_tie(reference: Frames, other: Frames) -> bool:
    """Return whether the reference has both labels within twice the bound wherever the best label differs."""
    first, second = reference.argmax(axis=1), other.argmax(axis=1)
    (at,) = np.nonzero(first != second)
    apart = reference[at, first[at]] - reference[at, second[at]]
    return len(at) > 0 and bool((apart <= 2 * BOUND).all())


def main() -> None:
    if "OMP_NUM_THREADS" not in os.environ:
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "OMP_NUM_THREADS": "1"})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="which; all")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that holds an4, speechocean762, unipen.zip")
    parser.add_argument("--sample", type=int, help="only so many utterances of each set")
    given = parser.parse_args()
    print(environment("numpy", "torch", "onnxruntime"), f"\n\n{HEADING}", sep="")
    failed = False
    for name in given.sets:
        chosen = SETS[name](given.data)
        if chosen is not None:
            failed |= report(chosen if given.sample is None else chosen.sample(given.sample))
    sys.exit(int(failed))


def report(chosen: TestSet) -> bool:
    """Print a row for each engine; return whether a text differs and is no tie."""
    engines = every_engine(chosen.model, eager=False)
    decoder = engines[NUMPY].decoder_choice.name
    failed = False
    for name, found in compare(chosen, engines).items():
        cells = [f"`{chosen.model}`, {chosen.called}, {decoder}", name, found.texts, found.equal, found.ties]
        print(f"| {' | '.join(map(str, [*cells, len(found.others)]))} | {found.largest:.1e} |", flush=True)
        if name != BFLOAT16:
            failed |= bool(found.others) or found.largest > BOUND
            for other in found.others[:10]:
                print(f"{name}: another text of {other}", file=sys.stderr)
    return failed


def compare(chosen: TestSet, engines: dict[str, Recogniser]) -> dict[str, Compared]:
    """Compare each engine with numpy in batches, on all utterances."""
    reference = engines.pop(NUMPY)
    cache, heard = listen(reference, chosen.utterances, user_cache() / "frames")
    found = {name: Compared() for name in (ALONE, *engines)}
    sizes = [reference.stacking.out_length(cache.n_frames(at)) for at in range(len(chosen.utterances))]
    for batch in group_by_length(sizes, 16000, 64):
        frames = [heard.frames(cache.frames(at), chosen.utterances[at].speaker) for at in batch]
        expected = list(outputs(reference, frames))
        sides = {ALONE: [one for each in frames for one in outputs(reference, [each])]}
        sides |= {name: list(outputs(engine, frames)) for name, engine in engines.items()}
        for name, side in sides.items():
            for at, one, other in zip(batch, expected, side, strict=True):
                found[name].add(chosen.utterances[at].id, one, other)
    return found


def outputs(recogniser: Recogniser, frames: Sequence[Frames]) -> Iterator[Output]:
    """Recognise the stacked frames of some utterances as one batch; return their texts and log posteriors."""
    log_probs, lengths = recogniser.posteriors(frames)
    found = decode(recogniser.decoder, log_probs, lengths, recogniser.frame_seconds)
    for (best, *_), values, length in zip(found, log_probs, lengths, strict=True):
        yield Output(best.labels, values[:length])


SETS = {"an4": recordings, "english_phones": phones, "unipen_words": words}


if __name__ == "__main__":
    main()
