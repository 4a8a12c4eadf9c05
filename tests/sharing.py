"""How the tests are shared between processes (`pytest -n 2`): what costs much is done once.

A process takes one group after the other. The tests of a file are a group, for they share its fixtures; those of a cell
are one wherever they stand, for its kernels are compiled by whoever needs them first. What takes longest begins first.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent
LONGEST = ("recurrent", "experiment", "recipes", "training", "cli", "data_prep", "docs")
"""Rooms, by how long their longest groups take."""
CELLS = sorted((path.stem for path in (TESTS.parent / "asr/recurrent/cells").glob("[!_]*.py")), key=len, reverse=True)
_OF_A_CELL = re.compile(rf"tests/recurrent/.*[\[-]((?:{'|'.join(CELLS)})(?:-[\w.]+)*)\]$")


def pytest_configure(config: pytest.Config) -> None:
    """Leave each process one thread."""
    if config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, in each of several processes."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: _rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the groups to the processes, in the order of the tests."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):  # type: ignore[misc]  # of a package without types
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False
    return Groups(config, log)


def group_of(test: str) -> str:
    """The name of a test's group.

    >>> group_of("tests/recurrent/compiled/test_kinds.py::test_equals_the_loop[both-odyssey-NIG]")
    'odyssey-NIG'
    """
    cell = _OF_A_CELL.match(test)
    return cell[1] if cell else test.partition("::")[0]


def _rank(test: str) -> int:
    room = test.split("/")[1] if test.count("/") > 1 else ""
    return LONGEST.index(room) if room in LONGEST else len(LONGEST)
