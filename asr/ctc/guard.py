"""Find utterances that are too short for CTC: it needs a frame for each label, and a blank between equal neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def count_repeats(labels: Sequence[int]) -> int:
    """Return the number of labels that equal the label before.

    >>> count_repeats([3, 5, 5, 2])
    1
    """
    return sum(one == other for one, other in pairwise(labels))


def frames_needed(labels: Sequence[int]) -> int:
    """Return the least number of frames of a path for these labels (without blanks).

    >>> frames_needed([3, 5, 5, 2])
    5
    """
    return len(labels) + count_repeats(labels)


def unfit(ids: Sequence[str], frame_counts: Sequence[int], labels: Sequence[Sequence[int]]) -> dict[int, str]:
    """Return a message for each utterance that is too short for its labels, by the utterance's index.

    Args:
        ids: the ids of the utterances.
        frame_counts: the number of output frames of each utterance, after stacking and time reduction.
        labels: the labels of each utterance, without blanks.
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
