"""onnxruntime against torch, through the engine: every exportable cell, int8, threads, forks, and what fails."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from asr.engines import onnx as module
from asr.engines.onnx import OnnxEngine
from asr.engines.onnx_file import checked, sealed
from asr.errors import CheckpointError, DataError, MissingExtra
from asr.recurrent.cells.gru import GruConfig
from asr.recurrent.cells.gru_before import GruBeforeConfig
from asr.recurrent.cells.lstm import LstmConfig
from asr.recurrent.cells.lstm_peephole import PeepholeLstmConfig
from asr.recurrent.cells.simple import SimpleConfig
from tests.recogniser.onnx_networks import N_LABELS, batch, content_of, engine_of, expected, stack

onnx = pytest.importorskip("onnx", reason="needs the package onnx (ctc-asr[onnx])")
pytest.importorskip("onnxruntime", reason="needs the package onnxruntime (ctc-asr[onnx])")

CELLS = [
    LstmConfig(),
    PeepholeLstmConfig(),
    GruConfig(),
    GruBeforeConfig(),
    SimpleConfig(),
    SimpleConfig(activation="relu"),
]


@pytest.mark.parametrize("direction", ["both", "forward", "backward"])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: getattr(cell, "activation", "") or type(cell).__name__)
def test_every_cell_that_onnx_has_equals_torch(cell: Any, direction: str) -> None:
    # A scale of 0.4 keeps rows below 1, where steps do not amplify rounding even without gates.
    network, model = stack(
        cell=asdict(cell), direction=direction, skips=True, hidden=20, layers=3, time_reduction=2, scale=0.4
    )
    engine = engine_of(network)
    assert (engine.name, engine.time_reduction, engine.n_labels) == ("onnx", 2, N_LABELS)
    for lengths in ([1], [61], [50, 97, 3]):
        frames, given = batch(lengths)
        wanted, wanted_lengths = expected(model, frames, given)
        log_probs, out_lengths = engine.posteriors(frames, given)
        assert np.array_equal(out_lengths, wanted_lengths)
        np.testing.assert_allclose(log_probs, wanted, rtol=0.0, atol=2e-5)
        if lengths != [1]:
            assert log_probs[0].std(axis=0).mean() > 0.1


LSTMS = {"lstm": LstmConfig(), "lstm_peephole": PeepholeLstmConfig()}


@pytest.mark.parametrize("cell", LSTMS.values(), ids=LSTMS.keys())
def test_int8_stays_near_float32(cell: Any) -> None:
    """Within 0.35 of every log posterior, whose deviation over time is above 1; 0.14 was seen."""
    network, model = stack(cell=asdict(cell), hidden=64, layers=2, time_reduction=2)
    engine = engine_of(network, int8=True)
    frames, lengths = batch([80, 41, 3])
    wanted, wanted_lengths = expected(model, frames, lengths)
    log_probs, out_lengths = engine.posteriors(frames, lengths)
    assert np.array_equal(out_lengths, wanted_lengths)
    differences = [np.abs(log_probs[b, :n] - wanted[b, :n].numpy()).max() for b, n in enumerate(out_lengths)]
    assert 0.0 < max(differences) < 0.35
    assert wanted[0, :40].std(dim=0).mean() > 1.0


@pytest.mark.parametrize("cell", LSTMS.values(), ids=LSTMS.keys())
def test_int8_is_what_the_tool_of_onnxruntime_makes(cell: Any, tmp_path: Any) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    network, _ = stack(cell=asdict(cell), hidden=24, layers=2, scale=0.4)
    (tmp_path / "float32.onnx").write_bytes(content_of(network))
    quantize_dynamic(
        tmp_path / "float32.onnx", tmp_path / "int8.onnx", op_types_to_quantize=["LSTM"], per_channel=True,
        weight_type=QuantType.QInt8,
    )  # fmt: skip
    frames, lengths = batch([50])
    theirs = module._session((tmp_path / "int8.onnx").read_bytes()).run(
        ["log_probs"], {"frames": frames, "lengths": lengths}
    )
    ours, _ = engine_of(network, int8=True).posteriors(frames, lengths)
    float32, _ = engine_of(network).posteriors(frames, lengths)
    assert np.abs(ours - float32).max() > 0.02
    np.testing.assert_allclose(ours, theirs[0], rtol=0, atol=0.02)


def test_int8_gives_an_utterance_the_same_whoever_is_in_the_batch() -> None:
    engine = engine_of(stack(hidden=16, layers=2, time_reduction=3)[0], int8=True)
    frames, lengths = batch([40, 7, 23])
    frames[1] *= 50  # would spread the scale of a whole batch
    together, out_lengths = engine.posteriors(frames, lengths)
    assert np.isfinite(together).all()
    assert out_lengths.tolist() == [14, 3, 8]
    for b, (length, out_length) in enumerate(zip(lengths, out_lengths, strict=True)):
        alone, _ = engine.posteriors(frames[b : b + 1, :length], lengths[b : b + 1])
        assert np.array_equal(together[b, :out_length], alone[0])


def test_threads_share_it() -> None:
    engine = engine_of(stack(hidden=32, layers=2)[0])
    frames, lengths = batch([60, 31])
    wanted, _ = engine.posteriors(frames, lengths)
    found: list[Any] = []
    workers = [threading.Thread(target=lambda: found.append(engine.posteriors(frames, lengths)[0])) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 6
    for one in found:
        assert np.array_equal(one, wanted)


FORKED = """
import multiprocessing, sys
import numpy as np
from asr.engines.onnx import OnnxEngine
from asr.engines.onnx_file import checked

def child(engine, frames, lengths, pipe):
    pipe.send(engine.posteriors(frames, lengths)[0])

engine = OnnxEngine(checked(open(sys.argv[1], "rb").read()))
frames, lengths = np.random.default_rng(1).normal(size=(8, 90, 40)).astype(np.float32), np.full(8, 90)
wanted = engine.posteriors(frames, lengths)[0]
ours, theirs = multiprocessing.Pipe()
process = multiprocessing.get_context("fork").Process(target=child, args=(engine, frames, lengths, theirs))
process.start()
if not ours.poll(30):
    process.kill()
    sys.exit("the child hangs")
assert np.array_equal(ours.recv(), wanted)
process.join(30)
assert process.exitcode == 0
assert np.array_equal(engine.posteriors(frames, lengths)[0], wanted)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("threads", ["1", "3"])
def test_a_forked_process_works(tmp_path: Any, threads: str) -> None:
    """With threads of its own: those of the parent are not there, and a session that waits for them hangs."""
    (tmp_path / "model.onnx").write_bytes(content_of(stack(hidden=64, layers=2)[0]))
    done = subprocess.run(
        [sys.executable, "-c", FORKED, str(tmp_path / "model.onnx")],
        env=os.environ | {"OMP_NUM_THREADS": threads}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_another_process_makes_its_own_session_from_a_pickle() -> None:
    engine = engine_of(stack(hidden=8, layers=1)[0])
    frames, lengths = batch([20])
    wanted, _ = engine.posteriors(frames, lengths)
    again, _ = pickle.loads(pickle.dumps(engine)).posteriors(frames, lengths)
    assert np.array_equal(again, wanted)


@pytest.mark.parametrize(
    ("variables", "allowed", "expected_threads"),
    [({}, {0, 1, 5}, 3), ({"OMP_NUM_THREADS": "2"}, {0, 1, 5}, 2), ({"OMP_NUM_THREADS": "4,2"}, {0}, 4),
     ({"OMP_NUM_THREADS": "0"}, {0}, 1), ({"OMP_NUM_THREADS": "many"}, {3, 4}, 2)],
)  # fmt: skip
def test_as_many_threads_as_the_process_may_use(
    variables: Mapping[str, str], allowed: set[int], expected_threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: allowed, raising=False)
    assert module.wanted_threads() == expected_threads


def test_the_session_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    engine = engine_of(stack(hidden=4, layers=1)[0])
    assert engine._session.get_session_options().intra_op_num_threads == 3


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    file = checked(content_of(stack(hidden=4, layers=1)[0]))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r"onnxruntime; install it: pip install 'ctc-asr\[onnx\]'$"):
        OnnxEngine(file)


def test_a_network_that_onnxruntime_refuses() -> None:
    model = onnx.load_from_string(content_of(stack(hidden=4, layers=1)[0]))
    del model.metadata_props[-1]
    model.graph.node[0].input[0] = "nothing"
    with pytest.raises(CheckpointError, match=r"^onnxruntime refuses the network: .*nothing"):
        OnnxEngine(checked(sealed(model.SerializeToString())))


def test_a_network_that_gives_other_shapes_than_it_says() -> None:
    file = checked(content_of(stack(hidden=4, layers=1)[0]))
    engine = OnnxEngine(replace(file, time_reduction=2))
    with pytest.raises(
        DataError, match=r"returned \(1, 7, 32\) log posteriors; expected \(1, 4, 32\); .* export the model again"
    ):
        engine.posteriors(*batch([7]))


def test_arrays_of_other_shapes_are_our_own_mistake() -> None:
    engine = engine_of(stack(hidden=4, layers=1)[0])
    frames, lengths = batch([7, 5])
    for wrong in ((frames[..., 1:], lengths), (frames.astype(np.float64), lengths), (frames, lengths[:1]),
                  (frames, lengths + 1), (frames, lengths * 0), (frames[:0], lengths[:0])):  # fmt: skip
        with pytest.raises(ValueError, match="must"):
            engine.posteriors(*wrong)
