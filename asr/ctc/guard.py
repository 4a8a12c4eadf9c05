"""Which utterances are too short for their labels: CTC needs a frame a label, and a blank between equal neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def count_repeats(labels: Sequence[int]) -> int:
    """How many labels equal the one before."""
    return sum(one == other for one, other in pairwise(labels))


def frames_needed(labels: Sequence[int]) -> int:
    """The least number of frames that some path of these labels (without blanks) has.

    >>> frames_needed([3, 5, 5, 2])
    5
    """
    return len(labels) + count_repeats(labels)


def unfit(ids: Sequence[str], frame_counts: Sequence[int], labels: Sequence[Sequence[int]]) -> dict[int, str]:
    """One sentence for each utterance that cannot be trained on, by its index.

    Args:
        ids: of the utterances.
        frame_counts: log posteriors of each utterance, after all stacking and time reduction.
        labels: of each utterance, without blanks.
    """
    sentences = {}
    for index, (utt_id, n_frames, labelling) in enumerate(zip(ids, frame_counts, labels, strict=True)):
        needed = frames_needed(labelling)
        if n_frames < needed:
            repeats = count_repeats(labelling)
            sentences[index] = (
                f"'{utt_id}': {_count(n_frames, 'frame')} cannot carry {_count(len(labelling), 'label')} "
                f"with {_count(repeats, 'repeat')} (needs {needed}); lower stacking.stride or model.time_reduction"
            )
    return sentences


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
