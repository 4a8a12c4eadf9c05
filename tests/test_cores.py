"""The threads that this process should use."""

import os

import pytest

from asr.cores import wanted_threads


@pytest.mark.parametrize(("wanted", "expected"), [("", 3), ("5", 5), ("0", 3)])
def test_threads_are_those_that_the_process_may_use(
    wanted: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    assert wanted_threads() == expected
