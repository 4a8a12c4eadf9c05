"""Forced alignment, against listing every path."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise, product

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
    monkeypatch.setattr(alignment, "worth_compiling", lambda is_much: chosen == "compiled")
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


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(0, 7))
def _check_optional(problem: tuple[NDArray[np.float32], NDArray[np.int64], int], chosen: int) -> None:
    log_probs, labels, blank = problem
    optional = np.array([bool(chosen >> u & 1) for u in range(len(labels))], dtype=bool)
    optional[1:] &= ~optional[:-1]
    found = align(log_probs, labels, blank, optional)
    listed = log_probs.astype(float).tolist()
    best: dict[float, list[list[tuple[int, int]]]] = {}
    for kept in product([True, False], repeat=len(labels)):
        if all(kept[u] or optional[u] for u in range(len(labels))):
            said = [int(label) for label, stays in zip(labels, kept, strict=True) if stays]
            for path in reference.best_paths(listed, said, blank):
                total = round(reference.path_log_probability(listed, path), 6)
                best.setdefault(total, []).append(_placed(reference.runs_of(path, blank), kept))
    runs = list(zip(found.start.tolist(), found.end.tolist(), strict=True))
    assert found.log_probability == pytest.approx(max(best), abs=1e-5)
    alike = [one for total, ways in best.items() if total >= max(best) - 1e-5 for one in ways]
    stands = [run if run[0] < run[1] else (-1, -1) for run in runs]
    assert stands in alike
    assert all(before[1] <= after[0] for before, after in pairwise(runs))
    assert (np.isinf(found.score) == (found.start == found.end)).all()


def _placed(runs: list[tuple[int, int]], kept: tuple[bool, ...]) -> list[tuple[int, int]]:
    """The runs of the labels that stand, and (-1, -1) for the others."""
    waiting = iter(runs)
    return [next(waiting) if stays else (-1, -1) for stays in kept]


def test_leaves_out_optional_labels_where_that_is_likelier(way: str) -> None:
    _check_optional()


def test_the_same_in_blocks(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    log_probs = np.log(rng.dirichlet(np.ones(5), 90)).astype(np.float32)
    labels = rng.integers(1, 5, 20)
    for optional in (None, np.arange(20) % 3 == 0):
        whole = align(log_probs, labels, 0, optional)
        for frames in (1, 7, 89):
            monkeypatch.setattr(alignment, "_BLOCK_CELLS", 20 * frames)
            monkeypatch.setattr(alignment, "_BLOCK_ROOTS", 0)
            cut = align(log_probs, labels, 0, optional)
            assert cut.start.tolist() == whole.start.tolist()
            assert cut.end.tolist() == whole.end.tolist()
            assert cut.score.tolist() == whole.score.tolist()
            assert cut.log_probability == whole.log_probability
            monkeypatch.undo()
            monkeypatch.setattr(alignment, "worth_compiling", lambda is_much: way == "compiled")


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
            monkeypatch.setattr(alignment, "worth_compiling", lambda is_much, answer=compiled: answer)
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
        (lambda frames, labels: align(frames, labels, 0, np.array([True, True])), "two optional neighbours"),
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


def test_labels_on_both_sides_of_one_that_is_left_out_need_a_blank_if_they_are_equal(way: str) -> None:
    log_probs = np.log(np.array([[0.1, 0.8, 0.1]] * 4, dtype=np.float32))
    found = align(log_probs, np.array([1, 2, 1]), 0, np.array([False, True, False]))
    assert found.log_probability == pytest.approx(3 * np.log(0.8) + np.log(0.1))
