"""The splits of a corpus, and how they become manifests."""

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
    """What a corpus gave.

    Attributes:
        splits: its utterances by split.
        skipped: what it was read without.
        notes: what was mended, one sentence each.
    """

    splits: dict[str, list[Utterance]]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


def read_manifests(folder: str | Path, handling: Handling | None = None) -> Corpus:
    """The corpus whose manifests `train.jsonl`, `dev.jsonl` and `test.jsonl` stand in a folder.

    Args:
        folder: of the manifests.
        handling: what is done with faulty lines, noise tags and look-alike characters; None for its defaults.

    Returns:
        The utterances, and what was left out of them, now or when the manifests were made.

    Raises:
        DataError: a manifest is not what it should be; `Problems` names all there is.
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

    What the corpus was read without is listed in `skipped.jsonl` beside them; where nothing was left out there is no
    such file.

    No file gets its name before all are complete, so the manifests of an earlier run stay as they were if something is
    wrong. Two processes may write into the same folder: the manifests of one of them stay.

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
    if skipped:
        contents[SKIPPED_NAME] = skipped_content(skipped)
    write_together(out, contents)
    if not skipped:
        remove(out / SKIPPED_NAME)
    return paths
