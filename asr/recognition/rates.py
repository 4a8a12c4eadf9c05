"""The error rates a recogniser can report: what each of them compares, and after which folding.

| rate | inventory of | compares |
|---|---|---|
| `wer` | characters | words of the text |
| `cer` | characters | characters of the text, spaces included (as jiwer counts them) |
| `wer_folded`, `cer_folded` | characters | the same in lower case |
| `per` | labels | labels of the inventory |
| `per_39` | labels | TIMIT's labels folded to 39 (Lee and Hon 1989), silence counted as a label |
| `per_39_no_sil` | labels | the same with silence removed from reference and hypothesis |
| `ser` | both | whole utterances: wrong in anything |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asr.config import nearest
from asr.corpus.inventory import Inventory
from asr.corpus.phonemes import fold
from asr.errors import ConfigError, DataError

Tokens = tuple[str, ...]
_SILENCE = "sil"


def _words(symbols: Sequence[str]) -> Tokens:
    return tuple("".join(symbols).split())


def _lower(symbols: Sequence[str]) -> Tokens:
    return tuple("".join(symbols).lower())


def _lower_words(symbols: Sequence[str]) -> Tokens:
    return _words(_lower(symbols))


def _folded(symbols: Sequence[str]) -> Tokens:
    return fold(symbols, "timit61_to_39")


def _folded_without_silence(symbols: Sequence[str]) -> Tokens:
    return tuple(label for label in _folded(symbols) if label != _SILENCE)


def _whole(symbols: Sequence[str]) -> Tokens:
    return ("\n".join(symbols),)


_OF_CHARACTERS: dict[str, Callable[[Sequence[str]], Tokens]] = {
    "wer": _words,
    "cer": tuple,
    "wer_folded": _lower_words,
    "cer_folded": _lower,
    "ser": _whole,
}
_OF_LABELS: dict[str, Callable[[Sequence[str]], Tokens]] = {
    "per": tuple,
    "per_39": _folded,
    "per_39_no_sil": _folded_without_silence,
    "ser": _whole,
}
_BY_UNIT = {"characters": _OF_CHARACTERS, "labels": _OF_LABELS}


def tokens(rate: str, symbols: Sequence[str]) -> Tokens:
    """What a rate compares of a reference or a hypothesis, given as symbols of its inventory."""
    return (_OF_CHARACTERS | _OF_LABELS)[rate](symbols)


def check_rates(names: Sequence[str], unit: str) -> None:
    """Raise a ConfigError for a rate that an inventory of `unit` does not have."""
    if unit not in _BY_UNIT:
        raise ConfigError(f"inventory.unit is '{unit}'; it must be one of {', '.join(_BY_UNIT)}")
    known = _BY_UNIT[unit]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise ConfigError(
                f"scoring.rates: an inventory of {unit} has no rate '{name}'{near}; it has {', '.join(known)}"
            )
    if not names:
        raise ConfigError(f"scoring.rates is empty; choose among {', '.join(known)}")


def check_labels(names: Sequence[str], inventory: Inventory) -> None:
    """Raise a ConfigError for a rate that cannot fold all labels of the inventory, before anything is trained."""
    for name in names:
        try:
            tokens(name, inventory.labels[1:])
        except DataError as error:
            raise ConfigError(f"scoring.rates: {name} is not for these labels: {error}; choose per") from error
