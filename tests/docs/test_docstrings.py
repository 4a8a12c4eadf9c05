"""Every example in a docstring gives what it shows."""

from __future__ import annotations

import doctest
import importlib
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def modules() -> list[str]:
    """Return the modules of the package and of its documentation that have examples."""
    paths = [
        path
        for folder in ("asr", "data_prep", "docs/building", "tests/docs")
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
    ]
    return [
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__").removeprefix("docs.")
        for path in paths
        if re.search(r"^ *>>> ", path.read_text(encoding="utf-8"), re.M)
    ]


@pytest.mark.parametrize("name", modules())
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if name == "building.docstrings" and not find_spec("sphinx"):
        pytest.skip("Sphinx is not installed: pip install 'ctc-asr[docs]'")
    found = importlib.import_module(name)
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    examples = [one for one in doctest.DocTestFinder(exclude_empty=True).find(found) if one.examples]
    assert examples, f"{name} has a `>>>` that belongs to no docstring of the module"
    for one in examples:
        runner.run(one, out=said.append)
    assert not runner.failures, "".join(said)


def test_there_are_examples() -> None:
    assert len(modules()) > 20
