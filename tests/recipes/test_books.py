"""The figures in the README of the books are those of the result files."""

from __future__ import annotations

import json
import re

from asr.resources import resource


def test_the_table_says_what_the_results_say() -> None:
    folder = resource("recipes") / "books"
    text, found = (folder / "README.md").read_text(encoding="utf-8"), sorted((folder / "results").glob("*.json"))
    assert found
    for path in found:
        result = json.loads(path.read_text(encoding="utf-8"))
        recipe = result["recipe"].removeprefix("books/")
        assert path.name == f"{recipe}-seed{result['seed']}.json"
        assert result["training"]["finished"]
        bits = [
            f"{result['splits'][split][which]:.3f}" for split in ("dev", "test") for which in ("bits", "bits_by_line")
        ]
        row = " | ".join([f"| `{recipe}`, seed {result['seed']}", f"{result['parameters']:,}", *bits]) + " |"
        assert row in text.splitlines()
    rows = re.findall(r"^\| `\w+`, seed \d+ \|.*$", text, re.MULTILINE)
    assert len(rows) == len(found)
