"""speechocean762: English read by 250 speakers of Mandarin, half of them children, 16 kHz.

Source: https://www.openslr.org/101/, https://github.com/jimbozhang/speechocean762 (J. Zhang et al., Interspeech 2021,
arXiv 2104.01378). Licence: "free download for both commercial and non-commercial purposes"; CC BY 4.0 on OpenSLR.
Splits: the official 125 training and 125 test speakers, 20 utterances each. There is no official dev set: twelve
speakers are taken out of train, see `DEV_SPEAKERS` in `data_prep/speechocean762.py`, which leaves 2,260 training
utterances.

Text is the prompt in upper case. Labels are the canonical phones of `resource/text-phone`, in lower case, without
stress and word position: the 39 phones of the CMU dictionary. Some speakers misread the prompt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from asr.corpus.faults import CorpusFaults
from asr.corpus.named_files import quoted
from asr.corpus.phonemes import FOLDS
from asr.corpus.utterance import Utterance
from data_prep.download import Archive, ensure_corpus
from data_prep.kaldi_dir import read_data_dir, read_table
from data_prep.recordings import Progress
from data_prep.roots import find_root

# Chosen once by hand: three girls, three boys, three women and three men, ages 6 to 31, 240 utterances.
DEV_SPEAKERS = ("0104", "3423", "6010", "1203", "3049", "6912", "2799", "9607", "9614", "2236", "1260", "1309")

ARCHIVE = Archive(
    url="https://github.com/jimbozhang/speechocean762/releases/download/v1.2.0/speechocean762.tar.gz",
    sha256="87054ed0ad25276d0301df3d132470c3d2ee84c1aa5f70d7d9dd4cfe046b6a30",
    checksum_from="Hugging Face datasets, datasets/speechocean762/dataset_infos.json",
    max_bytes=2 * 10**9,
)

_PHONES = frozenset(label for label in FOLDS["timit61_to_cmu39"].values() if label is not None)
_NUMBER = re.compile(r"[0-9]{1,9}")
_POSITION_OR_STRESS = re.compile(r"[0-2]?(_[BIES])?$")


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare speechocean762`."""

    root: str = field(
        default="", metadata={"help": "folder with train/, test/, WAVE/ and resource/, or a folder above it"}
    )
    download: bool = field(
        default=False, metadata={"help": "download version 1.2.0 (521 MB) into root if it is not there"}
    )


def prepare(
    config: Config, on_progress: Progress | None = None, faults: CorpusFaults | None = None
) -> dict[str, list[Utterance]]:
    """Read the corpus as utterances by split.

    Raises:
        DataError: the corpus is missing.
        Problems: its files do not match; lists all faults.
    """
    if config.download:
        ensure_corpus(ARCHIVE, config.root, _is_corpus, on_progress)
    root = find_root(
        config.root,
        _is_corpus,
        expected="train/wav.scp, test/wav.scp, WAVE/ and resource/text-phone",
        remedy="speechocean762 is free: set download=true, or see https://www.openslr.org/101/",
    )
    faults = faults or CorpusFaults()
    phones = _phones(root / "resource" / "text-phone", faults.sentences)
    official = {split: _read_split(root, split, phones, faults.sentences) for split in ("train", "test")}
    faults.settle(f"speechocean762 in {root}")
    return {
        "train": [utterance for utterance in official["train"] if utterance.speaker not in DEV_SPEAKERS],
        "dev": [utterance for utterance in official["train"] if utterance.speaker in DEV_SPEAKERS],
        "test": official["test"],
    }


def _is_corpus(folder: Path) -> bool:
    # Require text-phone, because any two Kaldi directories have the other files.
    lists = [folder / split / "wav.scp" for split in ("train", "test")]
    return all(path.is_file() for path in (*lists, folder / "resource" / "text-phone"))


def _read_split(
    root: Path, split: str, phones: dict[str, tuple[tuple[str, ...], ...]], problems: list[str]
) -> list[Utterance]:
    ages = read_table(root / split / "spk2age", problems)
    sexes = read_table(root / split / "spk2gender", problems)
    utterances = []
    for utterance in read_data_dir(root / split, root, problems):
        words = phones.get(utterance.id, ())
        if len(words) != len((utterance.text or "").split()):
            problems.append(
                f"resource/text-phone: {len(words)} words of '{utterance.id}', but {split}/text has"
                f" {quoted(utterance.text or '')}"
            )
            continue
        known = {"age": ages, "sex": sexes}
        tags = {name: table[utterance.speaker][1] for name, table in known.items() if utterance.speaker in table}
        labels = tuple(phone for word in words for phone in word)
        utterances.append(replace(utterance, labels=labels, tags=tags))
    return utterances


def _phones(path: Path, problems: list[str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Read the phones of each word of each utterance; lines are `utterance.word-number phone phone ...`."""
    words: dict[str, dict[int, tuple[str, ...]]] = {}
    for key, (where, value) in read_table(path, problems).items():
        utterance, _, number = key.rpartition(".")
        phones = tuple(_POSITION_OR_STRESS.sub("", phone).lower() for phone in value.split())
        unknown = sorted(set(phones) - _PHONES)
        if not utterance or _NUMBER.fullmatch(number) is None:
            problems.append(f"{where}: expected 'utterance.number phones', got {quoted(key)}")
        elif unknown:
            problems.append(f"{where}: {quoted(unknown[0])} is not one of the 39 phones of the CMU dictionary")
        else:
            words.setdefault(utterance, {})[int(number)] = phones
    return {name: tuple(phones for _, phones in sorted(by_number.items())) for name, by_number in words.items()}
