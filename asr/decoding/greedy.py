"""Best-path decoding: the likeliest label of each frame, repeats merged, blanks removed.

Graves et al. 2006, "Connectionist Temporal Classification", section 3.2. The best path is not always the best
labelling (whose probability is a sum over paths), but on peaky posteriors nearly always, and it costs one argmax.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from asr.decoding.hypothesis import Hypothesis, Span, without_surplus_spaces, words_of

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory


@dataclass
class GreedyConfig:
    """Options of `GreedyDecoder`: it has none."""

    _target_: str = "asr.decoding.greedy.GreedyDecoder"


class _Runs(NamedTuple):
    """Equal neighbours on the best paths of a batch, blanks left out; all (R,), in the order of the batch."""

    utterance: NDArray[np.int64]
    label: NDArray[np.int64]
    start: NDArray[np.int64]  # first frame
    end: NDArray[np.int64]  # frame after the last
    confidence: NDArray[np.float64]

    def part(self, of: slice) -> _Runs:
        return _Runs(self.utterance[of], self.label[of], self.start[of], self.end[of], self.confidence[of])


class GreedyDecoder:
    """Best-path decoding with label times and confidences.

    A label stands from the first frame of its run to the frame after the last one. CTC is free to emit a label
    anywhere in or near its sound and mostly does so in one or two frames: these are times of emission.

    The confidence of a label is the highest posterior in its run: one frame that shows the label is enough to find it,
    so the best frame is a lower bound on the probability that it was there at all, while a mean would punish long runs
    for their fading edges. That of a word is the lowest of its labels (see `words_of`). These are the simple measures
    that Laptev and Ginsburg 2022 (arXiv 2212.08703) start from; they order labels by trust and are not calibrated.

    Args:
        inventory: labels, and which of them is the blank.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def decode(
        self, log_probs: Tensor, lengths: Tensor, frame_seconds: float, offset: float | Sequence[float] = 0.0
    ) -> list[Hypothesis]:
        """Decode a batch; see `asr.decoding.hypothesis.Decoder`.

        Raises:
            ValueError: shapes that do not fit each other or the inventory, or NaN within an utterance.
        """
        self._check(log_probs, lengths)
        n_frames = lengths.cpu().numpy().astype(np.int64)  # (B,)
        best, labels = (part.cpu().numpy() for part in log_probs.detach().max(dim=-1))  # (B, T) each
        inside = np.arange(best.shape[1]) < n_frames[:, None]  # (B, T)
        best = np.where(inside, best, 0.0).astype(np.float64)
        if np.isnan(best).any():
            row, frame = np.argwhere(np.isnan(best))[0]
            raise ValueError(f"log_probs hold NaN in item {row} of the batch at frame {frame}")
        labels = np.where(inside, labels, self.inventory.blank)
        runs = _runs(labels, best, self.inventory.blank)
        offsets = np.broadcast_to(np.asarray(offset, dtype=np.float64), n_frames.shape)
        borders = np.searchsorted(runs.utterance, np.arange(len(n_frames) + 1))  # (B + 1,)
        return [
            self._hypothesis(
                runs.part(slice(borders[b], borders[b + 1])),
                float(best[b].sum()),
                frame_seconds,
                float(offsets[b]),
            )
            for b in range(len(n_frames))
        ]

    def _hypothesis(self, runs: _Runs, log_probability: float, frame_seconds: float, offset: float) -> Hypothesis:
        found = [self.inventory.labels[index] for index in runs.label.tolist()]
        starts = (offset + runs.start * frame_seconds).tolist()
        ends = (offset + runs.end * frame_seconds).tolist()
        unit = self.inventory.unit
        spans = without_surplus_spaces(list(map(Span, found, starts, ends, runs.confidence.tolist())), unit)
        labels = tuple(span.label for span in spans)
        return Hypothesis(labels, self.inventory.text(labels), log_probability, spans, words_of(spans, unit))

    def _check(self, log_probs: Tensor, lengths: Tensor) -> None:
        if log_probs.ndim != 3 or log_probs.shape[2] != len(self.inventory):
            expected = f"(B, T, {len(self.inventory)})"
            raise ValueError(f"log_probs must be {expected}, the size of the inventory, got {tuple(log_probs.shape)}")
        if lengths.shape != log_probs.shape[:1]:
            raise ValueError(f"lengths must be ({log_probs.shape[0]},), got {tuple(lengths.shape)}")
        if bool(((lengths < 0) | (lengths > log_probs.shape[1])).any()):
            raise ValueError(f"lengths must lie in 0..{log_probs.shape[1]}, got {lengths.tolist()}")


def _runs(labels: NDArray[np.int64], best: NDArray[np.float64], blank: int) -> _Runs:
    """Cut the paths (B, T) into runs, with log posteriors `best` (B, T); padding is blank already."""
    n_utterances, n_frames = labels.shape
    if labels.size == 0:
        empty = np.zeros(0, dtype=np.int64)
        return _Runs(empty, empty, empty, empty, np.zeros(0))
    begins = np.ones((n_utterances, n_frames), dtype=bool)
    begins[:, 1:] = labels[:, 1:] != labels[:, :-1]
    first = np.flatnonzero(begins)  # (R',) positions in the flattened batch, blanks still in
    after = np.append(first[1:], labels.size)
    peak = np.exp(np.maximum.reduceat(best.ravel(), first))
    keep = labels.ravel()[first] != blank
    first, after, peak = first[keep], after[keep], peak[keep]
    utterance = first // n_frames
    return _Runs(utterance, labels.ravel()[first], first - utterance * n_frames, after - utterance * n_frames, peak)
