"""One utterance gives the same bits in one thread, in several, and when a helper comes late or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from torch import Tensor

from asr.recurrent import compiled, threads
from asr.recurrent.stack import RecurrentStack

PREPARED = [
    pytest.param(True, marks=pytest.mark.skipif(not compiled.available(), reason="no kernels"), id="kernels"),
    pytest.param(False, id="vendor"),
]
Submit = Callable[..., object]


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def large(prepared: bool) -> RecurrentStack:
    torch.manual_seed(0)
    stack = RecurrentStack(20, n_labels=5, hidden=33, layers=2).eval()
    assert not prepared or stack.prepare()
    return stack


@torch.no_grad()
def recognised(stack: RecurrentStack, n_threads: int) -> Tensor:
    torch.set_num_threads(n_threads)
    frames = torch.randn(1, 40, 20, generator=torch.Generator().manual_seed(1))
    log_probs: Tensor = stack(frames, torch.tensor([40]))[0]
    return log_probs


class Helpers:
    """In the place of the pool: late, by a little or for good."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.pool = threads.ThreadPoolExecutor(1)
        self.asked = 0

    def __call__(self, count: int, process: int) -> Helpers:
        return self

    def submit(self, *task: Callable[..., object]) -> threads.Future[object]:
        self.asked += 1
        if self.seconds is None:
            return threads.Future()  # nobody begins it
        return self.pool.submit(partial(self._late, *task))

    def _late(self, *task: Callable[..., object]) -> object:
        assert self.seconds is not None
        time.sleep(self.seconds)
        return task[0](*task[1:])


@pytest.mark.parametrize("prepared", PREPARED)
@pytest.mark.parametrize("late", [0.0, 0.03, None], ids=["in time", "late", "never"])
def test_no_bit_depends_on_threads(prepared: bool, late: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = large(prepared)
    expected = recognised(stack, 1)
    monkeypatch.setattr(threads, "_WORTH_A_HELPER", 1)
    monkeypatch.setattr(threads, "_WORTH_A_HELPER_OF_KERNELS", 1)
    helpers = Helpers(late)
    monkeypatch.setattr(threads, "_helpers", helpers)
    assert torch.equal(recognised(stack, 2), expected)
    assert helpers.asked >= 2  # for both layers
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("prepared", PREPARED)
def test_a_small_network_asks_no_helper(prepared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of a pen: to wake a thread takes longer than to do its part."""
    monkeypatch.setattr(threads, "_helpers", lambda *_: pytest.fail("a helper was asked for"))
    stack = large(prepared)
    assert torch.equal(recognised(stack, 2), recognised(stack, 1))


def test_torch_has_one_thread_within_and_its_own_again_after(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    stack = large(prepared=False)
    monkeypatch.setattr(stack.output, "forward", lambda rows: seen.append(torch.get_num_threads()) or rows[..., :5])
    recognised(stack, 2)
    monkeypatch.setattr(stack.output, "forward", _broken)
    with pytest.raises(RuntimeError, match="broken"):
        recognised(stack, 2)
    assert (seen, torch.get_num_threads(), threads.of_one_utterance()) == ([1], 2, None)


def _broken(rows: Tensor) -> Tensor:
    raise RuntimeError("broken")


def test_batches_and_training_are_left_to_openmp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "for_one_utterance", lambda *_: pytest.fail("not one utterance that is recognised"))
    stack = large(prepared=False)
    stack(torch.randn(1, 5, 20), torch.tensor([5]))  # with a gradient
    with torch.no_grad():
        stack(torch.randn(2, 5, 20), torch.tensor([5, 3]))


def test_what_no_helper_has_begun_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_helpers", Helpers(None))
    here = threading.get_ident()
    assert threads.side_by_side([threading.get_ident] * 3) == [here] * 3


def test_helpers_know_that_no_gradient_is_asked_for() -> None:
    with torch.no_grad():
        assert threads.side_by_side([torch.is_grad_enabled] * 3) == [False] * 3


def test_an_error_of_a_helper_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        threads.side_by_side([time.monotonic, lambda: 1 / 0])


def test_without_a_thread_to_be_had_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = threads.ThreadPoolExecutor(1)
    pool.shutdown()  # refuses, as every pool does while Python shuts down
    monkeypatch.setattr(threads, "_helpers", lambda *_: pool)
    here = threading.get_ident()
    assert threads.side_by_side([threading.get_ident] * 3) == [here] * 3
