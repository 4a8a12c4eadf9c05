"""Loops that run in plain Python and compiled: with the same results, and wherever files can or cannot be written."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from asr.compiling import Loop, can_compile

pytestmark = pytest.mark.skipif(not can_compile(), reason="compiles loops with numba")


class Pair(NamedTuple):
    """Two arrays, as the lexicon's loops take them."""

    first: Any
    second: Any


def _dot(pair: Any, factor: float) -> float:
    total = 0.0
    for at in range(len(pair[0])):
        total += factor * pair[0][at] * pair[1][at]
    return total


@pytest.mark.parametrize("kind", [Pair, lambda *arrays: arrays])
def test_both_ways_of_running_take_tuples_of_arrays(kind: Any) -> None:
    pair = kind(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert [Loop(_dot).run(compiled, pair, 2.0) for compiled in (False, True)] == [22.0, 22.0]


def test_loops_are_compiled_where_no_folder_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import caching

    for one in vars(caching).values():
        if isinstance(one, type) and getattr(one, "_locator_classes", None):
            monkeypatch.setattr(one, "_locator_classes", [])
    assert Loop(_dot).run(True, (np.ones(3), np.ones(3)), 1.0) == 3.0


def test_a_part_that_was_changed_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "calling_loop.py").write_text(
        "from asr.compiling import Loop\nfrom called_loop import PART, _part\n"
        "def _whole(x):\n    return _part(x) + 1\nWHOLE = Loop(_whole, (PART,))\n"
    )
    assert _with_part("x + 10", tmp_path).WHOLE.run(True, 1) == 12
    assert list((tmp_path / "__pycache__").glob("calling_loop._whole*.nbi"))
    assert _with_part("x + 20", tmp_path).WHOLE.run(True, 1) == 22


def _with_part(result: str, folder: Path) -> ModuleType:
    """Write the loop that the other one calls, and import both anew."""
    (folder / "called_loop.py").write_text(
        f"from asr.compiling import Loop\ndef _part(x):\n    return {result}\nPART = Loop(_part)\n"
    )
    names = ("called_loop", "calling_loop")
    for name in names:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module(names[1])
