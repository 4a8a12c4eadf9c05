"""Any corpus prepared for Kaldi: one data directory per split.

    root/{train,dev,test}/{wav.scp, text, utt2spk, segments}

- `wav.scp`: the sound file of each recording, or of each utterance if there is no `segments`;
- `segments` (optional): `utterance recording start end`, in seconds;
- `text`: the transcript of each utterance;
- `utt2spk` (optional): the speaker of each utterance.

Licence and splits are those of the corpus.

`wav.scp` may name only sound files. A command (`sph2pipe ... |`) is an error, because a data file must not decide what
this machine executes; a position in an archive (`raw.ark:1234`) is an error too.

A segment that ends up to 0.5 s after its recording is trimmed, as by Kaldi's `extract-segments`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from asr.corpus.checks import SPLIT_BY_RECORDING
from asr.corpus.faults import CorpusFaults
from asr.corpus.named_files import below, file_problem, path_problem, quoted
from asr.corpus.utterance import Utterance
from data_prep.roots import find_root, given_path
from data_prep.text_files import read_text


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare kaldi_dir`."""

    root: str = field(default="", metadata={"help": "folder with the data directories"})
    train: str = field(default="train", metadata={"help": "data directory of the training set, below root"})
    dev: str = field(default="dev", metadata={"help": "data directory of the development set, below root"})
    test: str = field(default="test", metadata={"help": "data directory of the test set, below root"})
    audio_root: str = field(
        default="", metadata={"help": "folder that paths in wav.scp are relative to; empty for root"}
    )
    labels: bool = field(default=False, metadata={"help": "the files `text` hold labels (phones), not words"})
    channel: int | None = field(default=None, metadata={"help": "channel to take of every file, counted from 0"})
    shared_speakers: bool = field(
        default=False, metadata={"help": "accept speakers that are in train and in another split"}
    )


def prepare(config: Config, faults: CorpusFaults | None = None) -> dict[str, list[Utterance]]:
    """Read the data directories as utterances by split, sorted by id.

    Raises:
        DataError: a directory or its `wav.scp` is missing.
        Problems: their files have faults; lists all of them with file and line.
    """
    faults = faults or CorpusFaults()
    names = {"train": config.train, "dev": config.dev, "test": config.test}
    root = find_root(
        config.root,
        lambda folder: all((folder / name / "wav.scp").is_file() for name in names.values()),
        expected=f"the data directories {', '.join(names.values())}, each with a wav.scp",
        remedy="If they have other names, set train=, dev= and test=.",
        depth=1,
    )
    audio_root = given_path(config.audio_root, "audio_root") if config.audio_root else root
    splits: dict[str, list[Utterance]] = {}
    for split, name in names.items():
        problems: list[str] = []
        splits[split] = read_data_dir(root / name, audio_root, problems)
        faults.place(problems, split)
    faults.settle(f"the Kaldi directories in {root}")
    return {split: [_with_options(one, config) for one in utterances] for split, utterances in splits.items()}


def _with_options(utterance: Utterance, config: Config) -> Utterance:
    return Utterance(
        id=utterance.id,
        source=utterance.source,
        start=utterance.start,
        duration=utterance.duration,
        channel=config.channel,
        text=None if config.labels else utterance.text,
        labels=tuple((utterance.text or "").split()) if config.labels else None,
        speaker=utterance.speaker,
        tags=SPLIT_BY_RECORDING if config.shared_speakers else {},
    )


def read_data_dir(folder: Path, audio_root: Path, problems: list[str]) -> list[Utterance]:
    """Read one data directory as utterances, sorted by id.

    Args:
        folder: the directory, with wav.scp and text, and optionally segments and utt2spk.
        audio_root: folder that the paths of wav.scp are relative to and must not leave.
        problems: gets a sentence for each fault.
    """
    recordings = {
        name: source
        for name, (where, path) in read_table(folder / "wav.scp", problems).items()
        if (source := _source(path, where, audio_root, problems)) is not None
    }
    texts = read_table(folder / "text", problems, empty_values=True)
    speakers = read_table(folder / "utt2spk", problems) if (folder / "utt2spk").is_file() else {}
    if (folder / "segments").is_file():
        spans = dict(_segments(folder / "segments", recordings, problems))
    else:
        spans = {name: (name, None, None) for name in recordings}
    problems += _mismatches(folder, set(spans), texts, speakers)
    utterances = []
    complete = set(spans) & set(texts) & (set(speakers) or set(spans))
    for name in sorted(complete):
        recording, start, duration = spans[name]
        _, text = texts[name]
        source = recordings[recording]
        speaker = speakers[name][1] if name in speakers else None
        utterances.append(Utterance(name, source, start=start, duration=duration, text=text, speaker=speaker))
    return utterances


def read_table(path: Path, problems: list[str], *, empty_values: bool = False) -> dict[str, tuple[str, str]]:
    """Read a Kaldi table, whose lines are a key and a value.

    Args:
        path: the table.
        problems: gets a sentence for each repeated key, each key without a value, and an unreadable file.
        empty_values: whether a key may have no value, as in `text` for an utterance without words.

    Returns:
        (`file:line`, value) by key.
    """
    table: dict[str, tuple[str, str]] = {}
    label = f"{path.parent.name}/{path.name}"
    lines = (read_text(path, label, problems) or "").split("\n")
    for number, line in enumerate(lines, start=1):
        fields = line.strip().split(maxsplit=1)
        if not fields:
            continue
        where = f"{label}:{number}"
        if len(fields) == 1 and not empty_values:
            problems.append(f"{where}: {quoted(fields[0])} has no value")
        elif fields[0] in table:
            problems.append(f"{where}: {quoted(fields[0])} was already given at {table[fields[0]][0]}")
        else:
            table[fields[0]] = (where, fields[1] if len(fields) == 2 else "")
    return table


def _source(path: str, where: str, audio_root: Path, problems: list[str]) -> Path | None:
    """Return the file that an entry of wav.scp names; if the entry is invalid, report it and return None."""
    if reason := path_problem(path):
        problems.append(f"{where}: the path {quoted(path)} {reason}")
        return None
    if "|" in (path[0], path[-1]):
        problems.append(
            f"{where}: reads from a command ({quoted(path)}); commands in data files are never run: write audio files, "
            "for example with `wav-copy scp:wav.scp` or sox, and name those"
        )
        return None
    archive, _, offset = path.rpartition(":")
    if path == "-" or (archive and offset.isdecimal()) or Path(path).suffix.lower() in (".ark", ".scp"):
        problems.append(f"{where}: {quoted(path)} is standard input or a part of an archive; expected a sound file")
        return None
    source = below(path, audio_root)
    if source is None:
        problems.append(f"{where}: the path {quoted(path)} leads out of {audio_root}; write it as an absolute path")
        return None
    if reason := file_problem(source):
        what = f"there is no file {source}" if reason == "does not exist" else f"{source} {reason}; expected a file"
        remedy = "" if Path(path).is_absolute() else "; set audio_root= to the folder that paths are relative to"
        problems.append(f"{where}: {what}{remedy}")
        return None
    return source


def _segments(
    path: Path, recordings: dict[str, Path], problems: list[str]
) -> Iterator[tuple[str, tuple[str, float | None, float | None]]]:
    """Yield id, recording, start and duration in seconds; an end of -1 means the end of the file, as in Kaldi."""
    for name, (where, value) in read_table(path, problems).items():
        fields = value.split()
        try:
            recording, start, end = fields[0], float(fields[1]), float(fields[2])
            if not (len(fields) == 3 and math.isfinite(start) and math.isfinite(end)):
                raise ValueError
        except (IndexError, ValueError):
            problems.append(
                f"{where}: expected 'utterance recording start end' in seconds, got {quoted(f'{name} {value}')}"
            )
            continue
        if recording not in recordings:
            problems.append(f"{where}: there is no recording {quoted(recording)} in wav.scp")
        elif start < 0 or (end != -1 and end <= start):
            problems.append(f"{where}: runs from {start:g} to {end:g} s; expected 0 <= start < end")
        else:
            yield name, (recording, start, None if end == -1 else round(end - start, 6))


def _mismatches(
    folder: Path, spoken: set[str], texts: dict[str, tuple[str, str]], speakers: dict[str, tuple[str, str]]
) -> Iterator[str]:
    """Yield a sentence for each utterance that is not in all files."""
    for name in sorted(spoken - set(texts)):
        yield f"{folder.name}/text: has no transcript of '{name}'"
    for name in sorted(set(texts) - spoken):
        yield f"{texts[name][0]}: '{name}' has no audio; correct wav.scp or segments, or leave the line out"
    if speakers:
        for name in sorted(spoken - set(speakers)):
            yield f"{folder.name}/utt2spk: has no speaker of '{name}'"
