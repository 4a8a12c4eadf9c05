"""The splits of a corpus, and how they become manifests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from asr.corpus.checks import check_utterances
from asr.corpus.manifest import manifest_content, utterance_problems
from asr.corpus.utterance import Utterance
from asr.errors import Problems
from asr.files import STALE_SECONDS, sweep, write_together

SPLITS = ("train", "dev", "test")


def write_corpus(splits: Mapping[str, Sequence[Utterance]], out: str | Path) -> dict[str, Path]:
    """Check the utterances and splits, then write `train.jsonl`, `dev.jsonl` and `test.jsonl` into the folder `out`.

    No file gets its name before all three are complete, so the manifests of an earlier run stay as they were if
    something is wrong. Two processes may write into the same folder: the manifests of one of them stay.

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
    contents = {path.name: manifest_content(path, splits[name]) for name, path in paths.items()}
    sweep(out, STALE_SECONDS)
    write_together(out, contents)
    return paths
