"""Make the package `building` importable for the tests of the documentation."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"

sys.path.insert(0, str(DOCS))  # holds the package `building`, as it does for Sphinx
