from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.config import Component, build
from asr.errors import CheckpointError, ConfigError, TrainingError
from asr.features.normalise import Normaliser


def frames_of(seed: int, n_frames: int, dim: int = 3, mean: float = 0.0, deviation: float = 1.0) -> np.ndarray:
    return (mean + deviation * np.random.default_rng(seed).standard_normal((n_frames, dim))).astype(np.float32)


def test_by_hand():
    frames = np.array([[1.0, 5.0], [3.0, 5.0]], dtype=np.float32)
    assert Normaliser("utterance").apply(frames).tolist() == [[-1, 0], [1, 0]]  # a constant value becomes 0
    assert Normaliser("utterance", variance=False).apply(frames * 2).tolist() == [[-2, 0], [2, 0]]
    assert Normaliser("none").apply(frames).tolist() == frames.tolist()


@pytest.mark.parametrize("per", ["utterance", "speaker", "corpus", "none"])
def test_the_input_is_left_as_it_is(per):
    frames = frames_of(0, 10)
    before = frames.copy()
    out = Normaliser(per).fitted([("a", frames)]).apply(frames, "a")
    out += 1.0
    assert np.array_equal(frames, before)


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8), mean=st.sampled_from([0.0, -23.0, 1e4]))
def test_corpus_statistics_are_those_of_all_frames(lengths, mean):
    """Merged sums against NumPy's two passes over everything at once, far from zero too."""
    parts = [frames_of(i, n, mean=mean, deviation=2.0) for i, n in enumerate(lengths)]
    everything = np.concatenate(parts).astype(np.float64)
    state = Normaliser("corpus").fitted((None, part) for part in parts).state_dict()
    np.testing.assert_allclose(state["mean"], everything.mean(axis=0), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(state["deviation"], np.maximum(everything.std(axis=0), 1e-5), rtol=1e-5)


def test_per_speaker_uses_all_utterances_of_the_speaker():
    a1, a2, b = frames_of(1, 20, mean=5), frames_of(2, 30, mean=5), frames_of(3, 25, mean=-8)
    normaliser = Normaliser("speaker").fitted([("a", a1), ("b", b), ("a", a2), (None, frames_of(4, 5))])
    both = np.concatenate([a1, a2])
    expected = (a1 - both.mean(axis=0)) / both.std(axis=0)
    np.testing.assert_allclose(normaliser.apply(a1, "a"), expected, atol=1e-5)
    out = np.concatenate([normaliser.apply(a1, "a"), normaliser.apply(a2, "a")])
    assert np.abs(out.mean(axis=0)).max() < 1e-5
    # another list adds its speakers and leaves these
    normaliser = normaliser.fitted([("c", frames_of(5, 9, mean=100))])
    np.testing.assert_allclose(normaliser.apply(a1, "a"), expected, atol=1e-5)
    assert normaliser.state_dict() == {}


def test_an_unknown_speaker_is_normalised_by_the_utterance():
    normaliser = Normaliser("speaker").fitted([("a", frames_of(1, 20, mean=5))])
    alone = frames_of(2, 12, mean=40)
    expected = Normaliser("utterance").apply(alone)
    assert np.array_equal(normaliser.apply(alone, "nobody"), expected)
    assert np.array_equal(normaliser.apply(alone), expected)


def test_state_travels():
    trained = Normaliser("corpus", dim=3).fitted([("a", frames_of(0, 50, mean=7))])
    state = trained.state_dict()
    assert {name: values.shape for name, values in state.items()} == {"mean": (3,), "deviation": (3,)}
    loaded = Normaliser("corpus", dim=3).with_state(state)
    other = frames_of(1, 9)
    assert np.array_equal(loaded.apply(other), trained.apply(other))


def test_corpus_statistics_come_first():
    with pytest.raises(TrainingError, match="no statistics yet"):
        Normaliser("corpus").apply(frames_of(0, 3))
    with pytest.raises(TrainingError, match="is the training set empty"):
        Normaliser("corpus").fitted([])


@pytest.mark.parametrize(
    ("per", "state", "message"),
    [
        ("corpus", {}, r"per=corpus needs \['deviation', 'mean'\], found \[\]"),
        ("utterance", {"mean": np.zeros(3)}, r"per=utterance needs \[\], found \['mean'\]"),
        ("corpus", {"mean": np.zeros(3), "deviation": np.ones(2)}, "of one shape"),
        ("corpus", {"mean": np.zeros(3), "deviation": np.zeros(3)}, "no deviation below 1e-12"),
        ("corpus", {"mean": np.full(3, np.nan), "deviation": np.ones(3)}, "no value above 1e\\+12"),
        ("corpus", {"mean": np.zeros(3, dtype=int), "deviation": np.ones(3)}, "of floating-point numbers"),
        ("corpus", {"mean": [0.0] * 3, "deviation": np.ones(3)}, "of floating-point numbers"),
        ("corpus", {"mean": np.zeros((1, 3)), "deviation": np.ones((1, 3))}, "of one shape"),
        ("corpus", {"mean": np.zeros(3), "deviation": np.full(3, 1e300)}, "no value above 1e\\+12"),
        (
            "corpus",
            {"mean": np.zeros(2), "deviation": np.ones(2)},
            "have 2 values per frame, but the features have 3",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused(per, state, message):
    with pytest.raises(CheckpointError, match=message):
        Normaliser(per, dim=3).with_state(state)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match=r"per=speakers; expected one of .*; did you mean 'speaker'?"):
        Normaliser("speakers")


def test_nothing_is_computed_that_is_not_needed():
    def never():
        raise AssertionError("asked for frames")
        yield

    Normaliser("utterance").fitted(never())
    Normaliser("none").fitted(never())


def test_hearing_speakers_changes_nothing_else():
    frames, other = frames_of(0, 20), frames_of(1, 20, mean=5.0)
    corpus = Normaliser("corpus").fitted([(None, frames)])
    heard = corpus.having_heard(pytest.fail(f"{one} was asked for") for one in range(3))
    assert np.array_equal(heard.apply(frames), corpus.apply(frames))
    heard = Normaliser("speaker").having_heard([("a", frames), (None, other), ("a", other)])
    fitted = Normaliser("speaker").fitted([("a", frames), ("a", other)])
    assert np.array_equal(heard.apply(frames, "a"), fitted.apply(frames, "a"))


def test_a_normaliser_never_changes():
    frames, other = frames_of(0, 20), frames_of(1, 20, mean=5.0)
    before = Normaliser("speaker").having_heard([("a", frames)])
    after = before.having_heard([("a", other), ("b", other)])
    assert (before.knows("a"), before.knows("b")) == (True, False)
    assert (after.knows("a"), after.knows("b")) == (True, True)
    assert np.array_equal(before.apply(frames, "a"), Normaliser("utterance").apply(frames))
    assert not np.array_equal(after.apply(frames, "a"), before.apply(frames, "a"))
    with pytest.raises(FrozenInstanceError):
        before.per = "none"
    with pytest.raises(ValueError, match="read-only"):
        before.scale_of((), "a").mean += 1.0
    corpus = Normaliser("corpus")
    corpus.fitted([(None, frames)])
    with pytest.raises(TrainingError, match="no statistics yet"):
        corpus.apply(frames)


def test_statistics_are_no_options():
    """A configuration cannot smuggle them in."""
    with pytest.raises(ConfigError, match="has no option '_corpus'"):
        build(Component("asr.features.normalise.Normaliser", {"per": "corpus", "_corpus": None}))
    made = build(Component("asr.features.normalise.Normaliser", {"per": "speaker", "variance": False}), dim=3)
    assert (made.per, made.variance, made.dim) == ("speaker", False, 3)


@pytest.mark.parametrize("variance", [True, False])
@pytest.mark.parametrize("per", ["utterance", "speaker", "corpus", "none"])
def test_blocks_are_normalised_as_the_whole(per, variance):
    frames = frames_of(0, 50, mean=-3.0, deviation=4.0)
    normaliser = Normaliser(per, variance).fitted([("a", frames_of(1, 30)), ("a", frames_of(2, 9))])
    for speaker in ("a", "b", None):
        scale = normaliser.scale_of(iter([frames[:7], frames[7:7], frames[7:8], frames[8:]]), speaker)
        blocks = [scale.apply(frames[:20]), scale.apply(frames[20:])]
        assert all(block.dtype == np.float32 for block in blocks)
        np.testing.assert_allclose(np.concatenate(blocks), normaliser.apply(frames, speaker), atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 200), max_size=12),
    mean=st.sampled_from([0.0, -23.0, 1e4, 1e6]),
    deviation=st.sampled_from([1.0, 30.0]),
    seed=st.integers(0, 9),
)
def test_however_frames_are_cut_the_scale_differs_in_the_last_place_alone(cuts, mean, deviation, seed):
    frames = frames_of(seed, 200, mean=mean, deviation=deviation)
    whole, parts = Normaliser().scale_of([frames]), Normaliser().scale_of(np.split(frames, sorted(cuts)))
    for one, other in ((whole.mean, parts.mean), (whole.deviation, parts.deviation)):
        np.testing.assert_array_max_ulp(one, other, maxulp=1)


def test_no_frames_have_no_scale():
    with pytest.raises(TrainingError, match="no frames to take the normalisation statistics from"):
        Normaliser("utterance").scale_of([frames_of(0, 3)[:0]])
