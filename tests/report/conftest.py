from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with two recipes of one task, nothing run, and a README with a table for them."""
    (tmp_path / "recipes" / "an4").mkdir(parents=True)
    for recipe in ("ctc", "ctc_large"):
        (tmp_path / "recipes" / "an4" / f"{recipe}.yaml").write_text("", encoding="utf-8")
    (tmp_path / "README.md").write_text(
        "# Top\n\n<!-- results:an4 -->\nold\n<!-- /results -->\n\nEnd\n", encoding="utf-8"
    )
    return tmp_path
