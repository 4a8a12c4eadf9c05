"""Decode a split and say how often it is wrong; write what sclite and people read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from asr.corpus.inventory import normalise_text
from asr.corpus.utterance import Utterance
from asr.decoding.hypothesis import Hypothesis
from asr.features.cache import FrameCache
from asr.recognition.rates import tokens
from asr.recognition.recogniser import Recogniser
from asr.scoring.edits import ErrorCounts, count_errors
from asr.scoring.rates import Rate, rate_of, unit_of
from asr.scoring.trn import Transcript, write_trn
from asr.scoring.utterances import utterance_row
from asr.training.batches import group_by_length
from asr.training.checkpoint import write_atomically

_BATCH_FRAMES = 16000  # stacked frames decoded at once, padding included
_BATCH_UTTERANCES = 64


def decode(
    recogniser: Recogniser,
    utterances: Sequence[Utterance],
    cache: FrameCache,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Hypothesis]:
    """Recognise utterances in batches of similar length; hypotheses come back in the utterances' order."""
    frames = [recogniser.frames(cache.frames(i), one.speaker) for i, one in enumerate(utterances)]
    found: dict[int, Hypothesis] = {}
    for batch in group_by_length([len(one) for one in frames], _BATCH_FRAMES, _BATCH_UTTERANCES):
        found.update(zip(batch, recogniser.recognise([frames[i] for i in batch]), strict=True))
        if on_progress is not None:
            on_progress(len(found), len(utterances))
    return [found[i] for i in range(len(utterances))]


def count(rate: str, utterance: Utterance, hypothesis: Hypothesis) -> ErrorCounts:
    """The errors of one hypothesis under one rate."""
    return count_errors(reference_tokens(rate, utterance), hypothesis_tokens(rate, hypothesis))


def reference_tokens(rate: str, utterance: Utterance) -> tuple[str, ...]:
    """What a rate compares of a reference; its text as the inventory spells it."""
    return tokens(rate, normalise_text(utterance.text or ""), utterance.labels or ())


def hypothesis_tokens(rate: str, hypothesis: Hypothesis) -> tuple[str, ...]:
    """What a rate compares of a hypothesis."""
    return tokens(rate, hypothesis.text, hypothesis.labels)


def score(
    utterances: Sequence[Utterance], hypotheses: Sequence[Hypothesis], rates: Sequence[str]
) -> dict[str, Rate]:
    """The error rates of a split, each with its counts and its interval over speakers."""
    pairs = list(zip(utterances, hypotheses, strict=True))
    speakers = [utterance.speaker for utterance in utterances]
    return {rate: rate_of([count(rate, *pair) for pair in pairs], speakers, unit_of(rate)) for rate in rates}


def write_decoded(
    folder: Path, utterances: Sequence[Utterance], hypotheses: Sequence[Hypothesis], rates: Sequence[str]
) -> None:
    """Write a split's transcripts into a folder.

    `ref.trn` and `hyp.trn` hold what the first rate compares, for sclite; `utterances.jsonl` has one row an utterance
    with its text, its error counts under every rate and the alignment under the first one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pairs = list(zip(utterances, hypotheses, strict=True))
    compared = [(one, reference_tokens(rates[0], one), hypothesis_tokens(rates[0], found)) for one, found in pairs]
    write_trn(folder / "ref.trn", (Transcript(one.id, reference, one.speaker) for one, reference, _ in compared))
    write_trn(folder / "hyp.trn", (Transcript(one.id, found, one.speaker) for one, _, found in compared))
    joint = "" if unit_of(rates[0]) == "characters" else " "
    rows = [
        utterance_row(
            one.id, one.speaker, reference, found, {rate: count(rate, one, hypothesis) for rate in rates}, joint
        )
        for (one, reference, found), hypothesis in zip(compared, hypotheses, strict=True)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomically(folder / "utterances.jsonl", lambda file: file.write(lines.encode()))
