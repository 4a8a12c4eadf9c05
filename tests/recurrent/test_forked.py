"""A process that was forked from one with OpenMP's threads recognises and trains, in one thread, and says so."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

FORK = """
import os, sys, warnings
import torch
from torch import nn
from asr.recurrent.stack import RecurrentStack

frames, lengths = torch.ones(4, 30, 8), torch.full((4,), 30)

def ours():
    # trains, recognises a batch and one utterance, then the same prepared
    torch.manual_seed(0)
    stack = RecurrentStack(8, n_labels=3, hidden=16, layers=1)
    outputs = [stack(frames, lengths)[0]]
    outputs[0].sum().backward()
    for ready in (lambda: None, stack.prepare):
        stack.eval()
        ready()
        with torch.no_grad():
            outputs += [stack(frames[:n], lengths[:n])[0] for n in (4, 1)]
    return outputs

def torchs():
    torch.manual_seed(0)
    nn.LSTM(8, 16, bidirectional=True)(frames)[0].sum().backward()
    return ours()

run = {"ours": ours, "torch": torchs}[sys.argv[1]]
torch.set_num_threads(2)
torch.ones(1000, 1000).exp()  # OpenMP's threads are there from here on
expected = run()
child = os.fork()
if child == 0:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        same = all(torch.allclose(one, other, atol=1e-5) for one, other in zip(run(), expected))
        torch.ones(1000, 1000).exp()
        run()
    print(same, torch.get_num_threads(), *(one.message for one in told if one.category is RuntimeWarning), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(torch.get_num_threads())
"""


@pytest.mark.parametrize("what", ["ours", "torch"])
def test_a_forked_process_goes_on_in_one_thread(what: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, what],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = process.communicate(timeout=120)
    finally:
        if process.poll() is None:  # it waits for a child that hangs: end both
            os.killpg(process.pid, 9)
            process.communicate()
    child, parent = printed.splitlines()
    told = (
        "this process was forked from one that computes in 2 threads, and threads do not survive a fork: it computes "
        "in one thread; to use more, start it with multiprocessing.get_context('spawn')"
    )
    assert child == f"True 1 {told}"  # once, though the network ran more often
    assert parent == "2"
