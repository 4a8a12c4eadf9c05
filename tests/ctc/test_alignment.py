"""Forced alignment, against listing every path."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.compiling import can_compile
from asr.ctc import alignment
from asr.ctc.alignment import Alignment, align
from asr.ctc.guard import frames_needed
from tests.reference import alignment as reference

N_LABELS = 4


@st.composite
def problems(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    """Posteriors, a labelling that they can carry, and the blank; few values, so that paths tie."""
    blank = draw(st.integers(0, N_LABELS - 1))
    others = [label for label in range(N_LABELS) if label != blank]
    labels = draw(st.lists(st.sampled_from(others), max_size=3))
    n_frames = draw(st.integers(frames_needed(labels), 5))
    values = st.one_of(st.integers(-3, 0).map(float), st.floats(-9, 0, width=32))
    flat = draw(st.lists(values, min_size=n_frames * N_LABELS, max_size=n_frames * N_LABELS))
    return np.array(flat, dtype=np.float32).reshape(n_frames, N_LABELS), np.array(labels, dtype=np.int64), blank


@pytest.fixture(params=["plain", "compiled"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the loop in plain Python, or compiled."""
    chosen: str = request.param
    if chosen == "compiled" and not can_compile():
        pytest.skip("numba is not installed")
    monkeypatch.setattr(alignment, "_compiles", lambda n_cells: chosen == "compiled")
    return chosen


@settings(max_examples=150, deadline=None)
@given(problems())
def _check(problem: tuple[NDArray[np.float32], NDArray[np.int64], int]) -> None:
    log_probs, labels, blank = problem
    found = align(log_probs, labels, blank)
    listed = log_probs.astype(float).tolist()
    best = reference.best_paths(listed, labels.tolist(), blank)
    runs = list(zip(found.start.tolist(), found.end.tolist(), strict=True))
    assert runs in [reference.runs_of(path, blank) for path in best]
    assert found.log_probability == pytest.approx(reference.path_log_probability(listed, best[0]), abs=1e-6)
    peaks = [max(listed[t][label] for t in range(*run)) for label, run in zip(labels, runs, strict=True)]
    assert found.score.tolist() == peaks


def test_equals_the_best_of_all_paths(way: str) -> None:
    _check()


def test_compiled_equals_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same run of every label, also where paths tie, on problems too large to list."""
    if not can_compile():
        pytest.skip("numba is not installed")
    rng = np.random.default_rng(1)
    for n_frames, n_labels in [(40, 10), (60, 30), (200, 50)]:
        log_probs = np.log(rng.integers(1, 4, (n_frames, 6)) / 16).astype(np.float32)
        labels = rng.integers(1, 6, n_labels)
        found: list[Alignment] = []
        for compiled in (False, True):
            monkeypatch.setattr(alignment, "_compiles", lambda n_cells, answer=compiled: answer)
            found.append(align(log_probs, labels))
        plain, fast = found
        assert (plain.start == fast.start).all()
        assert (plain.end == fast.end).all()
        assert (plain.score == fast.score).all()
        assert plain.log_probability == fast.log_probability


def test_repeated_labels_need_a_blank_between(way: str) -> None:
    log_probs = np.log(np.array([[0.1, 0.9], [0.1, 0.9], [0.1, 0.9]], dtype=np.float32))
    found = align(log_probs, np.array([1, 1]))
    assert found.start.tolist() == [0, 2]
    assert found.end.tolist() == [1, 3]
    with pytest.raises(ValueError, match="2 frames cannot carry 2 labels with 1 repeats, which need 3"):
        align(log_probs[:2], np.array([1, 1]))


def test_nothing_to_align(way: str) -> None:
    silent = align(np.log(np.full((3, 2), 0.5, dtype=np.float32)), np.zeros(0, dtype=np.int64))
    assert len(silent.labels) == len(silent.start) == 0
    assert silent.log_probability == pytest.approx(3 * np.log(0.5))
    assert align(np.zeros((0, 2), dtype=np.float32), np.zeros(0, dtype=np.int64)).log_probability == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda frames, labels: align(frames[0], labels), "log_probs must be"),
        (lambda frames, labels: align(frames, labels, blank=3), "blank must lie in 0..2, got 3"),
        (lambda frames, labels: align(frames, np.array([1, 3])), r"labels must lie in 0..2 .* got \[1, 3\]"),
        (lambda frames, labels: align(frames, np.array([0])), "without 0, the blank"),
        (lambda frames, labels: align(np.where(frames == frames[4, 1], np.nan, frames), labels), "NaN at frame 4"),
        (lambda frames, labels: align(np.where([0, 1, 0], -np.inf, frames), labels), "every path of these labels"),
    ],
)
def test_refuses_what_has_no_path(
    change: Callable[[NDArray[np.float32], NDArray[np.int64]], Alignment], told: str
) -> None:
    frames = np.log(np.random.default_rng(0).dirichlet(np.ones(3), 6)).astype(np.float32)
    with pytest.raises(ValueError, match=told):
        change(frames, np.array([1, 2]))


def test_light_work_imports_no_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    align(np.log(np.full((6, 3), 1 / 3, dtype=np.float32)), np.array([1, 2]))
    assert "numba" not in sys.modules
