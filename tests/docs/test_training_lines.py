"""The `asr-train` commands of the recipes, of the log of experiments and of CONTRIBUTING.md compose."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import command
from tests.docs.pages import blocks_of, statements
from tests.docs.reader import ROOT

PAGES = [
    *sorted(ROOT.glob("recipes/*/README.md")),
    *sorted(ROOT.glob("docs/experiments/*.md")),
    ROOT / "CONTRIBUTING.md",
]


def training_lines(page: str) -> Iterator[str]:
    """Yield the `asr-train` commands of the blocks of a page, with the values of the variables of their block.

    Of the commands within sentences, those that name a recipe and leave nothing out.
    """
    for block in blocks_of(page):
        variables: dict[str, str] = {}
        for line in statements(block.text) if block.language == "bash" else ():
            if assigned := re.fullmatch(r"(\w+)=(\S+)", line):
                variables[assigned[1]] = assigned[2]
            elif line.startswith("asr-train"):
                for name, value in variables.items():
                    line = line.replace(f"${name}", value)
                yield line
    for found in re.findall(r"`(asr-train recipe=[^`]+)`", page):
        if "..." not in found:
            yield " ".join(found.split())


def single_runs(line: str) -> list[list[str]]:
    """Return the options of a command; of a sweep, as many runs as its longest option has values.

    >>> single_runs("asr-train --multirun a=1,2 'b=range(1,12)' c=[1,2]")
    [['a=1', 'b=1', 'c=[1,2]'], ['a=2', 'b=1', 'c=[1,2]']]
    """
    words = shlex.split(line)[1:]
    if "--multirun" not in words:
        return [words]
    words.remove("--multirun")
    swept = [(name, _values(value)) for name, _, value in (word.partition("=") for word in words)]
    longest = max(len(values) for _, values in swept)
    return [[f"{name}={values[min(at, len(values) - 1)]}" for name, values in swept] for at in range(longest)]


def _values(value: str) -> list[str]:
    if value.startswith("["):
        return [value]
    first = re.match(r"range\((\d+),", value)
    return [first[1]] if first else value.split(",")


LINES = sorted({line for path in PAGES for line in training_lines(path.read_text(encoding="utf-8"))})


@pytest.mark.parametrize("line", LINES)
def test_a_training_command_composes(line: str, tmp_path: Path) -> None:
    for options in single_runs(line):
        ended = command("train", "--cfg", "job", *options, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr


def test_the_recipes_are_among_them() -> None:
    assert "asr-train recipe=an4/ctc corpus.root=/data/an4 training.seed=1" in LINES
    assert len(LINES) > 20


def test_an_option_that_does_not_exist_is_found(tmp_path: Path) -> None:
    assert command("train", "--cfg", "job", "recipe=an4/ctc", "training.epoch=3", cwd=tmp_path).returncode
