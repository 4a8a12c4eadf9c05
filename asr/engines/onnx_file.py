"""Check the checksum and the structure of an exported `.onnx` file, without onnx or onnxruntime.

onnxruntime only gets files that have passed these checks. They must have the form that `asr.recogniser.onnx_export`
writes: the network's inputs and outputs, only the operators that a network needs (none that loops, branches or calls
other code), and weights that are in the file itself and have the size of their shape.

The last entry of the metadata, `sha256`, is the checksum of all bytes before it. It detects damage; it is no signature.
The field numbers of the messages are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from asr.engines.protobuf import Field, Kind, Wanted, WireError, checked_fields, fields_of, number_of, text_of
from asr.errors import CheckpointError

FORMAT = "ctc-asr-onnx-2"
"""The format of the files that this version writes and reads."""

LARGEST = 2**31 - 1
"""The largest size of a file in bytes, because protobuf messages cannot be longer."""

MICROSOFT = "com.microsoft"
"""The domain of onnxruntime's own operators."""

INT8_LSTM = "DynamicQuantizeLSTM"
"""The only operator of this domain that the export writes."""

OPERATORS = {
    "": {
        "Add", "Cast", "Concat", "Div", "GRU", "Gather", "Identity", "LSTM", "Less", "LogSoftmax", "MatMul", "Mod",
        "Neg", "Pad", "RNN", "Range", "Reshape", "Shape", "Transpose", "Unsqueeze", "Where",
    },
    MICROSOFT: {INT8_LSTM},
}  # fmt: skip
"""The operators that the export writes, by domain."""

BYTES_OF = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8}
"""Bytes of a value for each data type that the export writes: float32, uint8, int8, int32, int64."""

_SEAL = "sha256"
_NUMBER, _BYTES, _FOUR = Wanted(Kind.NUMBER), Wanted(Kind.BYTES), Wanted(Kind.FOUR_BYTES)
_NUMBERS, _MANY = Wanted(Kind.NUMBER, repeated=True), Wanted(Kind.BYTES, repeated=True)

# The fields that the export writes, for each message. Functions, nested graphs, sparse weights and others are refused.
_GRAPH_OF_MODEL, _METADATA_OF_MODEL = 7, 14
_MODEL = {1: _NUMBER, 2: _BYTES, 3: _BYTES, _GRAPH_OF_MODEL: _BYTES, 8: _MANY, _METADATA_OF_MODEL: _MANY}
_OPSET = {1: _BYTES, 2: _NUMBER}
_GRAPH = {1: _MANY, 2: _BYTES, 5: _MANY, 11: _MANY, 12: _MANY}
_NODE = {1: _MANY, 2: _MANY, 3: _BYTES, 4: _BYTES, 5: _MANY, 7: _BYTES}
_ATTRIBUTE = {1: _BYTES, 2: _FOUR, 3: _NUMBER, 4: _BYTES, 8: _NUMBERS, 9: _MANY, 20: _NUMBER}
_TENSOR = {1: _NUMBERS, 2: _NUMBER, 8: _BYTES, 9: _BYTES}
_EXTERNAL = (13, 14)  # fields of a tensor whose values are in another file
_VALUE = {1: _BYTES, 2: _BYTES}


@dataclass(frozen=True)
class OnnxFile:
    """The content of a file that has passed all checks.

    Attributes:
        content: the bytes of the file.
        metadata: the metadata by key, see `asr.recogniser.onnx_metadata`.
        n_features: F, the size of a frame.
        n_labels: L, the number of labels with the blank.
        time_reduction: the number of input frames for each output frame.
        int8: whether weights are int8. Then frames are rounded too, on one scale for a whole batch, so that the result
            for an utterance depends on the others in its batch.
    """

    content: bytes
    metadata: Mapping[str, str]
    n_features: int
    n_labels: int
    time_reduction: int
    int8: bool


def sealed(content: bytes) -> bytes:
    """Return the bytes of an ONNX model with the checksum appended."""
    return content + _entry(_SEAL, hashlib.sha256(content).hexdigest())


def checked(content: bytes) -> OnnxFile:
    """Check the content of a file, and return what it describes.

    Raises:
        CheckpointError: the file is damaged, or was not written by this version; the message does not name the file.
    """
    try:
        metadata, last = _metadata(memoryview(content))
        _check_format(metadata)
        if metadata.get(_SEAL) != hashlib.sha256(memoryview(content)[:last]).hexdigest():
            raise CheckpointError("it was damaged or changed after the export; export it again")
        model = checked_fields(memoryview(content), _MODEL, "the model")
        _check_domains(model[8])
        graph = checked_fields(_bytes(model[_GRAPH_OF_MODEL], "it has no graph"), _GRAPH, "the graph")
        operators = {_checked_operator(_view(node)) for node in graph[1]}
        for tensor in graph[5]:
            _check_tensor(_view(tensor))
        n_features, n_labels = _sizes(graph[11], graph[12])
        reduction = _time_reduction(metadata)
        return OnnxFile(content, metadata, n_features, n_labels, reduction, INT8_LSTM in operators)
    except WireError as error:
        raise CheckpointError(f"it is not a complete ONNX file of this package: {error}") from error


def _metadata(content: memoryview) -> tuple[dict[str, str], int]:
    """Return the metadata of an ONNX file, and the position of the last field in the file."""
    metadata: dict[str, str] = {}
    last: Field | None = None
    for last in fields_of(content):
        if last.number == _METADATA_OF_MODEL and isinstance(last.value, memoryview):
            entry = checked_fields(last.value, {1: _BYTES, 2: _BYTES}, "an entry of the metadata")
            key = text_of(entry[1], "a key of the metadata")
            if key in metadata:
                raise WireError(f"its metadata has {key[:40]!r} twice")
            metadata[key] = text_of(entry[2], "a value of the metadata")
    if last is None:
        raise WireError("it is empty")
    return metadata, last.start


def _check_format(metadata: Mapping[str, str]) -> None:
    found = metadata.get("format")
    if found is None or not found.startswith("ctc-asr-onnx-"):
        raise CheckpointError(
            "it has no metadata of this package, which describes the inputs and outputs of the network; give a file"
            " that was written by asr-export"
        )
    if found != FORMAT:
        raise CheckpointError(
            f"its format is {found[:40]!r}; expected {FORMAT!r}; export it again: asr-export MODEL NAME.onnx"
        )


def _time_reduction(metadata: Mapping[str, str]) -> int:
    found = metadata.get("time_reduction", "")
    if not (found.isascii() and found.isdigit() and 1 <= len(found) <= 3 and 1 <= int(found) <= 100):
        raise CheckpointError("its metadata has no time_reduction; expected 1 to 100; export it again")
    return int(found)


def _check_domains(opsets: list[int | memoryview]) -> None:
    for one in opsets:
        opset = checked_fields(_view(one), _OPSET, "a set of operators")
        domain = text_of(opset[1], "a set of operators")
        if domain not in OPERATORS:
            raise CheckpointError(f"it has operators of {domain[:40]!r}, which this package does not export")


def _sizes(inputs: list[int | memoryview], outputs: list[int | memoryview]) -> tuple[int, int]:
    """Return F and L from the declared inputs and outputs of the network."""
    match [_value(_view(one)) for one in inputs], [_value(_view(one)) for one in outputs]:
        case (
            [("frames", 1, (None, None, int(n_features))), ("lengths", 7, (None,))],
            [("log_probs", 1, (None, None, int(n_labels))), ("out_lengths", 7, (None,))],
        ):
            return n_features, n_labels
    raise CheckpointError(
        "its inputs are not `frames` (B, T, F) and `lengths` (B,), or its outputs are not `log_probs` (B, T', L) and"
        " `out_lengths` (B,); give a file that was written by asr-export"
    )


def _checked_operator(message: memoryview) -> str:
    """Check a node, and return its operator."""
    node = checked_fields(message, _NODE, "an operator")
    operator, domain = text_of(node[4], "an operator"), text_of(node[7], "a domain")
    if operator not in OPERATORS.get(domain, set()):
        raise CheckpointError(f"its network has the operator {operator[:40]!r}, which this package does not export")
    for attribute in node[5]:
        checked_fields(_view(attribute), _ATTRIBUTE, f"an attribute of {operator}")
    return operator


def _check_tensor(message: memoryview) -> None:
    if any(field.number in _EXTERNAL for field in fields_of(message)):
        raise CheckpointError("it stores weights in another file, which is never read; export it again as one file")
    tensor = checked_fields(message, _TENSOR, "a tensor")
    name, kind = text_of(tensor[8], "a name")[:60], number_of(tensor[2])
    shape = [number_of([size]) for size in tensor[1]]
    if kind not in BYTES_OF:
        raise CheckpointError(f"its tensor {name!r} has the data type {kind}, which this package does not export")
    size = sum(len(_view(one)) for one in tensor[9])
    if len(shape) > 4 or min(shape, default=0) < 0 or math.prod(shape) * BYTES_OF[kind] != size:
        raise CheckpointError(f"its tensor {name!r} has {size} bytes, which does not fit its shape; export it again")


def _value(message: memoryview) -> tuple[str, int, tuple[int | None, ...] | None]:
    """Return the name, data type and shape of an input or output; a variable size is None."""
    value = checked_fields(message, _VALUE, "an input or output")
    kind = checked_fields(_bytes(value[2], "an input has no type"), {1: _BYTES}, "a type")
    tensor = checked_fields(_bytes(kind[1], "a type is no tensor's"), {1: _NUMBER, 2: _BYTES}, "a type")
    if not tensor[2]:
        return text_of(value[1], "a name"), number_of(tensor[1]), None
    sizes = checked_fields(_view(tensor[2][0]), {1: _MANY}, "a shape")
    dims = [checked_fields(_view(one), {1: _NUMBER, 2: _BYTES}, "a size") for one in sizes[1]]
    shape = tuple(number_of(dim[1]) if dim[1] else None for dim in dims)
    return text_of(value[1], "a name"), number_of(tensor[1]), shape


def _bytes(values: list[int | memoryview], otherwise: str) -> memoryview:
    if not values:
        raise WireError(otherwise)
    return _view(values[0])


def _view(value: int | memoryview) -> memoryview:
    assert isinstance(value, memoryview)  # checked by `checked_fields`
    return value


def _entry(key: str, value: str) -> bytes:
    """Return the bytes of one more entry of the metadata."""
    pair = b"".join(bytes([8 * number + 2, len(text)]) + text.encode() for number, text in ((1, key), (2, value)))
    return bytes([8 * _METADATA_OF_MODEL + 2, len(pair)]) + pair  # both lengths are below 128: one byte
