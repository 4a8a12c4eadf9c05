"""Decode a split and say how often it is wrong; write what sclite and people read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.config import nearest
from asr.corpus.inventory import Inventory, Unit
from asr.corpus.phonemes import fold
from asr.corpus.utterance import Utterance
from asr.decoding.hypothesis import Hypothesis
from asr.errors import ConfigError
from asr.features.cache import FrameCache
from asr.recognition.recogniser import Recogniser
from asr.scoring.edits import ErrorCounts
from asr.scoring.named_rates import count
from asr.scoring.rates import Rate
from asr.scoring.trn import transcript_of, trn_unit, write_trn
from asr.scoring.utterances import UtteranceScore, rates_of, score_utterance
from asr.training.batches import group_by_length
from asr.training.checkpoint import write_atomically

_BATCH_FRAMES = 16000  # stacked frames decoded at once, padding included
_BATCH_UTTERANCES = 64


@dataclass(frozen=True)
class Recognised:
    """An utterance, its reference as the inventory spells it, what was recognised, and the unit of the inventory."""

    utterance: Utterance
    reference: tuple[str, ...]
    hypothesis: Hypothesis
    unit: Unit

    def count(self, rate: str) -> ErrorCounts:
        """The errors under a rate."""
        return count(rate, self.reference, self.hypothesis.labels, self.unit, fold)

    def score(self, rates: Sequence[str]) -> UtteranceScore:
        """The errors under each rate."""
        one = self.utterance
        return score_utterance(one.id, one.speaker, self.reference, self.hypothesis.labels, rates, self.unit, fold)


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
    return [Recognised(one, inventory.symbols_of(one), found[i], inventory.unit) for i, one in enumerate(utterances)]


def score(recognised: Sequence[Recognised], rates: Sequence[str]) -> dict[str, Rate]:
    """The error rates of a split, each with its counts and its interval over speakers."""
    people = people_of([one.utterance for one in recognised])
    return rates_of([one.score(rates) for one in recognised], people)


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

    `ref.trn` and `hyp.trn` hold words, or labels where the inventory holds labels; `utterances.jsonl` has one row an
    utterance with reference, hypothesis, error counts under every rate and the alignment under the first one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    references, hypotheses, rows = [], [], []
    for one in recognised:
        name, speaker = one.utterance.id, one.utterance.speaker
        references.append(transcript_of(name, one.reference, one.unit, speaker))
        hypotheses.append(transcript_of(name, one.hypothesis.labels, one.unit, speaker))
        rows.append(json.dumps(one.score(rates).to_dict(), ensure_ascii=False))
    unit = trn_unit(recognised[0].unit)
    write_trn(folder / "ref.trn", references, unit)
    write_trn(folder / "hyp.trn", hypotheses, unit)
    write_atomically(folder / "utterances.jsonl", lambda file: file.write(("\n".join(rows) + "\n").encode()))
