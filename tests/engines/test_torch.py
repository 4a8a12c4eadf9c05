"""The torch engine: threads may share it, its memory is that of the network, a user's own network runs."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from asr.config import Component, target
from asr.engines.engine import Network
from asr.engines.torch import TorchEngine
from asr.errors import CheckpointError, ConfigError
from asr.recurrent import compiled
from tests.engines.networks import seeded
from tests.engines.test_numpy import frames_of

Call = tuple[NDArray[np.float32], NDArray[np.int64]]


def calls() -> list[Call]:
    """One utterance, and several, in turn."""
    lengths = [[20 + number] if number % 3 else [30, 5 + number, 12] for number in range(18)]
    return [(frames_of(one, seed=number), np.array(one)) for number, one in enumerate(lengths)]


@pytest.mark.parametrize("prepare", [False, True])
def test_threads_that_share_an_engine_get_the_bits_of_one_that_does_not(prepare: bool) -> None:
    engine, work = TorchEngine.of(seeded(1, hidden=40), prepare=prepare), calls()
    assert engine.prepared == (prepare and compiled.available())
    expected = [engine.posteriors(*one)[0] for one in work]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda one: engine.posteriors(*one)[0], work * 3)
        for one, other in zip(found, expected * 3, strict=True):
            np.testing.assert_array_equal(one, other)


def test_bfloat16_prepares() -> None:
    network, (frames, lengths) = seeded(2, hidden=16), calls()[0]
    rounded, exact = TorchEngine.of(network, bfloat16=True), TorchEngine.of(network)
    difference = np.abs(rounded.posteriors(frames, lengths)[0] - exact.posteriors(frames, lengths)[0]).max()
    assert difference > 1e-3 if rounded.prepared else difference < 1e-5


def test_weights_are_not_copied_unless_they_may_not_be_written_to() -> None:
    network = seeded(3, hidden=4)
    kept = {name: value.copy() for name, value in network.weights.items()}
    for value in kept.values():
        value.flags.writeable = False
    shares = {}
    for of, weights in (("writeable", network.weights), ("read-only", kept)):
        engine = TorchEngine.of(replace(network, weights=weights))
        taken = engine.model.output.weight.detach().numpy()
        shares[of] = np.shares_memory(taken, weights["output.weight"])
    assert shares == {"writeable": True, "read-only": False}


def test_a_model_in_training_recognises_as_in_evaluation() -> None:
    network, (frames, lengths) = seeded(4, hidden=8, dropout=0.5), calls()[0]
    engine = TorchEngine.of(network)
    expected = engine.posteriors(frames, lengths)[0]
    engine.model.train()
    np.testing.assert_array_equal(engine.posteriors(frames, lengths)[0], expected)


OWN = """
import torch
from torch import nn


class Net(nn.Module):
    time_reduction = 1

    def __init__(self, n_features, n_labels, plugins, width=3):
        super().__init__()
        self.inner, self.norm = nn.Linear(n_features, width), nn.BatchNorm1d(width)
        self.output = nn.Linear(width, n_labels)
        self.register_buffer("rounded", torch.ones(2, dtype=torch.bfloat16))

    def forward(self, frames, lengths):
        return self.output(self.norm(self.inner(frames).mT).mT).log_softmax(-1), lengths
"""


def test_a_network_of_ones_own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_network.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    component = Component("own_network.Net", {"width": 4})
    model = target(component.target, ("own_network",))(5, 6, (), 4)
    weights = {
        name: (value.float() if value.is_floating_point() else value).numpy()
        for name, value in model.state_dict().items()
    }
    assert weights["norm.num_batches_tracked"].dtype == np.int64
    network = Network(component, 5, 6, weights, ("own_network",))
    frames = np.nan_to_num(frames_of([7, 4]))
    found, _ = TorchEngine.of(network).posteriors(frames, np.array([7, 4]))
    expected = model.eval()(torch.from_numpy(frames), None)[0].detach().numpy()
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ConfigError, match="outside this package"):
        TorchEngine.of(replace(network, plugins=()))
    with pytest.raises(CheckpointError, match="'norm.num_batches_tracked' is float32"):
        TorchEngine.of(replace(network, weights=weights | {"norm.num_batches_tracked": np.ones((), np.float32)}))
    sys.modules.pop("own_network")
