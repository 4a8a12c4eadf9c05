"""Result files as a run would have written them, and tables read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from asr.evaluation.result import result_name


def rate(substitutions: int, reference: int, **more: Any) -> dict[str, Any]:
    percent = round(100 * substitutions / reference, 4)
    counts = {"reference": reference, "substitutions": substitutions, "deletions": 0, "insertions": 0, "unit": "words"}
    return {"percent": percent, "low": percent - 1, "high": percent + 2, **counts, **more}


def result(recipe: str, seed: int, dev: int, test: int, **more: Any) -> dict[str, Any]:
    splits = {
        "dev": {"utterances": 4, "excluded": [], "rates": {"wer": rate(dev, 200)}},
        "test": {"utterances": 5, "excluded": [], "rates": {"wer": rate(test, 1000)}},
    }
    return {
        "scoring": 2,
        "recipe": recipe,
        "seed": seed,
        "commit": "0123456789abcdef",
        "train_seconds": 600.0,
        "splits": splits,
        **more,
    }


def put(root: Path, *values: dict[str, Any]) -> None:
    for each in values:
        path = root / "recipes" / each["recipe"].split("/")[0] / "results"
        path.mkdir(parents=True, exist_ok=True)
        (path / result_name(each["recipe"], each.get("options", ()), each["seed"])).write_text(
            json.dumps(each), encoding="utf-8"
        )


def cells(text: str) -> list[list[str]]:
    """The rows of a Markdown table, its heading left out and every space an ordinary one."""
    rows = [line for line in text.replace("\N{NO-BREAK SPACE}", " ").splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
