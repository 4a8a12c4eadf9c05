"""Cross-validation: several runs of one recipe, each tested on what another one trained on, as one result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from asr.corpus.manifest import read_manifest
from asr.errors import ConfigError
from asr.recognition.evaluate import people_of
from asr.recognition.finish import Progress, evaluate_run
from asr.recognition.run_folder import RunFolder
from asr.scoring.edits import ErrorCounts
from asr.scoring.rates import rate_of, unit_of


def evaluate_folds(
    runs: Sequence[RunFolder], splits: Sequence[str], on_progress: Progress, plugins: Sequence[str] = ()
) -> dict[str, Any]:
    """Evaluate each run, and add up their errors.

    Args:
        runs: the folds; of one recipe and seed, with no utterance of a split in two of them.
        splits, on_progress, plugins: as of `evaluate_run`.

    Returns:
        As `evaluate_run`, with the rates over all folds, their number as `folds`, and their training times summed.
        Nothing of it is written; each run's own result is.

    Raises:
        ConfigError: the runs are no folds of one experiment.
    """
    results = [evaluate_run(run, splits, on_progress, plugins) for run in runs]
    for run, result in zip(runs, results, strict=True):
        for key in ("recipe", "seed"):
            if result[key] != results[0][key]:
                raise ConfigError(
                    f"{run.path}: {key} {result[key]}, but {runs[0].path} has {results[0][key]}; several runs are"
                    " evaluated together as folds of one experiment"
                )
    seconds = sum(result["train_seconds"] for result in results)
    together = {split: _together(runs, split) for split in splits}
    return results[0] | {"folds": len(runs), "train_seconds": round(seconds, 1), "splits": together}


def _together(runs: Sequence[RunFolder], split: str) -> dict[str, Any]:
    """What all runs made of a split, from the rows of their utterances."""
    rows: dict[str, Any] = {}
    for run in runs:
        written = (run.path / "decode" / split / "utterances.jsonl").read_text(encoding="utf-8")
        for row in map(json.loads, written.splitlines()):
            if row["id"] in rows:
                raise ConfigError(
                    f"{run.path}: the utterance {row['id']} is in {split} of another run too; give folds that differ"
                    f" in {split}, or choose others with --split"
                )
            rows[row["id"]] = row
    speakers = [row["speaker"] for row in rows.values()]
    people = people_of(read_manifest(runs[0].manifests / f"{split}.jsonl"))
    rates = {}
    for name in next(iter(rows.values()))["counts"]:
        counts = [ErrorCounts(**row["counts"][name]) for row in rows.values()]
        rates[name] = rate_of(counts, speakers, unit_of(name), people=people).to_dict()
    return {"utterances": len(rows), "excluded": [], "rates": rates}
