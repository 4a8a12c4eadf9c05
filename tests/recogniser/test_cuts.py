"""Where long recordings are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.recogniser.cuts import LONGEST_SECONDS, SHORTEST_SECONDS, Loudness, plan_cuts

SPEECH, SILENCE = -20.0, -60.0  # dB


def levels(seconds: float, *pauses: tuple[float, float]) -> NDArray[np.float32]:
    """Uneven speech with pauses (begin, end) in seconds."""
    noise = np.random.default_rng(0).uniform(-3, 3, round(100 * seconds))
    found = (SPEECH + noise).astype(np.float32)
    for begin, end in pauses:
        found[round(100 * begin) : round(100 * end)] += SILENCE - SPEECH
    return found


def test_a_short_recording_is_one_piece():
    assert plan_cuts(levels(29.9)) == plan_cuts(levels(0.0)) == []


def test_the_middle_of_the_longest_pause():
    assert plan_cuts(levels(40, (5, 8), (12, 12.3), (17, 17.8), (24, 24.5))) == [17.4]


def test_pauses_of_digital_silence():
    sound = levels(40, (12, 12.5))
    sound[1200:1250] = -100.0
    assert plan_cuts(sound) == [12.25]


def test_the_quietest_place_where_there_is_no_pause():
    steady = levels(40)
    steady[2200:2220] -= 4.0
    assert plan_cuts(steady) == [pytest.approx(22.1, abs=0.02)]


def test_a_click_in_speech_is_no_pause():
    """50 ms without sound are shorter than a pause; the quietest 0.2 seconds hold them all the same."""
    assert plan_cuts(levels(40, (20, 20.05), (15, 15.4))) == [15.2]


@given(st.floats(0, 200), st.lists(st.floats(0, 200), max_size=30), st.floats(0, 5))
def test_no_piece_is_too_long_or_too_short(seconds: float, pauses: list[float], length: float):
    sound = levels(seconds, *((begin, begin + length) for begin in pauses))
    pieces = np.diff([0.0, *plan_cuts(sound), len(sound) / 100])
    assert (pieces <= LONGEST_SECONDS + 1e-6).all()
    assert len(pieces) == 1 or (pieces >= SHORTEST_SECONDS - 1e-6).all()


@given(st.lists(st.integers(0, 500), max_size=10), st.sampled_from([8000, 11025, 16000]))
def test_loudness_does_not_depend_on_blocks(sizes: list[int], rate: int):
    signal = np.random.default_rng(1).standard_normal(sum(sizes)).astype(np.float32)
    blocks = np.split(signal, np.cumsum(sizes)[:-1]) if sizes else []
    inblocks, whole = Loudness(rate), Loudness(rate)
    for given_on, block in zip(inblocks.heard(blocks), blocks, strict=True):
        assert given_on is block
    assert list(whole.heard([signal])) == [signal]
    assert np.array_equal(inblocks.levels(), whole.levels())
    assert len(whole.levels()) == len(signal) // round(rate / 100)


def test_levels_are_decibels():
    loudness = Loudness(16000)
    list(loudness.heard([np.full(160, 0.1, dtype=np.float32), np.zeros(160, dtype=np.float32)]))
    np.testing.assert_allclose(loudness.levels(), [-20.0, -100.0], atol=1e-4)
