"""Generate text with a language model, one symbol after another.

Each symbol is drawn from p(symbol | text so far) ** (1 / temperature), normalised. A temperature below 1 prefers
probable symbols, 0 always takes the most probable one, and above 1 improbable symbols become more frequent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values, shown
from asr.errors import ConfigError
from asr.lm.automaton import NONE, Automaton
from asr.lm.model import BEGIN, END, SPACE, UNKNOWN, LanguageModel
from asr.lm.recurrent import RecurrentModel
from asr.printable import printable
from asr.seeds import generator

_LONGEST = 10**7  # the most symbols to generate


def generated(model: LanguageModel, prompt: str, length: int, temperature: float, seed: int) -> Iterator[str]:
    """Yield the continuation of a prompt, symbol by symbol, as readable text.

    Args:
        model: any language model.
        prompt: the beginning of the text, which is not yielded. For a model of characters every character counts, also
            a blank at the end; otherwise words or labels with white space between them.
        length: how many symbols to generate, ends of sentences (yielded as line breaks) included.
        temperature: 0 to 100.
        seed: the same seed gives the same text.

    Raises:
        ConfigError: the length or the temperature is out of range, or the model does not know a symbol of the prompt.

    >>> from asr.lm.stored import load_model
    >>> "".join(generated(load_model("english_letters"), "the", length=5, temperature=0, seed=1))
    ' same'
    """
    conditions = {
        "length": (0 <= length <= _LONGEST, f"0 to {_LONGEST}"),
        "temperature": (0 <= temperature <= 100, "0 to 100"),
    }
    check_values({"length": length, "temperature": temperature}, conditions)
    text: _Text = _RecurrentText(model) if isinstance(model, RecurrentModel) else _NgramText(model)
    for number in _numbers(model, prompt):
        text.read(number)
    return _drawn(model, text, length, temperature, seed)


def _drawn(model: LanguageModel, text: _Text, length: int, temperature: float, seed: int) -> Iterator[str]:
    rng = generator(seed, "text")
    never = [number for number, symbol in enumerate(model.symbols) if symbol in (BEGIN, UNKNOWN)]
    written = [_written(symbol, model.unit == "characters") for symbol in model.symbols]
    for _ in range(length):
        log_probs = text.following().astype(np.float64)
        log_probs[never] = -np.inf
        number = int(log_probs.argmax()) if temperature == 0 else _draw(log_probs / temperature, rng)
        yield written[number]
        text.read(number)


def _draw(scores: NDArray[np.float64], rng: np.random.Generator) -> int:
    """Return a number drawn with a probability that is proportional to exp(score)."""
    weights = np.exp(scores - scores.max())
    return int(min(np.searchsorted(weights.cumsum(), rng.random() * weights.sum(), side="right"), len(scores) - 1))


def _numbers(model: LanguageModel, prompt: str) -> list[int]:
    """Return the numbers of a prompt's symbols.

    Raises:
        ConfigError: the model does not know one of them.
    """
    if model.unit == "characters":
        names = {" ": SPACE, "\n": END}
        symbols = [names.get(one, one) for one in unicodedata.normalize("NFC", prompt)]
    else:
        symbols = prompt.split()
    index = {one: number for number, one in enumerate(model.symbols)}
    if unknown := [one for one in symbols if one not in index]:
        raise ConfigError(f"the model does not know {shown(unknown[0])} of the prompt; give another prompt")
    return [index[one] for one in symbols]


def _written(symbol: str, characters: bool) -> str:
    """Return a symbol as readable text without control characters, which a model file from elsewhere may contain."""
    named = {END: "\n", SPACE: " "}
    if symbol in named:
        return named[symbol]
    return printable(symbol) + ("" if characters else " ")


class _Text(Protocol):
    """A text that grows by a symbol at a time."""

    def following(self) -> NDArray[np.float32]:
        """Return (L,) the natural logarithm of the probability of each symbol as the next one."""

    def read(self, number: int) -> None:
        """Add a symbol."""


class _RecurrentText:
    """A text by a recurrent model; earlier lines influence later ones."""

    def __init__(self, model: RecurrentModel) -> None:
        self._model = model
        self._following, self._state = model.step(model.before_text(1), np.array([model.header.end]))

    def following(self) -> NDArray[np.float32]:
        following: NDArray[np.float32] = self._following[0]
        return following

    def read(self, number: int) -> None:
        self._following, self._state = self._model.step(self._state, np.array([number]))


class _NgramText:
    """A text by an n-gram model; earlier lines do not influence later ones."""

    def __init__(self, model: LanguageModel) -> None:
        self._growing = model.automaton()
        self._n_symbols, self._state = len(model.symbols), self._growing.expanded(np.zeros(0, dtype=np.int32)).start

    @property
    def _arcs(self) -> Automaton:
        return self._growing.expanded(np.array([self._state], dtype=np.int32))

    def following(self) -> NDArray[np.float32]:
        arcs, state, weight = self._arcs, self._state, np.float32(0)
        found = np.full(self._n_symbols, -np.inf, dtype=np.float32)
        known = np.zeros(self._n_symbols, dtype=bool)
        while state != NONE:
            own = slice(arcs.first[state], arcs.first[state + 1])
            symbols, log_probs = arcs.symbol[own], arcs.log_prob[own]
            new = ~known[symbols]
            found[symbols[new]] = weight + log_probs[new]
            known[symbols] = True
            weight, state = weight + arcs.backoff[state], int(arcs.shorter[state])
        return found

    def read(self, number: int) -> None:
        arcs = self._arcs
        self._state = arcs.start if number == arcs.end else arcs.step(self._state, number)[1]
