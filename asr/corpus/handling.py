"""What is done with every corpus, whatever reads it: faulty utterances, noise tags, look-alike characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from asr.config import nearest
from asr.corpus.cleaning import clean_text
from asr.corpus.faults import CorpusFaults
from asr.corpus.manifest import utterance_problems
from asr.corpus.noise import noise_tags, without_noise
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError

_CHOICES = {"on_error": ("error", "skip"), "noise": ("error", "drop", "keep"), "clean": ("none", "unicode")}


@dataclass(frozen=True)
class Handling:
    """Options that all corpora share (asr-train: `corpus.on_error=...` and so on)."""

    on_error: str = field(
        default="error",
        metadata={"help": "error refuses a corpus with a fault in it; skip leaves out what is wrong, and lists it"},
    )
    noise: str = field(
        default="error",
        metadata={
            "help": "noise tags in transcripts of speech, such as [noise] <unk> (cough): error names them,"
            " drop takes them out, keep leaves them in the text"
        },
    )
    clean: str = field(
        default="none",
        metadata={
            "help": "none leaves transcripts as they are; unicode removes invisible characters and unifies"
            " apostrophes, quotation marks, dashes, blanks and accents (the table in asr/corpus/cleaning.py)"
        },
    )

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            value = str(getattr(self, name))
            if value not in known:
                raise ConfigError(f"{name}={value}: expected {' or '.join(known)}{nearest(value, known)}")


def take_handling(options: dict[str, Any]) -> Handling:
    """The options that all corpora share, taken out of those of one corpus.

    Raises:
        ConfigError: one has a value that is none of its own.
    """
    return Handling(**{one.name: str(options.pop(one.name)) for one in fields(Handling) if one.name in options})


def handled(
    splits: Mapping[str, Sequence[Utterance]], handling: Handling, faults: CorpusFaults
) -> dict[str, list[Utterance]]:
    """The utterances that can be used, their texts cleaned and free of noise tags where that was chosen.

    Left out, with an entry in `faults`, are utterances with noise tags (`noise=error`), without a transcript or with
    an empty one, and such as no manifest can hold.
    """
    usable: dict[str, list[Utterance]] = {}
    for split, utterances in splits.items():
        usable[split] = []
        for utterance in utterances:
            one = _treated(utterance, handling)
            if reasons := [*_transcript_problems(utterance, one, handling), *utterance_problems(one)]:
                faults.leave_out(one.id, split, "; ".join(reasons))
            else:
                usable[split].append(one)
    return usable


def _treated(utterance: Utterance, handling: Handling) -> Utterance:
    text = utterance.text
    if text is None:
        return utterance
    if handling.clean == "unicode":
        text = clean_text(text)
    if handling.noise == "drop" and utterance.kind == "audio":
        text = without_noise(text)
    return utterance if text == utterance.text else replace(utterance, text=text)


def _transcript_problems(before: Utterance, utterance: Utterance, handling: Handling) -> list[str]:
    if utterance.text is None:
        if utterance.labels is None:
            return ["has no transcript, neither text nor labels"]
        return [] if utterance.labels else ["has no labels; write what is said, or leave it out"]
    if not utterance.text.strip():
        rest = " but noise tags or invisible characters" if (before.text or "").strip() else ""
        return [f"the transcript holds nothing{rest}; write what is said, or leave it out"]
    if handling.noise == "error" and utterance.kind == "audio" and (tags := noise_tags(utterance.text)):
        shown = " ".join(list(dict.fromkeys(tags))[:4])
        return [f"the text holds the noise tags {shown}: noise=drop takes such out, noise=keep leaves them in"]
    return []
