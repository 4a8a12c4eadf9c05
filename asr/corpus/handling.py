"""Options that apply to every corpus: how to treat faulty utterances, noise tags and look-alike characters."""

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
        metadata={"help": "error stops if the corpus has any fault; skip leaves out faulty items and lists them"},
    )
    noise: str = field(
        default="error",
        metadata={
            "help": "noise tags in transcripts of speech, such as [noise] <unk> (cough): error reports them,"
            " drop removes them, keep leaves them in the text"
        },
    )
    clean: str = field(
        default="none",
        metadata={
            "help": "none leaves transcripts as they are; unicode removes invisible characters and unifies"
            " apostrophes, quotation marks, dashes, white space and accents (see the table in asr/corpus/cleaning.py)"
        },
    )

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            value = str(getattr(self, name))
            if value not in known:
                raise ConfigError(f"{name}={value}: expected {' or '.join(known)}{nearest(value, known)}")


def take_handling(options: dict[str, Any]) -> Handling:
    """Remove the shared options from the options of one corpus and return them.

    Args:
        options: option values by name; this function deletes the entries that it uses.

    Raises:
        ConfigError: an option has an unknown value.

    >>> options = {"root": "/data", "noise": "drop"}
    >>> take_handling(options), options
    (Handling(on_error='error', noise='drop', clean='none'), {'root': '/data'})
    """
    return Handling(**{one.name: str(options.pop(one.name)) for one in fields(Handling) if one.name in options})


def handled(
    splits: Mapping[str, Sequence[Utterance]], handling: Handling, faults: CorpusFaults
) -> dict[str, list[Utterance]]:
    """Apply the shared options to all utterances and return the usable ones.

    An utterance is left out, with an entry in `faults`, if it has noise tags (with `noise=error`), has no transcript
    or an empty one, or cannot be written to a manifest.

    Args:
        splits: utterances by split name.
        handling: the options.
        faults: collects the reasons for utterances that are left out.

    Returns:
        The usable utterances by split name, their texts changed as `clean` and `noise` say.
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
        return [] if utterance.labels else ["has an empty list of labels; add the labels, or leave the utterance out"]
    if not utterance.text.strip():
        rest = ": only noise tags or invisible characters" if (before.text or "").strip() else ""
        return [f"the transcript is empty{rest}; write what is said, or leave the utterance out"]
    if handling.noise == "error" and utterance.kind == "audio" and (tags := noise_tags(utterance.text)):
        shown = " ".join(list(dict.fromkeys(tags))[:4])
        return [f"the text has noise tags ({shown}); noise=drop removes them, noise=keep leaves them in"]
    return []
