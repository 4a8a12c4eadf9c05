"""How the tests are shared between processes (`pytest -n 2 --dist loadgroup`): what costs much is done once.

A process takes one group after the other. The tests of a file are a group, for they share its fixtures; those of a cell
are one wherever they stand, for its kernels are compiled by whoever needs them first. What takes longest begins first.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
LONGEST = ("recurrent", "experiment", "recipes", "training", "cli", "data_prep")
"""Rooms, by how long their longest groups take."""


def pytest_configure(config: pytest.Config) -> None:
    """Leave each process one thread, and keep the order of the groups."""
    if config.getoption("dist", "no") == "loadgroup":
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        config.option.loadscopereorder = False


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put every test into its group, and the groups in order."""
    if not config.getoption("loadgroup", False):  # which xdist sets in each process
        return
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: _rank(_room(item)))


def group_of(item: pytest.Item) -> str:
    """The name of a test's group."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    if case is not None and _room(item) == "recurrent":
        return f"recurrent/{case}"
    return str(item.path.relative_to(TESTS)) if item.path.is_relative_to(TESTS) else str(item.path)


def _room(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""


def _rank(room: str) -> int:
    return LONGEST.index(room) if room in LONGEST else len(LONGEST)
