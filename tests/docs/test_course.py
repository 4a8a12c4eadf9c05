"""The notebook of the course runs from top to bottom, and is stored without outputs."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "course.ipynb"
SMALL = """
SIZES = {"train": 60, "dev": 4, "test": 8, "train_writers": 3, "dev_writers": 2, "test_writers": 2}
EPOCHS = 1
"""
"""The cell that replaces the one of parameters."""


@pytest.fixture(scope="module")
def notebook() -> dict[str, Any]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def test_it_is_stored_without_outputs(notebook: dict[str, Any]) -> None:
    codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in codes)
    assert NOTEBOOK.stat().st_size < 50_000


def test_it_runs(notebook: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("HersheyFonts")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    names: dict[str, Any] = {}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for number, cell in enumerate(notebook["cells"]):
            if cell["cell_type"] == "code":
                code = SMALL if "parameters" in cell["metadata"].get("tags", ()) else "".join(cell["source"])
                exec(compile(code, f"<cell {number}>", "exec"), names)
    printed = out.getvalue()
    assert "aab -> ab" in printed
    assert "epoch 1: loss " in printed
    assert "character errors: " in printed
