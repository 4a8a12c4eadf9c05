"""Read and write the `.lm` file of an n-gram model: a safetensors file with the arrays of an automaton.

The metadata holds one JSON object under `language_model`: the format, the unit, the symbols, and the numbers of the
automaton. Loading checks that arcs are sorted and in range and that shorter contexts lead to the root, so that a search
ends whatever the file holds.

A file of up to `READ_MOST` bytes is read into memory. A larger one is mapped into memory, and processes share it; the
system ends a process whose mapped file is truncated, so replace such a file by a new one, never write into it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from asr.config import shown
from asr.errors import CheckpointError, one_line
from asr.files import check_readable, write_file
from asr.lm.automaton import NONE, Automaton
from asr.lm.model import Unit
from asr.lm.ngram import LARGEST_BACKOFF, NgramModel
from asr.lm.quantised import SmallModel, packed
from asr.lm.trie import LONGEST

FORMAT = "ctc-asr-ngram-1"
QUANTISED = "ctc-asr-ngram-8bit-1"
READ_MOST = 1 << 30
"""The largest file, in bytes, that is read into memory: about 50 million n-grams, or 500 million in 8 bits."""

_KEY = "language_model"
_TYPES = {
    "first": np.int64, "symbol": np.int32, "log_prob": np.float32, "target": np.int32, "backoff": np.float32,
    "shorter": np.int32,
}  # fmt: skip


_SMALL_TYPES: Mapping[str, tuple[type, ...]] = {
    "children": (np.uint8, np.uint16, np.uint32), "symbol": (np.uint8, np.uint16, np.uint32), "states": (np.uint8,),
    "log_prob": (np.uint8,), "backoff": (np.uint8,), "scale": (np.float32,),
}  # fmt: skip


def save_binary(model: NgramModel, path: Path, quantise: bool = False) -> None:
    """Write a `.lm` file.

    Args:
        model: the model to save.
        path: the file to write.
        quantise: write the 8-bit form, see `asr.lm.quantised`.

    Raises:
        DataError: the file cannot be written; an existing file is left as it was.
    """
    from safetensors.numpy import save

    arcs = model.arcs
    header: dict[str, Any] = {
        "format": QUANTISED if quantise else FORMAT,
        "unit": model.unit,
        "symbols": list(model.symbols),
    }
    if quantise:
        tensors = packed(model)
    else:
        header |= {"start": arcs.start, "end": arcs.end, "unknown": arcs.unknown}
        tensors = {name: np.ascontiguousarray(getattr(arcs, name), kind) for name, kind in _TYPES.items()}
    write_file(path, save(tensors, {_KEY: json.dumps(header, ensure_ascii=False)}))


def load_binary(path: Path) -> NgramModel:
    """Load a `.lm` file with an n-gram model; a model in the 8-bit form is decoded later, where a search needs it.

    Raises:
        CheckpointError: the file is missing or damaged, or another program wrote it.
    """
    header, tensors = _read(path)
    try:
        return _checked_model(header, tensors)
    except ValueError as error:
        raise CheckpointError(f"{path} is not a complete language model: {error}") from error


def _read(path: Path) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Return the header of a file and its tensors, unchecked."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise CheckpointError(f"no language model at {path}")
    check_readable(path)
    try:
        with safe_open(str(path), framework="np") as file:  # checks that all tensors lie in the file
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
        return header, _tensors(path)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{path} is not a complete language model: {one_line(error)}") from error


def _tensors(path: Path) -> dict[str, NDArray[Any]]:
    kinds: Mapping[str, Any] = {
        "I64": np.int64, "I32": np.int32, "F32": np.float32, "U8": np.uint8, "U16": np.uint16, "U32": np.uint32,
    }  # fmt: skip
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        entries = json.loads(file.read(size))
    content = np.fromfile(path, np.uint8) if path.stat().st_size <= READ_MOST else np.memmap(path, np.uint8, "r")
    tensors = {}
    for name, entry in entries.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        tensor = content[8 + size + begin : 8 + size + end].view(kinds[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = np.asarray(tensor) if tensor.flags.aligned else np.array(tensor)
    return tensors


def _checked_model(header: object, tensors: Mapping[str, NDArray[Any]]) -> NgramModel:
    stated = header.get("format") if isinstance(header, dict) else None
    if not isinstance(header, dict) or stated not in (FORMAT, QUANTISED):
        raise ValueError(f"its format is {shown(stated)}; expected {FORMAT} or {QUANTISED}")
    symbols, unit = _symbols(header), header.get("unit")
    if unit not in get_args(Unit):
        raise ValueError(f"its unit is {shown(unit)}; expected {', '.join(get_args(Unit))}")
    if stated == QUANTISED:
        small = {name: _array(tensors, name, kinds) for name, kinds in _SMALL_TYPES.items()}
        return SmallModel(symbols, cast(Unit, unit), small)
    arrays = {name: _array(tensors, name, (kind,)) for name, kind in _TYPES.items()}
    numbers = {name: header.get(name) for name in ("start", "end", "unknown")}
    if not all(type(one) is int for one in numbers.values()):
        raise ValueError("'start', 'end' and 'unknown' must be whole numbers")
    automaton = Automaton(**arrays, **numbers)  # type: ignore[arg-type]
    check_automaton(automaton, len(symbols))
    return NgramModel(symbols, cast(Unit, unit), automaton)


def _symbols(header: Mapping[str, Any]) -> tuple[str, ...]:
    symbols = header.get("symbols")
    if not isinstance(symbols, list) or not symbols or not all(isinstance(one, str) and one for one in symbols):
        raise ValueError("its symbols are not a list of strings")
    if len(set(symbols)) < len(symbols):
        raise ValueError("two of its symbols are the same")
    return tuple(symbols)


def _array(tensors: Mapping[str, NDArray[Any]], name: str, kinds: tuple[type, ...]) -> NDArray[Any]:
    one = tensors.get(name)
    if one is None or one.ndim != 1 or one.dtype not in kinds:
        raise ValueError(f"it lacks an array {name} of {' or '.join(np.dtype(kind).name for kind in kinds)}")
    return one


def check_automaton(automaton: Automaton, n_symbols: int) -> None:
    """Check an automaton, so that searches need no checks.

    Args:
        automaton: the automaton, with all its states.
        n_symbols: how many symbols the model has.

    Raises:
        ValueError: the arrays do not form the automaton of an n-gram model, or a number is out of range.
    """
    first, symbol, target, shorter = automaton.first, automaton.symbol, automaton.target, automaton.shorter
    arcs, states = len(symbol), len(automaton.backoff)
    sizes = len(first) == states + 1 == len(shorter) + 1 and len(target) == len(automaton.log_prob) == arcs
    _require(states > 0 and sizes, "its arrays do not fit each other")
    _require(
        first[0] == 0 and first[-1] == arcs and bool((np.diff(first) >= 0).all()), "the arcs of its states overlap"
    )
    _require(first[1] == n_symbols <= arcs, "its root lacks an arc for a symbol")
    _require(bool((symbol[:n_symbols] == np.arange(n_symbols)).all()), "its root lacks an arc for a symbol")
    _require(_within(symbol, 0, n_symbols), "a symbol of an arc is out of range")
    rises = np.diff(symbol) > 0
    borders = first[1:-1] - 1  # between the last arc of a state and the first of the next
    rises[borders[(borders >= 0) & (borders < arcs - 1)]] = True
    _require(bool(rises.all()), "the arcs of a state are not sorted")
    _require(_within(target, 0, states), "a target of an arc is out of range")
    _require(shorter[0] == NONE, "the root has a shorter context")
    _require(
        bool((shorter[1:] >= 0).all() and (shorter[1:] < np.arange(1, states)).all()), "its contexts lead in a circle"
    )
    behind = np.concatenate([[0], shorter[1:]])
    for _ in range(LONGEST.bit_length()):
        behind = behind[behind]
    _require(not behind.any(), f"it has contexts of more than {LONGEST} symbols")
    before = np.concatenate([[0], np.maximum.accumulate(target)])
    _require(bool((np.diff(before) <= 1).all()) and before[-1] == states - 1, "its states are not those of n-grams")
    _require(bool((automaton.log_prob <= 0).all()), "a log probability is above 0 or not a number")
    _require(bool(np.isfinite(automaton.backoff).all()), "a back-off weight is not finite")
    _require(bool((automaton.backoff <= LARGEST_BACKOFF).all()), f"a back-off weight is above {LARGEST_BACKOFF:.0f}")
    _require(0 <= automaton.start < states, "its start is out of range")
    _require(
        NONE <= automaton.end < n_symbols and NONE <= automaton.unknown < n_symbols, "a special symbol is out of range"
    )


def _require(good: bool | np.bool_, problem: str) -> None:
    if not good:
        raise ValueError(problem)


def _within(values: NDArray[Any], low: int, high: int) -> bool:
    return len(values) == 0 or bool(values.min() >= low and values.max() < high)
