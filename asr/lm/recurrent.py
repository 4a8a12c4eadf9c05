"""Run a recurrent language model with numpy; `asr.recurrent.label_model` has the torch module for training.

The state of a text is the output and the memory of every layer after its last symbol. The model advances many states at
a time, with one matrix product per layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.blas import one_thread
from asr.config import Component, Faults, configured
from asr.engines.engine import FloatArray, IntArray, Network
from asr.engines.fitting import Expected, fitted
from asr.engines.layers import layers_of, why_not
from asr.engines.loop_weights import LoopWeights, loop_weights_of
from asr.errors import ConfigError
from asr.lm.automaton import NONE
from asr.lm.corpus import split_sentence
from asr.lm.model import UNKNOWN, Unit
from asr.lm.recurrent_automaton import RecurrentAutomaton
from asr.lm.recurrent_header import LabelModelHeader
from asr.recurrent.options import LabelModelConfig, check_embedding, stack_of

_EMBEDDING, _STACK = "embedding.weight", "stack."  # in the names of the weights


class RecurrentModel:
    """A recurrent language model: a `LanguageModel` that also scores and generates text.

    Args:
        header: the description of the model.
        weights: the weights of the network, by their names in `LabelModel`.

    Raises:
        ConfigError: the numpy engine does not support this network or cell, or an option is out of range.
        CheckpointError: the weights do not fit the network.
    """

    def __init__(self, header: LabelModelHeader, weights: Mapping[str, NDArray[Any]]) -> None:
        self.header, self.weights = header, weights
        config = label_model_config(header.model)
        n_labels = len(header.symbols)
        own = {name: value for name, value in weights.items() if not name.startswith(_STACK)}
        embedding = fitted(own, {_EMBEDDING: Expected((n_labels, config.embedding))})[_EMBEDDING]
        of_stack = {name.removeprefix(_STACK): one for name, one in weights.items() if name.startswith(_STACK)}
        described = layers_of(Network(_stack(config), config.embedding, n_labels, of_stack))
        loops = [loop_weights_of(layer.cells) for layer in described.layers]
        self._layers = [
            _Layer(loop, described.cells[0].hidden, described.output_size, described.skip)
            for loop, described in zip(loops, described.layers, strict=True)
        ]
        self._embedding = embedding
        self._first = loops[0].products([embedding])[0]  # (L, G): input products of the first layer for each label
        self._output_weight = np.ascontiguousarray(described.output_weight.T)
        self._output_bias = described.output_bias
        self.state_size = sum(layer.state_size for layer in self._layers)

    @property
    def unit(self) -> Unit:
        """The unit of the symbols."""
        return self.header.unit

    @property
    def symbols(self) -> Sequence[str]:
        """The symbols by number."""
        return self.header.symbols

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The number of each symbol."""
        return {one: number for number, one in enumerate(self.symbols)}

    @property
    def unknown(self) -> int:
        """The number of `UNKNOWN`, or `NONE`."""
        return self.index.get(UNKNOWN, NONE)

    def automaton(self) -> RecurrentAutomaton:
        """Return a new automaton for searches, in which no state is computed yet."""
        return RecurrentAutomaton(self, self.header.end, self.unknown)

    def before_text(self, n_texts: int) -> FloatArray:
        """Return the states (B, V) before the first symbol of B texts; `END` must be read first."""
        return np.zeros((n_texts, self.state_size), dtype=np.float32)

    def step(self, states: FloatArray, symbols: IntArray) -> tuple[FloatArray, FloatArray]:
        """Read one symbol of each of B texts.

        Args:
            states: (B, V) float32, from `before_text` or the last call.
            symbols: (B,) numbers of symbols.

        Returns:
            (B, L) float32, natural logarithms of the probabilities of the next symbol; and the next states (B, V).
        """
        after, at = np.empty_like(states), 0
        with one_thread(), np.errstate(all="ignore"):  # damaged weights may give infinite values
            given, rows = self._first[symbols], self._embedding[symbols]
            for layer in self._layers:
                place = slice(at, at + layer.state_size)
                outputs = layer.run(given, states[:, place], after[:, place])
                rows = outputs + rows if layer.skip else outputs
                at += layer.state_size
                if layer is not self._layers[-1]:
                    given = self._layers[self._layers.index(layer) + 1].weights.products([rows])[0]
            scores = rows @ self._output_weight
            scores += self._output_bias
            scores -= scores.max(axis=1, keepdims=True)
            scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return scores, after

    def numbers_of(self, sentence: str) -> list[int]:
        """Return the numbers of the symbols of a sentence, and of its end.

        A symbol that the model does not know becomes `UNKNOWN`; if the model lacks `UNKNOWN`, it becomes `NONE`.

        Args:
            sentence: a text of characters, or words or labels with white space between them.
        """
        found = [self.index.get(one, self.unknown) for one in split_sentence(sentence, self.unit)]
        return [*found, self.header.end]

    def log_prob(self, sentence: str) -> float:
        """Return the log probability of a sentence with its end; `-inf` if the model lacks a symbol and `UNKNOWN`."""
        return self.log_probs([sentence])[0]

    def log_probs(self, sentences: Iterable[str]) -> list[float]:
        """Return what `log_prob` returns for each sentence, but compute all sentences together."""
        numbers = [self.numbers_of(one) for one in sentences]
        found = self.predictions([[one for one in each if one != NONE] for each in numbers])
        return [-np.inf if NONE in each else float(one.sum()) for each, one in zip(numbers, found, strict=True)]

    def predictions(self, sentences: Sequence[Sequence[int]]) -> list[NDArray[np.float64]]:
        """Return the log probability of each symbol of each sentence; all sentences are computed together.

        Args:
            sentences: numbers of symbols from `numbers_of`, without `NONE`.
        """
        found = [np.zeros(len(one)) for one in sentences]
        longest_first = sorted((which for which, one in enumerate(sentences) if one), key=lambda i: -len(sentences[i]))
        states = self.before_text(len(longest_first))
        last = np.full(len(longest_first), self.header.end, dtype=np.int64)
        for place in range(len(sentences[longest_first[0]]) if longest_first else 0):
            running = [which for which in longest_first if len(sentences[which]) > place]
            log_probs, states = self.step(states[: len(running)], last[: len(running)])
            last = np.array([sentences[which][place] for which in running])
            for row, which in enumerate(running):
                found[which][place] = log_probs[row, last[row]]
        return found


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer.

    Attributes:
        weights: the weights, in the form that the loop over time reads.
        hidden: H, how many units the layer has.
        output_size: O, how many values an output has.
        skip: whether the input of the layer is added to its output.
    """

    weights: LoopWeights
    hidden: int
    output_size: int
    skip: bool

    @property
    def state_size(self) -> int:
        """The number of values in the state of the layer: the output, and the memory of the units."""
        return self.output_size + self.weights.recurrence.memory * self.hidden

    def run(self, given: FloatArray, state: FloatArray, after: FloatArray) -> FloatArray:
        """Run one step.

        Args:
            given: (B, G) input products.
            state: (B, V) the states of this layer.
            after: (B, V) receives the next states.

        Returns:
            The outputs (B, O).
        """
        size, memory = self.output_size, self.weights.recurrence.memory
        last = np.ascontiguousarray(state[:, :size])[None]  # (1, B, O)
        kept = np.ascontiguousarray(state[:, size:].reshape(len(state), memory, self.hidden).transpose(1, 0, 2))
        kept = kept[:, None]  # (K, 1, B, H)
        found = np.empty((1, *last.shape), dtype=np.float32)
        self.weights.recurrence.go_on(kept)(last, given[None, None], found)
        after[:, :size] = found[0, 0]
        after[:, size:] = kept[:, 0].transpose(1, 0, 2).reshape(len(state), -1)
        outputs: FloatArray = found[0, 0] * np.float32(self.weights.scale)
        return outputs


def _stack(config: LabelModelConfig) -> Component:
    options = vars(stack_of(config))
    return Component(options["_target_"], {name: value for name, value in options.items() if name != "_target_"})


def label_model_config(model: Component) -> LabelModelConfig:
    """Return the options of a network after checking that the numpy engine supports it.

    Raises:
        ConfigError: the network is not a `LabelModel`, its cell is not supported, or an option is out of range.
    """
    if model.target != LabelModelConfig._target_:
        raise ConfigError(f"the network is {model.target[:120]!r}; expected {LabelModelConfig._target_}")
    faults = Faults()
    with faults.noted("model"):
        config = configured(model, LabelModelConfig)
        check_embedding(config.embedding)
        reason = why_not(Network(_stack(config), config.embedding, 1, {}))
        if reason:
            raise ConfigError(f"the numpy engine, which runs language models, does not support this one: {reason}")
    faults.check()
    return config
