"""`.lm` files from outside: whatever they hold, loading ends with a sentence or with a model that can be searched."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from asr.errors import CheckpointError, ConfigError
from asr.lm import binary
from asr.lm.automaton import Automaton
from asr.lm.binary import load_binary, save_binary
from asr.lm.corpus import Corpus
from asr.lm.ngram import NgramModel
from asr.lm.stored import load_model, save_model
from tests.commands import surroundings
from tests.lm.samples import estimate, sentences


@pytest.fixture(scope="module")
def model() -> NgramModel:
    return estimate(Corpus.of(sentences(30, words=10), "characters"), 4)


@pytest.mark.parametrize("quantise", [False, True])
def test_random_damage_never_crashes(model: NgramModel, quantise: bool, tmp_path: Path) -> None:
    path = tmp_path / "model.lm"
    save_binary(model, path, quantise)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    refused: list[str] = []
    header = int.from_bytes(content[:8], "little")
    for number in range(300):
        damaged = bytearray(content)
        low = 0 if number % 3 == 0 else 8 + header  # most of the damage to the arrays
        for place in rng.integers(low, len(content), rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged[: len(damaged) if number % 5 else rng.integers(len(damaged))])
        try:
            _walk(load_binary(path))
        except CheckpointError as error:
            refused.append(str(error))
    assert len(refused) > 60
    assert all(str(path) in one and "\n" not in one for one in refused)


def _walk(model: NgramModel) -> None:
    """Ask for every symbol in many states, as a search does; each question must end."""
    rng, growing, states = np.random.default_rng(1), model.automaton(), np.zeros(1, np.int32)
    for _ in range(8):
        arcs = growing.expanded(states)
        behind = {arcs.step(int(state), symbol)[1] for state in states for symbol in range(len(model.symbols))}
        states = rng.choice(sorted(behind), 4).astype(np.int32)
    for state in rng.integers(len(model.arcs.shorter), size=20):
        for symbol in range(len(model.symbols)):
            model.arcs.step(int(state), symbol)


def _changed(arcs: Automaton, name: str, place: int, value: Any) -> Automaton:
    array = np.array(getattr(arcs, name))
    array[place] = value
    return replace(arcs, **{name: array})


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("first", 0, 1, "the arcs of its states overlap"),
        ("first", 3, 10**9, "the arcs of its states overlap"),
        ("first", -1, 10**15, "the arcs of its states overlap"),
        ("first", 1, 5, "its root lacks an arc for a symbol"),
        ("symbol", 0, 1, "its root lacks an arc for a symbol"),
        ("symbol", -1, 30_000, "a symbol of an arc is out of range"),
        ("symbol", -1, -2, "a symbol of an arc is out of range"),
        ("target", 7, 10**9, "a target of an arc is out of range"),
        ("target", 7, -1, "a target of an arc is out of range"),
        ("shorter", 0, 0, "the root has a shorter context"),
        ("shorter", 5, 5, "its contexts lead in a circle"),
        ("shorter", 5, -1, "its contexts lead in a circle"),
        ("shorter", 5, 9, "its contexts lead in a circle"),
        ("log_prob", 5, 0.5, "a log probability is above 0 or not a number"),
        ("log_prob", 5, np.nan, "a log probability is above 0 or not a number"),
        ("backoff", 5, np.inf, "a back-off weight is not finite"),
        ("backoff", 5, 1000.0, "a back-off weight is above 69"),
        ("backoff", 5, np.nan, "a back-off weight is not finite"),
    ],
)
def test_what_is_wrong_is_named(
    model: NgramModel, name: str, place: int, value: Any, message: str, tmp_path: Path
) -> None:
    save_binary(replace(model, arcs=_changed(model.arcs, name, place, value)), tmp_path / "bad.lm")
    with pytest.raises(CheckpointError, match=rf"bad\.lm is not a complete language model: {message}"):
        load_binary(tmp_path / "bad.lm")


def test_arcs_that_are_not_sorted_are_named(model: NgramModel, tmp_path: Path) -> None:
    symbol = np.array(model.arcs.symbol)
    state = next(one for one in range(1, 99) if model.arcs.first[one + 1] - model.arcs.first[one] > 1)
    at = model.arcs.first[state]
    for values in ((symbol[at + 1], symbol[at]), (symbol[at], symbol[at])):
        symbol[at], symbol[at + 1] = values
        save_binary(replace(model, arcs=replace(model.arcs, symbol=symbol)), tmp_path / "bad.lm")
        with pytest.raises(CheckpointError, match="the arcs of a state are not sorted"):
            load_binary(tmp_path / "bad.lm")


@pytest.mark.parametrize("at_root", [True, False])
def test_symbols_of_the_small_form_that_are_not_sorted_are_named(
    model: NgramModel, at_root: bool, tmp_path: Path
) -> None:
    path = tmp_path / "bad.lm"
    save_binary(model, path, quantise=True)
    content = path.read_bytes()
    meta = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    tensors = load(content)
    first = model.arcs.first
    at = 0 if at_root else int(first[next(one for one in range(1, 99) if first[one + 1] - first[one] > 1)])
    tensors["symbol"][at + 1] = tensors["symbol"][at]
    path.write_bytes(save(tensors, meta))
    with pytest.raises(CheckpointError, match="the symbols after a context are not sorted"):
        load_binary(path)


@pytest.mark.parametrize(("name", "value"), [("start", 10**9), ("start", -1), ("end", 10**6), ("unknown", -2)])
def test_numbers_out_of_range_are_named(model: NgramModel, name: str, value: int, tmp_path: Path) -> None:
    save_binary(replace(model, arcs=replace(model.arcs, **{name: value})), tmp_path / "bad.lm")
    with pytest.raises(CheckpointError, match="is out of range"):
        load_binary(tmp_path / "bad.lm")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "ctc-asr-ngram-9"}, "its format is ctc-asr-ngram-9; expected ctc-asr-ngram-1 or"),
        ({"unit": "syllables"}, "its unit is syllables; expected characters, labels, words"),
        ({"symbols": ["a", "a"]}, "two of its symbols are the same"),
        ({"symbols": []}, "its symbols are not a list of strings"),
        ({"symbols": [1, 2]}, "its symbols are not a list of strings"),
        ({"start": "0"}, "'start', 'end' and 'unknown' must be whole numbers"),
        ({"start": True}, "'start', 'end' and 'unknown' must be whole numbers"),
    ],
)
def test_what_a_header_says_is_checked(model: NgramModel, change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.lm"
    save_binary(model, path)
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["language_model"]) | change
    path.write_bytes(save(load(content), {"language_model": json.dumps(header)}))
    with pytest.raises(CheckpointError, match=message):
        load_binary(path)


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.lm"
    for content in (
        b"",
        b"\xff" * 100,
        b"to be or not to be",
        save({"x": np.zeros(3)}),
        save({}, {"language_model": "[["}),
    ):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"bad\.lm is not a complete language model"):
            load_model(path)


def test_missing_arrays_and_other_types_are_named(model: NgramModel, tmp_path: Path) -> None:
    path = tmp_path / "bad.lm"
    for quantise, name in ((False, "first"), (True, "scale")):
        save_binary(model, path, quantise)
        content = path.read_bytes()
        meta = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        tensors = load(content)
        for other in ({}, {name: tensors[name].astype(np.float64)}, {name: tensors[name].reshape(1, -1)}):
            path.write_bytes(save({key: one for key, one in tensors.items() if key != name} | other, meta))
            with pytest.raises(CheckpointError, match=f"lacks an array {name} of|dtype|F64"):
                load_model(path)


def test_a_chain_of_contexts_without_end_is_refused(tmp_path: Path) -> None:
    states = 200
    arcs = Automaton(
        first=np.array([0, *range(1, states + 1), states], np.int64)[: states + 1],
        symbol=np.zeros(states, np.int32),
        log_prob=np.zeros(states, np.float32),
        target=np.minimum(np.arange(1, states + 1), states - 1).astype(np.int32),
        backoff=np.zeros(states, np.float32),
        shorter=np.arange(-1, states - 1, dtype=np.int32),
        start=0,
    )
    save_binary(NgramModel(("a",), "labels", arcs), tmp_path / "bad.lm")
    with pytest.raises(CheckpointError, match="contexts of more than 64 symbols"):
        load_binary(tmp_path / "bad.lm")


def test_names_that_are_no_model(model: NgramModel, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no language model is named englsh; expected a file ending in .lm, .arpa"):
        load_model("englsh")
    with pytest.raises(ConfigError, match=r"expected a name that ends in .lm, .arpa, .arpa.gz"):
        save_model(tmp_path / "model.txt", model)
    with pytest.raises(ConfigError, match=r"only .lm files can store numbers in 8 bits"):
        save_model(tmp_path / "model.arpa", model, quantise=True)
    with pytest.raises(CheckpointError, match=r"no language model at .*nothing\.lm"):
        load_model(tmp_path / "nothing.lm")


def test_a_large_file_is_mapped_and_not_copied(
    model: NgramModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_binary(model, tmp_path / "model.lm")
    monkeypatch.setattr(binary, "READ_MOST", 1000)
    arcs = load_binary(tmp_path / "model.lm").arcs
    for name in ("first", "symbol", "log_prob", "target", "backoff", "shorter"):
        base = getattr(arcs, name)
        while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
            base = base.base
        assert isinstance(base, np.memmap), name
        assert getattr(arcs, name).flags.aligned


CUT = """
import os, sys
from asr.lm.stored import load_model
model = load_model(sys.argv[1])
os.truncate(sys.argv[1], 100)
print(model.arcs.log_prob.sum(), model.trie.suffix.sum())
"""


@pytest.mark.parametrize("quantise", [False, True])
def test_a_file_may_be_cut_while_its_model_is_in_use(model: NgramModel, quantise: bool, tmp_path: Path) -> None:
    """In a process of its own, which the system would end if it had mapped the file."""
    path = tmp_path / "model.lm"
    save_binary(model, path, quantise)
    whole = load_binary(path)
    done = subprocess.run(
        [sys.executable, "-c", CUT, str(path)], capture_output=True, text=True, env=surroundings(), check=False
    )
    assert (done.returncode, done.stdout.split()) == (
        0,
        [str(whole.arcs.log_prob.sum()), str(whole.trie.suffix.sum())],
    )
