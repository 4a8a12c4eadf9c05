"""Decode a split and say how often it is wrong; write what sclite and people read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from asr.corpus.utterance import Utterance
from asr.decoding.hypothesis import Hypothesis
from asr.features.cache import FrameCache
from asr.recognition.rates import tokens
from asr.recognition.recogniser import Recogniser
from asr.scoring.edits import ErrorCounts, count_errors
from asr.scoring.rates import Rate, rate_of
from asr.training.batches import group_by_length

_BATCH_FRAMES = 16000  # stacked frames decoded at once, padding included
_BATCH_UTTERANCES = 64


def decode(
    recogniser: Recogniser,
    utterances: Sequence[Utterance],
    cache: FrameCache,
    on_progress: Callable[[str, int, int], None] | None = None,
    what: str = "decoding",
) -> list[Hypothesis]:
    """Recognise utterances in batches of similar length; hypotheses come back in the utterances' order."""
    frames = [recogniser.frames(cache.frames(i), one.speaker) for i, one in enumerate(utterances)]
    found: dict[int, Hypothesis] = {}
    for batch in group_by_length([len(one) for one in frames], _BATCH_FRAMES, _BATCH_UTTERANCES):
        found.update(zip(batch, recogniser.recognise([frames[i] for i in batch]), strict=True))
        if on_progress is not None:
            on_progress(what, len(found), len(utterances))
    return [found[i] for i in range(len(utterances))]


def count(rate: str, utterance: Utterance, hypothesis: Hypothesis) -> ErrorCounts:
    """The errors of one hypothesis under one rate."""
    reference = tokens(rate, utterance.text or "", utterance.labels or ())
    return count_errors(reference, tokens(rate, hypothesis.text, hypothesis.labels))
