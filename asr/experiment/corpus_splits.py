"""Bring together the utterances of a run: prepared manifests or a corpus reader, and pooled corpora."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from asr.config import nearest
from asr.corpus.manifest import read_manifest
from asr.corpus.splits import SPLITS
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from data_prep.corpora import read_corpus

Splits = dict[str, list[Utterance]]


@dataclass
class CorpusConfig:
    """Where the utterances come from: `manifests`, or a `reader` of data_prep with its options."""

    reader: str | None = None  # a module of data_prep, or one of your own named in plugins
    root: str | None = None  # the corpus on disk; None for the reader's default
    options: dict[str, Any] = field(default_factory=dict)  # anything else the reader takes
    manifests: str | None = None  # a folder with train.jsonl, dev.jsonl, test.jsonl, instead of a reader
    pool: dict[str, Any] = field(default_factory=dict)  # name: more corpora like this one; all their parts train


def load_splits(
    config: CorpusConfig, plugins: Sequence[str] = (), on_progress: Callable[[str, int, int], None] | None = None
) -> Splits:
    """Read the corpus of a run.

    Returns:
        Utterances for `train`, `dev` and `test`. Of pooled corpora every part is added to `train`, with the corpus's
        name before its ids and speakers.

    Raises:
        DataError: a manifest or a corpus is not what it should be.
        ConfigError: neither or both of `reader` and `manifests`.
    """
    splits = _read(config, plugins, on_progress)
    for name, node in config.pool.items():
        pooled = _read(_typed(name, node), plugins, on_progress)
        splits["train"] += [_named(name, utterance) for split in SPLITS for utterance in pooled[split]]
    return splits


def _typed(name: str, node: Mapping[str, Any]) -> CorpusConfig:
    known = {one.name for one in fields(CorpusConfig)} - {"pool"}
    for key in node:
        if key not in known:
            raise ConfigError(f"corpus.pool.{name} has no option '{key}'{nearest(key, known)}")
    return CorpusConfig(**node)


def _named(name: str, utterance: Utterance) -> Utterance:
    speaker = None if utterance.speaker is None else f"{name}-{utterance.speaker}"
    return replace(utterance, id=f"{name}-{utterance.id}", speaker=speaker)


def _read(config: CorpusConfig, plugins: Sequence[str], on_progress: Callable[[str, int, int], None] | None) -> Splits:
    if (config.reader is None) == (config.manifests is None):
        raise ConfigError("a corpus needs either corpus.reader (with corpus.root) or corpus.manifests, and not both")
    if config.manifests is not None:
        folder = Path(config.manifests).expanduser()
        return {name: read_manifest(folder / f"{name}.jsonl") for name in SPLITS}
    options = dict(config.options) if config.root is None else {"root": config.root, **config.options}
    return read_corpus(str(config.reader), options, plugins, on_progress)
