"""The graph of a network against torch, through onnxruntime, at sizes that no export has seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from asr.engines.engine import Network
from asr.errors import CheckpointError, ConfigError
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.stack import RecurrentStack
from tests.recogniser.onnx_networks import N_FEATURES, batch, content_of, expected, stack

onnx = pytest.importorskip("onnx", reason="needs the package onnx (ctc-asr[onnx])")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the package onnxruntime (ctc-asr[onnx])")


class OtherLstmCell(LstmCell):
    """Has an LSTM's weights and need not be one."""


class OtherStack(RecurrentStack):
    """Has a stack's layers and need not be one."""


def session(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run(network: Any, frames: NDArray[np.float32], lengths: NDArray[np.int64]) -> tuple[Any, Any]:
    log_probs, out_lengths = network.run(None, {"frames": frames, "lengths": lengths})
    assert (log_probs.dtype, out_lengths.dtype) == (np.float32, np.int64)
    return log_probs, out_lengths


def assert_same(model: nn.Module, network: Any, frames: NDArray[np.float32], lengths: NDArray[np.int64]) -> Any:
    """ONNX and torch give the same everywhere, on the padding too; returns the log posteriors."""
    wanted, wanted_lengths = expected(model, frames, lengths)
    log_probs, out_lengths = run(network, frames, lengths)
    assert np.array_equal(out_lengths, wanted_lengths)
    np.testing.assert_allclose(log_probs, wanted, rtol=0.0, atol=2e-5)  # float32 sums in another order: 6e-6 seen
    return log_probs


SIZES = {
    "one layer": {"layers": 1},
    "three layers": {"layers": 3},
    "halved": {"layers": 3, "time_reduction": 2},
    "a third, late": {"layers": 3, "time_reduction": 3, "time_reduction_after": 2},
    "a third, one layer": {"layers": 1, "time_reduction": 3},
}


@pytest.mark.parametrize("options", SIZES.values(), ids=SIZES.keys())
def test_equals_torch_at_any_length_and_batch_size_with_nan_in_the_padding(options: Mapping[str, Any]) -> None:
    network, model = stack(hidden=192, **options)
    exported = session(content_of(network))
    for lengths in ([1], [61], [97, 40], [120, 1, 63, 2, 119]):
        log_probs = assert_same(model, exported, *batch(lengths))
        if lengths != [1]:
            assert log_probs[0].std(axis=0).mean() > 0.5  # over time: large weights make a difference that can be seen


@pytest.fixture(scope="module")
def small() -> tuple[nn.Module, Any]:
    network, model = stack(hidden=8, layers=2, time_reduction=3)
    return model, session(content_of(network))


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=7), padding=st.sampled_from([math.nan, math.inf, 1e30])
)
def test_equals_torch_whatever_the_lengths(small: tuple[nn.Module, Any], lengths: list[int], padding: float) -> None:
    model, network = small
    frames, given_lengths = batch(lengths, padding)
    assert_same(model, network, frames, given_lengths)
    _, out_lengths = run(network, frames, given_lengths)
    assert out_lengths.tolist() == [math.ceil(length / 3) for length in lengths]


def test_a_batch_gives_what_its_utterances_give_alone(small: tuple[nn.Module, Any]) -> None:
    _, network = small
    frames, lengths = batch([40, 7, 23, 1, 38])
    together, out_lengths = run(network, frames, lengths)
    for number, length in enumerate(lengths):
        alone, _ = run(network, frames[number : number + 1, :length], lengths[number : number + 1])
        np.testing.assert_allclose(together[number, : out_lengths[number]], alone[0], rtol=0.0, atol=1e-5)


def test_a_runtime_that_writes_nan_behind_the_lengths_changes_nothing() -> None:
    """ONNX promises nothing of an LSTM's output there; onnxruntime writes zeros, so NaN is added for the test."""
    network, torch_model = stack(hidden=8, layers=2, time_reduction=3, time_reduction_after=2)
    model = onnx.load_from_string(content_of(network))
    real = onnx.TensorProto.FLOAT
    for number, node in reversed([pair for pair in enumerate(model.graph.node) if pair[1].op_type == "LSTM"]):
        node.output[0], spoilt = f"{node.output[0]}.unspoilt", node.output[0]
        model.graph.node.insert(number + 1, onnx.helper.make_node("Add", [node.output[0], "spoil"], [spoilt]))
        model.graph.output.append(onnx.helper.make_tensor_value_info(node.input[0], real, None))
    model.graph.input.append(onnx.helper.make_tensor_value_info("spoil", real, ["time", 1, "batch", 1]))

    frames, lengths = batch([14, 8, 3])
    padding = np.arange(14)[:, None] >= lengths  # (T, B)
    spoil = np.where(padding, np.float32(np.nan), np.float32(0))[:, None, :, None]
    given_inputs = {"frames": frames, "lengths": lengths, "spoil": spoil}
    log_probs, _, *lstm_inputs = session(model.SerializeToString()).run(None, given_inputs)
    assert [values.shape[2] for values in lstm_inputs] == [16, N_FEATURES]
    for values in lstm_inputs:
        assert not values[padding].any()  # zeros; NaN would count as true
    np.testing.assert_allclose(log_probs, expected(torch_model, frames, lengths)[0], rtol=0, atol=2e-5)


def test_lengths_beyond_the_frames_are_refused(small: tuple[nn.Module, Any]) -> None:
    frames, _ = batch([10, 12])
    with pytest.raises(Exception, match="sequence_lens"):
        run(small[1], frames, np.array([10, 13]))


def test_the_file_is_old_enough_for_onnxruntime_1_20_and_always_the_same() -> None:
    network, _ = stack(hidden=4, layers=1)
    content = content_of(network)
    assert content == content_of(network)
    model = onnx.load_from_string(content)
    assert (
        model.ir_version <= 10
    )  # https://onnxruntime.ai/docs/reference/compatibility.html: 1.20 reads IR 10, opset 21
    assert [(one.domain, one.version <= 21) for one in model.opset_import] == [("", True)]


def test_ranges_take_scalars_as_onnx_demands() -> None:
    """onnxruntime and the checker let lists of one number pass; other runtimes need not."""
    graph = onnx.load_from_string(content_of(stack(hidden=4, layers=1, time_reduction=2)[0])).graph
    sizes = {one.name: list(one.dims) for one in graph.initializer}
    sources = {node.output[0]: node for node in graph.node}
    ranges = [node for node in graph.node if node.op_type == "Range"]
    assert len(ranges) == 2
    for node in ranges:
        start, limit, step = node.input
        assert sources[limit].op_type == "Gather"
        assert [sizes[name] for name in (start, step, sources[limit].input[1])] == [[], [], []]


def refused(network: Network, int8: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        content_of(network, int8)
    return str(caught.value)


def test_other_cells_and_other_networks_are_refused() -> None:
    network, _ = stack(cell={"_target_": f"{__name__}.OtherLstmCell"}, plugins=(__name__,), hidden=4, layers=2)
    assert refused(network) == (
        "ONNX export supports the cells lstm, lstm_peephole, gru, gru_before, simple; this model's cell is "
        "OtherLstmCell; export a .safetensors bundle instead"
    )
    network, _ = stack(_target_=f"{__name__}.OtherStack", plugins=(__name__,), hidden=4)
    assert refused(network) == (
        "ONNX export supports asr.recurrent.stack.RecurrentStack, not OtherStack; export a .safetensors bundle instead"
    )


@pytest.mark.parametrize("name", ["lstm_projected.ProjectedLstmCell", "ligru.LightGruCell"])
def test_cells_that_onnx_has_not_are_refused(name: str) -> None:
    network, _ = stack(cell={"_target_": f"asr.recurrent.cells.{name}"}, hidden=4)
    assert f"this model's cell is {name.partition('.')[2]}; export a .safetensors bundle" in refused(network)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hiden": 4}, "model: 'asr.recurrent.stack.RecurrentStack' has no option 'hiden'; did you mean 'hidden'?"),
        (
            {"cell": {"_target_": "asr.recurrent.cells.lstm.LstmCell", "forget": 1}},
            "LstmCell' has no option 'forget'",
        ),
        ({"cell": 5}, "model: "),
        ({"time_reduction": 0}, "model.time_reduction=0; expected 1 to 100"),
    ],
)
def test_options_that_a_network_has_not_are_named(options: Mapping[str, Any], told: str) -> None:
    network, _ = stack(hidden=4, layers=1)
    changed = replace(network, component=network.component.with_options(**options))
    assert told in refused(changed)


def test_weights_that_do_not_fit_are_named() -> None:
    network, _ = stack(hidden=4, layers=1)
    weights = {name: values for name, values in network.weights.items() if name != "layers.0.forward_cell.bias"}
    with pytest.raises(CheckpointError, match=r"the file does not contain 'layers\.0\.forward_cell\.bias'"):
        content_of(replace(network, weights=weights))


def test_weights_of_half_the_bits_are_written_as_float32() -> None:
    network, _ = stack(hidden=4, layers=1)
    halves = {name: values.astype(np.float16) for name, values in network.weights.items()}
    wholes = {name: values.astype(np.float32) for name, values in halves.items()}
    assert content_of(replace(network, weights=halves)) == content_of(replace(network, weights=wholes))


def test_int8_is_refused_for_cells_that_onnxruntime_has_only_in_float32() -> None:
    network, _ = stack(cell={"_target_": "asr.recurrent.cells.gru.GruCell"}, hidden=4)
    assert refused(network, int8=True) == (
        "onnxruntime supports int8 weights for the cells lstm and lstm_peephole, not for GRU; "
        "export without --store int8"
    )
