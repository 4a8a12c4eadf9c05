"""Tag utterances by whether their transcript also occurs in the training split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from asr.corpus.utterance import Utterance
from asr.text import normalise_text

SEEN = "seen"
"""Name of the tag: `yes` if the transcript occurs in the training split, else `no`."""


def tag_seen(splits: Mapping[str, Sequence[Utterance]]) -> dict[str, list[Utterance]]:
    """Tag each utterance outside the training split by whether its transcript occurs in the training split.

    A language model estimated from the training texts favours these texts, so error rates are reported for both
    groups. Texts are compared after normalisation, with case; utterances without a text are compared by labels.

    Args:
        splits: utterances by split name.

    Returns:
        The splits, with the tag `seen` set to `yes` or `no` outside `train`. A tag `seen` that the corpus sets
        itself is kept. Without a split `train`, no utterance is tagged.

    >>> from pathlib import Path
    >>> one, two = (Utterance(text, Path("a.wav"), text=text) for text in ("one", "two"))
    >>> tagged = tag_seen({"train": [one], "test": [one, two]})
    >>> [utterance.tags for utterance in tagged["test"]]
    [{'seen': 'yes'}, {'seen': 'no'}]
    """
    known = {_transcript(one) for one in splits.get("train", ())}
    return {
        name: list(utterances) if name == "train" or not known else [_tagged(one, known) for one in utterances]
        for name, utterances in splits.items()
    }


def _tagged(utterance: Utterance, known: set[object]) -> Utterance:
    found = "yes" if _transcript(utterance) in known else "no"
    return replace(utterance, tags={SEEN: found, **utterance.tags})


def _transcript(utterance: Utterance) -> object:
    return utterance.labels if utterance.text is None else normalise_text(utterance.text)
