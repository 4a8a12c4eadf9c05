"""Make Markdown tables of results, for README files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr.config import nearest
from asr.errors import DataError, Problems
from asr.evaluation.result import SCORING, Result, SplitResult
from asr.report.comparison import Estimate, Way, base_of, difference, ways
from asr.report.decoders import short_names
from asr.report.escaping import code, plain, with_unbroken_interval
from asr.report.results import rate_names, rates_of, read_results, values_of
from asr.scoring.edits import ErrorCounts
from asr.scoring.rates import Rate

_SPLITS = ("dev", "test")
_NOT_RUN = "not run"
_NONE = ""  # a cell of a rate that a recipe does not report
_LEGEND = (
    "Errors / reference length, in percent. One seed: 95 % bootstrap interval in brackets. "
    "Several seeds: their mean, with the range in parentheses."
)
_OLD_RULE = " ¹"
_LEGEND_OLD_RULE = (
    "\n\n¹ Scored by the rule of version 0.1: a blank at either end of a recognised text, or a second one in a row, "
    "counted as an error."
)
_LEGEND_SHORT = " Weights and other numbers of a decoder stand in the result files."
_LEGEND_COMPARED = (
    "Errors / reference length, in percent: mean over the seeds, in brackets its 95 % interval over the seeds "
    "(Student's t; of a difference, Welch's)."
)


@dataclass(frozen=True)
class _Line:
    """One way in which a recipe was run, as it stands in a table.

    Attributes:
        recipe: cell with the recipe, its options and the mark of an old rule.
        decoder: cell with the short name of the decoder.
        results: one a seed; empty for a recipe that was never run.
    """

    recipe: str
    decoder: str
    results: Sequence[Result]

    @property
    def names(self) -> list[str]:
        return [self.recipe, self.decoder]


def results_table(name: str, recipes: Path, rates: Sequence[str] = ()) -> str:
    """Write one row for each recipe and decoder of a task, with the rates as columns.

    The test reference is that of the first rate that a row reports.

    Args:
        name: `task` or `task/recipe`, or several of them with commas between them.
        recipes: the folder of recipes.
        rates: the rates to show on dev and on test, or `RATE/test` or `RATE/dev` for one split; empty: all. Rows that
            report none of them are left out.

    Raises:
        DataError: there is no such task or recipe, or no result reports a rate.
        Problems: result files that cannot be read, that belong to no recipe, or whose seeds were scored on different
            references.
    """
    found = _all_of(name, recipes)
    known = rate_names([each for results in found.values() for each in results])
    columns = [column for rate in rates or known for column in _columns(rate)]
    for rate, split in columns:
        if (known and rate not in known) or split not in _SPLITS:
            near = nearest(rate, known) if rate not in known else f"; splits are {' and '.join(_SPLITS)}"
            raise DataError(f"results:{name} rates {','.join(rates)}: no result reports '{rate}' on '{split}'{near}")
    headings = [f"{code(rate)} {split}, %" for rate, split in columns] or [f"{split}, %" for split in _SPLITS]
    shown = {rate for rate, _ in columns}
    lines = [line for line in _lines(found) if not line.results or shown & set(rate_names(line.results))]
    rows = [_row(line, columns, len(headings)) for line in lines]
    legend = _LEGEND + (_LEGEND_SHORT if any(_is_shortened(line) for line in lines) else "")
    return table(("recipe", "decoder", *headings, "test reference", "seeds", "training", "commit"), rows, legend)


def _columns(rate: str) -> list[tuple[str, str]]:
    """Return the rate and the split of each column that `RATE` or `RATE/SPLIT` asks for."""
    name, _, split = rate.partition("/")
    return [(name, one) for one in ([split] if split else _SPLITS)]


def parts_table(name: str, recipes: Path, tag: str, only: Sequence[str] = ()) -> str:
    """Write the first rate of a task's recipes or of one recipe, for each value of a tag.

    Runs whose results were not taken apart by the tag are left out, unless there are no others.

    Args:
        name: `task` or `task/recipe`, or several of them with commas between them.
        recipes: the folder of recipes.
        tag: the tag by which results were divided.
        only: the values to show; empty: all.

    Raises:
        DataError: no result has the tag; and as `results_table`.
        Problems: as `results_table`.
    """
    found = _all_of(name, recipes)
    tags = {one for results in found.values() for each in results for split in each.splits.values() for one in split.by}
    if tags and tag not in tags:
        near = nearest(tag, tags)
        raise DataError(f"results:{name} by {tag}: no result has the tag '{tag}'{near}; run asr-evaluate --by {tag}")
    values = values_of([each for results in found.values() for each in results], tag)
    for value in only:
        if tags and value not in values:
            raise DataError(f"results:{name} by {tag}={value}: no result has this value{nearest(value, values)}")
    lines = [line for line in _lines(found) if not tags or values_of(line.results, tag)]
    rows = [row for line in lines for row in _rows_by(tag, line, only)]
    legend = _LEGEND + (_LEGEND_SHORT if any(_is_shortened(line) for line in lines) else "")
    headings = ("recipe", "decoder", plain(tag), "rate", "dev, %", "test, %", "test reference", "seeds")
    return table(headings, rows, legend)


def comparison_table(name: str, recipes: Path, base: str) -> str:
    """Make the table of the first rate of a recipe for each way in which it was run, compared with one of them.

    Args:
        name: `task/recipe`.
        recipes: the folder of recipes.
        base: the name of the way with which the others are compared.

    Raises:
        DataError: the recipe does not exist, or no way has the name.
        Problems: see `results_table`.
    """
    compared, rate = compared_ways(name, recipes)
    beside = base_of(compared, base)
    rows = []
    for way in compared:
        less = "" if way is beside else _told(difference(way, beside, "test", rate))
        splits = [_told(way.estimate(split, rate)) for split in ("dev", "test")]
        rows.append([code(way.name), *splits, less, _seeds(way.results), _training(way.results)])
    headings = ("run with", *(f"{one} {plain(rate)}, %" for one in ("dev", "test")), f"test, less {code(base)}")
    return table((*headings, "seeds", "training"), rows, _LEGEND_COMPARED)


def summary_table(rows: Sequence[str], recipes: Path) -> str:
    """Make the table with one row per task: its test error rate, and the best published figure.

    Args:
        rows: `task/recipe rate | description | published figure` for each row. After the rate, the beginning of a
            decoder's name may follow; without it, greedy search is shown.
        recipes: the folder of recipes.

    Raises:
        DataError: a row is malformed, a recipe does not exist, or a recipe does not report the rate.
        Problems: see `results_table`.
    """
    headings = ("task", "recipe", "rate", "test, %", "test reference", "best published, %")
    return table(headings, [_summary_row(row, recipes) for row in rows], _LEGEND)


def _summary_row(row: str, recipes: Path) -> list[str]:
    parts = [part.strip() for part in row.split("|")]
    recipe, _, measured = parts[0].partition(" ")
    rate, _, decoder = measured.partition(" ")
    if len(parts) != 3 or not rate:
        raise DataError(f"summary: the row is '{row}'; expected `task/recipe rate | task | published figure`")
    found = [one for one in results_of(recipe, recipes)[recipe] if not one.options]
    if decoder and not (found := [one for one in found if f"{one.decoder.name},".startswith(f"{decoder},")]):
        raise DataError(f"summary: {recipe} has no result with the decoder '{decoder}'")
    results = [one for one in found if one.decoder.name == found[0].decoder.name]  # greedy search comes first
    if results and not rates_of(results, "test", rate):
        raise DataError(f"summary: {recipe} reports no '{rate}'{nearest(rate, rate_names(results))}")
    task = recipe.partition("/")[0]
    mark = _OLD_RULE if any(_compares_texts_by_an_old_rule(one) for one in results) else ""
    with_decoder = f", `{decoder.partition(',')[0]}`" if decoder else ""
    link = f"[`{recipe}`](recipes/{task}/README.md){with_decoder}{mark}"
    length = _length(results, rate) + _excluded(results)
    return [parts[1], link, f"`{rate}`", _cell(results, "test", rate), length, parts[2]]


def compared_ways(name: str, recipes: Path) -> tuple[list[Way], str]:
    """Return the ways in which a recipe was run, and the name of its first rate.

    Raises:
        DataError: the name is no recipe, it was never run, or the ways have different reference lengths.
        Problems: see `results_table`.
    """
    compared = ways([result for results in results_of(name, recipes).values() for result in results])
    rates = rate_names([each for way in compared for each in way.results])
    if "/" not in name or not rates:
        raise DataError(f"results:{name} against ...: give a recipe that was run, task/name")
    lengths = {way.name: part.reference for way in compared for part in rates_of(way.results, "test", rates[0])}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{length} with {way}" for way, length in lengths.items())
        raise DataError(f"results:{name} against ...: results differ in reference length ({said}); evaluate them again")
    return compared, rates[0]


def results_of(name: str, recipes: Path) -> dict[str, list[Result]]:
    """Return all results of each recipe of a task, or of one recipe.

    Raises:
        DataError, Problems: see `results_table`.
    """
    task, _, only = name.partition("/")
    known = sorted(path.stem for path in (recipes / task).glob("*.yaml"))
    if not known or (only and only not in known):
        names = [*(path.parent.name for path in recipes.glob("*/*.yaml")), *(f"{task}/{recipe}" for recipe in known)]
        raise DataError(f"results:{name}: no task or recipe has this name{nearest(name, names)}")
    results = read_results(recipes / task)
    if problems := _misfits(results, [f"{task}/{recipe}" for recipe in known]):
        raise Problems(problems, f"{task}/results")
    shown = [f"{task}/{one}" for one in ([only] if only else known)]
    return {recipe: [each for each in results if each.recipe == recipe] for recipe in shown}


def _all_of(names: str, recipes: Path) -> dict[str, list[Result]]:
    """Return all results of several tasks or recipes, in the given order."""
    return {recipe: results for name in names.split(",") for recipe, results in results_of(name, recipes).items()}


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], legend: str) -> str:
    """Return rows of cells as a Markdown table with a legend below it."""
    lines = [headings, ["---"] * len(headings), *rows]
    if any(cell.endswith(_OLD_RULE) for row in rows for cell in row[:2]):
        legend += _LEGEND_OLD_RULE
    return "\n".join(["| " + " | ".join(row) + " |" for row in lines] + ["", legend])


def _lines(found: Mapping[str, Sequence[Result]]) -> Iterator[_Line]:
    """Yield each way in which the recipes were run; a recipe that never was, with no results."""
    for recipe, results in found.items():
        short = short_names(one.decoder.name for one in results)
        for way in ways(results):
            mark = _OLD_RULE if any(_compares_texts_by_an_old_rule(one) for one in way.results) else ""
            first = way.results[0]
            label = " ".join(code(word) for word in (recipe, *first.options)) + mark
            yield _Line(label, code(short[first.decoder.name]), way.results)
        if not results:
            yield _Line(code(recipe), "", ())


def _is_shortened(line: _Line) -> bool:
    """Return whether the table shows less than the decoder's whole name."""
    return any(line.decoder != code(one.decoder.name.replace(",", ", ")) for one in line.results)


def _compares_texts_by_an_old_rule(result: Result) -> bool:
    """Return whether surplus blanks may have counted as errors (rule 1); this concerns rates of texts only."""
    return result.scoring < SCORING and any(name.startswith(("wer", "cer")) for name in rate_names([result]))


def _row(line: _Line, columns: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Return the cells of one way in which a recipe was run; `width` of them are rates."""
    if not line.results:
        return [*line.names, *[_NOT_RUN] * width, "", "", "", ""]
    reported = rate_names(line.results)
    cells = [_cell(line.results, split, name) if name in reported else _NONE for name, split in columns]
    commits = dict.fromkeys(plain(each.training.commit[:7]) for each in line.results if each.training.commit)
    lengths = (_length(line.results, name) for name, _ in columns)
    reference = next(filter(None, lengths), "") + _excluded(line.results)
    rest = [reference, _seeds(line.results), _training(line.results), ", ".join(commits)]
    return [*line.names, *map(with_unbroken_interval, cells), *rest]


def _rows_by(tag: str, line: _Line, only: Sequence[str]) -> list[list[str]]:
    """Return one row for each value of a tag."""
    values = values_of(line.results, tag)
    if not values:
        return [[*line.names, "", "", _NOT_RUN, _NOT_RUN, "", ""]]
    rows = []
    for value in sorted(values.intersection(only) if only else values):
        parts = [part for part in (_part(each, tag, value) for each in line.results) if part.splits]
        name = rate_names(parts)[0]
        cells = [_cell(parts, split, name) if rates_of(parts, split, name) else "none" for split in ("dev", "test")]
        length = _length(parts, name) + _excluded(parts)
        figures = map(with_unbroken_interval, cells)
        rows.append([*line.names, plain(value), code(name), *figures, length, _seeds(parts)])
    return rows


def _part(result: Result, tag: str, value: str) -> Result:
    """Return a result with the rates for one value of a tag, and only the splits that have the value."""
    found = {name: split.by.get(tag, {}).get(value) for name, split in result.splits.items()}
    return replace(result, splits={name: SplitResult(0, rates) for name, rates in found.items() if rates})


def _told(estimate: Estimate | None) -> str:
    return _NOT_RUN if estimate is None else str(estimate)


def _seeds(results: Sequence[Result]) -> str:
    return ", ".join(str(each.seed) for each in results)


def _training(results: Sequence[Result]) -> str:
    """Return the mean duration of the training."""
    seconds = [each.training.seconds for each in results if each.training.seconds is not None]
    return _duration(sum(seconds) / len(seconds)) if seconds else ""


def _cell(results: Sequence[Result], split: str, name: str) -> str:
    """Return the rate of one seed with its interval, or the mean and the range of several seeds."""
    rates = rates_of(results, split, name)
    if not rates:
        return _NOT_RUN
    mean = 100.0 * sum((rate.counts for rate in rates), ErrorCounts()).rate
    if len(rates) > 1:
        return f"{mean:.1f} ({min(rate.percent for rate in rates):.1f} to {max(rate.percent for rate in rates):.1f})"
    low, high = rates[0].low, rates[0].high
    return f"{mean:.1f}" + ("" if low is None or high is None else f" [{low:.1f}, {high:.1f}]")


def _length(results: Sequence[Result], name: str) -> str:
    """Return the reference length of the test set, empty if there is none."""
    rates = rates_of(results, "test", name)
    return f"{rates[0].reference} {plain(rates[0].unit)}" if rates else ""


def _excluded(results: Sequence[Result]) -> str:
    """Return how many utterances of the test set were left out, empty for none."""
    excluded = max((len(each.splits["test"].excluded) for each in results if "test" in each.splits), default=0)
    return f", {excluded} utterances excluded" if excluded else ""


def _misfits(results: Sequence[Result], known: Sequence[str]) -> list[str]:
    """Return the problems of results without a recipe, and of seeds that were scored on different references."""
    problems = [f"{each.file_name}: no recipe is named '{each.recipe}'" for each in results if each.recipe not in known]
    lengths: dict[tuple[str, tuple[str, ...], str, str, str], dict[int, str]] = {}
    for each in results:
        for part, name, rate in _all_rates(each):
            key = (each.recipe, each.options, each.decoder.name, part, name)
            lengths.setdefault(key, {}).setdefault(rate.reference, each.file_name)
    for (*_, part, name), files in lengths.items():
        if len(files) > 1:
            said = ", ".join(f"{length} in {file}" for length, file in files.items())
            problems.append(f"{part} {name}: seeds with different reference lengths cannot be averaged ({said})")
    return problems


def _all_rates(result: Result) -> Iterator[tuple[str, str, Rate]]:
    """Yield (split or part of a split, name of a rate, rate) for all rates of a result."""
    for name, split in result.splits.items():
        parts = {f"{name} {tag}={value}": rates for tag, of in split.by.items() for value, rates in of.items()}
        for part, rates in ({name: split.rates} | parts).items():
            yield from ((part, rate, value) for rate, value in rates.items())


def _duration(seconds: float) -> str:
    minutes = seconds / 60.0
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60.0:.1f} h"
