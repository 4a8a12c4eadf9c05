"""Phrase boosting: add a bonus to hypotheses that contain words and phrases that a user expects.

A prefix automaton of the phrases (Aho and Corasick 1975) runs beside the search. Each label that continues a phrase
adds the weight of the phrase. If the phrase breaks off, its sum is subtracted again, so that only complete phrases
count: the final score of a labelling contains, for each occurrence of a phrase, the weight of the phrase times the
number of its labels. In an inventory of characters a phrase begins and ends at word boundaries: "art" does not occur in
"start".
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.config import nearest, shown
from asr.decoding.files import is_shipped
from asr.decoding.word_list import Faults, word_rows
from asr.errors import ConfigError, DataError
from asr.text import normalise_text

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory

_MOST_BYTES = 256 << 20
_SHARE_OF_FREQUENCIES, _MOST_OF_FREQUENCIES = 0.25, 0.5  # chosen on AN4's dev set
_HINTS = 20  # faults that suggest another spelling: finding one takes a millisecond
_OUTSIDE, _START = 0, 1
"""The states inside a word that is not part of a phrase, and at a place where a phrase may begin."""


@dataclass(frozen=True, eq=False)
class Boost:
    """The automaton of phrases, with S states. An utterance begins in state 1.

    State 0 is inside a word that is not part of a phrase; in state 1, a phrase may begin.

    Attributes:
        target: (S * L,) int32, the next state after a label in a state.
        gain: (S * L,) nats that the label adds to the score, negative if a phrase breaks off.
        end_gain: (S,) nats that the end of the utterance adds, negative within an unfinished phrase.
    """

    target: NDArray[np.int32]
    gain: NDArray[np.float64]
    end_gain: NDArray[np.float64]

    @classmethod
    def of(cls, phrases: Mapping[tuple[int, ...], float], inventory: Inventory) -> Boost:
        """Make the automaton.

        Args:
            phrases: maps the label indices of each phrase, without spaces at its ends, to the nats for each of its
                labels.
            inventory: L labels.

        Raises:
            ConfigError: the phrases are so many that the automaton would take more than 256 MiB.

        >>> from asr.corpus.inventory import Inventory
        >>> inventory = Inventory(("<blank>", "a", "b", "c"), unit="labels")
        >>> boost = Boost.of({(1, 2): 0.5}, inventory)  # the phrase "a b", half a nat for each label
        >>> boost.gains([3, 1, 2])
        (1.0, 0.0)
        >>> boost.gains([3, 1])  # the end removes the bonus of the unfinished phrase
        (0.5, -0.5)
        """
        n_states = 2 + sum(map(len, phrases))
        if n_states * len(inventory) * 12 > _MOST_BYTES:
            raise ConfigError(f"{len(phrases)} phrases are too many to boost; use decoder=lexicon for this many")
        whole = inventory.unit != "characters"
        spaces = {at for at, one in enumerate(inventory.labels) if not whole and one.isspace()}
        return _Builder(len(inventory), spaces, whole).build(phrases)

    @property
    def is_there(self) -> bool:
        """True if there are phrases."""
        return len(self.end_gain) > 2

    def gains(self, labels: Sequence[int]) -> tuple[float, float]:
        """Return the nats that labels add up to, and the nats that the end adds, negative in an unfinished phrase."""
        if not self.is_there:
            return 0.0, 0.0
        state, total, n_labels = _START, 0.0, len(self.target) // len(self.end_gain)
        for label in labels:
            at = state * n_labels + label
            total, state = total + float(self.gain[at]), int(self.target[at])
        return total, float(self.end_gain[state])


def read_phrases(path: str | Path, inventory: Inventory, weight: float) -> dict[tuple[int, ...], float]:
    """Read phrases: one per line, optionally with a tab and a frequency after it, as in a lexicon.

    Frequent phrases get a larger bonus: a quarter of the logarithm of the frequency, relative to the geometric mean of
    all frequencies, is added to the weight of the labels, but at most half of that weight:

        gain = weight * labels + clip(log(frequency / mean) / 4, -weight * labels / 2, weight * labels / 2)

    Args:
        path: a UTF-8 text file, compressed if its name ends in `.gz`, or the name of a file that comes with the
            package. Empty lines are ignored; in a file of the package, so are phrases that the inventory cannot spell.
            A phrase without a frequency has the frequency 1.
        inventory: the labels; if they are whole labels (phonemes), a line has them with blanks between them.
        weight: nats for each label of a phrase.

    Returns:
        The label indices of each phrase, and the nats for each of its labels.

    Raises:
        DataError: the file cannot be read or holds no phrase. As `Problems`, all together: phrases that the inventory
            cannot spell, and malformed frequencies.
    """
    found: dict[tuple[int, ...], float] = {}
    faults, leave_out = Faults(Path(path).name), is_shipped(path)
    for number, line in enumerate(word_rows(path, "a list of words, one per line"), 1):
        phrase, _, frequency = line.partition("\t")
        symbols = list(normalise_text(phrase)) if inventory.unit == "characters" else phrase.split()
        if not symbols:
            continue
        value = _frequency(frequency)
        if value is None:
            faults.add(number, f"the frequency is {shown(frequency)}; expected a number above 0, such as 12")
        missing = next((one for one in symbols if one not in inventory.index), None)
        if missing is not None and leave_out:
            continue
        if missing is not None:
            hint = _hint(missing, inventory) if len(faults) < _HINTS else ""
            faults.add(number, f"{shown(missing)} in {shown(phrase)} is not among the labels{hint}")
        elif value is not None:
            labels = tuple(inventory.index[one] for one in symbols)
            found[labels] = found.get(labels, 0.0) + value
    faults.check()
    if not found:
        problem = "has no word that the inventory can spell" if leave_out else "is empty"
        raise DataError(f"{faults.name} {problem}; expected one word per line")
    mean = sum(map(math.log, found.values())) / len(found)
    return {labels: _gain(weight, math.log(one) - mean, len(labels)) for labels, one in found.items()}


def _gain(weight: float, log_frequency: float, n_labels: int) -> float:
    """Return the nats for each label of a phrase with a log frequency (relative to the mean).

    The influence of the frequency is limited, because otherwise a frequent phrase of a single letter would be inserted
    wherever the letter nearly fits.
    """
    most = _MOST_OF_FREQUENCIES * weight
    return weight + max(-most, min(_SHARE_OF_FREQUENCIES * log_frequency / n_labels, most))


def _hint(symbol: str, inventory: Inventory) -> str:
    swapped = symbol.swapcase()
    return f"; did you mean {swapped!r}?" if swapped in inventory.index else nearest(symbol, inventory.index)


def _frequency(text: str) -> float | None:
    """Read a frequency; 1 if the text is empty, None if it is not a number or out of range."""
    try:
        value = float(text or 1.0)
    except ValueError:
        return None
    return value if 0 < value <= 1e15 else None


@dataclass
class _Builder:
    """The tree of phrases; lists are indexed by state. States 0 and 1 (`_OUTSIDE`, `_START`) are before any phrase."""

    n_labels: int
    spaces: set[int]
    whole: bool  # whether a phrase may begin and end at any label
    children: list[dict[int, int]] = field(default_factory=lambda: [{}, {}])
    weight: list[float] = field(default_factory=lambda: [0.0, 0.0])  # the highest weight of the phrases through a state
    own: list[float] = field(default_factory=lambda: [0.0, 0.0])  # the whole gain of the phrase that ends in a state

    def build(self, phrases: Mapping[tuple[int, ...], float]) -> Boost:
        for labels, weight in phrases.items():
            self._add(labels, weight)
        n = len(self.children)
        target = np.full((n, self.n_labels), _START if self.whole else _OUTSIDE, dtype=np.int32)
        target[:, list(self.spaces)] = _START
        brought, whole = np.zeros(n), np.array(self.own)  # gains so far; of all phrases that end in a state
        target[_START, list(self.children[_START])] = list(self.children[_START].values())
        waiting = deque((child, int(target[_OUTSIDE, label]), 1, 0.0) for label, child in self.children[_START].items())
        while waiting:  # short prefixes first: `later`, the state of the longest proper suffix, has its arcs already
            state, later, depth, ended = waiting.popleft()
            brought[state] = max(0.0, self.weight[state] * depth - ended)
            whole[state] += whole[later]
            target[state] = target[later]
            for label, child in self.children[state].items():
                goes_on = ended + (self.own[state] if self.whole or label in self.spaces else 0.0)
                waiting.append((child, int(target[later, label]), depth + 1, goes_on))
                target[state, label] = child
        gain = brought[target] - brought[:, None]
        gain[:, slice(None) if self.whole else list(self.spaces)] += whole[:, None]
        return Boost(target.reshape(-1), gain.reshape(-1), whole - brought)

    def _add(self, labels: tuple[int, ...], weight: float) -> None:
        state = _START
        for label in labels:
            following = self.children[state].setdefault(label, len(self.children))
            if following == len(self.children):
                self.children.append({})
                self.weight.append(0.0)
                self.own.append(0.0)
            state = following
            self.weight[state] = max(self.weight[state], weight)
        self.own[state] = weight * len(labels)
