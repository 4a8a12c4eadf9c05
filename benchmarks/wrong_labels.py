"""Find labels of UNIPEN that differ from what is written.

    python benchmarks/wrong_labels.py DATA/unipen.zip --category words --out data_prep/unipen/wrong_labels.tsv

Recognises the ink of the training writers with a pretrained model and compares two texts: the label, and the text of
greedy search. The evidence is the difference of their log probabilities, each summed over all paths that spell the
text, divided by the number of frames. `data_prep/unipen/wrong_labels.py` has the rule that calls a label wrong, and
reads the table. Rows of categories that are not given stay in the table.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import asr
from asr.corpus.inventory import Inventory
from asr.corpus.utterance import Utterance
from asr.ctc.loss import ctc_loss
from asr.files import write_file
from asr.recogniser.batching import Posteriors, posteriors_of
from asr.recogniser.recogniser import Recogniser
from asr.text import normalise_text
from data_prep.unipen.reader import Config, prepare
from data_prep.unipen.wrong_labels import KINDS, Scored, rows_of, table_of, wrong_ones

AT_A_TIME = 1500
COMMENT = """Segments of UNIPEN train_r01_v07 (I. Guyon and others; doi 10.5281/zenodo.1195803) that train nothing,
because their label is not what is written. Labels are the release's, under its licence; readings are those of {model}.
Written by benchmarks/wrong_labels.py; the rule stands in data_prep/unipen/wrong_labels.py."""


def scored(recogniser: Recogniser, utterances: Sequence[Utterance]) -> Iterator[Scored]:
    """Compare the label and the recognised text of utterances, some at a time, in any order."""
    known = [one for one in utterances if not recogniser.inventory.missing(normalise_text(one.text or ""))]
    for first in range(0, len(known), AT_A_TIME):
        some = known[first : first + AT_A_TIME]
        frames = [frames_of(recogniser, one) for one in some]
        for batch in posteriors_of(recogniser, [len(one) for one in frames], frames.__getitem__):
            yield from compared(recogniser.inventory, batch, [some[i] for i in batch.numbers])


def frames_of(recogniser: Recogniser, utterance: Utterance) -> NDArray[np.float32]:
    """Return the stacked frames (T, F) of an utterance."""
    extractor = recogniser.extractor
    return recogniser.frames(extractor.compute(extractor.read(utterance)), utterance.speaker)


def compared(inventory: Inventory, batch: Posteriors, utterances: Sequence[Utterance]) -> Iterator[Scored]:
    """Compare the label and the recognised text of each utterance of a batch."""
    paths = batch.log_probs.argmax(axis=2)
    blank = inventory.blank
    reads = [best_labels(path[:length], blank) for path, length in zip(paths, batch.lengths, strict=True)]
    labels = [inventory.encode(one) for one in utterances]
    nats = (nats_a_frame(batch, labels), nats_a_frame(batch, reads))
    for one, read, of_label, of_read in zip(utterances, reads, *nats, strict=True):
        text = inventory.text(inventory.decode(read))
        yield Scored(one.id, normalise_text(one.text or ""), text, float(of_label), float(of_read))


def best_labels(path: NDArray[np.int64], blank: int) -> list[int]:
    """Return the labelling of a path (T,): repeats merged, blanks removed."""
    begins = np.append(True, path[1:] != path[:-1])
    return [int(label) for label in path[begins] if label != blank]


def nats_a_frame(batch: Posteriors, labels: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Return (B,) the negative log probability of a labelling, summed over its paths, divided by the frames."""
    sizes = torch.tensor([len(one) for one in labels])
    padded = torch.zeros(len(labels), max(1, int(sizes.max())), dtype=torch.int64)
    for row, one in enumerate(labels):
        padded[row, : len(one)] = torch.tensor(one, dtype=torch.int64)
    lengths = torch.from_numpy(np.asarray(batch.lengths, dtype=np.int64))
    losses = ctc_loss(torch.from_numpy(np.ascontiguousarray(batch.log_probs)), lengths, padded, sizes)
    nats: NDArray[np.float64] = losses.double().numpy() / batch.lengths
    return nats


def main() -> None:
    given = arguments()
    torch.set_num_threads(1)
    recogniser = asr.load(given.model, decoder="greedy").for_many(AT_A_TIME)
    out = Path(given.out)
    rows = list(rows_of(out.read_text(encoding="utf-8"))) if out.exists() else []
    print(f"| category | segments that train | {' | '.join(KINDS)} |\n|---|---|{'---|' * len(KINDS)}")
    for category in given.category:
        train = prepare(Config(root=given.root, category=category, leave_out_wrong=False))["train"]
        found = wrong_ones(scored(recogniser, train))
        kinds = Counter(one.kind for one in found)
        print(f"| {category} | {len(train)} | {' | '.join(str(kinds[kind]) for kind in KINDS)} |", flush=True)
        read = {one.id for one in train}
        rows = [one for one in rows if one.segment not in read] + found
        write_file(out, table_of(rows, COMMENT.format(model=given.model)).encode())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Find labels of UNIPEN that are not what is written.")
    parser.add_argument("root", help="the release, as of asr-prepare unipen")
    parser.add_argument("--category", action="append", required=True, help="one that is judged; may be repeated")
    parser.add_argument("--model", default="unipen", help="the one that reads (default: unipen)")
    parser.add_argument("--out", required=True, help="the table; rows of categories that are not judged stay")
    return parser.parse_args()


if __name__ == "__main__":
    main()
