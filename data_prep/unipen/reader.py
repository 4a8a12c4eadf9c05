"""UNIPEN train_r01_v07: isolated characters, words and lines from many donors, tablets and writers (1999).

Licence: the data may be used for research and must not be distributed commercially; a reference is required, and
writers and donors must not be named. Reference: I. Guyon, L. Schomaker, R. Plamondon, M. Liberman, S. Janet, "UNIPEN
project of on-line data exchange and recognizer benchmarks", ICPR 1994; Unipen data set train_r01_v07, doi
10.5281/zenodo.1195803.
Get it: from that doi; set root= to the zip file of the release, or to the unpacked folder with data/ and include/.

Categories: 1a digits, 1b upper, 1c lower, 1d symbols, 2 characters, 3 characters_in_words, 6 words (letters only),
7 words_any, 8 text (lines of two words or more; partly the same ink as words). Category 2 is 1a, 1b, 1c and 1d
together; category 7 is category 6 and a tenth more.

Splits: no writer is in two splits, in any category; see `data_prep/unipen/writers.py`. In category 6, 31 writers are
dev and 56 are test; all others are train. Writers have pseudonyms.

Segments that are marked BAD, or whose ink was withheld or lost, are left out; so are training segments whose label is
wrong (see `data_prep/unipen/wrong_labels.py`). Ink is not changed; it keeps repeated points. The first run reads the
whole category and caches its ink; later runs read the cache.

The training set can be extended by rows of signs and lines of words, each composed of the ink of one training writer,
see `data_prep/unipen/composed.py`. The tag `category` shows where an utterance comes from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr.config import check_values, nearest
from asr.corpus.faults import CorpusFaults
from asr.corpus.splits import SPLITS
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.ink import Ink
from asr.ink.unipen import Document, read_document
from asr.plain_values import PlainFields
from data_prep.ink_cache import Make, stored
from data_prep.recordings import Progress
from data_prep.unipen import composed
from data_prep.unipen.release import INCLUDE, Library, Release, open_release
from data_prep.unipen.writers import held_out, writer_key
from data_prep.unipen.wrong_labels import with_right_labels, wrong_labels

VERSION = 1
"""Version of this reader; increase it when the same release gives other utterances."""

CATEGORIES = {
    "1a": "digits",
    "1b": "upper",
    "1c": "lower",
    "1d": "symbols",
    "2": "characters",
    "3": "characters_in_words",
    "6": "words",
    "7": "words_any",
    "8": "text",
}

WITHOUT_INK = tuple(f"data/{category}/att/att0/41412304.dat" for category in "678")
"""Files without ink: the files that they include are not in the published release."""

NO_AT_SIGN = "kai"
"""The donor that uses the label `@` for ink that its recogniser could not use, such as loops between letters."""

UNTIMED = ("dar", "int", "kai", "lav", "not", "pcl")
"""Donors whose points are equally spaced along the ink, or not at the time steps that the files state."""


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare unipen`."""

    root: str = field(default="", metadata={"help": "zip file of the release, or folder with data/ and include/"})
    category: str | int = field(
        default="words", metadata={"help": ", ".join(f"{name} ({number})" for number, name in CATEGORIES.items())}
    )
    also: str | int = field(
        default="", metadata={"help": "further categories for train, separated by commas; only their train writers"}
    )
    fold_case: bool = field(default=False, metadata={"help": "convert all transcripts to lower case"})
    train_without: str = field(
        default="", metadata={"help": "donors to leave out of train: three letters each, separated by commas"}
    )
    leave_out_wrong: bool = field(
        default=True, metadata={"help": "leave out train segments whose label is known to be wrong"}
    )
    only_train: bool = field(
        default=False, metadata={"help": "leave dev and test empty; for corpus.pool, which trains on all utterances"}
    )
    composed_rows: int = field(
        default=0, metadata={"help": "number of rows to compose of isolated signs of train writers, added to train"}
    )
    composed_lines: int = field(
        default=0, metadata={"help": "number of lines to compose of words and signs of train writers, added to train"}
    )
    composed_seed: int = field(default=1, metadata={"help": "seed of the composed rows and lines"})
    cache: str = field(default="", metadata={"help": "folder of the ink cache; empty for the user's cache folder"})


def prepare(
    config: Config, on_progress: Progress | None = None, faults: CorpusFaults | None = None
) -> dict[str, list[Utterance]]:
    """Read the corpus as utterances of ink, by split.

    Args:
        config: the options.
        on_progress: called with `(what, done, total)` while a category is read for the first time.
        faults: collects the faults; None to raise them.

    Raises:
        ConfigError: a category or donor does not exist, or a number of composed rows or lines is negative.
        DataError: the release is missing.
        Problems: its files have faults; lists all of them.
    """
    counts = {"composed_rows": config.composed_rows, "composed_lines": config.composed_lines}
    check_values(counts, {name: (count >= 0, "0 or more") for name, count in counts.items()})
    main, more = _number(config.category), [_number(one) for one in _listed(config.also)]
    if len({main, *more}) <= len(more):
        raise ConfigError(f"also={config.also}: a category is named twice; name each category once")
    faults = faults or CorpusFaults()
    release = open_release(config.root)
    read = _Reading(release, config, faults, on_progress)
    splits = read.category(main)
    for number in more:
        splits["train"] += read.category(number)["train"]
    splits["train"] += read.composed()
    faults.settle(f"UNIPEN in {release.where}")
    splits["train"] = _without(splits["train"], _listed(config.train_without))
    if config.only_train:
        splits = {"train": splits["train"], "dev": [], "test": []}
    if config.fold_case:
        splits = {name: [_folded(one) for one in utterances] for name, utterances in splits.items()}
    return splits


def _listed(written: str | int) -> list[str]:
    return [one.strip() for one in str(written).split(",") if one.strip()]


def _number(written: str | int) -> str:
    """Return the number of a category, given its name or number."""
    names = {name: number for number, name in CATEGORIES.items()}
    number = names.get(str(written).strip().lower(), str(written).strip().lower())
    if number not in CATEGORIES:
        known = [*names, *CATEGORIES]
        raise ConfigError(
            f"UNIPEN has no category '{written}'{nearest(str(written), known)}; it has: {', '.join(known)}"
        )
    return number


def _without(utterances: Sequence[Utterance], donors: Sequence[str]) -> list[Utterance]:
    known = {one.tags["donor"] for one in utterances}
    for donor in donors:
        if donor not in known:
            raise ConfigError(
                f"train_without: train has nothing of the donor '{donor}'{nearest(donor, known)}; choose from:"
                f" {', '.join(sorted(known))}"
            )
    return [one for one in utterances if one.tags["donor"] not in donors]


def _folded(utterance: Utterance) -> Utterance:
    return replace(utterance, text=(utterance.text or "").lower())


@dataclass(frozen=True)
class _Reading:
    """The state of one reading of the release: its categories by split, and the composed ink."""

    release: Release
    config: Config
    faults: CorpusFaults
    on_progress: Progress | None

    def category(self, number: str) -> dict[str, list[Utterance]]:
        """Read a category by split; leave out training segments with wrong or unusable labels."""
        splits: dict[str, list[Utterance]] = {name: [] for name in SPLITS}
        writers = held_out()
        for one in self._stored(number):
            splits[writers.get(str(one.speaker), "train")].append(_tagged(one, CATEGORIES[number]))
        splits["train"] = [
            one for one in splits["train"] if one.tags["donor"] != NO_AT_SIGN or "@" not in str(one.text)
        ]
        if self.config.leave_out_wrong:
            splits["train"] = with_right_labels(splits["train"])
        return splits

    def composed(self) -> list[Utterance]:
        """Compose the rows and lines that the options ask for, or read them from the cache."""
        rows, lines, seed = self.config.composed_rows, self.config.composed_lines, self.config.composed_seed
        made: list[Utterance] = []
        if rows:
            made += self._made(
                "composed_rows", rows, ["2"], lambda _: composed.rows_of_signs(self._train("2"), rows, seed)
            )
        if lines:
            made += self._made(
                "composed_lines",
                lines,
                ["2", "7"],
                lambda _: composed.lines_of_words(self._train("7"), self._train("2"), lines, seed),
            )
        return made

    def _train(self, number: str) -> list[Utterance]:
        return self.category(number)["train"]

    def _made(self, kind: str, count: int, of: Sequence[str], make: Make) -> list[Utterance]:
        identity: PlainFields = {
            "corpus": "unipen",
            "reader": VERSION,
            "composition": composed.VERSION,
            kind: count,
            "seed": self.config.composed_seed,
            "left_out": [one.segment for one in wrong_labels()] if self.config.leave_out_wrong else [],
            "files": self.release.fingerprint((*(f"data/{number}" for number in of), INCLUDE)),
            "held_out": sorted(held_out()),
        }
        found = stored(f"unipen-{kind}", identity, make, self.faults, folder=self.config.cache)
        return [_tagged(one, kind) for one in found]

    def _stored(self, number: str) -> list[Utterance]:
        """Return all usable segments of a category, from the cache if it exists."""
        release, folder = self.release, f"data/{number}"
        if not release.names(folder):
            raise DataError(
                f"{release.where} has no category {number} ({CATEGORIES[number]}); expected files in {folder}/"
            )
        files = release.fingerprint((folder, INCLUDE))
        identity: PlainFields = {"corpus": "unipen", "reader": VERSION, "category": number, "files": files}
        return stored(
            f"unipen-{CATEGORIES[number]}",
            identity,
            lambda problems: _read(release, number, problems, self.on_progress),
            self.faults,
            folder=self.config.cache,
        )


def _tagged(utterance: Utterance, category: str) -> Utterance:
    return replace(utterance, tags={**utterance.tags, "category": category})


def _read(
    release: Release, number: str, problems: list[str], on_progress: Progress | None
) -> Iterator[tuple[Utterance, Ink]]:
    """Yield utterance and ink of each usable segment; append faults to `problems`."""
    library = Library(release)
    names = [name for name in release.names(f"data/{number}") if name not in WITHOUT_INK]
    for done, name in enumerate(names, start=1):
        try:
            document = read_document(name, library.file, library.resolve)
            problems += document.problems
            if not document.problems:
                yield from _utterances(document, number, problems)
        except DataError as error:
            problems.append(str(error))
        if on_progress is not None:
            on_progress(f"reading UNIPEN {CATEGORIES[number]}", done, len(names))


def _utterances(document: Document, number: str, problems: list[str]) -> Iterator[tuple[Utterance, Ink]]:
    donor = document.name.split("/")[2]
    short = hashlib.sha1(document.name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    for segment in document.segments:
        if segment.quality == "BAD":
            continue
        writer = document.writer(segment)
        if writer is None:
            problems.append(f"{segment.place}: there is no .WRITER_ID; add it, because splits must not share writers")
            return
        if not segment.label:
            problems.append(f"{segment.place}: the label is empty; mark the segment BAD or correct it")
            continue
        ink = document.ink_or_problem(segment, problems, timed=donor not in UNTIMED)
        if ink is not None:  # None if all of it was withheld
            yield (
                Utterance(
                    f"{number}-{donor}-{short}-{segment.number:04d}",
                    source=Path(),
                    kind="ink",
                    text=segment.label,
                    speaker=writer_key(donor, writer),
                    tags={"donor": donor, "quality": segment.quality, "file": document.name},
                ),
                ink,
            )
