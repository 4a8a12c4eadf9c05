"""Tables and plots of confidences."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from asr.errors import DataError, Problems
from asr.report.readme import update
from asr.report.reliability import draw_reliability, reliability_stamp, reliability_table
from tests.report.made import cells, put, result


def confident(seed: int, error: float = 0.012, **more: Any) -> dict[str, Any]:
    """A result whose splits have confidences."""
    made = result("an4/ctc", seed, 10, 50, **more)
    words = {
        "error": error, "low": 0.004, "high": 0.02, "chance": 0.025, "groups": 10, "grouped_by": "speakers",
        "bins": [[0.6, 0.5, 300], [0.99, 1.0, 400]],
    }  # fmt: skip
    for split in made["splits"].values():
        split["calibration"] = {"words": words, "labels": words | {"error": 0.003, "low": None, "high": None}}
    return made


def test_a_row_for_each_run_and_kind(root: Path) -> None:
    put(root, confident(0), confident(1, 0.02))
    assert cells(reliability_table("an4/ctc", root / "recipes")) == [
        ["`an4/ctc`", "`greedy`", "0", "words", "1.2 [0.4, 2.0]", "1.2 [0.4, 2.0]", "2.5", "700"],
        ["`an4/ctc`", "`greedy`", "0", "labels", "0.3", "0.3", "2.5", "700"],
        ["`an4/ctc`", "`greedy`", "1", "words", "2.0 [0.4, 2.0]", "2.0 [0.4, 2.0]", "2.5", "700"],
        ["`an4/ctc`", "`greedy`", "1", "labels", "0.3", "0.3", "2.5", "700"],
    ]


def test_a_readme_gets_the_table_and_the_plot(root: Path) -> None:
    pytest.importorskip("matplotlib", reason="draws the plot (ctc-asr[plot])")
    put(root, confident(0))
    readme, plot = root / "README.md", root / "recipes" / "an4" / "results" / "ctc-reliability.svg"
    readme.write_text("<!-- results:an4/ctc confidences -->\n<!-- /results -->\n", encoding="utf-8")
    with pytest.raises(Problems, match=r"ctc-reliability\.svg: the file differs from the result files"):
        update(root, check=True)
    assert set(update(root)) == {readme, plot}
    assert "1.2 [0.4,\N{NO-BREAK SPACE}2.0]" in readme.read_text(encoding="utf-8")
    assert "as it is, seed 0: 1.2 %" in plot.read_text(encoding="utf-8")
    assert update(root, check=True) == []
    put(root, confident(0, error=0.013))
    assert set(update(root)) == {readme, plot}


def test_a_plot_is_the_same_for_the_same_results(root: Path) -> None:
    pytest.importorskip("matplotlib", reason="draws the plot (ctc-asr[plot])")
    put(root, confident(0))
    recipes = root / "recipes"
    assert draw_reliability("an4/ctc", recipes) == draw_reliability("an4/ctc", recipes)
    before = reliability_stamp("an4/ctc", recipes)
    put(root, confident(0, error=0.013))
    assert reliability_stamp("an4/ctc", recipes) != before


def test_results_without_confidences_are_named(root: Path) -> None:
    put(root, result("an4/ctc", 0, 10, 50))
    with pytest.raises(DataError, match="results:an4/ctc confidences: no result has confidences"):
        reliability_table("an4/ctc", root / "recipes")
    with pytest.raises(DataError, match="results:an4 confidences: give a recipe, task/name"):
        reliability_table("an4", root / "recipes")


def test_a_long_decoder_is_written_in_lines_that_fit(root: Path) -> None:
    pytest.importorskip("matplotlib", reason="draws the plot (ctc-asr[plot])")
    put(root, confident(0, options=[f"model.option{i}=1" for i in range(9)]))
    lines = re.findall(r">([^<>]*option[^<>]*)<", draw_reliability("an4/ctc", root / "recipes").decode())
    assert len(lines) > 2
    assert max(map(len, lines)) <= 46
