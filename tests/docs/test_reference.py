"""The reference has everything: each command, each option, each preset and each public module."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator

import pytest
from building import commands, configuration, python_api
from building.places import ROOT, written_by_hand

from tests.test_dependencies import project


def test_every_command_has_a_page() -> None:
    assert list(commands.scripts()) == sorted(project()["scripts"])


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("asr-report",), "usage: asr-report"),
        (("asr-lm", "build"), "usage: asr-lm build"),
        (("asr-prepare", "folder"), "on_error="),
    ],
    ids=str,
)
def test_a_page_of_a_command_is_its_help(parts: tuple[str, ...], said: str) -> None:
    text = commands.help_of(*parts)
    assert said in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 130


def test_subcommands_are_found() -> None:
    assert {"build", "perplexity"} <= set(commands.parts_of("asr-lm", commands.help_of("asr-lm")))
    assert {"an4", "folder", "unipen"} <= set(commands.parts_of("asr-prepare", ""))
    assert not commands.parts_of("asr-report", commands.help_of("asr-report"))


def test_a_command_that_fails_stops_the_build() -> None:
    with pytest.raises(RuntimeError, match="asr-lm --help failed: "):
        commands.help_of("asr-lm", "nothing")


def components() -> Iterator[tuple[str, ast.ClassDef]]:
    """The dataclasses of the source that name a class to build, with what they name."""
    for path in sorted((ROOT / "asr").rglob("*.py")):
        for one in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(one, ast.ClassDef):
                for line in one.body:
                    if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == "_target_" and line.value:
                        yield ast.literal_eval(line.value), one


def test_every_option_of_every_component_is_there_with_its_meaning() -> None:
    text = "\n".join(configuration.pages().values())
    found = list(components())
    assert len(found) > 25
    for built, node in found:
        assert f"Builds `{built}`." in text, built
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and (name := ast.unparse(line.target)) != "_target_":
                assert f".{name}`: `{ast.unparse(line.annotation)}`" in text, f"{built}.{name}"


def test_every_preset_is_there() -> None:
    text = "\n".join(configuration.pages().values())
    presets = sorted((ROOT / "conf").glob("*/**/*.yaml"))
    assert len(presets) > 40
    assert [path for path in presets if path.read_text(encoding="utf-8").strip() not in text] == []


def test_options_come_with_what_their_class_says() -> None:
    text = configuration.pages()["reference/configuration/run"]
    assert "`training.patience`: `int`, default `0`\n: " in text  # a comment behind the field
    assert "`loss.consistency`: `float`, default `0.0`\n: " in text  # a text below it
    assert "`init`: `str | None`, default `null`\n: " in text  # a section of the docstring


def test_every_room_has_a_page() -> None:
    house = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {name.replace("/", ".") for name in re.findall(r"^\| `((?:asr/\w+|data_prep))` \|", house, re.MULTILINE)}
    without = {"asr.cli", "asr.experiment"}  # commands and what they run: see the pages of commands and configuration
    assert len(rooms) > 12
    assert rooms - without == {room for room in python_api.ROOMS if room in rooms}


def test_every_public_module_is_there_and_is_opened_by_a_docstring() -> None:
    for room in python_api.ROOMS:
        for name in python_api.modules(room):
            opening = (importlib.import_module(name).__doc__ or "").strip()
            assert opening or name == room, name


def imported_by_readers() -> set[str]:
    """Modules of the package that code in pages and examples imports, or that a page names in full."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *written_by_hand(), *(ROOT / "examples").glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    found = re.findall(r"^ *(?:from (asr[\w.]*|data_prep[\w.]*) import|import (asr[\w.]*|data_prep[\w.]*))", text, re.M)
    return {one or other for one, other in found}


def test_what_readers_are_told_to_import_is_public() -> None:
    public = {name for room in python_api.ROOMS for name in python_api.modules(room)}
    assert "asr" in imported_by_readers()
    assert imported_by_readers() - public == set()
