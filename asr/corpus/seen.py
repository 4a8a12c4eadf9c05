"""Tag utterances by whether the training split holds the same transcript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from asr.corpus.utterance import Utterance
from asr.text import normalise_text

SEEN = "seen"
"""Tag of utterances whose transcript stands in the training split (`yes`) or does not (`no`)."""


def tag_seen(splits: Mapping[str, Sequence[Utterance]]) -> dict[str, list[Utterance]]:
    """Tag each utterance beside the training split: `seen: yes` if an utterance there has the same transcript.

    A language model that was estimated from the training texts remembers them, so the two kinds are reported
    apart. Texts are compared after normalisation, with their case; utterances without a text by their labels.

    Args:
        splits: utterances by the name of their split.

    Returns:
        The tagged splits; unchanged if there is no split `train`, or no other split. A tag `seen` that the
        corpus sets is kept.
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
