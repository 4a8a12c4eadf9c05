"""Read the splits of a corpus from manifests and write them to manifests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.corpus.checks import check_utterances
from asr.corpus.faults import SKIPPED_NAME, CorpusFaults, Skipped, read_skipped, skipped_content
from asr.corpus.handling import Handling, handled
from asr.corpus.manifest import manifest_content, read_manifest, utterance_problems
from asr.corpus.utterance import Utterance
from asr.errors import Problems
from asr.files import STALE_SECONDS, remove, sweep, write_together

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Corpus:
    """The utterances of a corpus, by split.

    Attributes:
        splits: utterances by split name.
        skipped: the utterances, files and lines that were left out, with reasons.
        notes: one sentence for each fault that was repaired.
    """

    splits: dict[str, list[Utterance]]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


def read_manifests(folder: str | Path, handling: Handling | None = None) -> Corpus:
    """Read a corpus from the manifests `train.jsonl`, `dev.jsonl` and `test.jsonl` of a folder.

    Args:
        folder: the folder with the manifests.
        handling: how to treat faulty lines, noise tags and look-alike characters; None for the defaults.

    Returns:
        The utterances, and everything that was left out now or when the manifests were written.

    Raises:
        DataError: a manifest is missing or cannot be read.
        Problems: manifests have faulty lines and `handling.on_error` is "error"; lists all of them.
    """
    handling = handling or Handling()
    folder, faults = Path(folder).expanduser(), CorpusFaults(collect=True)
    read: dict[str, list[Utterance]] = {}
    for name in SPLITS:
        problems: list[str] = []
        read[name] = read_manifest(folder / f"{name}.jsonl", problems=problems)
        faults.place(problems, name)
    splits = handled(read, handling, faults)
    if handling.on_error == "error" or not any(splits.values()):
        faults.raise_all(f"the manifests in {folder}")
    return Corpus(splits, (*read_skipped(folder), *faults.skipped))


def write_corpus(
    splits: Mapping[str, Sequence[Utterance]], out: str | Path, skipped: Sequence[Skipped] = ()
) -> dict[str, Path]:
    """Check the utterances and splits, then write `train.jsonl`, `dev.jsonl` and `test.jsonl` into the folder `out`.

    If `skipped` is not empty, it is written to `skipped.jsonl` in the same folder; otherwise an old `skipped.jsonl` is
    removed. The files replace earlier ones only when all of them are complete: an error leaves the earlier manifests
    as they were. If two processes write into the same folder, the manifests of one of them remain.

    Returns:
        The path of each manifest, by split name.

    Raises:
        Problems: splits or utterances are faulty; lists all problems.
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
    if skipped:
        contents[SKIPPED_NAME] = skipped_content(skipped)
    write_together(out, contents)
    if not skipped:
        remove(out / SKIPPED_NAME)
    return paths
