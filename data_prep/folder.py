"""Your own recordings: any folder of audio with transcripts beside it.

Transcripts are either

- text files of the same name: `anna/hello.wav`, `anna/hello.txt` (UTF-8; several lines are one transcript), or
- one table in the root, `transcripts.tsv` or `transcripts.csv`, with a first line that names the columns: `path` (of
  the audio, relative to the table) and `text`; where they are there `id`, `speaker`, `split` (train, dev or test),
  `start` and `duration` (seconds).

Without a table, a text file beside recordings that belongs to none of them is reported, as its recording may be lost;
not so README.txt, LICENSE.txt, COPYING.txt and NOTES.txt, nor text files in folders without recordings.

Names are UTF-8. The option `channel` takes the same channel of every file; where they differ, split or mix them.

Speakers are the table's, or else the first folder beneath the root (beneath the split's folder).

Splits, the first of these that applies:

1. folders `train`, `dev` and `test` in the root, or the table's column `split`;
2. by speaker, where there are at least three: speakers, in an order shuffled by a hash of their names, go to test and
   dev until each has its share of the utterances, one speaker at least; nobody is in two splits;
3. by recording: utterances in an order shuffled by a hash of their ids. Speakers are then shared by the splits.

The same files always give the same splits, on any machine. Licence: whatever yours is.
"""

from __future__ import annotations

import csv
import hashlib
import math
import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr.config import nearest
from asr.corpus.checks import SPLIT_BY_RECORDING
from asr.corpus.splits import SPLITS
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError, Problems
from data_prep.recordings import Progress, recording_problems
from data_prep.roots import find_root, shown

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".sph")
_COLUMNS = ("path", "text", "id", "speaker", "split", "start", "duration")
_NO_TRANSCRIPTS = ("readme", "license", "licence", "copying", "notes")


class _Commas(csv.excel):
    strict = True


class _Tabs(csv.excel_tab):
    strict = True
    quoting = csv.QUOTE_NONE  # a quotation mark is a character like any other, as no field can hold a tab


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare folder`."""

    root: str = field(default="", metadata={"help": "the folder"})
    transcripts: str = field(
        default="", metadata={"help": "table of transcripts in root; default: transcripts.tsv or .csv"}
    )
    dev: float = field(default=0.1, metadata={"help": "share of the utterances for dev, where no split is given"})
    test: float = field(default=0.1, metadata={"help": "share of the utterances for test, where no split is given"})
    split_by: str = field(default="auto", metadata={"help": "auto, speaker or recording, where no split is given"})
    channel: int | None = field(default=None, metadata={"help": "channel to take of every file, counted from 0"})


def prepare(config: Config, on_progress: Progress | None = None) -> dict[str, list[Utterance]]:
    """The folder as utterances.

    Raises:
        ConfigError: shares that leave nothing to train on, an unknown `split_by`.
        DataError: no such folder, or nothing in it.
        Problems: audio without a transcript and the reverse, malformed lines of the table, names that are not UTF-8,
            ids used twice; with them everything that is wrong with the recordings.
    """
    _check_options(config)
    root = find_root(
        config.root,
        lambda folder: True,
        expected="sound files, and transcripts beside them",
        remedy="See the top of data_prep/folder.py for what may stand in it",
        depth=0,
    )
    problems: list[str] = []
    table = _table_path(root, config.transcripts)
    found = list(_from_files(root, problems) if table is None else _from_table(table, problems))
    found = [(split, replace(utterance, channel=config.channel)) for split, utterance in found]
    utterances = [utterance for _, utterance in found]
    problems += _same_ids(utterances, root)
    if problems:
        raise Problems([*problems, *recording_problems(utterances, on_progress)], what=str(root))
    if not found:
        raise DataError(f"no recordings in {root}; expected {', '.join(SUFFIXES)} files and their transcripts")
    if any(split for split, _ in found):
        return _given_splits(found, root)
    return _divide(utterances, config)


def _check_options(config: Config) -> None:
    if not (config.dev > 0 and config.test > 0 and config.dev + config.test < 1):
        raise ConfigError(f"dev={config.dev} and test={config.test} must be above 0 and together below 1")
    known = ("auto", "speaker", "recording")
    if config.split_by not in known:
        raise ConfigError(f"split_by is {', '.join(known)}, got '{config.split_by}'{nearest(config.split_by, known)}")


def _table_path(root: Path, name: str) -> Path | None:
    if name and not (root / name).is_file():
        raise DataError(f"there is no table {root / name}; transcripts= names a .tsv or .csv file in the root")
    candidates = [name] if name else ["transcripts.tsv", "transcripts.csv"]
    return next((root / candidate for candidate in candidates if (root / candidate).is_file()), None)


def _from_files(root: Path, problems: list[str]) -> Iterator[tuple[str, Utterance]]:
    """Split ('' where the folders are not splits) and utterance of each sound file, its text None after a problem."""
    in_splits = all((root / split).is_dir() for split in SPLITS)
    paths = list(_sound_files(root))
    for path in paths:
        parts = path.relative_to(root).parts
        if shown(path) != str(path):
            problems.append(f"{_name_in(root, path)}: the name is not UTF-8; rename it")
            continue
        if in_splits and parts[0] not in SPLITS:
            problems.append(f"{'/'.join(parts)}: is outside the folders train, dev and test; move it into one of them")
            continue
        split, inner = (parts[0], parts[1:]) if in_splits else ("", parts)
        name = "-".join(_name(part) for part in (*inner[:-1], path.stem))
        speaker = _name(inner[0]) if len(inner) > 1 else None
        yield split, Utterance(id=name, source=path, text=_beside(path, root, problems), speaker=speaker)
    problems += _lost_recordings(paths, root)


def _sound_files(root: Path) -> Iterator[Path]:
    """All sound files beneath the root, hidden ones left out, in an order that does not depend on the file system."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES:
                yield Path(folder, name)


def _beside(path: Path, root: Path, problems: list[str]) -> str | None:
    """The transcript in the text file beside a sound file."""
    text_path = path.with_suffix(".txt")
    try:
        text = " ".join(text_path.read_text(encoding="utf-8-sig").split())
        if text:
            return text
        problems.append(f"{text_path.relative_to(root)}: is empty; write what is said, or leave the recording out")
    except FileNotFoundError:
        problems.append(f"{path.relative_to(root)}: has no transcript; expected {text_path.name} beside it")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{text_path.relative_to(root)}: cannot be read as UTF-8 text: {error}")
    return None


def _lost_recordings(paths: Sequence[Path], root: Path) -> Iterator[str]:
    """A sentence for each text file that stands beside sound files and belongs to none."""
    with_sound = {path.with_suffix("") for path in paths}
    for folder in sorted({path.parent for path in paths}):
        for text_path in sorted(folder.glob("*.txt")):
            known = text_path.with_suffix("") in with_sound or text_path.stem.lower() in _NO_TRANSCRIPTS
            if known or text_path.name.startswith(".") or not text_path.is_file():
                continue
            wanted = shown(text_path.with_suffix(SUFFIXES[0]).name)
            yield f"{_name_in(root, text_path)}: has no recording; put {wanted} beside it, or take the text away"


def _same_ids(utterances: Iterable[Utterance], root: Path) -> Iterator[str]:
    first: dict[str, Path] = {}
    for one in utterances:
        if one.id in first:
            names = f"{_name_in(root, first[one.id])} and for {_name_in(root, one.source)}"
            yield f"'{one.id}': the id is used for {names}; make ids unique"
        first.setdefault(one.id, one.source)


def _name_in(root: Path, path: Path) -> str:
    """A file beneath the root, or elsewhere, as it can be printed."""
    return shown(path.relative_to(root) if path.is_relative_to(root) else path)


def _name(text: str) -> str:
    return "_".join(text.split())


def _from_table(path: Path, problems: list[str]) -> Iterator[tuple[str, Utterance]]:
    """Split ('' where the table has none) and utterance of each line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, dialect=_Tabs if path.suffix.lower() == ".tsv" else _Commas)
            columns = [column or "" for column in reader.fieldnames or ()]
            problems += _column_problems(path, columns)
            if problems:
                return
            for row in reader:
                where = f"{path.name}:{reader.line_num}"
                if None in row or None in row.values():
                    problems.append(f"{where}: expected {len(columns)} columns ({', '.join(columns)})")
                    continue
                try:
                    yield _row(row, path.parent)
                except ValueError as error:
                    problems.append(f"{where}: {error}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path.name}: cannot be read as a table in UTF-8: {error}")


def _column_problems(path: Path, columns: Sequence[str]) -> Iterator[str]:
    for column in columns:
        if column not in _COLUMNS:
            yield f"{path.name}:1: unknown column '{column}'{nearest(column, _COLUMNS)}; known: {', '.join(_COLUMNS)}"
    for column in ("path", "text"):
        if column not in columns:
            yield f"{path.name}:1: has no column '{column}'; the first line names the columns"


def _row(row: Mapping[str, str], root: Path) -> tuple[str, Utterance]:
    written = row["path"].strip()
    path = Path(os.path.normpath(root / written))
    if not Path(written).is_absolute() and not path.resolve().is_relative_to(root):
        raise ValueError(f"the path {written!r} leaves {root}; write an absolute path if it is meant")
    if not written or not path.is_file():
        raise ValueError(f"there is no file {written!r} in {root}")
    split = row.get("split", "").strip()
    if "split" in row and split not in SPLITS:
        raise ValueError(f"the split is {split!r}; expected train, dev or test{nearest(split, SPLITS)}")
    text = " ".join(row["text"].split())
    if not text:
        raise ValueError("the text is empty; write what is said, or take the line out")
    parts = Path(written).with_suffix("").relative_to(Path(written).anchor).parts
    in_folder = len(parts) > 1 and not Path(written).is_absolute() and "speaker" not in row
    return split, Utterance(
        id=_name(row.get("id", "")) or "-".join(_name(part) for part in parts),
        source=path,
        start=_seconds(row, "start"),
        duration=_seconds(row, "duration"),
        text=text,
        speaker=_name(row.get("speaker", "")) or (_name(parts[0]) if in_folder else None),
    )


def _seconds(row: Mapping[str, str], column: str) -> float | None:
    written = row.get(column, "").strip()
    try:
        value = float(written) if written else None
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{column} is {written!r}; expected seconds")
    return value


def _given_splits(found: Sequence[tuple[str, Utterance]], root: Path) -> dict[str, list[Utterance]]:
    splits = {name: [utterance for split, utterance in found if split == name] for name in SPLITS}
    if empty := [name for name, utterances in splits.items() if not utterances]:
        raise DataError(f"{root}: nothing in {' and '.join(empty)}; all of train, dev and test need recordings")
    return splits


def _divide(utterances: list[Utterance], config: Config) -> dict[str, list[Utterance]]:
    """Divide by speaker or by recording, always in the same way."""
    speakers = {utterance.speaker for utterance in utterances}
    by_speaker = None not in speakers and len(speakers) >= 3
    if config.split_by == "speaker" and not by_speaker:
        raise DataError(
            f"to divide by speaker takes three, and one for every recording; here are {len(speakers - {None})}: "
            "put recordings into one folder a speaker, or set split_by=recording"
        )
    if config.split_by == "recording" or not by_speaker:
        tags = {} if speakers == {None} else SPLIT_BY_RECORDING
        utterances = [replace(utterance, tags=tags) for utterance in utterances]
        by_speaker = False
    groups: dict[Hashable, list[Utterance]] = {}
    for utterance in utterances:
        groups.setdefault(utterance.speaker if by_speaker else utterance.id, []).append(utterance)
    if len(groups) < 3:
        raise DataError(f"{len(groups)} recordings cannot be divided into train, dev and test; record at least three")
    waiting = sorted(groups, key=lambda name: hashlib.sha256(str(name).encode()).digest())
    splits: dict[str, list[Utterance]] = {name: [] for name in SPLITS}
    for split, share, left in (("test", config.test, 2), ("dev", config.dev, 1)):
        while not splits[split] or (len(waiting) > left and len(splits[split]) < round(share * len(utterances))):
            splits[split] += groups[waiting.pop()]
    splits["train"] = [utterance for name in waiting for utterance in groups[name]]
    return {name: sorted(part, key=lambda utterance: utterance.id) for name, part in splits.items()}
