"""Cross-validation: several runs of one recipe, each tested on what another one trained on, as one result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from asr.corpus.manifest import read_manifest
from asr.errors import ConfigError
from asr.evaluation.split import people_of
from asr.experiment.run_evaluation import Progress, check_place, evaluate_run
from asr.experiment.run_folder import RunFolder, differing
from asr.scoring.edits import ErrorCounts
from asr.scoring.rates import rate_of, unit_of

_OF_ONE = ("epochs", "best_epoch", "data", "resumed_with", "train_seconds", "train_cpu_seconds", "unfinished")
"""What is told of a run that means nothing of several."""


def evaluate_folds(
    runs: Sequence[RunFolder], splits: Sequence[str], on_progress: Progress, plugins: Sequence[str] = ()
) -> dict[str, Any]:
    """Evaluate each run, and add up their errors.

    Args:
        runs: the folds; alike in everything but their corpus, with no utterance of a split in two of them.
        splits, on_progress, plugins: as of `evaluate_run`.

    Returns:
        As `evaluate_run`, with the rates over all folds, their number as `folds`, and their training times summed.
        Nothing of it is written; each run's own result is.

    Raises:
        ConfigError: the runs are no folds of one experiment.
        DataError: as of `evaluate_run`.
    """
    _check(runs, splits)
    for run in runs:
        check_place(run, splits)
    results = [evaluate_run(run, splits, on_progress, plugins) for run in runs]
    summed = {
        name: round(sum(result[name] for result in results), 1)
        for name in ("train_seconds", "train_cpu_seconds")
        if all(result[name] is not None for result in results)
    }
    unfinished = {"unfinished": True} if any("unfinished" in result for result in results) else {}
    shared = {name: value for name, value in results[0].items() if name not in _OF_ONE}
    shared["options"] = [one for one in shared["options"] if all(one in result["options"] for result in results)]
    together = {split: _together(runs, split) for split in splits}
    return shared | summed | unfinished | {"folds": len(runs), "splits": together}


def _check(runs: Sequence[RunFolder], splits: Sequence[str]) -> None:
    """Whether these are folds: before anything is decoded."""
    first, commit = runs[0].read_config(), runs[0].read_environment()["commit"]
    seen: dict[tuple[str, str], RunFolder] = {}
    for run in runs:
        groups = {key.partition(".")[0] for key in differing(first, run.read_config())} - {"corpus"}
        if groups:
            raise ConfigError(
                f"{run.path}: another {', '.join(sorted(groups))} than {runs[0].path}; several runs are evaluated"
                " together as folds of one experiment, which differ in their corpus alone"
            )
        if run.read_environment()["commit"] != commit:
            raise ConfigError(f"{run.path}: trained by another commit than {runs[0].path}; train all folds with one")
        for split in splits:
            for utterance in read_manifest(run.manifests / f"{split}.jsonl"):
                if seen.setdefault((split, utterance.id), run) is not run:
                    raise ConfigError(
                        f"{run.path}: the utterance {utterance.id} is in {split} of another run too; give folds that"
                        f" differ in {split}, or choose others with --split"
                    )


def _together(runs: Sequence[RunFolder], split: str) -> dict[str, Any]:
    """What all runs made of a split, from the rows of their utterances."""
    rows = []
    for run in runs:
        written = (run.path / "decode" / split / "utterances.jsonl").read_text(encoding="utf-8")
        rows += [json.loads(row) for row in written.splitlines()]
    speakers = [row["speaker"] for row in rows]
    people = people_of(read_manifest(runs[0].manifests / f"{split}.jsonl"))
    rates = {}
    for name in rows[0]["counts"]:
        counts = [ErrorCounts(**row["counts"][name]) for row in rows]
        rates[name] = rate_of(counts, speakers, unit_of(name), people=people).to_dict()
    return {"utterances": len(rows), "excluded": [], "rates": rates}
