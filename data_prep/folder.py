"""Your own recordings: any folder of audio with transcripts beside it.

Transcripts can be given in one of these ways:

- a text file for each recording: `anna/hello.txt` for `anna/hello.wav` (UTF-8; several lines are one transcript);
- one table in the root: `transcripts.tsv`, `transcripts.csv` or `metadata.csv` (Hugging Face, LJSpeech). Its first line
  names the columns. `path` (of the audio, relative to the table) and `text` are required; `id`, `speaker`, `split`
  (train, dev or test), `start` and `duration` (in seconds) are optional. `data_prep/transcript_tables.py` lists other
  accepted names, and tables without a line of names. A `metadata.csv` of another kind is ignored;
- three tables: `train.tsv`, `dev.tsv` and `test.tsv` with recordings in `clips/` (Common Voice), or a `metadata.csv` in
  each of the folders `train`, `dev` and `test`.

Without a table, a text file without a recording is reported, because the recording may be lost. README.txt,
LICENSE.txt, COPYING.txt and NOTES.txt are not reported, nor text files in folders without recordings.

File names must be UTF-8. The option `channel` takes the same channel of every file; if the files need different ones,
split or mix them first.

Speakers come from the table, or else from the first folder below the root (or below the split's folder).

Splits come from the first of these that applies:

1. the folders `train`, `dev` and `test` in the root, three tables, or the table's column `split`;
2. a division by speaker, if there are at least three: speakers, shuffled by a hash of their names, are put into test
   and dev until each has its share of the utterances (at least one speaker each); no speaker is in two splits;
3. a division by recording: utterances, shuffled by a hash of their ids; speakers may then be in several splits.

The same files always give the same splits, on any machine. Licence: your own.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr.config import nearest
from asr.corpus.checks import SPLIT_BY_RECORDING
from asr.corpus.faults import CorpusFaults
from asr.corpus.named_files import file_problem, path_problem, quoted
from asr.corpus.splits import SPLITS
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from data_prep.recordings import recording_problems
from data_prep.roots import find_root, shown
from data_prep.text_files import TRANSCRIPT_BYTES, read_text
from data_prep.transcript_tables import is_transcript_table, name_of, read_transcript_table

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".sph")
_TABLES = ("transcripts.tsv", "transcripts.csv")
_OF_SPLITS = ("{split}.tsv", "{split}/metadata.csv")  # Common Voice; Hugging Face
_NO_TRANSCRIPTS = ("readme", "license", "licence", "copying", "notes")


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare folder`."""

    root: str = field(default="", metadata={"help": "folder with the recordings and transcripts"})
    transcripts: str = field(
        default="",
        metadata={"help": "name of the table in root; empty for transcripts.tsv, transcripts.csv or metadata.csv"},
    )
    dev: float = field(default=0.1, metadata={"help": "share of the utterances for dev, if no splits are given"})
    test: float = field(default=0.1, metadata={"help": "share of the utterances for test, if no splits are given"})
    split_by: str = field(
        default="auto", metadata={"help": "auto, speaker or recording: how to divide, if no splits are given"}
    )
    channel: int | None = field(default=None, metadata={"help": "channel to take of every file, counted from 0"})


def prepare(config: Config, faults: CorpusFaults | None = None) -> dict[str, list[Utterance]]:
    """Read the folder as utterances by split.

    Raises:
        ConfigError: the shares leave nothing to train on, or `split_by` is unknown.
        DataError: the folder does not exist, or has no recordings.
        Problems: recordings lack transcripts or the reverse, lines of a table are malformed, names are not UTF-8, or
            ids are repeated; lists all faults, and faulty recordings that these concern.
    """
    _check_options(config)
    faults = faults or CorpusFaults()
    root = find_root(
        config.root,
        lambda folder: True,
        expected="sound files, and transcripts beside them",
        remedy="`asr-prepare folder --help` describes the folder",
        depth=0,
    )
    tables = _tables(root, config.transcripts)
    found = [pair for table, split in tables for pair in read_transcript_table(table, SUFFIXES, faults, split)]
    if not tables:
        found = list(_from_files(root, faults.sentences))
    found = _usable([(split, replace(one, channel=config.channel)) for split, one in found], root, faults)
    faults.settle(str(root))
    if not found:
        faults.raise_all(str(root))
        raise DataError(f"no recordings in {root}; expected {', '.join(SUFFIXES)} files and their transcripts")
    try:
        if any(split for split, _ in found):
            return _given_splits(found, root)
        return _divide([utterance for _, utterance in found], config)
    except DataError:
        if faults.skipped:  # they are the reason why too little is left
            faults.sentences += recording_problems([one for _, one in found])
            faults.raise_all(str(root))
        raise


def _usable(found: Sequence[tuple[str, Utterance]], root: Path, faults: CorpusFaults) -> list[tuple[str, Utterance]]:
    """Return the recordings that have a transcript and a unique id; report the faults of the others."""
    first: dict[str, Path] = {}
    good = []
    left_out = []
    for split, one in found:
        if one.id in first:
            names = f"{_name_in(root, first[one.id])} and for {_name_in(root, one.source)}"
            faults.sentences.append(f"'{one.id}': the id is used for {names}; make ids unique")
        elif one.text is not None:
            good.append((split, one))
        if one.text is None:
            left_out.append(one)
        first.setdefault(one.id, one.source)
    faults.sentences += recording_problems(left_out)
    return good


def _check_options(config: Config) -> None:
    if not (config.dev > 0 and config.test > 0 and config.dev + config.test < 1):
        raise ConfigError(f"dev={config.dev} and test={config.test}: expected shares above 0, together below 1")
    known = ("auto", "speaker", "recording")
    if config.split_by not in known:
        raise ConfigError(f"split_by='{config.split_by}': expected {', '.join(known)}{nearest(config.split_by, known)}")


def _tables(root: Path, name: str) -> list[tuple[Path, str]]:
    """Return the tables of transcripts, each with its split ('' if it has a column for that); [] if there is none."""
    if name:
        if path_problem(name) or file_problem(root / name):
            raise DataError(
                f"there is no table {quoted(name)} in {root}; transcripts= names a .tsv or .csv file in the root"
            )
        return [(root / name, "")]
    for table in _TABLES:
        if not file_problem(root / table):
            return [(root / table, "")]
    if is_transcript_table(root / "metadata.csv"):
        return [(root / "metadata.csv", "")]
    for pattern in _OF_SPLITS:
        parts = [(root / pattern.format(split=split), split) for split in SPLITS]
        if all(is_transcript_table(path) for path, _ in parts):
            return parts
    return []


def _from_files(root: Path, problems: list[str]) -> Iterator[tuple[str, Utterance]]:
    """Yield split ('' if the folders are not splits) and utterance of each sound file; text is None after a problem."""
    in_splits = all((root / split).is_dir() for split in SPLITS)
    paths = list(_sound_files(root, problems))
    for path in paths:
        parts = path.relative_to(root).parts
        if shown(path) != str(path):
            problems.append(f"{_name_in(root, path)}: the name is not UTF-8; rename it")
            continue
        if in_splits and parts[0] not in SPLITS:
            problems.append(f"{'/'.join(parts)}: is outside the folders train, dev and test; move it into one of them")
            continue
        split, inner = (parts[0], parts[1:]) if in_splits else ("", parts)
        name = "-".join(name_of(part) for part in (*inner[:-1], path.stem))
        speaker = name_of(inner[0]) if len(inner) > 1 else None
        yield split, Utterance(id=name, source=path, text=_beside(path, root, problems), speaker=speaker)
    problems += _lost_recordings(paths, root)


def _sound_files(root: Path, problems: list[str]) -> Iterator[Path]:
    """Yield all sound files below the root, without hidden ones, in an order independent of the file system."""

    def unreadable(error: OSError) -> None:
        problems.append(f"{_name_in(root, Path(error.filename))}: the folder cannot be read: {error.strerror}")

    for folder, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES:
                yield Path(folder, name)


def _beside(path: Path, root: Path, problems: list[str]) -> str | None:
    """Read the transcript from the text file beside a sound file; report a missing or faulty one, and return None."""
    text_path = path.with_suffix(".txt")
    name = _name_in(root, text_path)
    if file_problem(text_path) == "does not exist":
        problems.append(f"{path.relative_to(root)}: has no transcript; expected {text_path.name} beside it")
        return None
    n_before = len(problems)
    text = read_text(text_path, name, problems, TRANSCRIPT_BYTES)
    if text is None or len(problems) > n_before:
        return None
    if not text.strip():
        problems.append(f"{name}: is empty; write what is said, or leave the recording out")
    return " ".join(text.split()) or None


def _lost_recordings(paths: Sequence[Path], root: Path) -> Iterator[str]:
    """Yield a sentence for each text file that is beside sound files but has no recording."""
    with_sound = {path.with_suffix("") for path in paths}
    for folder in sorted({path.parent for path in paths}):
        for text_path in sorted(folder.glob("*.txt")):
            known = text_path.with_suffix("") in with_sound or text_path.stem.lower() in _NO_TRANSCRIPTS
            if known or text_path.name.startswith(".") or not text_path.is_file():
                continue
            wanted = shown(text_path.with_suffix(SUFFIXES[0]).name)
            yield f"{_name_in(root, text_path)}: has no recording; put {wanted} beside it, or remove the text"


def _name_in(root: Path, path: Path) -> str:
    """Return a printable path, relative to the root if it is below the root."""
    return shown(path.relative_to(root) if path.is_relative_to(root) else path)


def _given_splits(found: Sequence[tuple[str, Utterance]], root: Path) -> dict[str, list[Utterance]]:
    splits = {name: [utterance for split, utterance in found if split == name] for name in SPLITS}
    if empty := [name for name, utterances in splits.items() if not utterances]:
        raise DataError(f"{root}: {' and '.join(empty)} have no recordings; train, dev and test each need some")
    return splits


def _divide(utterances: list[Utterance], config: Config) -> dict[str, list[Utterance]]:
    """Divide utterances by speaker or by recording; the same utterances always give the same splits."""
    speakers = {utterance.speaker for utterance in utterances}
    by_speaker = None not in speakers and len(speakers) >= 3
    if config.split_by == "speaker" and not by_speaker:
        raise DataError(
            f"split_by=speaker needs at least three speakers, and a speaker for every recording; there are "
            f"{len(speakers - {None})}; put the recordings of each speaker into a folder, or set split_by=recording"
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
