"""The documentation builds without a warning, and has a page for everything."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from building import commands, copies, python_api
from building.contents import with_contents
from building.links import Links, code_page
from building.places import DOCS, ROOT, names

WITH_SPHINX = all(find_spec(name) for name in ("sphinx", "myst_parser", "furo"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages."""
    if not WITH_SPHINX:
        pytest.skip("Sphinx is not installed: pip install 'ctc-asr[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    assert len(names()) > 60
    assert [name for name in names() if not (site / f"{name}.html").is_file()] == []


def test_commands_are_shown(site: Path) -> None:
    for name in commands.scripts():
        assert name in (site / "reference" / "commands" / f"{name}.html").read_text(encoding="utf-8")


def test_public_modules_are_shown(site: Path) -> None:
    index = "".join(path.read_text(encoding="utf-8") for path in (site / "reference" / "python").glob("*.html"))
    for room in python_api.ROOMS:
        for name in python_api.modules(room):
            assert f'id="module-{name}"' in index, name


def test_results_are_tables(site: Path) -> None:
    for path in (ROOT / "recipes").glob("*/README.md"):
        page = (site / "results" / "tasks" / f"{path.parent.name}.html").read_text(encoding="utf-8")
        assert "<table" in page, path


def test_docstrings_are_read_as_markdown() -> None:
    if not WITH_SPHINX:
        pytest.skip("Sphinx is not installed: pip install 'ctc-asr[docs]'")
    from building.docstrings import as_restructured_text, readable_signature

    lines = ["A sum |x| over `a|b`:", "", "    x = a * b", "", "| k | v |", "|---|---|", "| 1 | 2 |", "", "Two *args."]
    made = as_restructured_text(lines, "module")
    assert made[0] == r"A sum \|x\| over ``a|b``:"
    assert "::" in made
    assert ".. list-table::" in made
    assert made[-1] == r"Two \*args."
    assert as_restructured_text(["See `asr.lm.model`."], "class") == ["See :py:obj:`asr.lm.model`."]
    assert as_restructured_text(["The name: of it."], "attribute") == ["The name: of it."]
    array = "~numpy.ndarray[tuple[~typing.Any, ...], ~numpy.dtype[~numpy.float32]]"
    assert readable_signature(f"(x: {array}) -> None", "function") == "(x: NDArray[float32]) -> None"
    assert readable_signature("(*args, **kwargs)", "class") == ""


def test_links_become_those_of_the_site(tmp_path: Path) -> None:
    (tmp_path / "asr").mkdir()
    (tmp_path / "asr" / "a.py").write_text("", encoding="utf-8")
    links = Links(tmp_path, "docs", {"results/tasks/an4": "recipes/an4/README.md"}, {"index": "README.md"})
    text = "[a](../../docs/beam.md#x) [b](../../asr/a.py) [c](../../README.md#y) [d](https://e.org) ![f](results/f.svg)"
    mended = links.mended("results/tasks/an4", text)
    assert mended == (
        "[a](../../beam.md#x) [b](../../reference/code/asr/a.py.md) [c](../../index.md) [d](https://e.org) "
        "![f](../../../recipes/an4/results/f.svg)"
    )
    assert list(links.files("results/tasks/an4", text)) == ["asr/a.py"]
    assert links.mended("beam", "[a\nb](../asr)") == "[a\nb](reference/code/asr.md)"
    assert code_page("asr/a.py") == "reference/code/asr/a.py"
    assert links.mended("beam", "[a](../recipes/an4/README.md#b)") == "[a](results/tasks/an4.md#b)"
    assert links.mended("beam", "```\n[a](../asr/a.py)\n```") == "```\n[a](../asr/a.py)\n```"


def test_the_summary_is_that_of_the_readme() -> None:
    def rows(markdown: str) -> list[str]:
        return [re.sub(r"\]\([^)]*\)", "]", line) for line in markdown.splitlines() if line.startswith("| ")]

    links = Links(ROOT, "docs", copies.origins(), copies.STAND_INS)
    made = copies.with_summary("results/index", "a\n\n```{summary}\n```\n", links)
    assert "(tasks/an4.md)" in made
    assert len(rows(made)) > 3
    assert set(rows(made)) <= set(rows((ROOT / "README.md").read_text(encoding="utf-8")))


def test_the_rest_of_a_folder_is_listed_once() -> None:
    page = "```{toctree}\nfirst*\nb/index\n```\n\n```{toctree}\n:caption: C\n\n*\n```\n\n```{toctree}\nnone*\n```\n"
    made = with_contents("index", page, ["index", "first", "other", "b/index", "b/c"])
    assert made == "```{toctree}\n\nfirst\nb/index\n```\n\n```{toctree}\n:caption: C\n\nother\n```\n\n"


@pytest.mark.parametrize("name", ["contents", "formats", "links"])
def test_examples(name: str) -> None:
    found = doctest.testmod(import_module(f"building.{name}"))
    assert found.attempted
    assert not found.failed
