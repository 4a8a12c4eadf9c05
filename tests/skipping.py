"""Which tests may be left out: hooks of pytest, which `conftest.py` takes from here.

Where PyTorch is not installed, the rooms that need none are tested all the same. In continuous integration (`CI=true`)
no test may be skipped whose data or program is there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from asr.errors import MissingExtra

TESTS = Path(__file__).resolve().parent
SHARED = TESTS.parents[1] / "shared"
SHARED_DATA = SHARED / "data"
SHARED_CASES = SHARED / "cases"

NEED_NO_TORCH = ("audio", "corpus", "data_prep", "ink", "scoring")
"""Rooms whose tests pass without PyTorch, or say `pytest.importorskip("torch")` themselves."""

NEED_IT_IN_PART = (
    "cli", "decoding", "docs", "engines", "evaluation", "features", "recogniser", "report",
    "data_prep/test_corpora.py", "data_prep/test_robustness.py",
)  # fmt: skip
"""Rooms and files, beside those that stand in tests/ itself, whose tests are skipped where they come upon PyTorch."""

TOLD = re.compile(r"No module named '(torch|numba|librosa)|needs (torch|numba)\w*; install it: ")
"""What is said where it is missing, or what is installed with it."""

WITH_TORCH = find_spec("torch") is not None

NEEDS: Mapping[str, Callable[[], bool]] = {
    "shared_data": SHARED_DATA.is_dir,
    "shared_cases": SHARED_CASES.is_dir,
    "sclite": lambda: any(shutil.which(name) for name in ("sclite", "sctk")),  # Debian's sctk has no sclite in PATH
}
"""Fixtures and marks that say what a test needs, and whether that is here."""


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the folders that need PyTorch where there is none: even their fixtures import it."""
    if WITH_TORCH or TESTS not in collection_path.parents:
        return None
    room = collection_path.relative_to(TESTS).parts[0]
    return ((TESTS / room).is_dir() and room not in NEED_NO_TORCH + NEED_IT_IN_PART) or None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, pytest.CollectReport]:
    """Skip a file that imports PyTorch where there is none."""
    report: pytest.CollectReport = yield
    if report.failed and _may_need_torch(collector) and TOLD.search(str(report.longrepr)):
        report.outcome, report.longrepr = "skipped", (str(collector.path), 1, "Skipped: needs PyTorch")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, pytest.TestReport]:
    """Skip a test that imports PyTorch where there is none; fail one that is skipped although what it needs is here."""
    report: pytest.TestReport = yield
    error = call.excinfo and call.excinfo.value
    if isinstance(error, ModuleNotFoundError | MissingExtra) and TOLD.search(str(error)) and _may_need_torch(item):
        report.outcome, report.longrepr = "skipped", (str(item.path), 1, "Skipped: needs PyTorch")
    elif report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        here = [need for need in needs_of(item) if NEEDS[need]()]
        if here:
            report.outcome = "failed"
            report.longrepr = f"skipped although what it needs is here ({', '.join(here)}): {_reason(report)}"
    return report


def needs_of(item: pytest.Item) -> list[str]:
    """What of `NEEDS` a test asks for, by a fixture or a mark."""
    asked = {*getattr(item, "fixturenames", ()), *(mark.name for mark in item.iter_markers())}
    return [need for need in NEEDS if need in asked]


def _may_need_torch(node: pytest.Item | pytest.Collector) -> bool:
    if WITH_TORCH or TESTS not in node.path.parents:
        return False
    path = node.path.relative_to(TESTS)
    return path.parts[0] not in NEED_NO_TORCH or path.as_posix() in NEED_IT_IN_PART


def _reason(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
