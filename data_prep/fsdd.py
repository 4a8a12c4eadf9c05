"""Free Spoken Digit Dataset: single digits, six speakers, 50 recordings a digit and speaker, 8 kHz.

Licence: CC BY-SA 4.0. Source: https://github.com/Jakobovski/free-spoken-digit-dataset
Splits: the official test set is recordings 0 to 4 of each digit and speaker; recordings 5 to 9 are dev, the rest train.
Every speaker is in all three, so this measures how well known voices are recognised, as published figures do.

Text is the digit as a word in lower case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from asr.corpus.checks import SPLIT_BY_RECORDING
from asr.corpus.utterance import Utterance
from asr.errors import Problems
from data_prep.roots import find_root

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[^_\s]+)_(?P<index>[0-9]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare fsdd`."""

    root: str = field(default="", metadata={"help": "folder with recordings/, or a folder above it"})


def prepare(config: Config) -> dict[str, list[Utterance]]:
    """The corpus as utterances, ids as `7_jackson_32`.

    Raises:
        DataError: the corpus is not there.
        Problems: files with other names.
    """
    root = find_root(
        config.root,
        lambda folder: any((folder / "recordings").glob("[0-9]_*_*.wav")),
        expected="recordings/7_jackson_32.wav and the like",
        remedy="The corpus is free: https://github.com/Jakobovski/free-spoken-digit-dataset",
    )
    splits: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    problems: list[str] = []
    for path in sorted((root / "recordings").glob("*.wav"), key=_order):
        match = _NAME.fullmatch(path.stem)
        if match is None:
            problems.append(f"recordings/{path.name}: expected a name like 7_jackson_32.wav (digit, speaker, number)")
            continue
        index = int(match["index"])
        split = "test" if index < 5 else "dev" if index < 10 else "train"
        text = WORDS[int(match["digit"])]
        tags = SPLIT_BY_RECORDING
        splits[split].append(Utterance(id=path.stem, source=path, text=text, speaker=match["speaker"], tags=tags))
    if problems:
        raise Problems(problems, what=f"FSDD in {root}")
    return splits


def _order(path: Path) -> tuple[str, int, str]:
    """By digit and speaker, then by number and not by its characters."""
    head, _, index = path.stem.rpartition("_")
    return head, int(index) if index.isdecimal() else -1, path.stem
