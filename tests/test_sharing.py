"""Tests that share something costly run in one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sharing import group_of

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("recurrent/cells/test_cells.py::test_a_batch_equals_its_singles[both-lstm_peephole]", "lstm_peephole"),
        ("recurrent/compiled/test_prepared.py::test_bfloat16[single-odyssey-CIFG]", "odyssey-CIFG"),
        ("recurrent/cells/test_cells.py::test_equals_torch[dtype0-2e-06-simple-relu]", "simple-relu"),
        ("recurrent/test_chunked.py::test_equals_the_stack[lstm_zoneout-0.3-0.2]", "lstm_zoneout-0.3-0.2"),
        ("recurrent/cells/test_odyssey.py::test_a_variant_is_the_cell_it_names[V-LstmCell]", None),
        ("recurrent/test_paths.py::test_a_users_cell_runs_through_the_loop", None),
        ("training/test_loop.py::test_of[lstm]", None),
    ],
)
def test_groups(test: str, group: str | None) -> None:
    assert group_of(f"tests/{test}") == (group or f"tests/{test.partition('::')[0]}")


def test_a_file_runs_in_one_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xdist")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    code = "import os, pathlib, pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_it(n):\n"
    for name in ("one", "two"):
        line = f"    open(os.path.join({str(pytester.path)!r}, '{name}.txt'), 'a').write(str(os.getpid()) + ' ')\n"
        pytester.makepyfile(**{f"test_{name}": code + line})
    result = pytester.runpytest_subprocess("-p", "tests.sharing", "-n", "2")
    result.assert_outcomes(passed=18)
    processes = [set((pytester.path / f"{name}.txt").read_text().split()) for name in ("one", "two")]
    assert [len(one) for one in processes] == [1, 1]
    assert processes[0] != processes[1]
