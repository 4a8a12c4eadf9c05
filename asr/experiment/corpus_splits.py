"""Read the utterances of a run from manifests or with a corpus reader, and add pooled corpora."""

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
    """The source of the utterances: `manifests`, or a `reader` of data_prep with its options."""

    reader: str | None = None  # a module of data_prep, or your own module listed in plugins
    root: str | None = None  # the folder of the corpus; None for the reader's default
    options: dict[str, Any] = field(default_factory=dict)  # other options of the reader
    manifests: str | None = None  # a folder with train.jsonl, dev.jsonl, test.jsonl, instead of a reader
    on_error: str = "error"  # error: refuse a corpus with a fault; skip: leave out faulty utterances
    noise: str = "error"  # tags such as [noise] in transcripts of speech: error, drop or keep
    clean: str = "none"  # none, or unicode: remove invisible characters, unify apostrophes, dashes and the like
    pool: dict[str, Any] = field(default_factory=dict)  # name: another corpus; all its splits are added to train

    def __post_init__(self) -> None:
        """Convert pooled corpora from a configuration file to `CorpusConfig`.

        Raises:
            ConfigError: lists every option of a pooled corpus that is unknown or has the wrong type.
        """
        faults, read = Faults(), {}
        for name, one in self.pool.items():
            with faults.noted(f"pool.{name}"[:_LONGEST]):
                read[str(name)] = _pooled(one)
        faults.check()
        self.pool = read


def load_splits(config: CorpusConfig, plugins: Sequence[str] = (), on_progress: Progress | None = None) -> Corpus:
    """Read the corpus of a run.

    Args:
        config: the source of the utterances.
        plugins: the user's modules that may be readers.
        on_progress: a function called with `(what, done, total)`.

    Returns:
        The utterances of `train`, `dev` and `test`, and the skipped items. All splits of a pooled corpus are added to
        `train`, with the corpus's name in front of their ids and speakers.

    Raises:
        DataError: a manifest or a corpus is invalid.
        ConfigError: neither or both of `reader` and `manifests` are given.
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
        raise ConfigError("a corpus needs either corpus.reader (with corpus.root) or corpus.manifests, not both")
    handling = Handling(config.on_error, config.noise, config.clean)
    if config.manifests is not None:
        return read_manifests(config.manifests, handling)
    options = dict(config.options) if config.root is None else {"root": config.root, **config.options}
    return load_corpus(str(config.reader), options, plugins, on_progress, handling)


def splits_to_score(where: str, options: Sequence[str], plugins: Sequence[str], on_progress: Progress | None) -> Corpus:
    """Read the utterances to evaluate a model on.

    Args:
        where: a manifest, a folder of manifests, or the name of a corpus reader.
        options: `option=value` words for the reader.
        plugins: the user's modules that may be readers.
        on_progress: a function called with `(what, done, total)`.

    Returns:
        The splits that exist, and the skipped items. A single manifest becomes one split, named after its file.

    Raises:
        ConfigError: `where` is none of these, or a manifest is given options.
        DataError: a manifest or a corpus is invalid.
    """
    path = Path(where).expanduser()
    manifests = [path] if path.suffix == ".jsonl" else [path / f"{name}.jsonl" for name in SPLITS]
    there = [one for one in manifests if one.is_file()]
    if there or path.suffix == ".jsonl":
        if options:
            raise ConfigError(f"{options[0]}: a manifest has no options; only a corpus has, as in --on an4 root=...")
        splits = {one.stem: read_manifest(one) for one in manifests if one in there or path.suffix == ".jsonl"}
        return Corpus(splits, tuple(read_skipped(manifests[0].parent)))
    if path.is_dir():
        raise ConfigError(
            f"{path} contains no manifest (train.jsonl, dev.jsonl, test.jsonl); write manifests with asr-prepare"
        )
    values = parse_options(options)
    handling = take_handling(values)
    return load_corpus(where, values, plugins, on_progress, handling)
