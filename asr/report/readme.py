"""Fill the result tables of README files and pages from result files, so that no number is typed by hand.

A table stands between `<!-- results:NAME -->` and `<!-- /results -->`, where NAME is a task (a folder of `recipes/`),
a recipe (`task/name`), or a list of them (`task/one,task/two`). What stands between the marks is replaced. The table
has one row for each recipe and decoder, with all rates as columns; `<!-- results:NAME rates RATE,RATE/test -->` shows
these rates only, the second one on test alone. Other opening marks are:

- `<!-- results:NAME by TAG -->`, or `by TAG=VALUE,VALUE`: the first rate of each recipe for each value of a tag
  (`asr-evaluate --by TAG`);
- `<!-- results:task/name against OPTIONS -->`: the first rate of a recipe for each way in which it was run, compared
  with the way that has these options (`as it is`: no options), and a plot in the folder of results;
- `<!-- results:task/name confidences -->`: the calibration errors of each run of a recipe, and a plot in the folder of
  results, `name-reliability.svg`.

A summary has one row per task. Its opening mark has a line for each row: the recipe and its rate, a description of the
task, and the best published figure.

    <!-- summary
    an4/ctc_large wer | AN4, English words | 6.0, Kaldi
    -->

A table of the pretrained models, from the cards in their bundles, has one row per model: the model and its rate, what
it reads, the test set, and the data with their licence.

    <!-- models
    an4 wer | spelled names and numbers | AN4 | AN4, free for any purpose
    -->
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from asr.errors import CheckpointError, DataError, Problems
from asr.files import write_file
from asr.report import markdown, plot, reliability
from asr.report.models import models_table

_OPENING = re.compile(
    r"^<!-- results:(?P<name>\S+)"
    r"(?: rates (?P<rates>\S+)| by (?P<by>[^\s=]+)(?:=(?P<values>\S+))?"
    r"| against (?P<base>\S.*?)| (?P<confidences>confidences))? -->$",
    re.MULTILINE,
)
_SUMMARY = re.compile(r"^<!-- summary\n(?P<rows>.*?)\n-->$", re.MULTILINE | re.DOTALL)
_MODELS = re.compile(r"^<!-- models\n(?P<rows>.*?)\n-->$", re.MULTILINE | re.DOTALL)
_CLOSING = "<!-- /results -->"
_PAGES = ("README.md", "recipes/*/README.md", "docs/experiments/*.md")


def readmes(root: Path) -> list[Path]:
    """Return the pages of a checkout that may hold tables: its READMEs and its pages of experiments."""
    return [path for pattern in _PAGES for path in sorted(root.glob(pattern)) if path.is_file()]


def update(root: Path, check: bool = False) -> list[Path]:
    """Write the tables of all README files of a checkout, and draw their plots.

    Args:
        root: the folder with `README.md` and `recipes/`.
        check: write nothing, and raise an error if a file would change.

    Returns:
        The files that were changed.

    Raises:
        Problems: marks that do not fit, names that are no recipe, result files or bundles that cannot be read; with
            `check`, each README or plot that is not what the result files say.
        MissingExtra: a plot is to be drawn or ways are compared, and matplotlib or scipy is not installed.
    """
    written = {path: path.read_text(encoding="utf-8") for path in readmes(root)}
    stale: dict[Path, Callable[[], bytes]] = {}
    bases: dict[str, str] = {}  # for each recipe the way that others are compared with
    problems: dict[str, None] = {}  # without repeats: several README files may show the same result
    for path, text in written.items():
        try:
            filled = fill(text, root / "recipes", _shown(path, root))
            stale |= _stale_plots(text, root / "recipes", bases)
        except Problems as error:
            problems |= dict.fromkeys(error.problems)
        except (CheckpointError, DataError) as error:
            problems[f"{_shown(path, root)}: {error}"] = None
        else:
            if filled != text:
                stale[path] = filled.encode
    if problems:
        raise Problems(list(problems), "the README files and their results")
    if check and stale:
        remedy = "the file differs from the result files; run asr-report"
        raise Problems([f"{_shown(path, root)}: {remedy}" for path in stale], "the README files")
    contents = {path: content() for path, content in stale.items()}  # all may fail before anything is written
    for path, content in contents.items():
        write_file(path, content)
    return list(contents)


def fill(text: str, recipes: Path, where: str = "README.md") -> str:
    """Return the text of a README with new tables.

    Args:
        text: the text of the README.
        recipes: the folder of recipes.
        where: the name of the README, for messages.

    Raises:
        Problems: see `update`.
    """
    for number, mark in enumerate(text.splitlines(), 1):
        if mark.startswith("<!-- results:") and not _OPENING.fullmatch(mark):
            raise Problems([f"{where}:{number}: '{mark}' is malformed; see asr-report --help"], where)
    parts, position = [], 0
    while (opening := _next_opening(text, position)) is not None:
        closing = text.find(_CLOSING, opening.end())
        following = _next_opening(text, opening.end())
        if closing < 0 or (following is not None and following.start() < closing):
            line = text.count("\n", 0, opening.start()) + 1
            raise Problems([f"{where}:{line}: '{opening[0]}' has no '{_CLOSING}' after it; add one"], where)
        parts += [text[position : opening.end()], "\n\n", _table(opening, recipes), "\n\n", _CLOSING]
        position = closing + len(_CLOSING)
    return "".join([*parts, text[position:]])


def _next_opening(text: str, position: int) -> re.Match[str] | None:
    found = (pattern.search(text, position) for pattern in (_OPENING, _SUMMARY, _MODELS))
    return min((one for one in found if one is not None), key=lambda one: one.start(), default=None)


def _table(opening: re.Match[str], recipes: Path) -> str:
    if opening.re is _SUMMARY:
        return markdown.summary_table(opening["rows"].splitlines(), recipes)
    if opening.re is _MODELS:
        return models_table(opening["rows"].splitlines(), recipes.parent)
    if opening["by"]:
        only = opening["values"].split(",") if opening["values"] else ()
        return markdown.parts_table(opening["name"], recipes, opening["by"], only)
    if opening["base"]:
        return markdown.comparison_table(opening["name"], recipes, opening["base"])
    if opening["confidences"]:
        return reliability.reliability_table(opening["name"], recipes)
    return markdown.results_table(opening["name"], recipes, opening["rates"].split(",") if opening["rates"] else ())


def _stale_plots(text: str, recipes: Path, bases: dict[str, str]) -> dict[Path, Callable[[], bytes]]:
    """Return the plots of a README that are missing or show other results, with the functions that draw them.

    Args:
        text: the text of the README.
        recipes: the folder of recipes.
        bases: for each recipe the way that others are compared with; it is filled here. A recipe has a single plot.
    """
    stale: dict[Path, Callable[[], bytes]] = {}
    for opening in _OPENING.finditer(text):
        if opening["base"]:
            name, base = opening["name"], opening["base"]
            if bases.setdefault(name, base) != base:
                raise DataError(f"results:{name} against {base}: another table compares with '{bases[name]}'; use one")
            task, _, recipe = name.partition("/")
            path = recipes / task / "results" / f"{recipe}.svg"
            compared, rate = markdown.compared_ways(name, recipes)
            if not _shows(path, plot.stamp(compared, rate, base)):
                stale[path] = partial(plot.draw, compared, rate, base, name)
        if opening["confidences"]:
            task, _, recipe = opening["name"].partition("/")
            path = recipes / task / "results" / f"{recipe}-reliability.svg"
            if not _shows(path, reliability.reliability_stamp(opening["name"], recipes)):
                stale[path] = partial(reliability.draw_reliability, opening["name"], recipes)
    return stale


def _shows(path: Path, stamp: str) -> bool:
    return path.is_file() and stamp in path.read_text(encoding="utf-8")


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
