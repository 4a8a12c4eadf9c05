"""The splits of a corpus, and how they become manifests."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from asr.corpus.checks import check_utterances
from asr.corpus.manifest import utterance_problems, write_manifest
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems

SPLITS = ("train", "dev", "test")


def write_corpus(splits: Mapping[str, Sequence[Utterance]], out: str | Path) -> dict[str, Path]:
    """Check the utterances and splits, then write `train.jsonl`, `dev.jsonl` and `test.jsonl` into the folder `out`.

    Nothing gets its final name before all three are complete, so manifests of an earlier run stay as they were when
    something is wrong.

    Returns:
        path of each manifest.

    Raises:
        Problems: everything that is wrong, together.
        DataError: the folder cannot be written.
    """
    out = Path(out)
    problems = [f"the split '{name}' is empty" for name in SPLITS if not splits.get(name)]
    for name, utterances in splits.items():
        for utterance in utterances:
            problems += [f"{name}: '{utterance.id}': {problem}" for problem in utterance_problems(utterance)]
    try:
        check_utterances(splits, None)
    except Problems as error:
        problems += error.problems
    if problems:
        raise Problems(problems, what=f"the corpus for {out}")
    paths = {name: out / f"{name}.jsonl" for name in SPLITS}
    waiting = {name: path.with_name(f".{path.name}.new") for name, path in paths.items()}
    try:
        for name, path in waiting.items():
            write_manifest(path, splits[name])
        for name, path in paths.items():
            os.replace(waiting[name], path)
    except OSError as error:
        raise DataError(f"the manifests cannot be written to {out}: {error.strerror}") from error
    finally:
        for path in waiting.values():
            with suppress(OSError):  # where they could not be written they cannot be removed
                path.unlink()
    return paths
