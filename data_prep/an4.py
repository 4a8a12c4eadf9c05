"""AN4, the CMU "census" corpus: letters, digits, names and commands, close-talk microphone, 16 kHz.

Licence: Carnegie Mellon University, two-clause BSD style, free for any purpose.
Get it: https://github.com/cmusphinx/an4 (RIFF), or http://www.speech.cs.cmu.edu/databases/an4/ (SPHERE).
Splits: the official 948 training and 130 test utterances (74 and 10 speakers; the publisher left out names that start
with cen9). There is no official dev set: eight speakers are taken out of train, see `DEV_SPEAKERS` in
`data_prep/an4.py`, which leaves 849 training utterances.

Text is in upper case as published; the Sphinx markers <s> and </s> are removed. With `phonemes=true`, utterances also
have labels: the pronunciations of their words in `etc/an4.dic`, in lower case, all phones of the CMU dictionary. A word
with several pronunciations gets the first one, except A and ONE, see `SPOKEN`: the labels are canonical and do not show
how a speaker said the word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr.corpus.faults import CorpusFaults
from asr.corpus.named_files import file_problem, path_problem, quoted
from asr.corpus.phonemes import FOLDS
from asr.corpus.utterance import Utterance
from asr.errors import Problems
from data_prep.download import Archive, ensure_corpus
from data_prep.recordings import Progress
from data_prep.roots import find_root
from data_prep.text_files import read_text

# Chosen once by hand: 3 women and 5 men, 99 utterances, spread over the alphabet and so over the recording sessions.
DEV_SPEAKERS = ("fbbh", "fkai", "ftal", "mblw", "mdxn", "mjdr", "mmal", "msmn")

SPOKEN = {"A": "A(2)", "ONE": "ONE(2)"}
"""Words for which another dictionary entry than the first is used: in this corpus A is the letter, not the article, and
the first entry of ONE begins with an h."""

ARCHIVE = Archive(
    url="https://dldata-public.s3.us-east-2.amazonaws.com/an4_sphere.tar.gz",
    sha256="a0525579493735d32b60fb6fa5975dd0eaacde087b0a4eeb7f13b7ef33077b12",
    checksum_from="a public NeMo training example, SPDX-FileCopyrightText 2026 Alexander Salikov",
    max_bytes=500 * 10**6,
)

_SUFFIXES = (".flac", ".wav", ".sph")
_PHONES = frozenset(label for label in FOLDS["timit61_to_cmu39"].values() if label is not None)
_LINE = re.compile(r"(?P<text>.*?)\s*\((?P<id>[^()\s]+)\)")


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare an4`."""

    root: str = field(default="", metadata={"help": "folder with etc/an4_train.fileids, or a folder above it"})
    download: bool = field(
        default=False, metadata={"help": "download the SPHERE files (64 MB) into root if they are not there"}
    )
    phonemes: bool = field(default=False, metadata={"help": "add labels: the phonemes of the words, from etc/an4.dic"})


def prepare(
    config: Config, on_progress: Progress | None = None, faults: CorpusFaults | None = None
) -> dict[str, list[Utterance]]:
    """Read the corpus as utterances by split.

    Raises:
        DataError: the corpus is missing.
        Problems: lists, transcripts and audio do not match; lists all faults.
    """
    if config.download:
        ensure_corpus(ARCHIVE, config.root, _is_corpus, on_progress)
    root = find_root(
        config.root,
        _is_corpus,
        expected="etc/an4_train.fileids, etc/an4_test.fileids and wav/",
        remedy="AN4 is free: set download=true, or clone https://github.com/cmusphinx/an4 and give its folder as root=",
    )
    faults = faults or CorpusFaults()
    official = {split: _read_split(root, split, faults.sentences) for split in ("train", "test")}
    if config.phonemes:
        official = _spelled(official, root / "etc" / "an4.dic", faults.sentences)
    faults.settle(f"AN4 in {root}")
    return {
        "train": [utterance for utterance in official["train"] if utterance.speaker not in DEV_SPEAKERS],
        "dev": [utterance for utterance in official["train"] if utterance.speaker in DEV_SPEAKERS],
        "test": official["test"],
    }


def _is_corpus(folder: Path) -> bool:
    return (folder / "etc" / "an4_train.fileids").is_file()


def _read_split(root: Path, split: str, problems: list[str]) -> list[Utterance]:
    names = root / "etc" / f"an4_{split}.fileids"
    transcripts = root / "etc" / f"an4_{split}.transcription"
    fileids, lines = _read_lines(names), _read_lines(transcripts)
    if len(fileids) != len(lines):
        problems.append(
            f"{names.name} has {len(fileids)} lines, but {transcripts.name} has {len(lines)}; expected the same number"
        )
    utterances = []
    for number, (fileid, line) in enumerate(zip(fileids, lines, strict=False), start=1):
        where = f"{transcripts.name}:{number}"
        match = _LINE.fullmatch(line.strip())
        path = Path(fileid.strip())
        if match is None:
            problems.append(f"{where}: expected 'WORDS (utterance-id)', got {quoted(line.strip())}")
            continue
        if match["id"] != path.name:
            problems.append(
                f"{where}: belongs to {quoted(match['id'])}, but {names.name}:{number} names {quoted(path.name)}"
            )
            continue
        if path_problem(str(path)) or path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
            problems.append(f"{names.name}:{number}: {quoted(fileid.strip())} is not a path set/speaker/utterance")
            continue
        source = _audio(root / "wav" / path)
        if source is None:
            problems.append(f"{names.name}:{number}: there is no audio wav/{path} with {', '.join(_SUFFIXES)}")
            continue
        words = [word for word in match["text"].split() if word not in ("<s>", "</s>")]
        speaker = path.parent.name
        tags = {"sex": speaker[0]}
        utterances.append(Utterance(id=path.name, source=source, text=" ".join(words), speaker=speaker, tags=tags))
    return utterances


def _spelled(splits: Mapping[str, Sequence[Utterance]], path: Path, problems: list[str]) -> dict[str, list[Utterance]]:
    """Return the utterances with the phonemes of their words, except those with a word that the dictionary lacks."""
    entries = read_pronunciations(path, problems)
    spelled: dict[str, list[Utterance]] = {split: [] for split in splits}
    for split, utterances in splits.items():
        for utterance in utterances:
            words = (utterance.text or "").split()
            if missing := [word for word in words if word not in entries]:
                problems.append(f"{path.name}: lacks {quoted(missing[0])}, a word of '{utterance.id}'")
                continue
            phonemes = tuple(
                phoneme for word in words for phoneme in entries.get(SPOKEN.get(word, word), entries[word])
            )
            spelled[split].append(replace(utterance, labels=phonemes))
    return spelled


def read_pronunciations(path: Path, problems: list[str]) -> dict[str, tuple[str, ...]]:
    """Read a Sphinx dictionary: lines `WORD PHONE PHONE ...`; further entries of a word are `WORD(2)` and so on.

    Args:
        path: the dictionary.
        problems: gets a sentence for each line that is not an entry or has phones other than the CMU dictionary's 39.

    Returns:
        The phones in lower case, by entry.
    """
    entries: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate((read_text(path, path.name, problems) or "").splitlines(), start=1):
        word, *phones = line.split() or [""]
        known = tuple(phone.lower() for phone in phones)
        if word and (not phones or not _PHONES.issuperset(known)):
            problems.append(f"{path.name}:{number}: expected 'WORD PHONE ...' in phones of CMU, got {quoted(line)}")
        elif word:
            entries[word] = known
    return entries


def _read_lines(path: Path) -> list[str]:
    problems: list[str] = []
    text = read_text(path, path.name, problems)
    if problems or text is None:  # if a line is missing, the lines of the two files do not correspond
        raise Problems(problems, what=str(path.parent))
    return [line for line in text.splitlines() if line.strip()]


def _audio(stem: Path) -> Path | None:
    """Return the recording of this name, of whatever format; None if there is none."""
    candidates = (stem.parent / (stem.name + suffix) for suffix in _SUFFIXES)
    return next((path for path in candidates if not file_problem(path)), None)
