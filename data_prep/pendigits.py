"""Pen-Based Recognition of Handwritten Digits: 10992 digits of 44 writers on a tablet (E. Alpaydin, F. Alimoglu, 1998).

Licence: UCI Machine Learning Repository, data set 81; UCI is understood to offer it under CC BY 4.0.
Get it: https://archive.ics.uci.edu/dataset/81; unpack `pendigits-orig.tra.Z` and `.tes.Z` (`uncompress` or 7-Zip).
These files hold the recorded strokes; `pendigits.tra` and `.tes`, with eight points per digit, are not used.

Splits: the official ones, 30 training writers (7494 digits) and 14 other test writers (3498 digits). There is no
official dev set: five writers are taken out of train, see `DEV_WRITERS` in `data_prep/pendigits.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from asr.corpus.faults import CorpusFaults
from asr.corpus.utterance import Utterance
from asr.ink import Ink
from asr.plain_values import PlainFields
from data_prep.ink_cache import stored
from data_prep.recordings import Progress
from data_prep.roots import find_root
from data_prep.uci_ink import file_identity, labelled, read_uci

VERSION = 1
"""Version of this reader; increase it when the same files give other utterances."""

# 5 of the 30, chosen once by hand, spread evenly over their numbers.
DEV_WRITERS = ("tra-03", "tra-09", "tra-15", "tra-21", "tra-27")

_FILES = ("pendigits-orig.tra", "pendigits-orig.tes")
_COMMENT = re.compile(r"(\d)\s+(\d{1,3})\s+(\d+)")  # digit, writer, number


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare pendigits`."""

    root: str = field(default="", metadata={"help": "folder with pendigits-orig.tra and .tes, or a folder above it"})
    cache: str = field(default="", metadata={"help": "folder of the ink cache; empty for the user's cache folder"})


def prepare(
    config: Config, on_progress: Progress | None = None, faults: CorpusFaults | None = None
) -> dict[str, list[Utterance]]:
    """Read the corpus as utterances of ink, by split.

    Raises:
        DataError: the corpus is missing.
        Problems: its files have faults; lists all of them.
    """
    faults = faults or CorpusFaults()
    root = find_root(
        config.root,
        lambda folder: all((folder / name).is_file() for name in _FILES),
        expected=" and ".join(_FILES),
        remedy="The digits are free: https://archive.ics.uci.edu/dataset/81 (unpack the .Z files)",
    )
    identity: PlainFields = {
        "corpus": "pendigits",
        "reader": VERSION,
        "files": [file_identity(root / name) for name in _FILES],
    }
    utterances = stored(
        "pendigits", identity, lambda problems: _read(root, problems, on_progress), faults, folder=config.cache
    )
    faults.settle(f"pendigits in {root}")
    return {
        "train": [one for one in utterances if one.tags["part"] == "tra" and one.speaker not in DEV_WRITERS],
        "dev": [one for one in utterances if one.speaker in DEV_WRITERS],
        "test": [one for one in utterances if one.tags["part"] == "tes"],
    }


def _read(root: Path, problems: list[str], on_progress: Progress | None) -> Iterator[tuple[Utterance, Ink]]:
    for done, name in enumerate(_FILES, start=1):
        document = read_uci(root / name)
        part = name.rpartition(".")[2]
        for segment in labelled(document, problems):
            comment = _COMMENT.fullmatch(segment.comment)
            if comment is None or comment[1] != segment.label:
                expected = f"'{segment.label} WRITER NUMBER'"
                problems.append(f"{segment.place}: the comment is {segment.comment[:40]!r}; expected {expected}")
                continue
            ink = document.ink_or_problem(segment, problems)
            if ink is not None:
                yield (
                    Utterance(
                        f"pendigits-{part}-{segment.number:04d}",
                        source=Path(),
                        kind="ink",
                        text=segment.label,
                        speaker=f"{part}-{int(comment[2]):02d}",  # both parts count their writers from 1
                        tags={"part": part},
                    ),
                    ink,
                )
        if on_progress is not None:
            on_progress("reading pendigits", done, len(_FILES))
