"""Decode a split and say how often it is wrong; write what sclite and people read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.config import nearest
from asr.corpus.inventory import Inventory
from asr.corpus.utterance import Utterance
from asr.decoding.hypothesis import Hypothesis
from asr.errors import ConfigError
from asr.features.cache import FrameCache
from asr.recogniser.recogniser import Recogniser
from asr.recognition.rates import tokens
from asr.scoring.edits import ErrorCounts, count_errors
from asr.scoring.rates import Rate, rate_of, unit_of
from asr.scoring.trn import Transcript, write_trn
from asr.scoring.utterances import utterance_row
from asr.training.batches import group_by_length
from asr.training.checkpoint import write_atomically

_BATCH_FRAMES = 16000  # stacked frames decoded at once, padding included
_BATCH_UTTERANCES = 64


@dataclass(frozen=True)
class Recognised:
    """An utterance, its reference as the inventory spells it, and what was recognised."""

    utterance: Utterance
    reference: tuple[str, ...]
    hypothesis: Hypothesis

    def compared(self, rate: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a rate compares: reference and hypothesis."""
        return tokens(rate, self.reference), tokens(rate, self.hypothesis.labels)

    def count(self, rate: str) -> ErrorCounts:
        """The errors under a rate."""
        return count_errors(*self.compared(rate))


def listen(
    recogniser: Recogniser,
    utterances: Sequence[Utterance],
    cache_dir: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> FrameCache:
    """The frames of a split; a recogniser that normalises per speaker now knows all that each of them said there."""
    cache = FrameCache.open(utterances, recogniser.extractor, cache_dir, on_progress=on_progress)
    if recogniser.normaliser.per == "speaker":
        recogniser.normaliser.fit((one.speaker, cache.frames(i)) for i, one in enumerate(utterances))
    return cache


def decode(
    recogniser: Recogniser,
    utterances: Sequence[Utterance],
    cache: FrameCache,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Recognised]:
    """Recognise utterances in batches of similar length; results come back in the utterances' order."""
    sizes = [recogniser.stacking.out_length(cache.n_frames(i)) for i in range(len(utterances))]
    found: dict[int, Hypothesis] = {}
    for batch in group_by_length(sizes, _BATCH_FRAMES, _BATCH_UTTERANCES):
        frames = [recogniser.frames(cache.frames(i), utterances[i].speaker) for i in batch]
        found.update(zip(batch, recogniser.recognise(frames), strict=True))
        if on_progress is not None:
            on_progress(len(found), len(utterances))
    inventory: Inventory = recogniser.inventory
    return [Recognised(one, inventory.symbols_of(one), found[i]) for i, one in enumerate(utterances)]


def score(recognised: Sequence[Recognised], rates: Sequence[str]) -> dict[str, Rate]:
    """The error rates of a split, each with its counts and its interval over speakers."""
    speakers = [one.utterance.speaker for one in recognised]
    counts = {rate: [one.count(rate) for one in recognised] for rate in rates}
    people = people_of([one.utterance for one in recognised])
    return {rate: rate_of(counts[rate], speakers, unit_of(rate), people=people) for rate in rates}


def people_of(utterances: Sequence[Utterance]) -> str:
    """What those who spoke or wrote are called."""
    return "writers" if any(one.kind == "ink" for one in utterances) else "speakers"


def score_by(tag: str, recognised: Sequence[Recognised], rates: Sequence[str]) -> dict[str, dict[str, Rate]]:
    """The error rates of each group of utterances that have the same value of a tag, `speaker` among the tags.

    Utterances without the tag are the group "", after all others.
    """
    groups: dict[str, list[Recognised]] = {}
    for one in recognised:
        groups.setdefault(_tags(one.utterance).get(tag, ""), []).append(one)
    return {value: score(groups[value], rates) for value in sorted(groups, key=lambda value: (not value, value))}


def check_tag(tag: str, utterances: Iterable[Utterance]) -> None:
    """Raise a ConfigError where no utterance has the tag."""
    known = {name for one in utterances for name in _tags(one)}
    if tag not in known:
        there = f"there is {', '.join(sorted(known))}" if known else "none has any tag"
        raise ConfigError(f"no utterance has the tag '{tag}'{nearest(tag, known)}; {there}")


def _tags(utterance: Utterance) -> dict[str, str]:
    speaker = {} if utterance.speaker is None else {"speaker": utterance.speaker}
    return {**utterance.tags, **speaker}


def write_decoded(folder: Path, recognised: Sequence[Recognised], rates: Sequence[str]) -> None:
    """Write a split's transcripts into a folder.

    `ref.trn` and `hyp.trn` hold what the first rate compares, for sclite; `utterances.jsonl` has one row an utterance
    with reference, hypothesis, error counts under every rate and the alignment under the first one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    references, hypotheses, rows = [], [], []
    joint = "" if unit_of(rates[0]) == "characters" else " "
    for one in recognised:
        name, speaker = one.utterance.id, one.utterance.speaker
        reference, hypothesis = one.compared(rates[0])
        references.append(Transcript(name, reference, speaker))
        hypotheses.append(Transcript(name, hypothesis, speaker))
        counts = {rate: one.count(rate) for rate in rates}
        rows.append(json.dumps(utterance_row(name, speaker, reference, hypothesis, counts, joint), ensure_ascii=False))
    write_trn(folder / "ref.trn", references)
    write_trn(folder / "hyp.trn", hypotheses)
    write_atomically(folder / "utterances.jsonl", lambda file: file.write(("\n".join(rows) + "\n").encode()))
