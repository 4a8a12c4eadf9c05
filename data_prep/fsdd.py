"""Free Spoken Digit Dataset: single digits by six speakers, 50 recordings per digit and speaker, 8 kHz.

Licence: CC BY-SA 4.0. Source: https://github.com/Jakobovski/free-spoken-digit-dataset
Splits: the official test set is recordings 0 to 4 of each digit and speaker; recordings 5 to 9 are dev, the others
train. Every speaker is in all three splits, so error rates are for known speakers, as in published figures.

Text is the digit as a word in lower case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from asr.corpus.checks import SPLIT_BY_RECORDING
from asr.corpus.faults import CorpusFaults
from asr.corpus.utterance import Utterance
from data_prep.download import Archive, ensure_corpus
from data_prep.recordings import Progress
from data_prep.roots import find_root

ARCHIVE = Archive(
    url="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz",
    sha256="8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0",
    checksum_from="TensorFlow Datasets, spoken_digit/checksums.tsv",
    max_bytes=100 * 10**6,
)

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[^_\s]+)_(?P<index>[0-9]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare fsdd`."""

    root: str = field(default="", metadata={"help": "folder with recordings/, or a folder above it"})
    download: bool = field(
        default=False, metadata={"help": "download version 1.0.9 (12 MB) into root if it is not there"}
    )


def prepare(
    config: Config, on_progress: Progress | None = None, faults: CorpusFaults | None = None
) -> dict[str, list[Utterance]]:
    """Read the corpus as utterances with ids such as `7_jackson_32`, by split.

    Raises:
        DataError: the corpus is missing.
        Problems: files have other names.
    """
    if config.download:
        ensure_corpus(ARCHIVE, config.root, _is_corpus, on_progress)
    root = find_root(
        config.root,
        _is_corpus,
        expected="recordings/7_jackson_32.wav and the like",
        remedy="The corpus is free: set download=true, or see https://github.com/Jakobovski/free-spoken-digit-dataset",
    )
    splits: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    faults = faults or CorpusFaults()
    for path in sorted((root / "recordings").glob("*.wav"), key=_order):
        match = _NAME.fullmatch(path.stem)
        if match is None:
            faults.sentences.append(
                f"recordings/{path.name}: expected a name like 7_jackson_32.wav (digit, speaker, number)"
            )
            continue
        index = int(match["index"])
        split = "test" if index < 5 else "dev" if index < 10 else "train"
        text = WORDS[int(match["digit"])]
        tags = SPLIT_BY_RECORDING
        splits[split].append(Utterance(id=path.stem, source=path, text=text, speaker=match["speaker"], tags=tags))
    faults.settle(f"FSDD in {root}")
    return splits


def _is_corpus(folder: Path) -> bool:
    return any((folder / "recordings").glob("[0-9]_*_*.wav"))


def _order(path: Path) -> tuple[str, int, str]:
    """Return a sort key: digit and speaker, then the number (not its characters)."""
    head, _, index = path.stem.rpartition("_")
    return head, int(index) if index.isdecimal() else -1, path.stem
