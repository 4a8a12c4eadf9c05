"""Bring together the utterances of a run: prepared manifests or a corpus reader, and pooled corpora."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from asr.config import Faults, check_types, nearest, shown
from asr.corpus.faults import read_skipped
from asr.corpus.handling import Handling, take_handling
from asr.corpus.manifest import read_manifest
from asr.corpus.splits import SPLITS, Corpus, read_manifests
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from data_prep.corpora import load_corpus
from data_prep.recordings import Progress
from data_prep.written_options import parse_options

_LONGEST = 60  # characters of an option's name in a message


@dataclass
class CorpusConfig:
    """Where the utterances come from: `manifests`, or a `reader` of data_prep with its options."""

    reader: str | None = None  # a module of data_prep, or one of your own named in plugins
    root: str | None = None  # the corpus on disk; None for the reader's default
    options: dict[str, Any] = field(default_factory=dict)  # anything else the reader takes
    manifests: str | None = None  # a folder with train.jsonl, dev.jsonl, test.jsonl, instead of a reader
    on_error: str = "error"  # error, or skip: go on without utterances that something is wrong with
    noise: str = "error"  # tags such as [noise] in transcripts of speech: error, drop or keep
    clean: str = "none"  # none, or unicode: remove invisible characters, unify apostrophes, dashes and the like
    pool: dict[str, Any] = field(default_factory=dict)  # name: more corpora like this one; all their parts train

    def __post_init__(self) -> None:
        """Give the pooled corpora their type, where they come from a configuration file.

        Raises:
            ConfigError: names every option of a pooled corpus that is unknown or of another type.
        """
        faults, read = Faults(), {}
        for name, one in self.pool.items():
            with faults.noted(f"pool.{name}"[:_LONGEST]):
                read[str(name)] = _pooled(one)
        faults.check()
        self.pool = read


def load_splits(config: CorpusConfig, plugins: Sequence[str] = (), on_progress: Progress | None = None) -> Corpus:
    """Read the corpus of a run.

    Returns:
        Utterances for `train`, `dev` and `test`, and what was left out. Of pooled corpora every part is added to
        `train`, with the corpus's name before its ids and speakers.

    Raises:
        DataError: a manifest or a corpus is not what it should be.
        ConfigError: neither or both of `reader` and `manifests`.
    """
    read = _read(config, plugins, on_progress)
    splits, skipped, notes = dict(read.splits), list(read.skipped), list(read.notes)
    for name, corpus in config.pool.items():
        pooled = _read(corpus, plugins, on_progress)
        splits["train"] += [_named(name, utterance) for split in SPLITS for utterance in pooled.splits[split]]
        skipped += [replace(one, split="train", place=f"{name}-{one.place}") for one in pooled.skipped]
        notes += pooled.notes
    return Corpus(splits, tuple(skipped), tuple(notes))


def _pooled(node: object) -> CorpusConfig:
    if isinstance(node, CorpusConfig):
        return node
    if not isinstance(node, Mapping):
        raise ConfigError(f"found {shown(node)}; expected the options of a corpus, such as reader and root")
    known = {one.name for one in fields(CorpusConfig)} - {"pool"}
    faults = Faults()
    for name in (str(key)[:_LONGEST] for key in node if key not in known):
        faults.add(ConfigError(f"there is no option {name!r}{nearest(name, known)}"))
    with faults.noted():
        check_types(CorpusConfig, {key: value for key, value in node.items() if key in known})
    faults.check()
    return CorpusConfig(**node)


def _named(name: str, utterance: Utterance) -> Utterance:
    speaker = None if utterance.speaker is None else f"{name}-{utterance.speaker}"
    return replace(utterance, id=f"{name}-{utterance.id}", speaker=speaker)


def _read(config: CorpusConfig, plugins: Sequence[str], on_progress: Progress | None) -> Corpus:
    if (config.reader is None) == (config.manifests is None):
        raise ConfigError("a corpus needs either corpus.reader (with corpus.root) or corpus.manifests, and not both")
    handling = Handling(config.on_error, config.noise, config.clean)
    if config.manifests is not None:
        return read_manifests(config.manifests, handling)
    options = dict(config.options) if config.root is None else {"root": config.root, **config.options}
    return load_corpus(str(config.reader), options, plugins, on_progress, handling)


def splits_to_score(where: str, options: Sequence[str], plugins: Sequence[str], on_progress: Progress | None) -> Corpus:
    """Read utterances that a model is to be scored on.

    Args:
        where: a manifest, a folder of manifests, or the name of a corpus reader.
        options: `option=value` of the reader.
        plugins: modules of the user's that may be readers.
        on_progress: hears `(what, done, total)`.

    Returns:
        The splits that are there, and what was left out of them. One manifest is one split, called after its file.

    Raises:
        ConfigError: there is no such thing.
        DataError: a manifest or a corpus is not what it should be.
    """
    path = Path(where).expanduser()
    manifests = [path] if path.suffix == ".jsonl" else [path / f"{name}.jsonl" for name in SPLITS]
    there = [one for one in manifests if one.is_file()]
    if there or path.suffix == ".jsonl":
        if options:
            raise ConfigError(f"{options[0]}: a manifest has no options; a corpus has, such as --on an4 root=...")
        splits = {one.stem: read_manifest(one) for one in manifests if one in there or path.suffix == ".jsonl"}
        return Corpus(splits, tuple(read_skipped(manifests[0].parent)))
    if path.is_dir():
        raise ConfigError(f"{path} holds no manifest (train.jsonl, dev.jsonl, test.jsonl); write them with asr-prepare")
    values = parse_options(options)
    handling = take_handling(values)
    return load_corpus(where, values, plugins, on_progress, handling)
