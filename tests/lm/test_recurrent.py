"""Recurrent language models: numpy computes what torch does, and the automaton says what the model says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asr.config import Component
from asr.errors import CheckpointError, ConfigError, DataError
from asr.experiment.schema import GROUPS
from asr.lm.automaton import NONE
from asr.lm.model import END, SPACE, UNKNOWN
from asr.lm.recurrent import RecurrentModel
from asr.lm.recurrent_file import load_recurrent, save_recurrent
from asr.lm.recurrent_header import LabelModelHeader
from asr.lm.recurrent_perplexity import measure_recurrent_perplexity
from asr.lm.recurrent_symbols import ASCII, character_symbols, decoded, encoded
from asr.lm.stored import load_model
from asr.recurrent.label_model import LabelModel, LabelModelConfig
from tests.recurrent.cells.cases import randomise

SYMBOLS = character_symbols("abc ", unknown=False)


def made(symbols: tuple[str, ...] = SYMBOLS, cell: str = "lstm", **options: Any) -> tuple[LabelModel, RecurrentModel]:
    """The same model for torch and for numpy, with weights that make it far from linear."""
    torch.manual_seed(0)
    node = asdict(GROUPS["model/cell"][cell]()) | options.pop("of_cell", {})
    config = LabelModelConfig(cell=node, **({"hidden": 6, "embedding": 4, "layers": 2} | options))
    component = Component.of(config)
    model = LabelModel(len(symbols), **component.options).eval()
    randomise(model)
    header = LabelModelHeader(symbols, "characters", component)
    return model, RecurrentModel(header, weights_of(model))


def weights_of(model: LabelModel) -> Mapping[str, Any]:
    return {name: value.numpy().copy() for name, value in model.state_dict().items()}


CELLS = [
    ("lstm", {}), ("lstm_peephole", {}), ("gru", {}), ("gru_before", {}), ("simple", {}),
    ("simple", {"activation": "relu"}), ("lstm_projected", {"projection": 3}), ("odyssey", {"variant": "FGR"}),
    ("odyssey", {"variant": "CIFG"}),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "of_cell"), CELLS)
@pytest.mark.parametrize("options", [{"layers": 1}, {"layers": 3, "skips": True}])
def test_numpy_reads_as_torch_does(cell: str, of_cell: dict[str, Any], options: dict[str, Any]) -> None:
    model, numpy = made(cell=cell, of_cell=of_cell, **options)
    labels = torch.randint(0, len(SYMBOLS), (3, 9), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, _ = model(labels, model.initial_states(3))
    states = numpy.before_text(3)
    for place in range(9):
        log_probs, states = numpy.step(states, labels[:, place].numpy())
        np.testing.assert_allclose(log_probs, expected[:, place], rtol=1e-4, atol=2e-5)
        np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, rtol=1e-5)


def test_a_text_alone_is_read_as_beside_others() -> None:
    _, model = made()
    texts = ["abc a", "", "b", "ccc bba", "a"]
    np.testing.assert_allclose(model.log_probs(texts), [model.log_prob(one) for one in texts], rtol=1e-5)


def test_the_probabilities_of_all_texts_and_of_what_goes_on_sum_to_one() -> None:
    _, model = made()
    length = 3
    texts = ["".join(one) for size in range(length) for one in product("abc", repeat=size)]
    total = sum(np.exp(model.log_probs(texts)))
    automaton, rest = model.automaton(), 0.0
    paths = [(0, 0.0, False)]
    for _ in range(length):
        states = np.array([state for state, _, _ in paths], dtype=np.int32)
        arcs = automaton.expanded(states)
        following = []
        for state, score, spaced in paths:
            for symbol in range(len(SYMBOLS)):
                log_prob, target = arcs.step(state, symbol)
                blank = spaced or SYMBOLS[symbol] == SPACE
                if SYMBOLS[symbol] == END:
                    rest += np.exp(score + log_prob) if spaced else 0.0  # texts with blanks, not counted above
                else:
                    following.append((target, score + log_prob, blank))
        paths = following
    rest += sum(np.exp(score) for _, score, _ in paths)
    assert total + rest == pytest.approx(1, rel=1e-5)


def test_an_utterance_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asr.lm.recurrent_automaton.MOST_BYTES", 1 << 20)
    automaton = made()[1].automaton()

    held = [0]

    def go_on() -> None:
        state = np.zeros(1, dtype=np.int32)
        while held[-1] < 10 << 20:
            state = automaton.expanded(state).target[-1:]
            held.append(sum(one.nbytes for one in vars(automaton).values() if isinstance(one, np.ndarray)))

    message = "recurrent language model needs more than .* states in one utterance, .* 1 MiB; divide the recording"
    with pytest.raises(DataError, match=message):
        go_on()
    assert 0.9 * (1 << 20) < max(held) <= (1 << 20) + 1000


@pytest.mark.parametrize("order", ["one at a time", "together"])
def test_the_arcs_of_a_sentence_are_its_probability(order: str) -> None:
    _, model = made()
    automaton = model.automaton()
    assert not automaton.complete
    texts = ["ab c", "abba", "a", "ab c"]
    numbers = [model.numbers_of(text) for text in texts]
    scores, states = np.zeros(len(texts)), np.zeros(len(texts), dtype=np.int32)
    for place in range(max(map(len, numbers))):
        running = [which for which, one in enumerate(numbers) if len(one) > place]
        if order == "together":
            automaton.expanded(states[running])
        for which in running:
            log_prob, states[which] = automaton.expanded(states[which : which + 1]).step(
                int(states[which]), numbers[which][place]
            )
            scores[which] += log_prob
    np.testing.assert_allclose(scores, [model.log_prob(text) for text in texts], rtol=1e-4, atol=1e-4)
    assert (states == 0).all()  # the end leads to the start


def test_the_automaton_stays_one_while_it_grows() -> None:
    _, model = made()
    growing, rng = model.automaton(), np.random.default_rng(3)
    arcs = growing.expanded(np.zeros(1, np.int32))
    seen = {}
    for _ in range(60):  # more than the first capacity
        states = rng.choice(arcs.target[arcs.target > 0], 4).astype(np.int32)
        arcs = growing.expanded(states)
        for state in states:
            seen[int(state)] = [arcs.step(int(state), symbol) for symbol in range(len(SYMBOLS))]
    assert len(seen) > 64
    n_states = len(arcs.backoff)
    assert len(arcs.first) == n_states + 1 == len(arcs.shorter) + 1
    assert arcs.first[-1] == len(arcs.symbol) == len(arcs.target) == len(arcs.log_prob)
    assert (np.diff(arcs.first) >= 0).all()
    assert arcs.target.max() < n_states
    assert len(set(arcs.target.tolist())) == (arcs.target > 0).sum() + 1
    assert arcs.shorter[arcs.first[1:] > arcs.first[:-1]].max() == NONE
    for state, expected in seen.items():
        assert [arcs.step(state, symbol) for symbol in range(len(SYMBOLS))] == expected
    assert growing.expanded(np.array(list(seen), dtype=np.int32)).symbol is not None
    assert len(growing.expanded(np.array(list(seen), dtype=np.int32)).backoff) == n_states  # nothing was new


def test_what_the_model_does_not_know() -> None:
    _, model = made()
    assert model.log_prob("axb") == -np.inf
    assert model.log_probs(["axb", "ab"])[1] == model.log_prob("ab")
    _, open_model = made(character_symbols("ab", unknown=True))
    assert open_model.log_prob("axb") == open_model.log_prob("ayb") > -np.inf
    assert open_model.automaton().expanded(np.zeros(1, np.int32)).unknown == open_model.symbols.index(UNKNOWN)


def test_perplexity_is_that_of_the_sentences() -> None:
    _, model = made()
    sentences = ["abc a", "b", "ccc bba", "", "axb"]
    found = measure_recurrent_perplexity(model, sentences)
    assert (found.sentences, found.symbols, found.unknown) == (4, 16, 1)
    assert found.predicted == found.characters == 19
    expected = sum(model.log_probs(["abc a", "b", "ccc bba", "ab"]))
    assert found.log_prob == pytest.approx(expected, rel=1e-5)
    with pytest.raises(DataError, match="the text .* is empty"):
        measure_recurrent_perplexity(model, [""])


def test_what_is_unknown_is_read_and_not_counted() -> None:
    _, model = made(character_symbols("ab", unknown=True))
    found = measure_recurrent_perplexity(model, ["axb"])
    assert (found.symbols, found.unknown, found.predicted) == (3, 1, 3)
    log_probs = model.predictions([model.numbers_of("axb")])[0]
    assert found.log_prob == pytest.approx(float(log_probs[[0, 2, 3]].sum()), rel=1e-6)


def test_symbols_and_texts() -> None:
    symbols = character_symbols(ASCII, unknown=False)
    assert len(symbols) == 96
    assert SPACE in symbols
    assert symbols[0] == END
    lines = ["To be, or not", "", "~{x}"]
    numbers = encoded(lines, symbols)
    assert decoded(numbers, symbols) == "To be, or not\n\n~{x}\n"
    assert encoded(["\u00e9"], symbols).tolist() == [-1, 0]
    with_unknown = character_symbols("ab", unknown=True)
    assert decoded(encoded(["a\u00e9b"], with_unknown), with_unknown) == "a\N{REPLACEMENT CHARACTER}b\n"


@pytest.mark.parametrize("store", ["float32", "float16"])
def test_a_file_holds_all_of_it(store: str, tmp_path: Path) -> None:
    _, model = made()
    save_recurrent(model, tmp_path / "model.lm", store)
    loaded = load_model(tmp_path / "model.lm")
    assert isinstance(loaded, RecurrentModel)
    assert loaded.header == model.header
    tolerance = 0 if store == "float32" else 2e-2
    assert loaded.log_prob("abc a") == pytest.approx(model.log_prob("abc a"), abs=tolerance)


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    _, model = made()
    with pytest.raises(ConfigError, match="weights as int4; give float32 or float16"):
        save_recurrent(model, tmp_path / "model.lm", "int4")
    with pytest.raises(ConfigError, match=r"ends in \.lm"):
        save_recurrent(model, tmp_path / "model.arpa")


def test_a_cell_that_numpy_does_not_run_is_named() -> None:
    with pytest.raises(
        ConfigError, match="the numpy engine, .* does not support this one: the cell is a 'LayerNormLstmCell'"
    ):
        made(cell="lstm_layernorm")


DAMAGE = {
    "format": ("another", "its format is another; expected"),
    "unit": ("words of wisdom", "its unit is"),
    "symbols": (["a", "a", END], "not all different"),
    "model": ({"_target_": "os.system"}, "the network is 'os.system'"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_header_is_explained(name: str, tmp_path: Path) -> None:
    _, model = made()
    path, (value, message) = tmp_path / "model.lm", DAMAGE[name]
    write(path, model, model.header.to_dict() | {name: value})
    with pytest.raises(CheckpointError, match=message):
        load_recurrent(path)


def write(path: Path, model: RecurrentModel, header: object) -> None:
    from safetensors.numpy import save_file

    save_file(dict(model.weights), path, {"language_model": json.dumps(header)})


def test_a_file_cut_short_is_explained(tmp_path: Path) -> None:
    _, model = made()
    path = tmp_path / "model.lm"
    save_recurrent(model, path)
    whole = path.read_bytes()
    for length in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="not a complete language model"):
            load_model(path)


@pytest.mark.parametrize("change", ["shape", "missing", "nan"])
def test_weights_that_do_not_fit_are_explained(change: str, tmp_path: Path) -> None:
    _, model = made()
    weights = dict(model.weights)
    if change == "shape":
        weights["embedding.weight"] = weights["embedding.weight"][:, :2]
    elif change == "missing":
        del weights["stack.output.bias"]
    else:
        weights["stack.output.bias"] = np.full_like(weights["stack.output.bias"], np.nan)
    with pytest.raises(CheckpointError, match="weights"):
        RecurrentModel(model.header, weights)
