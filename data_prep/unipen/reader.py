"""UNIPEN train_r01_v07: isolated characters, words and lines from many donors, tablets and writers (1999).

Licence: permission to use the data for research; not to be distributed commercially; proper reference required, and no
writer or donor to be named. Reference: I. Guyon, L. Schomaker, R. Plamondon, M. Liberman, S. Janet, "UNIPEN project of
on-line data exchange and recognizer benchmarks", ICPR 1994; Unipen data set train_r01_v07, doi 10.5281/zenodo.1195803.
Get it: from that doi. A zip file of the release is read as it is, or give the folder with data/ and include/.

Categories: 1a digits, 1b upper, 1c lower, 1d symbols, 2 characters, 3 characters_in_words, 6 words (letters only),
7 words_any (all of 6 and more), 8 text (lines of two words or more; the same ink as words in part).

Splits: no writer is in two of them, in whatever category; `data_prep/unipen/writers.py` says how. Of category 6 they
are 31 dev and 56 test writers fixed once; all other files train. Writers are pseudonymous keys.

Categories overlap: 2 is 1a, 1b, 1c and 1d together, 7 has all of 6 and a tenth more.

Segments marked BAD are left out, and such whose ink was withheld or is missing at the source; of train also those whose
label is not what is written (see `data_prep/unipen/wrong_labels.py`). Ink stays as it was sampled, repeated points
among it. The first start reads the whole category, later ones take its ink from a cache.

What trains can be more than the release: rows of signs and lines of words, each composed of one training writer's own
ink, see `data_prep/unipen/composed.py`. The tag `category` says where an utterance comes from.
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
"""Version of the reading, raised when the same release gives other utterances."""

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
"""What these include was lost before the release was published where it can be had today."""

NO_AT_SIGN = "kai"
"""The donor that labels with `@` what its recogniser could not use: loops between letters, and their remains."""

UNTIMED = ("dar", "int", "kai", "lav", "not", "pcl")
"""Donors whose points stand at equal steps in space, or not at those in time that they state."""


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare unipen`."""

    root: str = field(default="", metadata={"help": "the release: its zip file, or the folder with data/ and include/"})
    category: str | int = field(
        default="words", metadata={"help": ", ".join(f"{name} ({number})" for number, name in CATEGORIES.items())}
    )
    also: str | int = field(
        default="", metadata={"help": "more categories, with commas between them, whose train writers train too"}
    )
    fold_case: bool = field(default=False, metadata={"help": "make all transcripts lower case"})
    train_without: str = field(
        default="", metadata={"help": "donors (three letters, with commas between them) to leave out of train"}
    )
    leave_out_wrong: bool = field(
        default=True, metadata={"help": "leave segments out of train whose label is known to be wrong"}
    )
    only_train: bool = field(
        default=False, metadata={"help": "give no dev and test: for corpus.pool, which trains on all it gets"}
    )
    composed_rows: int = field(
        default=0, metadata={"help": "rows of signs composed of the isolated signs of train writers; they train too"}
    )
    composed_lines: int = field(
        default=0, metadata={"help": "lines composed of the words and signs of train writers; they train too"}
    )
    composed_seed: int = field(default=1, metadata={"help": "another seed composes other rows and lines"})
    cache: str = field(default="", metadata={"help": "folder for the ink; empty: one in the user's cache folder"})


def prepare(
    config: Config, on_progress: Progress | None = None, faults: CorpusFaults | None = None
) -> dict[str, list[Utterance]]:
    """The corpus as utterances of ink.

    Args:
        on_progress: hears `(what, done, total)` while a category is read for the first time.

    Raises:
        ConfigError: no such category or donor, or a negative number of composed rows or lines.
        DataError: the release is not there.
        Problems: everything that is wrong with its files.
    """
    counts = {"composed_rows": config.composed_rows, "composed_lines": config.composed_lines}
    check_values(counts, {name: (count >= 0, "0 or more") for name, count in counts.items()})
    main, more = _number(config.category), [_number(one) for one in _listed(config.also)]
    if len({main, *more}) <= len(more):
        raise ConfigError(f"also={config.also} names a category twice; every category is read once")
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
    """`6` for `words` and for `6`."""
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
                f"train_without: nothing of the donor '{donor}' trains{nearest(donor, known)}; choose from:"
                f" {', '.join(sorted(known))}"
            )
    return [one for one in utterances if one.tags["donor"] not in donors]


def _folded(utterance: Utterance) -> Utterance:
    return replace(utterance, text=(utterance.text or "").lower())


@dataclass(frozen=True)
class _Reading:
    """One reading of the release: its categories by split, and what is composed of them."""

    release: Release
    config: Config
    faults: CorpusFaults
    on_progress: Progress | None

    def category(self, number: str) -> dict[str, list[Utterance]]:
        """Read a category by split, without what its labels make useless for training."""
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
        """Compose what the options ask for, or take it from the cache."""
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
        """All usable segments of a category."""
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
    """Utterance and ink of each usable segment; what is wrong is added to `problems`."""
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
            problems.append(f"{segment.place}: nothing names the writer (.WRITER_ID); splits must not share writers")
            return
        if not segment.label:
            problems.append(f"{segment.place}: the label is empty; mark the segment BAD or correct it")
            continue
        ink = document.ink_or_problem(segment, problems, timed=donor not in UNTIMED)
        if ink is not None:  # else all of it was withheld
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
