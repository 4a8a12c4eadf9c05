"""The numpy engine equals the equations in float64 and the torch engine; neither batch, padding nor threads matter."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.engines.engine import FloatArray, Network
from asr.engines.layers import CELLS
from asr.engines.numpy import NumpyEngine
from asr.engines.torch import TorchEngine
from asr.errors import ConfigError
from tests.engines.networks import seeded
from tests.recurrent.cells.cases import CASES, Case

SUPPORTED = [case for case in CASES if case.node()["_target_"] in CELLS]
NODES: list[dict[str, Any]] = [case.node() for case in SUPPORTED]


def frames_of(lengths: list[int], n_features: int = 5, seed: int = 0) -> NDArray[np.float32]:
    """Random frames of a batch, NaN behind each utterance."""
    frames = np.random.default_rng(seed).normal(size=(len(lengths), max(lengths) + 1, n_features)).astype(np.float32)
    for one, length in zip(frames, lengths, strict=True):
        one[length:] = np.nan
    return frames


def alone(engine: NumpyEngine | TorchEngine, frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """The log posteriors of one utterance (T, F)."""
    return engine.posteriors(frames[None], np.array([len(frames)]))[0][0]


def test_every_cell_of_the_engine_is_tested() -> None:
    assert {node["_target_"] for node in NODES} == set(CELLS)
    assert len(SUPPORTED) == 16


def written_out(network: Network, case: Case, frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """A layer and the output layer of the network, by the equations, in float64."""
    weights = {name: value.astype(np.float64) for name, value in network.weights.items()}
    outputs = []
    for name, step in (("forward", 1), ("backward", -1)):
        prefix = f"layers.0.{name}_cell."
        own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        outputs.append(case.reference(frames[::step].astype(np.float64), own, **case.options)[::step])
    scores = np.concatenate(outputs, axis=1) @ weights["output.weight"].T + weights["output.bias"]
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("case", SUPPORTED, ids=str)
def test_equals_the_equations(case: Case) -> None:
    network = seeded(1, layers=1, hidden=7, cell=case.node())
    lengths = [9, 1, 14, 9]
    frames = frames_of(lengths)
    found, found_lengths = NumpyEngine(network).posteriors(frames, np.array(lengths))
    assert found.dtype == np.float32
    assert found.shape == (4, 15, 6)
    assert found_lengths.tolist() == lengths
    for one, row, length in zip(found, frames, lengths, strict=True):
        np.testing.assert_allclose(one[:length], written_out(network, case, row[:length]), atol=2e-5)


STACKS = st.fixed_dictionaries(
    {
        "cell": st.sampled_from(NODES),
        "hidden": st.integers(4, 9),
        "layers": st.integers(1, 4),
        "direction": st.sampled_from(["both", "forward", "backward"]),
        "skips": st.booleans(),
        "time_reduction": st.integers(1, 4),
    }
)


@settings(max_examples=80, deadline=None)
@given(STACKS, st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(0, 2**16), st.data())
def test_equals_the_torch_engine(options: dict[str, Any], lengths: list[int], seed: int, data: st.DataObject) -> None:
    options["time_reduction_after"] = data.draw(st.integers(1, options["layers"]))
    network = seeded(seed, **options)
    frames = frames_of(lengths, seed=seed)
    found, found_lengths = NumpyEngine(network).posteriors(frames, np.array(lengths))
    expected, expected_lengths = TorchEngine.of(network).posteriors(frames, np.array(lengths))
    np.testing.assert_array_equal(found_lengths, expected_lengths)
    np.testing.assert_allclose(found, expected, atol=1e-4 + rounding(expected))  # the padding too


def rounding(log_probs: FloatArray) -> float:
    """Some units in the last place of the largest score: cells that are not bounded (relu) give scores of thousands."""
    return 1e-6 * float(np.abs(log_probs).max())


@settings(max_examples=40, deadline=None)
@given(STACKS, st.lists(st.integers(1, 12), min_size=2, max_size=6), st.integers(0, 2**16))
def test_an_utterance_gives_the_same_in_a_batch_as_alone(
    options: dict[str, Any], lengths: list[int], seed: int
) -> None:
    engine = NumpyEngine(seeded(seed, **options))
    frames = frames_of(lengths, seed=seed)
    found, found_lengths = engine.posteriors(frames, np.array(lengths))
    for one, row, length, found_length in zip(found, frames, lengths, found_lengths, strict=True):
        expected = alone(engine, row[:length])
        np.testing.assert_allclose(one[:found_length], expected, atol=1e-5 + rounding(expected))


@pytest.mark.parametrize("node", NODES, ids=map(str, SUPPORTED))
def test_the_padding_changes_no_bit(node: dict[str, Any]) -> None:
    engine = NumpyEngine(seeded(3, cell=node, hidden=6))
    lengths = np.array([3, 8, 5])
    frames = frames_of(lengths.tolist())
    found, _ = engine.posteriors(frames, lengths)
    assert np.isfinite(found).all()
    for content in (0.0, np.inf, 1e30):
        np.testing.assert_array_equal(engine.posteriors(np.nan_to_num(frames, nan=content), lengths)[0], found)


def test_long_utterances_and_large_batches_are_computed_in_parts() -> None:
    """Longer than the block of input products; with products that are cut into pieces."""
    network = seeded(4, hidden=160, layers=2, deviation=0.05)
    lengths = np.array([700, 3, *range(200, 230)])
    frames = frames_of(lengths.tolist())
    found, _ = NumpyEngine(network).posteriors(frames, lengths)
    expected, _ = TorchEngine.of(network).posteriors(frames, lengths)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_long_utterance_takes_little_more_memory_than_its_outputs() -> None:
    """The input products of all its frames would be 21 MB."""
    engine, frames = NumpyEngine(seeded(4, hidden=32, layers=2)), frames_of([20_000])[:, :20_000]
    alone(engine, frames[0, :10])
    tracemalloc.start()
    try:
        found = alone(engine, frames[0])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    outputs = 4 * 20_000 * 64  # bytes of a layer's
    assert found.nbytes < outputs < peak < 3 * outputs  # of two layers, and what says where each row is


def test_threads_that_share_an_engine_get_the_bits_of_one_that_does_not() -> None:
    engine = NumpyEngine(seeded(5, hidden=40))
    utterances = [frames_of([length], seed=length)[0, :length] for length in range(20, 60)]
    expected = [alone(engine, one) for one in utterances]
    with ThreadPoolExecutor(8) as pool:
        for found, one in zip(pool.map(lambda one: alone(engine, one), utterances * 4), expected * 4, strict=True):
            np.testing.assert_array_equal(found, one)


FORK = """
import os, threading
import numpy as np
from tests.engines.networks import seeded
from tests.engines.test_numpy import alone, frames_of
from asr.engines.numpy import NumpyEngine
from asr import blas

engine, frames = NumpyEngine(seeded(6, hidden=64)), frames_of([80])[0, :80]
expected, before = alone(engine, frames), blas._blas().n_threads() if blas._blas() else None
stop = threading.Event()
busy = threading.Thread(target=lambda: [alone(engine, frames) for _ in iter(stop.is_set, True)], daemon=True)
busy.start()
for _ in range(60):  # somewhere in the middle of the other thread's utterance
    child = os.fork()
    if child == 0:
        same = np.array_equal(alone(engine, frames), expected)
        same &= before is None or blas._blas().n_threads() == before
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0, "another result, or number of threads"
stop.set()
busy.join()
print("same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_gives_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "same\n", done.stderr


def test_damaged_frames_give_nan_and_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    found = alone(NumpyEngine(seeded(7)), np.full((4, 5), np.nan, dtype=np.float32))
    assert np.isnan(found).all()
    assert not recwarn.list


@pytest.mark.parametrize(
    ("frames", "lengths", "told"),
    [
        (np.zeros((2, 4, 6), np.float32), np.array([4, 4]), r"frames must be (B, T, 5) float32, got (2, 4, 6) float32"),
        (np.zeros((1, 4, 5)), np.array([4]), r"frames must be (B, T, 5) float32, got (1, 4, 5) float64"),
        (np.zeros((1, 4, 5), np.float32), np.array([4, 4]), r"lengths must be (1,) int64, got (2,) int64"),
        (np.zeros((1, 4, 5), np.float32), np.array([0]), r"lengths must lie within 1..4, got [0]"),
        (np.zeros((1, 4, 5), np.float32), np.array([5]), r"lengths must lie within 1..4, got [5]"),
    ],
)
def test_other_shapes_are_refused(frames: NDArray[Any], lengths: NDArray[Any], told: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  (compared below)
        NumpyEngine(seeded(8)).posteriors(frames, lengths)
    assert str(error.value) == told


def test_another_cell_is_refused_by_name() -> None:
    node = {"_target_": "asr.recurrent.cells.ligru.LightGruCell"}
    with pytest.raises(ConfigError, match="the engine numpy does not support this model: the cell is a 'LightGruCell'"):
        NumpyEngine(seeded(9, cell=node))
