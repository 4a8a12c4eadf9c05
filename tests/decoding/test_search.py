"""The interface of decoders, with a beam that sums over paths and gives several hypotheses."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.corpus.inventory import Inventory
from asr.decoding.search import decode
from tests.decoding.toy_beam import ToyBeam
from tests.reference.ctc import labelling_probabilities

INVENTORY = Inventory(("<blank>", "a", "b"), "characters")


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 4), st.integers(0, 1000), st.lists(st.integers(0, 4), max_size=2))
def test_a_beam_gives_the_n_best_in_chunks_as_at_once(n_frames: int, seed: int, cuts: list[int]) -> None:
    scores = np.random.default_rng(seed).normal(size=(n_frames, 3)).astype(np.float32)
    log_probs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    (whole,) = decode(ToyBeam(INVENTORY), log_probs[None], np.array([n_frames]), 1.0, n_best=4)
    search, borders = ToyBeam(INVENTORY).begin(1.0), [0, *sorted(min(cut, n_frames) for cut in cuts), n_frames]
    for start, end in pairwise(borders):
        search.step(log_probs[start:end])
    assert search.end(4) == whole
    assert search.text == whole[0].text
    assert len({one.labels for one in whole}) == len(whole) <= 4
    assert [one.score.total for one in whole] == sorted((one.score.total for one in whole), reverse=True)
    every = labelling_probabilities(np.exp(log_probs).tolist())  # the beam is wide enough to hold them all
    for one, expected in zip(whole, sorted(every.values(), reverse=True), strict=False):
        assert np.exp(one.score.total) == pytest.approx(expected, rel=1e-5)
        assert every[tuple(INVENTORY.index[label] for label in one.labels)] == pytest.approx(expected, rel=1e-5)
