"""Result tables of README files, written from result files so that no number is typed by hand.

A table stands between `<!-- results:NAME -->` and `<!-- /results -->`, where NAME is a task (a folder of `recipes/`;
all its recipes are listed) or one recipe (`task/name`). What stands between the marks is replaced. After
`<!-- results:NAME by TAG -->` the first rate of each recipe is told for each value of a tag (`asr-evaluate --by TAG`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from asr.config import nearest
from asr.errors import DataError, Problems
from asr.files import atomic_file
from asr.report.results import Result, SplitResult, read_results
from asr.scoring.edits import ErrorCounts
from asr.scoring.rates import Rate

_OPENING = re.compile(r"^<!-- results:(?P<name>\S+)(?: by (?P<by>\S+))? -->$", re.MULTILINE)
_CLOSING = "<!-- /results -->"
_HEADINGS = ("recipe", "rate", "dev, %", "test, %", "test reference", "seeds", "training", "commit")
_NOT_RUN = "not run"
_LEGEND = (
    "Errors / reference length, in percent. One seed: 95 % bootstrap interval in brackets. "
    "Several seeds: their mean, with the range in parentheses."
)


def readmes(root: Path) -> list[Path]:
    """The README files that may hold tables: the project's and those of its recipes."""
    return [path for path in [root / "README.md", *sorted(root.glob("recipes/*/README.md"))] if path.is_file()]


def update(root: Path, check: bool = False) -> list[Path]:
    """Write the tables of all README files of a checkout.

    Args:
        root: the folder that holds `README.md` and `recipes/`.
        check: write nothing and complain about differences.

    Returns:
        The files that were changed.

    Raises:
        Problems: marks that do not fit, names that are no recipe, result files that cannot be read; with `check`, each
            README that is not what the result files say.
    """
    written = {path: path.read_text(encoding="utf-8") for path in readmes(root)}
    filled: dict[Path, str] = {}
    problems: dict[str, None] = {}  # a bad result file is met in every README that shows it
    for path, text in written.items():
        try:
            filled[path] = fill(text, root / "recipes", _shown(path, root))
        except Problems as error:
            problems |= dict.fromkeys(error.problems)
        except DataError as error:
            problems[f"{_shown(path, root)}: {error}"] = None
    if problems:
        raise Problems(list(problems), "the README files and their results")
    stale = [path for path, text in filled.items() if written[path] != text]
    if check and stale:
        remedy = "its tables are not what the result files say; run asr-report"
        raise Problems([f"{_shown(path, root)}: {remedy}" for path in stale], "the README files")
    for path in stale:
        with atomic_file(path) as file:
            file.write(filled[path].encode())
    return stale


def fill(text: str, recipes: Path, where: str = "README.md") -> str:
    """A README's text with its tables written anew.

    Args:
        text: of the README.
        recipes: the folder of recipes.
        where: what to call the README in a message.

    Raises:
        Problems: see `update`.
    """
    parts, position = [], 0
    while (opening := _OPENING.search(text, position)) is not None:
        closing = text.find(_CLOSING, opening.end())
        following = _OPENING.search(text, opening.end())
        if closing < 0 or (following is not None and following.start() < closing):
            line = text.count("\n", 0, opening.start()) + 1
            raise Problems([f"{where}:{line}: '{opening[0]}' has no '{_CLOSING}' of its own"], where)
        written = table(opening["name"], recipes, opening["by"])
        parts += [text[position : opening.end()], "\n\n", written, "\n\n", _CLOSING]
        position = closing + len(_CLOSING)
    return "".join([*parts, text[position:]])


def table(name: str, recipes: Path, by: str | None = None) -> str:
    """The Markdown table of a task or a recipe, or of their values of a tag.

    Raises:
        DataError: there is no such task or recipe.
        Problems: result files that cannot be read, that belong to no recipe, or whose seeds were scored on different
            references.
    """
    task, _, only = name.partition("/")
    known = sorted(path.stem for path in (recipes / task).glob("*.yaml"))
    if not known or (only and only not in known):
        names = [*(path.parent.name for path in recipes.glob("*/*.yaml")), *(f"{task}/{recipe}" for recipe in known)]
        raise DataError(f"results:{name}: there is no such task or recipe{nearest(name, names)}")
    results = read_results(recipes / task)
    if problems := _misfits(results, [f"{task}/{recipe}" for recipe in known]):
        raise Problems(problems, f"{task}/results")
    if by is not None and (tags := _tags(results)) and by not in tags:
        raise DataError(f"results:{name} by {by}: no result tells of '{by}'{nearest(by, tags)}; asr-evaluate --by {by}")
    headings = _HEADINGS if by is None else ("recipe", by, "rate", *_HEADINGS[2:6])
    rows: list[Sequence[str]] = [headings, ["---"] * len(headings)]
    for recipe in [f"{task}/{one}" for one in ([only] if only else known)]:
        own = [each for each in results if each.recipe == recipe]
        rows += _rows(recipe, own) if by is None else _rows_by(by, recipe, own)
    return "\n".join(["| " + " | ".join(row) + " |" for row in rows] + ["", _LEGEND])


def _rows(recipe: str, results: Sequence[Result]) -> list[list[str]]:
    """One row for each rate of a recipe."""
    names = dict.fromkeys(name for each in results for split in each.splits.values() for name in split.rates)
    if not names:
        return [[f"`{recipe}`", "", _NOT_RUN, _NOT_RUN, *[""] * (len(_HEADINGS) - 4)]]
    seeds = ", ".join(str(each.seed) for each in results)
    commits = ", ".join(dict.fromkeys(each.commit[:7] for each in results if each.commit))
    seconds = [each.train_seconds for each in results if each.train_seconds is not None]
    rest = [seeds, _duration(sum(seconds) / len(seconds)) if seconds else "", commits]
    return [
        [
            f"`{recipe}`",
            f"`{name}`",
            _cell(results, "dev", name),
            _cell(results, "test", name),
            _length(results, name),
            *rest,
        ]
        for name in names
    ]


def _rows_by(tag: str, recipe: str, results: Sequence[Result]) -> list[list[str]]:
    """One row for each value of a tag."""
    values = {value for each in results for split in each.splits.values() for value in split.by.get(tag, {})}
    if not values:
        return [[f"`{recipe}`", "", "", _NOT_RUN, _NOT_RUN, "", ""]]
    rows = []
    for value in sorted(values):
        parts = [part for part in (_part(each, tag, value) for each in results) if part.splits]
        name = next(name for each in parts for split in each.splits.values() for name in split.rates)
        seeds = ", ".join(str(each.seed) for each in parts)
        cells = [_cell(parts, split, name) if _rates(parts, split, name) else "none" for split in ("dev", "test")]
        rows.append([f"`{recipe}`", value, f"`{name}`", *cells, _length(parts, name), seeds])
    return rows


def _tags(results: Sequence[Result]) -> set[str]:
    """By which any result was taken apart."""
    return {tag for each in results for split in each.splits.values() for tag in split.by}


def _part(result: Result, tag: str, value: str) -> Result:
    """What a run reported of one value of a tag, of the splits that have it."""
    found = {name: split.by.get(tag, {}).get(value) for name, split in result.splits.items()}
    return replace(result, splits={name: SplitResult(0, 0, rates) for name, rates in found.items() if rates})


def _cell(results: Sequence[Result], split: str, name: str) -> str:
    """The rate of one seed with its interval, or the mean and range of several."""
    rates = _rates(results, split, name)
    if not rates:
        return _NOT_RUN
    mean = 100.0 * sum((rate.counts for rate in rates), ErrorCounts()).rate
    if len(rates) > 1:
        return f"{mean:.1f} ({min(rate.percent for rate in rates):.1f} to {max(rate.percent for rate in rates):.1f})"
    low, high = rates[0].low, rates[0].high
    return f"{mean:.1f}" + ("" if low is None or high is None else f" [{low:.1f}, {high:.1f}]")


def _length(results: Sequence[Result], name: str) -> str:
    """The reference length of the test set, and how many of its utterances were left out."""
    rates = _rates(results, "test", name)
    if not rates:
        return ""
    excluded = max(each.splits["test"].excluded for each in results if "test" in each.splits)
    return f"{rates[0].reference} {rates[0].unit}" + (f", {excluded} utterances excluded" if excluded else "")


def _rates(results: Sequence[Result], split: str, name: str) -> list[Rate]:
    return [each.splits[split].rates[name] for each in results if name in _names(each, split)]


def _names(result: Result, split: str) -> Sequence[str]:
    return list(result.splits[split].rates) if split in result.splits else []


def _misfits(results: Sequence[Result], known: Sequence[str]) -> list[str]:
    """Results without a recipe, and seeds of a recipe that were scored on different references."""
    problems = [f"{each.path.name}: there is no recipe '{each.recipe}'" for each in results if each.recipe not in known]
    lengths: dict[tuple[str, str, str], dict[int, str]] = {}
    for each in results:
        for split, found in each.splits.items():
            for name, rate in found.rates.items():
                lengths.setdefault((each.recipe, split, name), {}).setdefault(rate.reference, each.path.name)
    for (_, split, name), files in lengths.items():
        if len(files) > 1:
            said = ", ".join(f"{length} in {file}" for length, file in files.items())
            problems.append(f"{split} {name}: seeds with different reference lengths cannot be averaged ({said})")
    return problems


def _duration(seconds: float) -> str:
    minutes = seconds / 60.0
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60.0:.1f} h"


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
