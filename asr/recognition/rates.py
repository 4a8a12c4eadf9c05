"""The error rates a recogniser can report: what each of them compares, and after which folding.

| rate | compares |
|---|---|
| `wer` | words of the text |
| `cer` | characters of the text, spaces included (as jiwer counts them) |
| `per` | labels as the recogniser was trained on them |
| `per_39` | TIMIT's labels folded to 39 (Lee and Hon 1989), silence counted as a label |
| `per_39_no_sil` | the same with silence removed from reference and hypothesis |
| `ser` | whole utterances: wrong in anything |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asr.config import nearest
from asr.corpus.phonemes import fold
from asr.errors import ConfigError

Tokens = tuple[str, ...]
_SILENCE = "sil"


def _words(text: str, labels: Sequence[str]) -> Tokens:
    return tuple(text.split())


def _characters(text: str, labels: Sequence[str]) -> Tokens:
    return tuple(text)


def _labels(text: str, labels: Sequence[str]) -> Tokens:
    return tuple(labels)


def _folded(text: str, labels: Sequence[str]) -> Tokens:
    return fold(labels, "timit61_to_39")


def _folded_without_silence(text: str, labels: Sequence[str]) -> Tokens:
    return tuple(label for label in fold(labels, "timit61_to_39") if label != _SILENCE)


def _whole(text: str, labels: Sequence[str]) -> Tokens:
    return (text if text else " ".join(labels),)


RATES: dict[str, Callable[[str, Sequence[str]], Tokens]] = {
    "wer": _words,
    "cer": _characters,
    "per": _labels,
    "per_39": _folded,
    "per_39_no_sil": _folded_without_silence,
    "ser": _whole,
}


def tokens(rate: str, text: str, labels: Sequence[str]) -> Tokens:
    """What a rate compares of a reference or a hypothesis."""
    return RATES[rate](text, labels)


def check_rates(names: Sequence[str]) -> None:
    """Raise a ConfigError for a rate that does not exist."""
    for name in names:
        if name not in RATES:
            raise ConfigError(f"scoring.rates: there is no rate '{name}'{nearest(name, RATES)}; there are {', '.join(RATES)}")
    if not names:
        raise ConfigError(f"scoring.rates is empty; choose among {', '.join(RATES)}")
