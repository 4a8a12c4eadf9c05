"""Pages of the commands: what each prints with `--help`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from building.places import ROOT, index, literal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_FOLDER = "reference/commands"
_WIDTH = "92"  # columns of a help text
_CALL = "import sys; sys.argv = sys.argv[1:]; import importlib; importlib.import_module({module!r}).{function}()"


def scripts() -> dict[str, str]:
    """Return the commands of the package and the function that each calls: `module:function`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(sorted(project["scripts"].items()))


def pages() -> dict[str, str]:
    """Return the page of each command, and their contents."""
    names = list(scripts())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = dict(zip(names, pool.map(_page, names), strict=True))
    opening = "Each page holds what the command prints with `--help`."
    contents = index("Commands", opening, names)
    return {f"{_FOLDER}/{name}": text for name, text in made.items()} | {f"{_FOLDER}/index": contents}


def _page(name: str) -> str:
    """Return the page of a command: its help, and that of its subcommands or, for `asr-prepare`, of its corpora."""
    top = help_of(name)
    below = {part: help_of(name, part) for part in parts_of(name, top)}
    sections = [f"## `{name} {part}`\n\n{literal(text)}" for part, text in below.items()]
    return "\n\n".join([f"# `{name}`", literal(top), *sections]) + "\n"


def parts_of(name: str, text: str) -> Sequence[str]:
    """Return the words that may follow a command and have a help text of their own."""
    if name == "asr-prepare":
        from data_prep.corpora import readers

        return sorted(readers())
    below = text.partition("\ncommands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^    ([a-z][\w-]*)", below, re.MULTILINE)


def help_of(name: str, *parts: str) -> str:
    """Return what a command prints with `--help`, without colours.

    Raises:
        RuntimeError: the command fails.
    """
    module, _, function = scripts()[name].partition(":")
    environment = os.environ | {"COLUMNS": _WIDTH, "NO_COLOR": "1", "TERM": "dumb", "PYTHONPATH": str(ROOT)}
    code = _CALL.format(module=module, function=function)
    done = subprocess.run(
        [sys.executable, "-c", code, name, *parts, "--help"],
        capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{name} --help failed: {done.stderr}")
    return done.stdout
