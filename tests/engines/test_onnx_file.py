"""Exported files from outside, damaged or made to harm: checked, or refused with a sentence before anyone runs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asr.engines import onnx_file
from asr.engines.onnx_file import FORMAT, OPERATORS, checked, sealed
from asr.errors import CheckpointError
from asr.recogniser.onnx_operators import ONNX_CELLS
from tests.hostile import refusal
from tests.mutations import mutated
from tests.recogniser.onnx_networks import content_of, stack

onnx = pytest.importorskip("onnx", reason="needs the package onnx (ctc-asr[onnx])")


@pytest.fixture(scope="module")
def content() -> bytes:
    return content_of(stack(hidden=6, layers=2, skips=True, time_reduction=2)[0])


@pytest.fixture(scope="module")
def int8() -> bytes:
    return content_of(stack(hidden=6, layers=2)[0], int8=True)


def said(content: bytes) -> str:
    with pytest.raises(CheckpointError) as caught:
        checked(content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(content: bytes, change: Callable[[Any], object]) -> bytes:
    """The file with a change to the model that onnx reads, sealed again: what somebody who means harm can write."""
    model = onnx.load_from_string(content)
    assert model.metadata_props[-1].key == "sha256"
    del model.metadata_props[-1]
    change(model)
    return sealed(model.SerializeToString())


def test_what_is_read(content: bytes, int8: bytes) -> None:
    file = checked(content)
    assert (file.n_features, file.n_labels, file.time_reduction, file.int8) == (40, 32, 2, False)
    assert file.metadata["format"] == FORMAT
    assert file.content == content
    assert checked(int8).int8
    assert checked(changed(content, lambda model: None)).n_labels == 32


def test_the_operators_are_those_that_networks_have() -> None:
    found = set()
    for target in ONNX_CELLS:
        network, _ = stack(cell={"_target_": target}, hidden=4, layers=2, skips=True, time_reduction=2)
        kinds = [False, True] if "lstm" in target else [False]
        models = [onnx.load_from_string(content_of(network, int8)) for int8 in kinds]
        found |= {(node.domain, node.op_type) for model in models for node in model.graph.node}
    assert found == {(domain, name) for domain, names in OPERATORS.items() for name in names}


def test_a_file_that_is_cut_short(content: bytes) -> None:
    for size in (*range(200), *range(200, len(content), 97), *range(len(content) - 90, len(content))):
        assert "expor" in said(content[:size]) or "complete ONNX file" in said(content[:size])
    assert said(b"") == "it is not a complete ONNX file of this package: it is empty"
    assert said(content[:-1]).endswith("a part of 74 bytes begins 73 bytes before the end")


def test_files_of_other_programs_and_versions(content: bytes) -> None:
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["a"], ["b"])], "g", [], [])
    assert said(onnx.helper.make_model(graph).SerializeToString()) == (
        "it has no metadata of this package, which describes the inputs and outputs of the network; give a file that "
        "was written by asr-export"
    )

    def of_format(value: str) -> Callable[[Any], None]:
        def change(model: Any) -> None:
            next(one for one in model.metadata_props if one.key == "format").value = value

        return change

    assert said(changed(content, of_format("ctc-asr-onnx-1"))) == (
        "its format is 'ctc-asr-onnx-1'; expected 'ctc-asr-onnx-2'; export it again: asr-export MODEL NAME.onnx"
    )
    assert "its format is 'ctc-asr-onnx-3'" in said(changed(content, of_format("ctc-asr-onnx-3")))
    assert "no metadata of this package" in said(changed(content, of_format("words")))


def test_every_changed_byte_is_found(content: bytes) -> None:
    rng = np.random.default_rng(4)
    for at in (*range(60), *rng.integers(0, len(content), 200), *range(len(content) - 80, len(content))):
        flipped = bytearray(content)
        flipped[at] ^= 1 << int(rng.integers(8))
        said(bytes(flipped))
    weight = content.index(onnx.load_from_string(content).graph.initializer[3].raw_data)
    assert said(content[:weight] + b"\1" + content[weight + 1 :]) == (
        "it was damaged or changed after the export; export it again"
    )


def external(model: Any) -> None:
    tensor = model.graph.initializer[-1]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def nested(model: Any) -> None:
    graph = onnx.helper.make_graph([], "inner", [], [])
    model.graph.node.append(onnx.helper.make_node("Loop", ["a", "b"], ["c"], body=graph))


def attribute_graph(model: Any) -> None:
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("body", onnx.helper.make_graph([], "i", [], [])))


def attribute_tensor(model: Any) -> None:
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("value", model.graph.initializer[0]))


def grown(model: Any) -> None:
    model.graph.initializer[-1].dims[0] = 2**40


def negative(model: Any) -> None:
    model.graph.initializer[-1].dims[0] *= -1


def deep(model: Any) -> None:
    model.graph.initializer[-1].dims.extend([1] * 4)


def unpacked(model: Any) -> None:
    model.graph.initializer[-1].float_data.append(1.0)


def of_type(kind: int) -> Callable[[Any], None]:
    return lambda model: setattr(model.graph.initializer[-1], "data_type", kind)


def function(model: Any) -> None:
    model.functions.add(name="f", domain="")


def training(model: Any) -> None:
    model.training_info.add()


def custom(model: Any) -> None:
    model.opset_import.append(onnx.helper.make_opsetid("com.example", 1))


def renamed_input(model: Any) -> None:
    model.graph.input[0].name = "audio"


def renamed_output(model: Any) -> None:
    model.graph.output[1].name = "lengths_out"


def more_inputs(model: Any) -> None:
    model.graph.input.append(onnx.helper.make_tensor_value_info("h", 1, [1]))


def fixed_batch(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def half(model: Any) -> None:
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16


def a_map(model: Any) -> None:
    model.graph.input[0].type.map_type.key_type = 7


def no_reduction(value: str | None) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        kept = [(one.key, one.value) for one in model.metadata_props if one.key != "time_reduction"]
        del model.metadata_props[:]
        onnx.helper.set_model_props(model, dict(kept) | ({} if value is None else {"time_reduction": value}))

    return change


def twice(model: Any) -> None:
    model.metadata_props.add(key="format", value=FORMAT)


CHANGES: list[tuple[Callable[[Any], object], str]] = [
    (external, "it stores weights in another file, which is never read; export it again as one file"),
    (nested, "its network has the operator 'Loop', which this package does not export"),
    (attribute_graph, "an attribute of Transpose has a field 6 that this package does not write"),
    (attribute_tensor, "an attribute of Transpose has a field 5 that this package does not write"),
    (grown, "its tensor 'output.bias' has 128 bytes, which does not fit its shape"),
    (negative, "its tensor 'output.bias' has 128 bytes, which does not fit its shape"),
    (deep, "its tensor 'output.bias' has 128 bytes, which does not fit its shape"),
    (unpacked, "a tensor has a field 4 that this package does not write"),
    (of_type(8), "its tensor 'output.bias' has the data type 8, which this package does not export"),
    (of_type(10), "its tensor 'output.bias' has the data type 10, which this package does not export"),
    (of_type(7), "its tensor 'output.bias' has 128 bytes, which does not fit its shape"),
    (function, "the model has a field 25 that this package does not write"),
    (training, "the model has a field 20 that this package does not write"),
    (custom, "it has operators of 'com.example', which this package does not export"),
    (renamed_input, "its inputs are not `frames`"),
    (renamed_output, "its inputs are not `frames`"),
    (more_inputs, "its inputs are not `frames`"),
    (fixed_batch, "its inputs are not `frames`"),
    (half, "its inputs are not `frames`"),
    (a_map, "a type has a field 5 that this package does not write"),
    (no_reduction(None), "its metadata has no time_reduction; expected 1 to 100"),
    (no_reduction("0"), "its metadata has no time_reduction; expected 1 to 100"),
    (no_reduction("1" * 5000), "its metadata has no time_reduction; expected 1 to 100"),
    (no_reduction("²"), "its metadata has no time_reduction; expected 1 to 100"),
    (twice, "its metadata has 'format' twice"),
    (lambda model: model.ClearField("graph"), "not a complete ONNX file of this package: it has no graph"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_made_to_harm(content: bytes, change: Callable[[Any], object], message: str) -> None:
    assert message in said(changed(content, change))


def test_a_second_graph_is_no_way_around(content: bytes) -> None:
    """Readers of protobuf join two messages of one field; each would see another network."""
    whole = content[: content.rindex(b"sha256") - 4]
    graph = onnx.ModelProto(graph=onnx.helper.make_graph([onnx.helper.make_node("Loop", [], ["x"])], "g", [], []))
    assert "the model has its field 7 twice" in said(sealed(whole + graph.SerializeToString()))


@pytest.mark.parametrize("number", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_damage_at_random_is_refused(content: bytes, int8: bytes, number: int) -> None:
    rng = np.random.default_rng(8)
    for _ in range(number):
        for whole in (content, int8):
            damaged = mutated(whole, rng)
            if damaged != whole:
                assert refusal(lambda damaged=damaged: checked(damaged), "damage") is not None  # type: ignore[misc]


HARMED = """
import sys
import numpy as np
from asr.engines.onnx import OnnxEngine
from asr.engines.onnx_file import checked, sealed
from asr.errors import AsrError
from tests.mutations import mutated

content, seed, number = open(sys.argv[1], "rb").read(), int(sys.argv[2]), int(sys.argv[3])
whole = content[: content.rindex(b"sha256") - 4]
rng, seen = np.random.default_rng(seed), {"read": 0, "refused": 0, "checked": 0}
frames, lengths = rng.normal(size=(2, 9, 40)).astype(np.float32), np.array([9, 4])
for _ in range(number):
    try:
        file = checked(sealed(mutated(whole, rng)))
        seen["checked"] += 1
        engine = OnnxEngine(file)
        shape = (2, 9, engine.n_features)
        if np.prod(shape) < 1e6:
            engine.posteriors(np.resize(frames, shape), lengths)
            seen["read"] += 1
    except AsrError as error:
        assert str(error).isprintable(), error
        seen["refused"] += 1
print(seen)
"""


@pytest.mark.parametrize("number", [150, pytest.param(4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_damage_with_a_new_seal_neither_ends_the_process_nor_gives_a_traceback(
    content: bytes, int8: bytes, tmp_path: Path, number: int, kind: str
) -> None:
    """Then onnxruntime sees what the checks let through; in a process of its own, because it is no Python."""
    pytest.importorskip("onnxruntime", reason="needs the package onnxruntime (ctc-asr[onnx])")
    (tmp_path / "model.onnx").write_bytes({"float32": content, "int8": int8}[kind])
    words = [sys.executable, "-c", HARMED, str(tmp_path / "model.onnx"), "5", str(number)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'read': 0" not in done.stdout


def test_neither_onnx_nor_onnxruntime_is_needed(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['onnx', 'onnxruntime', 'torch', 'google']))\n"
        "from asr.engines.onnx_file import checked\n"
        "print(checked(open(sys.argv[1], 'rb').read()).n_labels)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "model.onnx")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "32"


def test_the_seal_is_the_checksum_of_all_before_it(content: bytes) -> None:
    import hashlib

    metadata = {one.key: one.value for one in onnx.load_from_string(content).metadata_props}
    start = content.rindex(b"sha256") - 4
    assert metadata["sha256"] == hashlib.sha256(content[:start]).hexdigest()
    assert onnx_file._SEAL == "sha256"
