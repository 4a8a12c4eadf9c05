"""The exported network against the one it came from, through onnxruntime, at sizes that no export has seen."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import asr
from asr.config import Component, build
from asr.corpus.inventory import BLANK, Inventory
from asr.errors import ConfigError, DataError
from asr.recogniser.card import Card
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.loading import save_bundle
from asr.recogniser.onnx_export import FORMAT, export_onnx
from asr.recogniser.recogniser import Recogniser
from asr.recurrent.cells.gru import GruConfig
from asr.recurrent.cells.gru_before import GruBeforeConfig
from asr.recurrent.cells.lstm import LstmCell, LstmConfig
from asr.recurrent.cells.lstm_peephole import PeepholeLstmConfig
from asr.recurrent.cells.simple import SimpleConfig
from asr.recurrent.stack import RecurrentStack
from tests.commands import command
from tests.tones import sound

onnx = pytest.importorskip("onnx", reason="needs the package onnx (ctc-asr[export])")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the package onnxruntime (ctc-asr[export])")

N_MELS = 40
LABELS = (BLANK, *"abcdefghijklmnopqrstuvwxyzäß '")


class OtherLstmCell(LstmCell):
    """Has an LSTM's weights and need not be one."""


class OtherStack(RecurrentStack):
    """Has a stack's layers and need not be one."""


def recogniser(normaliser: str = "none", width: int = 1, stride: int = 1, **model: Any) -> Recogniser:
    """An untrained recogniser with random weights, large enough to make its posteriors very different."""
    torch.manual_seed(11)
    config = RecogniserConfig(
        inventory=Inventory(LABELS, "characters"),
        features=Component("asr.features.sound.spectral.SpectralFeatures", {"n_mels": N_MELS}),
        normaliser=Component("asr.features.normalise.Normaliser", {"per": normaliser}),
        stacking=Component("asr.features.stack.FrameStack", {"width": width, "stride": stride}),
        model=Component.of({"_target_": "asr.recurrent.stack.RecurrentStack"} | model),
        decoder=Component("asr.decoding.greedy.GreedyDecoder", {}),
        plugins=(__name__,),
    )
    made = Recogniser(config, card=Card({"licence": "CC0", "data": "none: random weights"}))
    with torch.no_grad():
        for values in made.model.parameters():
            values.normal_(std=2.0 / math.sqrt(values.shape[-1]) if values.ndim == 2 else 0.3)
        made.model.output.weight.mul_(4.0)
    if normaliser == "corpus":
        statistics = {"mean": torch.randn(N_MELS) - 8.0, "deviation": torch.rand(N_MELS) + 0.5}
        made.normaliser.load_state_dict(statistics)
    made.model.eval()
    return made


def session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def exported(made: Recogniser, folder: Path) -> Any:
    export_onnx(made, folder / "model.onnx")
    return session(folder / "model.onnx")


def batch(lengths: Sequence[int], n_features: int = N_MELS, padding: float = math.nan) -> tuple[Tensor, Tensor]:
    """(B, T, F) random frames with `padding` behind each utterance, and their lengths."""
    frames = torch.randn(len(lengths), max(lengths), n_features, generator=torch.Generator().manual_seed(len(lengths)))
    for row, length in zip(frames, lengths, strict=True):
        row[length:] = padding
    return frames, torch.tensor(lengths)


def run(network: Any, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    log_probs, out_lengths = network.run(None, {"frames": frames.numpy(), "lengths": lengths.numpy()})
    assert (log_probs.dtype, out_lengths.dtype) == (np.float32, np.int64)
    return torch.from_numpy(log_probs), torch.from_numpy(out_lengths)


def assert_same(made: Recogniser, network: Any, frames: Tensor, lengths: Tensor) -> Tensor:
    """ONNX and torch give the same everywhere, on the padding too; returns the log posteriors."""
    with torch.no_grad():
        expected, expected_lengths = made.model(frames, lengths)
    log_probs, out_lengths = run(network, frames, lengths)
    assert torch.equal(out_lengths, expected_lengths)
    torch.testing.assert_close(log_probs, expected, rtol=0.0, atol=2e-5)  # float32 sums in another order: 6e-6 seen
    return log_probs


SIZES = {
    "one layer": {"layers": 1},
    "three layers": {"layers": 3},
    "halved": {"layers": 3, "time_reduction": 2},
    "a third, late": {"layers": 3, "time_reduction": 3, "time_reduction_after": 2},
    "a third, one layer": {"layers": 1, "time_reduction": 3},
}


@pytest.mark.parametrize("model", SIZES.values(), ids=SIZES.keys())
def test_equals_torch_at_any_length_and_batch_size_with_nan_in_the_padding(
    model: Mapping[str, int], tmp_path: Path
) -> None:
    made = recogniser(hidden=192, **model)
    network = exported(made, tmp_path)
    for lengths in ([1], [61], [97, 40], [120, 1, 63, 2, 119]):
        log_probs = assert_same(made, network, *batch(lengths))
        if lengths != [1]:
            assert log_probs[0].std(dim=0).mean() > 0.5  # over time: large weights make a difference that can be seen


@pytest.mark.parametrize("direction", ["both", "forward", "backward"])
@pytest.mark.parametrize(
    "cell",
    [
        LstmConfig(),
        PeepholeLstmConfig(),
        GruConfig(),
        GruBeforeConfig(),
        SimpleConfig(),
        SimpleConfig(activation="relu"),
    ],
    ids=lambda cell: getattr(cell, "activation", "") or type(cell).__name__,
)
def test_every_cell_that_onnx_has_equals_torch(cell: Any, direction: str, tmp_path: Path) -> None:
    made = recogniser(cell=asdict(cell), direction=direction, skips=True, hidden=20, layers=3, time_reduction=2)
    with torch.no_grad():
        for values in made.model.layers.parameters():
            values.mul_(0.4)  # below 1 a row, where steps do not amplify rounding even without gates
    network = exported(made, tmp_path)
    for lengths in ([1], [61], [50, 97, 3]):
        log_probs = assert_same(made, network, *batch(lengths))
        if lengths != [1]:
            assert log_probs[0].std(dim=0).mean() > 0.1


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recogniser, Any]:
    made = recogniser(hidden=8, layers=2, time_reduction=3)
    return made, exported(made, tmp_path_factory.mktemp("small"))


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=7), padding=st.sampled_from([math.nan, math.inf, 1e30])
)
def test_equals_torch_whatever_the_lengths(small: tuple[Recogniser, Any], lengths: list[int], padding: float) -> None:
    made, network = small
    frames, given_lengths = batch(lengths, padding=padding)
    assert_same(made, network, frames, given_lengths)
    _, out_lengths = run(network, frames, given_lengths)
    assert out_lengths.tolist() == [math.ceil(length / 3) for length in lengths]


def test_a_batch_gives_what_its_utterances_give_alone(small: tuple[Recogniser, Any]) -> None:
    _, network = small
    frames, lengths = batch([40, 7, 23, 1, 38])
    together, out_lengths = run(network, frames, lengths)
    for number, length in enumerate(lengths):
        alone, _ = run(network, frames[number : number + 1, :length], lengths[number : number + 1])
        torch.testing.assert_close(together[number, : out_lengths[number]], alone[0], rtol=0.0, atol=1e-5)


def test_a_runtime_that_writes_nan_behind_the_lengths_changes_nothing(tmp_path: Path) -> None:
    """ONNX promises nothing of an LSTM's output there; onnxruntime writes zeros, so NaN is added for the test."""
    made = recogniser(hidden=8, layers=2, time_reduction=3, time_reduction_after=2)
    export_onnx(made, tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    real = onnx.TensorProto.FLOAT
    for number, node in reversed([pair for pair in enumerate(model.graph.node) if pair[1].op_type == "LSTM"]):
        node.output[0], spoilt = f"{node.output[0]}.unspoilt", node.output[0]
        model.graph.node.insert(number + 1, onnx.helper.make_node("Add", [node.output[0], "spoil"], [spoilt]))
        model.graph.output.append(onnx.helper.make_tensor_value_info(node.input[0], real, None))
    model.graph.input.append(onnx.helper.make_tensor_value_info("spoil", real, ["time", 1, "batch", 1]))
    onnx.save(model, tmp_path / "spoilt.onnx")

    frames, lengths = batch([14, 8, 3])
    padding = torch.arange(14)[:, None] >= lengths  # (T, B)
    spoil = torch.zeros(14, 3).masked_fill(padding, math.nan)[:, None, :, None]
    given_inputs = {"frames": frames.numpy(), "lengths": lengths.numpy(), "spoil": spoil.numpy()}
    log_probs, _, *lstm_inputs = session(tmp_path / "spoilt.onnx").run(None, given_inputs)
    assert [values.shape[2] for values in lstm_inputs] == [16, N_MELS]
    for values in lstm_inputs:
        assert not values[padding.numpy()].any()  # zeros; NaN would count as true
    torch.testing.assert_close(torch.from_numpy(log_probs), made.model(frames, lengths)[0].detach(), rtol=0, atol=2e-5)


def test_lengths_beyond_the_frames_are_refused(small: tuple[Recogniser, Any]) -> None:
    frames, _ = batch([10, 12])
    with pytest.raises(Exception, match="sequence_lens"):
        run(small[1], frames, torch.tensor([10, 13]))


def test_a_program_without_this_package_has_all_it_needs(tmp_path: Path) -> None:
    """Frames by the settings in the file, statistics and stacking by hand, the best path by hand."""
    made = recogniser("corpus", width=3, stride=2, hidden=16, layers=1, time_reduction=2)
    signal = torch.from_numpy(sound("abc cab bca acb", np.random.default_rng(3)))
    made.normaliser.fit([(None, made.extractor.compute(signal))])
    network = exported(made, tmp_path)
    told = network.get_modelmeta().custom_metadata_map

    frames = build(Component.of(json.loads(told["features"]))).compute(signal).numpy()
    normaliser, stacking = json.loads(told["normaliser"]), json.loads(told["stacking"])
    assert (normaliser["per"], normaliser["variance"]) == ("corpus", True)
    mean, deviation = (np.array(normaliser["statistics"][name], np.float32) for name in ("mean", "deviation"))
    frames = (frames - mean) / deviation
    last, starts = len(frames) - 1, range(0, len(frames), stacking["stride"])
    stacked = np.stack([np.concatenate([frames[min(t + i, last)] for i in range(stacking["width"])]) for t in starts])
    log_probs, out_lengths = run(network, torch.from_numpy(stacked)[None], torch.tensor([len(stacked)]))
    path = log_probs[0, : out_lengths[0]].argmax(-1).tolist()
    merged = [label for label, before in zip(path, [None, *path], strict=False) if label != before]
    labels = json.loads(told["labels"])
    text = "".join(labels[label] for label in merged if label != int(told["blank"]))

    expected = made.transcribe(signal, rate=made.extractor.rate)
    assert len(expected.labels) > 10
    assert text == expected.text


def test_the_metadata_are_complete(tmp_path: Path) -> None:
    made = recogniser("corpus", width=3, stride=3, hidden=4, layers=1, time_reduction=2)
    network = exported(made, tmp_path)
    meta = network.get_modelmeta()
    told = meta.custom_metadata_map
    assert (told["format"], told["version"], meta.producer_name) == (FORMAT, asr.__version__, "ctc-asr")
    assert tuple(json.loads(told["labels"])) == LABELS
    assert (told["blank"], told["unit"], json.loads(told["fold"])) == ("0", "characters", None)
    assert float(told["frame_seconds"]) == made.frame_seconds == pytest.approx(0.06)
    assert json.loads(told["features"]) == made.extractor.settings()
    assert json.loads(told["features"])["shift_seconds"] == 0.01  # a default, written out
    assert json.loads(told["stacking"]) == made.config.stacking.to_node()
    statistics = json.loads(told["normaliser"])["statistics"]
    for name, values in made.normaliser.state_dict().items():
        assert np.array_equal(np.array(statistics[name], np.float32), values.numpy())
    assert json.loads(told["card"]) == made.card.to_dict()
    inputs = {one.name: (one.shape, one.type) for one in network.get_inputs()}
    assert inputs == {
        "frames": (["batch", "time", 3 * N_MELS], "tensor(float)"),
        "lengths": (["batch"], "tensor(int64)"),
    }
    outputs = {one.name: (one.shape, one.type) for one in network.get_outputs()}
    assert outputs == {
        "log_probs": (["batch", "out_time", len(LABELS)], "tensor(float)"),
        "out_lengths": (["batch"], "tensor(int64)"),
    }


def test_the_file_is_old_enough_for_onnxruntime_1_20_and_always_the_same(tmp_path: Path) -> None:
    made = recogniser("utterance", hidden=4, layers=1)
    for name in ("one.onnx", "other.onnx"):
        export_onnx(made, tmp_path / name)
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "other.onnx").read_bytes()
    model = onnx.load(tmp_path / "one.onnx")
    assert (
        model.ir_version <= 10
    )  # https://onnxruntime.ai/docs/reference/compatibility.html: 1.20 reads IR 10, opset 21
    assert [(one.domain, one.version <= 21) for one in model.opset_import] == [("", True)]
    told = {one.key: one.value for one in model.metadata_props}
    assert json.loads(told["normaliser"])["statistics"] == {}


def test_ranges_take_scalars_as_onnx_demands(tmp_path: Path) -> None:
    """onnxruntime and the checker let lists of one number pass; other runtimes need not."""
    export_onnx(recogniser(hidden=4, layers=1, time_reduction=2), tmp_path / "model.onnx")
    graph = onnx.load(tmp_path / "model.onnx").graph
    sizes = {one.name: list(one.dims) for one in graph.initializer}
    sources = {node.output[0]: node for node in graph.node}
    ranges = [node for node in graph.node if node.op_type == "Range"]
    assert len(ranges) == 2
    for node in ranges:
        start, limit, step = node.input
        assert sources[limit].op_type == "Gather"
        assert [sizes[name] for name in (start, step, sources[limit].input[1])] == [[], [], []]


def test_other_cells_and_other_networks_are_refused(tmp_path: Path) -> None:
    cell = {"_target_": f"{__name__}.OtherLstmCell"}
    with pytest.raises(
        ConfigError,
        match=r"knows the cells lstm, .*, gru, gru_before, simple, .* is OtherLstmCell; export a \.safetensors",
    ):
        export_onnx(recogniser(cell=cell, hidden=4, layers=2), tmp_path / "model.onnx")
    with pytest.raises(ConfigError, match=r"asr\.recurrent\.stack\.RecurrentStack, not OtherStack; export a"):
        export_onnx(recogniser(_target_=f"{__name__}.OtherStack", hidden=4), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"needs the package onnx: pip install 'ctc-asr\[export\]'"):
        export_onnx(recogniser(hidden=4, layers=1), tmp_path / "model.onnx")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"model\.onnx cannot be written: .*No such file"):
        export_onnx(recogniser(hidden=4, layers=1), tmp_path / "nowhere" / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_it(tmp_path: Path) -> None:
    made = recogniser("corpus", hidden=16, layers=1)
    made.config = replace(made.config, plugins=())
    save_bundle(made, tmp_path / "model.safetensors")
    done = command("export", "model.safetensors", "model.onnx", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wrote model.onnx" in done.stdout + done.stderr
    assert_same(made, session(tmp_path / "model.onnx"), *batch([17, 30]))
    refused = command("export", "model.safetensors", "other.onnx", "--store", "int8", cwd=tmp_path)
    assert refused.returncode == 1
    assert "--store is for .safetensors bundles" in refused.stderr
    assert not (tmp_path / "other.onnx").exists()
