"""Read the results of a task's recipes: `recipes/<task>/results/<recipe>-seed<k>[-<decoder>].json`.

If a run differs from its recipe, the name has the options as well: `<recipe>-model_cell=gru-seed<k>.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asr.errors import DataError, Problems
from asr.evaluation.result import Result, read_result
from asr.scoring.rates import Rate


def read_results(task: Path) -> list[Result]:
    """Read all results of a task's folder, sorted by recipe, options, decoder and seed.

    Args:
        task: the folder `recipes/<task>`.

    Raises:
        Problems: files cannot be read, belong to an unfinished run, or have a name that does not fit their content.
    """
    results, problems = [], []
    for path in sorted((task / "results").glob("*.json")):
        try:
            result = read_result(path)
        except DataError as error:
            problems.append(str(error).replace(f"{path}", path.name))
            continue
        if not result.training.finished:
            problems.append(f"{path.name}: the run was not finished; finish it and evaluate it again")
        expected = f"{result.recipe.partition('/')[0]}/{result.file_name}"
        if f"{task.name}/{path.name}" != expected:
            problems.append(
                f"{path.name}: it has recipe '{result.recipe}', seed {result.seed}; rename it to {expected}"
            )
        results.append(result)
    if problems:
        raise Problems(problems, f"{task.name}/results")
    return sorted(results, key=lambda one: (one.recipe, one.options, _rank(one), -1 if one.seed is None else one.seed))


def _rank(result: Result) -> tuple[bool, str]:
    """Return a key that sorts greedy search before all other decoders."""
    return result.decoder.name != "greedy", result.decoder.name


def rates_of(results: Sequence[Result], split: str, name: str) -> list[Rate]:
    """Return a rate of each run that reports it."""
    return [
        each.splits[split].rates[name] for each in results if split in each.splits and name in each.splits[split].rates
    ]


def rate_names(results: Sequence[Result]) -> list[str]:
    """Return the names of the rates of all splits, in the order in which they were written."""
    return list(dict.fromkeys(name for each in results for split in each.splits.values() for name in split.rates))


def values_of(results: Sequence[Result], tag: str) -> set[str]:
    """Return the values of a tag for which results have rates."""
    return {value for each in results for split in each.splits.values() for value in split.by.get(tag, ())}
