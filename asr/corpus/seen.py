"""Tell texts that a training split holds from those that it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from asr.corpus.utterance import Utterance
from asr.text import normalise_text

SEEN = "seen"
"""Tag of utterances whose transcript stands in the training split (`yes`) or does not (`no`)."""


def tag_seen(splits: Mapping[str, Sequence[Utterance]]) -> dict[str, list[Utterance]]:
    """Tag each utterance beside the training split: `seen: yes` if an utterance there has the same transcript.

    A model of a language that was estimated from the training texts remembers them, so the two kinds are reported
    apart. Texts are compared normalised, in the case in which they are written; labels, where there is no text.

    Args:
        splits: utterances by the name of their split.

    Returns:
        The same splits. Without a split `train`, or with nothing else, they are as they were; a tag `seen` that the
        corpus brings stays.
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
