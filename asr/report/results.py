"""Result files: what one run reported, `recipes/<task>/results/<recipe>-seed<k>.json`.

A run that departs from its recipe tells so in its name as well: `<recipe>-model_cell=gru-seed<k>.json`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asr.errors import DataError, Problems
from asr.scoring.rates import Rate

LONGEST = 120  # characters in the name of a file for what departs from a recipe


@dataclass(frozen=True)
class SplitResult:
    """What a run reported of one split.

    Attributes:
        utterances: how many were recognised.
        excluded: how many were left out.
        rates: by name, in the order in which they were written.
        by: the same of parts of the split, under tag and value of the tag.
    """

    utterances: int
    excluded: int
    rates: Mapping[str, Rate]
    by: Mapping[str, Mapping[str, Mapping[str, Rate]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What one run reported.

    Attributes:
        path: of the file.
        recipe: `task/name`.
        options: in what the run departed from its recipe.
        seed: of the run.
        commit: of the code; empty where it is not known.
        train_seconds: how long training took; None where it is not known.
        splits: by name.
    """

    path: Path
    recipe: str
    options: tuple[str, ...]
    seed: int
    commit: str
    train_seconds: float | None
    splits: Mapping[str, SplitResult]


def result_name(recipe: str, options: Sequence[str], seed: int) -> str:
    """What a result file is called; many departures are told by a checksum."""
    departures = "".join("-" + re.sub(r"[^\w.,=+]", "_", option) for option in options)
    if len(departures) > LONGEST:
        departures = "-" + hashlib.sha256(repr(list(options)).encode()).hexdigest()[:12]
    return f"{recipe.rpartition('/')[2]}{departures}-seed{seed}.json"


def read_result(path: Path) -> Result:
    """Read one result file.

    Raises:
        DataError: not JSON, fields missing or of a wrong type, a percentage that its own counts contradict.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.get("unfinished"):
            raise DataError(f"{path.name}: the run was not finished; finish it and evaluate it again")
        splits = {name: _split(name, split) for name, split in values["splits"].items()}
        seconds = values.get("train_seconds")
        return Result(
            path,
            str(values["recipe"]),
            tuple(str(option) for option in values.get("options", ())),
            int(values["seed"]),
            str(values.get("commit") or ""),
            None if seconds is None else float(seconds),
            splits,
        )
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    except KeyError as error:
        raise DataError(f"{path.name}: the field {error} is missing; write the file with asr-evaluate") from error
    except (ValueError, TypeError, AttributeError) as error:  # not JSON, and fields of another type
        raise DataError(f"{path.name}: not a result file ({error}); write it with asr-evaluate") from error


def read_results(task: Path) -> list[Result]:
    """All results of a task's folder, sorted by recipe and seed.

    Args:
        task: a folder `recipes/<task>`; its name is the first half of the recipes' names.

    Raises:
        Problems: every file that cannot be read or is not called after its recipe and seed.
    """
    results, problems = [], []
    for path in sorted((task / "results").glob("*.json")):
        try:
            result = read_result(path)
        except DataError as error:
            problems.append(str(error))
            continue
        expected = f"{result.recipe.partition('/')[0]}/{result_name(result.recipe, result.options, result.seed)}"
        if f"{task.name}/{path.name}" != expected:
            problems.append(f"{path.name}: holds recipe '{result.recipe}' with seed {result.seed}; call it {expected}")
        results.append(result)
    if problems:
        raise Problems(problems, f"{task.name}/results")
    return sorted(results, key=lambda result: (result.recipe, result.options, result.seed))


def rates_of(results: Sequence[Result], split: str, name: str) -> list[Rate]:
    """A rate of each run that tells of it."""
    return [
        each.splits[split].rates[name] for each in results if split in each.splits and name in each.splits[split].rates
    ]


def rate_names(results: Sequence[Result]) -> list[str]:
    """Of all splits, in the order in which they were written."""
    return list(dict.fromkeys(name for each in results for split in each.splits.values() for name in split.rates))


def values_of(results: Sequence[Result], tag: str) -> set[str]:
    """The values of a tag by which the results were taken apart."""
    return {value for each in results for split in each.splits.values() for value in split.by.get(tag, ())}


def _split(name: str, values: Mapping[str, Any]) -> SplitResult:
    by = {
        tag: {value: _rates(f"{name} {tag}={value}", found) for value, found in groups.items()}
        for tag, groups in values.get("by", {}).items()
    }
    rates = _rates(name, values.get("rates", {}))
    return SplitResult(int(values.get("utterances", 0)), len(values.get("excluded", ())), rates, by)


def _rates(where: str, values: Mapping[str, Any]) -> dict[str, Rate]:
    rates = {name: Rate.from_dict(counts) for name, counts in values.items()}
    for name, rate in rates.items():
        written = values[name]["percent"]
        if rate.reference and (written is None or abs(written - rate.percent) > 0.051):
            raise ValueError(f"{where} {name}: {written} % contradicts its counts, which give {rate.percent:.1f} %")
    return rates
