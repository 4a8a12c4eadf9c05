"""`asr-report`: write the result tables of README files from result files."""

from __future__ import annotations

import argparse
from pathlib import Path

from asr.cli.command import add_debug, run
from asr.cli.console import write_line
from asr.errors import DataError


def main() -> None:
    """Run `asr-report`."""
    run(_main)


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="asr-report",
        description="Fill the tables between <!-- results:TASK --> and <!-- /results --> in README.md, "
        "recipes/*/README.md and docs/experiments from recipes/TASK/results/*.json. TASK may be "
        "TASK/RECIPE, or several with commas between them. 'results:TASK rates RATE,RATE/test' shows these rates only; "
        "'results:TASK by TAG' or 'by TAG=VALUE,VALUE' lists the parts that asr-evaluate --by TAG measured; "
        "'results:TASK/RECIPE against OPTIONS' puts the ways in which a recipe was run beside the one with these "
        "options and draws a plot of them; 'results:TASK/RECIPE confidences' tabulates the calibration errors of "
        "confidences, and draws a plot of them. "
        "The tables behind <!-- summary and <!-- models list their rows themselves; the second is filled from the "
        "cards of the pretrained models.",
    )
    parser.add_argument(
        "root", nargs="?", type=Path, default=Path(), help="the project's checkout (default: the current folder)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a table or plot is out of date")
    add_debug(parser)
    given = parser.parse_args()
    if not (given.root / "recipes").is_dir():
        raise DataError(f"{given.root.absolute()} is no checkout: it has no folder recipes; give the checkout's folder")
    from asr.report.readme import update

    for path in update(given.root, check=given.check):
        write_line(f"wrote {path}")
