"""UJI Pen Characters, version 1: letters and digits of 11 writers, each twice (Llorens, Prat, Marzal, Vilar, 2007).

Licence: UCI Machine Learning Repository, data set 160; UCI is understood to offer it under CC BY 4.0.
Get it: https://archive.ics.uci.edu/dataset/160, files `UJIpenchars-w01` to `-w11` (52 letters and 10 digits, twice).

Splits: there are no official ones; writers are either in train, in dev or in test. With `fold=0`, writers 4 and 8 are
dev and writers 2, 6 and 10 test. With `fold=1` to `fold=11`, writer `fold` is test, the next writer is dev and the
other nine train; sum the errors of all eleven folds for leave-one-writer-out over all 1364 characters.

With `classes=35` the labels are the data set's own classes: upper case without case distinction, and 0 counts as O. In
the files y grows downwards; it is negated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr.corpus.faults import CorpusFaults
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.ink import Ink, Stroke
from asr.plain_values import PlainFields
from data_prep.ink_cache import stored
from data_prep.recordings import Progress
from data_prep.roots import find_root
from data_prep.uci_ink import file_identity, labelled, read_uci

VERSION = 1
"""Version of this reader; increase it when the same files give other utterances."""

# Chosen once by hand, spread evenly over the numbers.
DEV_WRITERS = ("w04", "w08")
TEST_WRITERS = ("w02", "w06", "w10")
WRITERS = tuple(f"w{number:02d}" for number in range(1, 12))

_NAME = re.compile(r"UJIpenchars-(w\d\d)(\.txt)?")


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare ujipenchars`."""

    root: str = field(default="", metadata={"help": "folder with UJIpenchars-w01 to -w11, or a folder above it"})
    fold: int = field(default=0, metadata={"help": "0 for the fixed splits, or the writer to test on, 1 to 11"})
    classes: int = field(default=62, metadata={"help": "62 characters, or 35: upper case only, 0 counts as O"})
    cache: str = field(default="", metadata={"help": "folder of the ink cache; empty for the user's cache folder"})


def prepare(
    config: Config, on_progress: Progress | None = None, faults: CorpusFaults | None = None
) -> dict[str, list[Utterance]]:
    """Read the corpus as utterances of ink, by split.

    Raises:
        ConfigError: `fold` or `classes` has an invalid value.
        DataError: the corpus is missing or incomplete.
        Problems: its files have faults; lists all of them.
    """
    if not 0 <= config.fold <= len(WRITERS):
        raise ConfigError(f"fold={config.fold}: expected 0, or 1 to {len(WRITERS)} for the writer to test on")
    if config.classes not in (35, 62):
        raise ConfigError(f"classes={config.classes}: expected 62, or 35 with case folded and 0 as O")
    faults = faults or CorpusFaults()
    root = find_root(
        config.root,
        lambda folder: any(_NAME.fullmatch(path.name) for path in folder.iterdir()),
        expected="UJIpenchars-w01 to UJIpenchars-w11",
        remedy="The characters are free: https://archive.ics.uci.edu/dataset/160",
    )
    paths = {match[1]: path for path in sorted(root.iterdir()) if (match := _NAME.fullmatch(path.name))}
    if missing := [writer for writer in WRITERS if writer not in paths]:
        raise DataError(f"{root} lacks UJIpenchars-{', -'.join(missing)}; complete the copy")
    identity: PlainFields = {
        "corpus": "ujipenchars",
        "reader": VERSION,
        "files": [file_identity(paths[one]) for one in WRITERS],
    }
    utterances = stored(
        "ujipenchars", identity, lambda problems: _read(paths, problems, on_progress), faults, folder=config.cache
    )
    faults.settle(f"UJI pen characters in {root}")
    if config.classes == 35:
        utterances = [replace(one, text=(one.text or "").upper().replace("0", "O")) for one in utterances]
    dev, test = _left_out(config.fold)
    return {
        "train": [one for one in utterances if one.speaker not in (*dev, *test)],
        "dev": [one for one in utterances if one.speaker in dev],
        "test": [one for one in utterances if one.speaker in test],
    }


def _left_out(fold: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the writers of dev and of test."""
    if fold == 0:
        return DEV_WRITERS, TEST_WRITERS
    return (WRITERS[fold % len(WRITERS)],), (WRITERS[fold - 1],)


def _read(paths: dict[str, Path], problems: list[str], on_progress: Progress | None) -> Iterator[tuple[Utterance, Ink]]:
    for done, writer in enumerate(WRITERS, start=1):
        document = read_uci(paths[writer])
        for segment in labelled(document, problems):
            ink = document.ink_or_problem(segment, problems)
            if ink is not None:
                name = f"ujipenchars-{writer}-{segment.number:03d}"
                yield Utterance(name, Path(), "ink", text=segment.label, speaker=writer), _upright(ink)
        if on_progress is not None:
            on_progress("reading UJI pen characters", done, len(WRITERS))


def _upright(ink: Ink) -> Ink:
    """Return the ink with y upwards."""
    return Ink(tuple(Stroke(stroke.points * (1.0, -1.0), stroke.times) for stroke in ink.strokes), ink.resolution)
