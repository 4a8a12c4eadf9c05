"""Long recordings: the pieces make up the whole, whatever the blocks are, and times go on."""

from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.audio import opening
from asr.config import Component
from asr.corpus.utterance import Utterance
from asr.decoding.hypothesis import Hypothesis
from asr.errors import DataError
from asr.features.sound.spectral import SpectralConfig
from asr.features.stack import FrameStackConfig
from asr.recogniser import cuts, long, sources
from asr.recogniser.batching import transcribe_each
from asr.recogniser.long import pieces_of
from asr.recogniser.recogniser import Recogniser
from asr.recurrent.stack import StackConfig
from asr.scoring.edits import count_errors
from tests.recogniser.models import small, small_config

RATE = 8000
STACKINGS = [(1, 1), (2, 2), (3, 1), (4, 3)]


def recogniser(width: int = 2, stride: int = 2, reduction: int = 1, per: str = "utterance") -> Recogniser:
    config = replace(
        small_config(per=per),
        features=Component.of(SpectralConfig(n_mels=8, rate=RATE, differences=1)),
        stacking=Component.of(FrameStackConfig(width, stride)),
        model=Component.of(StackConfig(hidden=8, layers=2, time_reduction=reduction)),
    )
    return small(config, seed=4, engine="numpy")


def speech(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Bursts of noise of many colours."""
    random = np.random.default_rng(seed)
    bursts: list[NDArray[Any]] = []
    while sum(map(len, bursts)) < seconds * RATE:
        tone = np.sin(np.arange(random.integers(800, 4000)) * random.uniform(0.05, 2.5))
        bursts += [random.uniform(0.05, 0.5) * tone, np.zeros(random.integers(0, 3000))]
    signal = np.concatenate(bursts)[: round(seconds * RATE)]
    return (signal + 0.001 * random.standard_normal(len(signal))).astype(np.float32)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is long, and cut into pieces of two to five seconds."""
    monkeypatch.setattr(sources, "LONG_SECONDS", 0.0)
    monkeypatch.setattr(cuts, "SHORTEST_SECONDS", 2.0)
    monkeypatch.setattr(cuts, "LONGEST_SECONDS", 5.0)


def in_pieces(reads: Recogniser, source: Any, monkeypatch: pytest.MonkeyPatch, context: float) -> Hypothesis:
    with monkeypatch.context() as patched:
        patched.setattr(sources, "LONG_SECONDS", 0.0)
        patched.setattr(long, "_CONTEXT", context)
        return reads.transcribe(source)


def same(found: Hypothesis, expected: Hypothesis) -> None:
    assert len(expected.labels) > 3
    assert found.labels == expected.labels
    assert found.text == expected.text
    assert found.log_probability == pytest.approx(expected.log_probability, rel=1e-5)
    for one, other in zip(found.spans + found.words, expected.spans + expected.words, strict=True):
        assert (one.label, one.start, one.end) == (other.label, other.start, other.end)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


@pytest.mark.parametrize(("width", "stride"), STACKINGS)
@pytest.mark.parametrize("reduction", [1, 2])
def test_one_piece_is_the_recording(width: int, stride: int, reduction: int, monkeypatch: pytest.MonkeyPatch):
    reads, source = recogniser(width, stride, reduction), (speech(7), RATE)
    expected = reads.transcribe(source)
    same(in_pieces(reads, source, monkeypatch, context=0.0), expected)


@pytest.mark.parametrize("per", ["utterance", "corpus", "none"])
@pytest.mark.parametrize(("width", "stride"), STACKINGS)
@pytest.mark.parametrize("reduction", [1, 2])
def test_a_context_of_everything_makes_cuts_exact(
    width: int, stride: int, reduction: int, per: str, small_pieces: None, monkeypatch: pytest.MonkeyPatch
):
    reads, source = recogniser(width, stride, reduction, per), (speech(23.456), RATE)
    monkeypatch.setattr(sources, "LONG_SECONDS", 1000.0)
    expected = reads.transcribe(source)
    same(in_pieces(reads, source, monkeypatch, context=100.0), expected)


@pytest.mark.parametrize(("width", "stride"), STACKINGS)
@pytest.mark.parametrize("reduction", [1, 2])
def test_a_short_context_is_enough_for_a_network_that_forgets(
    width: int, stride: int, reduction: int, small_pieces: None, monkeypatch: pytest.MonkeyPatch
):
    """A network with random weights is one that forgets."""
    reads, source = recogniser(width, stride, reduction), (speech(23.456), RATE)
    monkeypatch.setattr(sources, "LONG_SECONDS", 1000.0)
    expected = reads.transcribe(source)
    found = in_pieces(reads, source, monkeypatch, context=1.5)
    assert found.log_probability == pytest.approx(expected.log_probability, rel=1e-3)
    assert count_errors(expected.labels, found.labels).errors <= 2


def test_cuts_without_context_are_not_exact(small_pieces: None, monkeypatch: pytest.MonkeyPatch):
    """The test above could fail."""
    reads, source = recogniser(), (speech(23.456), RATE)
    monkeypatch.setattr(sources, "LONG_SECONDS", 1000.0)
    expected = reads.transcribe(source)
    found = in_pieces(reads, source, monkeypatch, context=0.0)
    assert found.log_probability != pytest.approx(expected.log_probability, rel=1e-4)


def test_the_size_of_blocks_changes_nothing(tmp_path: Path, small_pieces: None, monkeypatch: pytest.MonkeyPatch):
    reads = recogniser()
    path = tmp_path / "sound.flac"
    soundfile.write(path, np.round(speech(20) * 32767).astype(np.int16), RATE)
    expected = reads.transcribe(path)
    for size in (777, 100_000):
        monkeypatch.setattr(opening, "_BLOCK_SAMPLES", size)
        same(reads.transcribe(path), expected)
    same(reads.transcribe(path.read_bytes()), expected)
    same(reads.transcribe(io.BytesIO(path.read_bytes())), expected)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=12),
    st.lists(st.integers(0, 40), max_size=5),
    st.integers(0, 7),
    st.integers(1, 4),
)
def test_pieces_hold_each_frame_once_with_their_context(sizes: list[int], cut_at: list[int], context: int, unit: int):
    """Frames are their own numbers."""
    frames = np.arange(sum(sizes), dtype=np.float32)[:, None]
    blocks = np.split(frames, np.cumsum(sizes)[:-1])
    n_posteriors = -(-len(frames) // unit)
    n_done = 0
    for piece in pieces_of(blocks, sorted(cut_at), context, unit):
        assert piece.n_kept > 0
        first, end = n_done - piece.n_before, min(n_done + piece.n_kept, n_posteriors)
        assert first == max(0, n_done - context)
        last = min(end + context, n_posteriors)
        assert piece.frames[:, 0].tolist() == list(range(first * unit, min(last * unit, len(frames))))
        n_done = end
    assert n_done == n_posteriors


def test_times_go_on(tmp_path: Path, small_pieces: None):
    reads = recogniser()
    path = tmp_path / "sound.wav"
    soundfile.write(path, np.tile(speech(4), 8), RATE)
    whole = reads.transcribe(path)
    starts = [span.start for span in whole.spans]
    assert starts == sorted(starts)
    assert starts[0] < 4
    assert 28 < starts[-1] < whole.spans[-1].end <= 32
    part = reads.transcribe(Utterance("a", path, start=4.0, duration=20.0))
    assert part.spans[0].start >= 4.0
    assert 20 < part.spans[-1].end <= 24


def test_one_minute_is_where_pieces_begin(monkeypatch: pytest.MonkeyPatch):
    seen: list[float] = []
    usual = long.transcribe_long

    def noted(reads: Recogniser, recording: sources.LongSound, *rest: Any, **named: Any) -> list[Hypothesis]:
        seen.append(recording.sound.seconds)
        return usual(reads, recording, *rest, **named)

    monkeypatch.setattr("asr.recogniser.recogniser.transcribe_long", noted)
    monkeypatch.setattr("asr.recogniser.batching.transcribe_long", noted)
    reads = recogniser()
    short, longer = (speech(59.9), RATE), (speech(60.1), RATE)
    reads.transcribe(short)
    assert not seen
    one = reads.transcribe(longer)
    same(reads.transcribe([short, longer])[1], one)
    assert seen == [60.1, 60.1]


def test_long_and_short_and_damaged_recordings_in_one_list(tmp_path: Path, small_pieces: None):
    reads = recogniser()
    cut, whole = tmp_path / "cut.flac", tmp_path / "whole.flac"
    soundfile.write(whole, speech(40), RATE)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    bad = speech(40)
    bad[300_000] = np.nan
    heard: list[tuple[float, float]] = []
    given = [whole, cut, (bad, RATE), whole]
    found = list(transcribe_each(reads, given, on_progress=lambda *seconds: heard.append(seconds)))
    assert [type(one) for one in found] == [list, DataError, DataError, list]
    assert "damaged or truncated" in str(found[1])
    assert "sample 300000 is nan" in str(found[2])
    assert heard[-1] == (40.0, 40.0)
    assert heard[: len(heard) // 2] == heard[len(heard) // 2 :] == sorted(heard[: len(heard) // 2])


def test_a_speaker_heard_in_long_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    reads, other, source = recogniser(per="speaker"), (0.3 * speech(12, seed=1), RATE), (speech(12), RATE)
    expected = reads.listen("ann", [other]).transcribe(source, speaker="ann")
    cut = tmp_path / "cut.flac"
    soundfile.write(cut, speech(40), RATE)
    cut.write_bytes(cut.read_bytes()[:-9000])
    told: list[DataError] = []
    monkeypatch.setattr(sources, "LONG_SECONDS", 0.0)
    heard = reads.listen("ann", [cut, other], on_error=told.append)
    same(heard.transcribe(source, speaker="ann"), expected)
    assert len(told) == 1
    assert heard.transcribe(source).log_probability != pytest.approx(expected.log_probability, rel=1e-3)


def test_a_quarter_of_an_hour_is_not_held(tmp_path: Path):
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", RATE, 1, subtype="PCM_16") as file:
        for seed in range(15):
            file.write(speech(60, seed))
    reads = recogniser()
    reads.transcribe((speech(1), RATE))
    tracemalloc.start()
    found = reads.transcribe(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.spans[-1].end > 890
    assert peak < 20e6  # bytes; its samples alone are 29 MB, and its frames 6
