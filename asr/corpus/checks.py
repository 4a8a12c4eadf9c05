"""Check a whole corpus before training starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from asr.corpus.inventory import Inventory
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems
from asr.text import normalise_text

SPLIT_BY_RECORDING = {"split_by": "recording"}
"""Tag for a corpus whose official splits share speakers: `check_utterances` accepts speakers in several splits."""


def check_utterances(
    splits: Mapping[str, Sequence[Utterance]], inventory: Inventory | None = None, what: str = "the corpus"
) -> None:
    """Check that all splits fit together and, if it is given, that they fit the inventory.

    The faults are: repeated ids, missing or empty transcripts, symbols outside the inventory, and speakers or
    recordings of the training split that also occur in another split.

    Args:
        splits: utterances by split name.
        inventory: labels that transcripts may use; None to check only that each utterance has text or labels.
        what: name of the corpus, for the headline.

    Raises:
        Problems: at least one fault was found; lists all of them.
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
                f"speaker '{speaker}' is in train and in {split} ({count} utterances), which makes error rates look "
                "better than they are; move the speaker to one split"
            )


def _shared_recordings(splits: Mapping[str, Sequence[Utterance]]) -> Iterator[str]:
    trained = {(u.source, u.start, u.channel): u.id for u in splits.get("train", ())}
    for split, utterances in splits.items():
        for utterance in utterances:
            twin = trained.get((utterance.source, utterance.start, utterance.channel))
            if split != "train" and twin is not None:
                yield f"{split}: '{utterance.id}' is the same recording as '{twin}' of train; remove one of them"
