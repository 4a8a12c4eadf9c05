"""The frames of a batch without padding, in the order in which a recurrent layer reads them.

As in `asr.recurrent.layout`, the frames of a batch are *rows*, (N, F), with N the sum of the lengths. Rows are sorted
by time, and within one time step by utterance, longest first. Thus the rows of a step are adjacent, utterances that
have ended cost nothing, and no result can depend on padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from asr.engines.engine import FloatArray, IntArray

_Indices = NDArray[np.intp]


class Rows:
    """The order of the rows of one batch.

    Args:
        lengths: (B,) int64, each 1 or more.
        n_frames: T, the number of frames of the padded batch.
        order: (B,) indices of the utterances, longest first; None to compute it.

    Attributes:
        sizes: (S,) the number of utterances at each step, which is its number of rows.
        starts: (S + 1,) the first row of each step, and N.
        mirrored: (N,) for each row, the row that takes its place if each utterance is reversed within its own length.

    >>> rows = Rows(np.array([1, 3]), n_frames=3)
    >>> rows.sizes.tolist(), rows.starts.tolist()
    ([2, 1, 1], [0, 2, 3, 4])
    """

    def __init__(self, lengths: IntArray, n_frames: int, order: _Indices | None = None) -> None:
        # Everything is computed here: until Python 3.12, a `cached_property` has a lock, which would stay locked in a
        # process that is forked while another thread computes the property.
        self.lengths = lengths
        self.n_frames = n_frames
        self._order = np.argsort(-lengths, kind="stable") if order is None else order
        longest_first = lengths[self._order]
        running = np.arange(longest_first[0])[:, None] < longest_first  # (S, B)
        self.sizes: _Indices = running.sum(axis=1)
        self.starts: _Indices = np.concatenate([[0], np.cumsum(self.sizes)])
        self._time, self._rank = running.nonzero()  # (N,) time of each row, and place of its utterance in the order
        self.mirrored: _Indices = self.starts[longest_first[self._rank] - 1 - self._time] + self._rank

    @property
    def n_utterances(self) -> int:
        """B, the number of utterances."""
        return len(self.lengths)

    def pack(self, frames: FloatArray) -> FloatArray:
        """Turn frames (B, T, F) into rows (N, F). The padding is not read."""
        if self.n_utterances == 1:
            alone: FloatArray = frames[0, : self.lengths[0]]
            return alone
        rows: FloatArray = frames[self._order[self._rank], self._time]
        return rows

    def unpack(self, rows: FloatArray, padding: FloatArray) -> FloatArray:
        """Turn rows (N, L) into (B, T, L), with copies of `padding` (L,) as padding."""
        if self.n_utterances == 1 and self.n_frames == len(rows):
            return rows[None]
        frames = np.empty((self.n_utterances, self.n_frames, rows.shape[1]), dtype=rows.dtype)
        frames[:] = padding
        frames[self._order[self._rank], self._time] = rows
        return frames

    def joined(self, rows: FloatArray, factor: int) -> tuple[FloatArray, Rows]:
        """Concatenate every `factor` frames of an utterance to one frame; fill an incomplete last frame with zeros.

        Returns:
            Rows (N', factor * F) and their order.
        """
        order = Rows(-(-self.lengths // factor), -(-self.n_frames // factor), self._order)
        found = np.zeros((order.starts[-1], factor, rows.shape[1]), dtype=rows.dtype)
        found[order.starts[self._time // factor] + self._rank, self._time % factor] = rows
        return found.reshape(len(found), -1), order

    def blocks(self, most_rows: int) -> Iterator[tuple[int, int]]:
        """Yield the first step and the end of consecutive blocks, of at most `most_rows` rows or of a single step."""
        first = 0
        while first < len(self.sizes):
            end = int(np.searchsorted(self.starts, self.starts[first] + most_rows, side="right")) - 1
            end = max(end, first + 1)
            yield first, end
            first = end

    def runs(self, first: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the parts of a block of steps with the same utterances, as first row, end, and number of utterances."""
        sizes = self.sizes[first:end]
        edges = [0, *(np.flatnonzero(np.diff(sizes)) + 1).tolist(), len(sizes)]
        for begin, stop in pairwise(edges):
            yield int(self.starts[first + begin]), int(self.starts[first + stop]), int(sizes[begin])
