"""Checks of a whole corpus, before hours are spent on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from asr.corpus.inventory import Inventory
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems
from asr.text import normalise_text

SPLIT_BY_RECORDING = {"split_by": "recording"}
"""Tag of a corpus whose official split has every speaker in every part: its speakers are not checked for overlap."""


def check_utterances(
    splits: Mapping[str, Sequence[Utterance]], inventory: Inventory | None = None, what: str = "the corpus"
) -> None:
    """Check all splits against each other and, where it is given, against the inventory.

    Found are: ids used twice, transcripts that are missing or empty, symbols outside the inventory, speakers or
    recordings of the training set in another split.

    Args:
        splits: utterances by the split's name; `train` is the one that the others are kept apart from.
        inventory: without one it is enough that an utterance has some transcript, a text or labels.
        what: what is checked, for the headline.

    Raises:
        Problems: everything found, together.
    """
    problems = [
        *_duplicate_ids(splits),
        *_transcript_problems(splits, inventory),
        *_shared_speakers(splits),
        *_shared_recordings(splits),
    ]
    if problems:
        raise Problems(problems, what=what)


def _duplicate_ids(splits: Mapping[str, Sequence[Utterance]]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for split, utterances in splits.items():
        for utterance in utterances:
            if utterance.id in seen:
                first = seen[utterance.id]
                where = f"twice in {split}" if first == split else f"in {first} and in {split}"
                yield f"'{utterance.id}': the id is used {where}; make ids unique"
            seen.setdefault(utterance.id, split)


def _transcript_problems(splits: Mapping[str, Sequence[Utterance]], inventory: Inventory | None) -> Iterator[str]:
    for split, utterances in splits.items():
        for utterance in utterances:
            try:
                symbols = _symbols(utterance, inventory)
            except DataError as error:
                yield f"{split}: {error}"
                continue
            if not symbols:
                yield f"{split}: '{utterance.id}' has an empty transcript; leave it out or correct it"
            elif inventory is not None and (missing := inventory.missing(symbols)):
                yield f"{split}: '{utterance.id}': {inventory.describe_missing(missing)}"


def _symbols(utterance: Utterance, inventory: Inventory | None) -> Sequence[str]:
    if inventory is not None:
        return inventory.symbols_of(utterance)
    if utterance.text is None and utterance.labels is None:
        raise DataError(f"'{utterance.id}' has no transcript, neither text nor labels")
    if utterance.text is not None and not normalise_text(utterance.text):
        return ""
    return utterance.text or "" if utterance.labels is None else utterance.labels


def _shared_speakers(splits: Mapping[str, Sequence[Utterance]]) -> Iterator[str]:
    trained = {utterance.speaker for utterance in splits.get("train", ()) if utterance.speaker is not None}
    for split, utterances in splits.items():
        if split == "train":
            continue
        counts: dict[str, int] = {}
        for utterance in utterances:
            on_purpose = utterance.tags.get("split_by") == SPLIT_BY_RECORDING["split_by"]
            if utterance.speaker in trained and utterance.speaker is not None and not on_purpose:
                counts[utterance.speaker] = counts.get(utterance.speaker, 0) + 1
        for speaker, count in counts.items():
            yield (
                f"speaker '{speaker}' is in train and in {split} ({count} utterances): error rates would look better "
                "than they are; move the speaker to one split"
            )


def _shared_recordings(splits: Mapping[str, Sequence[Utterance]]) -> Iterator[str]:
    trained = {(u.source, u.start, u.channel): u.id for u in splits.get("train", ())}
    for split, utterances in splits.items():
        for utterance in utterances:
            twin = trained.get((utterance.source, utterance.start, utterance.channel))
            if split != "train" and twin is not None:
                yield f"{split}: '{utterance.id}' is the same recording as '{twin}' of train; remove one of them"
