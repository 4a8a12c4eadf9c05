"""TIMIT, the acoustic-phonetic corpus: 630 speakers of 8 American dialects, 10 sentences each, hand-labelled phones.

Licence and source: the whole corpus is sold by the Linguistic Data Consortium (LDC93S1, https://catalog.ldc.upenn.edu/LDC93S1).
NLTK distributes a sample of 16 speakers (CC BY-NC-SA: not for commercial use; `nltk.download("timit")`).

Supported folders, with names in upper or lower case:

- the LDC's: `TRAIN/DR1/FCJF0/SX37.{WAV,PHN,WRD,TXT}` and `TEST/...`, audio as NIST SPHERE or RIFF;
- the same with a third folder `dev/`: the three folders are then the splits (the embedded corpus is like this);
- NLTK's sample: `dr1-fvmh0/sx206.{wav,phn,wrd,txt}`.

Splits: train is the 462 speakers of TRAIN; test is the core test set, 24 speakers (TIMIT's own `testset.doc`, table 1);
dev is 50 other speakers of TEST (A. Halberstadt, PhD thesis, MIT 1998; the list that Kaldi and others use). The other
speakers of TEST are not used. The two SA sentences, which all speakers read, are left out everywhere. The sample is
divided by speaker: 10 train, 2 dev and 4 test, half of them women each; no sentence is read by two of its speakers.

Labels are the 61 phones of the .phn file; text is the words of the .wrd file, or of the .txt file if there is none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from asr.corpus.faults import CorpusFaults
from asr.corpus.named_files import quoted
from asr.corpus.phonemes import TIMIT_61
from asr.corpus.utterance import Utterance
from data_prep.roots import find_root, shown, subfolders
from data_prep.text_files import TRANSCRIPT_BYTES, read_text

_CORE_TEST = """
    mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0
    mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0
"""
_DEV = """
    faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 fedw0 mgjf0 mglb0 mrtk0
    mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4 fcal1 mmwh0
    fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1
"""
CORE_TEST_SPEAKERS = frozenset(_CORE_TEST.split())
DEV_SPEAKERS = frozenset(_DEV.split())
N_TRAIN_SPEAKERS = 462

# Chosen once by hand: train has a speaker of every dialect; test has dialects 1, 4, 6 and 7, dev has 2 and 5.
SAMPLE_DEV_SPEAKERS = frozenset({"marc0", "ftlg0"})
SAMPLE_TEST_SPEAKERS = frozenset({"fvmh0", "maeb0", "fapb0", "madd0"})

_AUDIO = (".wav", ".sph", ".flac")
_SAMPLE_FOLDER = re.compile(r"(dr[1-8])-([fm][a-z]{3}[0-9])", re.IGNORECASE)
_DIALECT_FOLDER = re.compile(r"dr[0-9]+", re.IGNORECASE)
_SA = re.compile(r"sa[0-9]+", re.IGNORECASE)
_SAMPLES = re.compile("[0-9]{1,12}")
_LABELS = frozenset(TIMIT_61)


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare timit`."""

    root: str = field(
        default="", metadata={"help": "folder with TRAIN and TEST (or dr1-fvmh0 ...), or a folder above it"}
    )
    complete: bool = field(
        default=True, metadata={"help": "refuse an LDC copy that lacks any of its 462, 50 and 24 speakers"}
    )


@dataclass(frozen=True)
class _Recording:
    """One utterance: its split, dialect, speaker and sentence, and its files by lower-case suffix."""

    split: str
    dialect: str
    speaker: str
    sentence: str
    files: dict[str, Path]

    @property
    def id(self) -> str:
        return f"{self.speaker}_{self.sentence}".upper()


def prepare(config: Config, faults: CorpusFaults | None = None) -> dict[str, list[Utterance]]:
    """Read the corpus as utterances with ids such as `FCJF0_SX37`, by split.

    Raises:
        DataError: the corpus is missing.
        Problems: speakers or files are missing, or files are malformed; lists all faults.
    """
    faults = faults or CorpusFaults()
    root = find_root(
        config.root,
        lambda folder: _split_folders(folder) is not None or _is_sample(folder),
        expected="TRAIN and TEST folders with DR1/SPEAKER/SENTENCE.WAV and .PHN, or NLTK's dr1-fvmh0/sx206.wav",
        remedy="TIMIT comes from the LDC (LDC93S1); its free sample of 16 speakers is nltk.download('timit')",
    )
    problems = faults.sentences
    recordings = [r for r in _scan(root, problems) if r.split and not _SA.fullmatch(r.sentence)]
    if config.complete:
        problems += _missing_speakers(root, recordings)
    splits: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    for recording in sorted(recordings, key=lambda r: (r.dialect, r.speaker, r.sentence)):
        n_before = len(problems)
        utterance = _utterance(recording, root, problems)
        if utterance is not None and len(problems) == n_before:
            splits[recording.split].append(utterance)
    faults.settle(f"TIMIT in {root}")
    return splits


def _split_folders(folder: Path) -> dict[str, Path] | None:
    """Return the folders of the splits by lower-case name; None if the folder does not look like an LDC copy."""
    found = {child.name.lower(): child for child in subfolders(folder)}
    splits: dict[str, Path] = {name: found[name] for name in ("train", "dev", "test") if name in found}
    shaped = any(_DIALECT_FOLDER.fullmatch(child.name) for path in splits.values() for child in subfolders(path))
    return splits if {"train", "test"} <= set(splits) and shaped else None


def _is_sample(folder: Path) -> bool:
    # Require a .phn file, because a folder of recordings alone may have such names too.
    speakers = (child for child in subfolders(folder) if _SAMPLE_FOLDER.fullmatch(child.name))
    return any(name.lower().endswith(".phn") for speaker in speakers for name in os.listdir(speaker))


def _scan(root: Path, problems: list[str]) -> Iterator[_Recording]:
    """Yield all recordings, including SA sentences and, with the split '', unused speakers."""
    folders = _split_folders(root)
    if folders is None:
        for folder in subfolders(root):
            if match := _SAMPLE_FOLDER.fullmatch(folder.name):
                dialect, speaker = match[1].lower(), match[2].lower()
                yield from _speaker(folder, _sample_split(speaker), dialect, speaker, problems)
        return
    for name, path in folders.items():
        divided = name == "test" and "dev" not in folders  # the LDC's TEST holds both dev and core test speakers
        for dialect in subfolders(path):
            for folder in subfolders(dialect):
                speaker = folder.name.lower()
                split = _test_split(speaker) if divided else name
                yield from _speaker(folder, split, dialect.name.lower(), speaker, problems)


def _sample_split(speaker: str) -> str:
    return "test" if speaker in SAMPLE_TEST_SPEAKERS else "dev" if speaker in SAMPLE_DEV_SPEAKERS else "train"


def _test_split(speaker: str) -> str:
    return "test" if speaker in CORE_TEST_SPEAKERS else "dev" if speaker in DEV_SPEAKERS else ""


def _speaker(folder: Path, split: str, dialect: str, speaker: str, problems: list[str]) -> Iterator[_Recording]:
    sentences: dict[str, dict[str, Path]] = {}
    for name in sorted(os.listdir(folder)):
        stem, suffix = os.path.splitext(name.lower())
        # A stem with a dot is a copy in another format beside the original, such as SX37.WAV.wav.
        if "." in stem or suffix not in (*_AUDIO, ".phn", ".wrd", ".txt"):
            continue
        files = sentences.setdefault(stem, {})
        if suffix in files:
            problems.append(f"{folder / name}: differs only in case from {files[suffix].name}; remove one of them")
            continue
        files[suffix] = folder / name
    for sentence, files in sentences.items():
        yield _Recording(split, dialect, speaker, sentence, files)


def _missing_speakers(root: Path, recordings: list[_Recording]) -> Iterator[str]:
    """Yield a sentence for each part that an LDC copy lacks; the sample and folders with `dev/` are not checked."""
    folders = _split_folders(root)
    if folders is None or "dev" in folders:
        return
    speakers = {split: {r.speaker for r in recordings if r.split == split} for split in ("train", "dev", "test")}
    remedy = "complete the copy, or set complete=false to go on without them"
    if len(speakers["train"]) != N_TRAIN_SPEAKERS:
        yield f"{folders['train']}: {len(speakers['train'])} speakers; expected {N_TRAIN_SPEAKERS}; {remedy}"
    for split, expected in (("dev", DEV_SPEAKERS), ("test", CORE_TEST_SPEAKERS)):
        if missing := sorted(expected - speakers[split]):
            yield f"{folders['test']}: no recordings of the {split} speakers {' '.join(missing)}; {remedy}"


def _utterance(recording: _Recording, root: Path, problems: list[str]) -> Utterance | None:
    files = recording.files
    source = next((files[suffix] for suffix in _AUDIO if suffix in files), None)
    if source is None or ".phn" not in files:
        first, *others = files.values()
        have = ", ".join([str(first.relative_to(root)), *(path.name for path in others)])
        lacks = "audio" if source is None else ".phn file"
        problems.append(f"'{recording.id}' has {have} but no {lacks}")
        return None
    segments = _segments(files[".phn"], root, problems)
    unknown = [(number, label) for number, _, label in segments if label not in _LABELS]
    where = shown(files[".phn"].relative_to(root))
    problems += [f"{where}:{number}: {quoted(label)} is not one of TIMIT's 61 phones" for number, label in unknown]
    if not segments:
        problems.append(f"{where}: holds no phone; expected lines 'begin end label'")
    return Utterance(
        id=recording.id,
        source=source,
        text=_words(files, root, problems),
        labels=tuple(label for _, _, label in segments),
        speaker=recording.speaker.upper(),
        tags={"dialect": recording.dialect, "sex": recording.speaker[0]},
    )


def _segments(path: Path, root: Path, problems: list[str], *, ordered: bool = True) -> list[tuple[int, int, str]]:
    """Return line number, end in samples and label of each line of a .phn or .wrd file; report malformed lines."""
    segments = []
    previous = 0
    name = shown(path.relative_to(root))
    for number, line in enumerate((read_text(path, name, problems, TRANSCRIPT_BYTES) or "").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        where = f"{name}:{number}"
        if len(fields) != 3 or not all(map(_SAMPLES.fullmatch, fields[:2])):
            problems.append(f"{where}: expected 'begin end label' in samples, got {quoted(line.strip())}")
            continue
        begin, end = int(fields[0]), int(fields[1])
        if ordered and not previous <= begin < end:
            problems.append(f"{where}: runs from {begin} to {end} after a begin of {previous}; times must not go back")
        previous = begin
        segments.append((number, end, fields[2].lower()))
    return segments


def _words(files: dict[str, Path], root: Path, problems: list[str]) -> str | None:
    """Return the words in lower case without punctuation."""
    if ".wrd" in files:  # words may overlap, because two may share a sound
        return " ".join(word for _, _, word in _segments(files[".wrd"], root, problems, ordered=False))
    if ".txt" in files:
        name = shown(files[".txt"].relative_to(root))
        fields = (read_text(files[".txt"], name, problems, TRANSCRIPT_BYTES) or "").lower().split()
        while fields and fields[0].isdecimal():  # begin and end in samples precede the sentence
            fields.pop(0)
        return " ".join(re.sub(r"[^\w' -]", "", word) for word in fields).strip()
    return None
