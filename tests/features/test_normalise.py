from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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
    out = Normaliser(per).fit([("a", frames)]).apply(frames, "a")
    out += 1.0
    assert np.array_equal(frames, before)


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8), mean=st.sampled_from([0.0, -23.0, 1e4]))
def test_corpus_statistics_are_those_of_all_frames(lengths, mean):
    """Merged sums against NumPy's two passes over everything at once, far from zero too."""
    parts = [frames_of(i, n, mean=mean, deviation=2.0) for i, n in enumerate(lengths)]
    everything = np.concatenate(parts).astype(np.float64)
    state = Normaliser("corpus").fit((None, part) for part in parts).state_dict()
    np.testing.assert_allclose(state["mean"], everything.mean(axis=0), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(state["deviation"], np.maximum(everything.std(axis=0), 1e-5), rtol=1e-5)


def test_per_speaker_uses_all_utterances_of_the_speaker():
    a1, a2, b = frames_of(1, 20, mean=5), frames_of(2, 30, mean=5), frames_of(3, 25, mean=-8)
    normaliser = Normaliser("speaker").fit([("a", a1), ("b", b), ("a", a2), (None, frames_of(4, 5))])
    both = np.concatenate([a1, a2])
    expected = (a1 - both.mean(axis=0)) / both.std(axis=0)
    np.testing.assert_allclose(normaliser.apply(a1, "a"), expected, atol=1e-5)
    out = torch.cat([normaliser.apply(a1, "a"), normaliser.apply(a2, "a")])
    assert out.mean(dim=0).abs().max() < 1e-5
    # another list adds its speakers and leaves these
    normaliser.fit([("c", frames_of(5, 9, mean=100))])
    np.testing.assert_allclose(normaliser.apply(a1, "a"), expected, atol=1e-5)
    assert normaliser.state_dict() == {}


def test_an_unknown_speaker_is_normalised_by_the_utterance():
    normaliser = Normaliser("speaker").fit([("a", frames_of(1, 20, mean=5))])
    alone = frames_of(2, 12, mean=40)
    expected = Normaliser("utterance").apply(alone)
    assert torch.equal(normaliser.apply(alone, "nobody"), expected)
    assert torch.equal(normaliser.apply(alone), expected)


def test_tensors_and_arrays_give_the_same():
    frames = frames_of(1, 20)
    for per in ("utterance", "none"):
        assert torch.equal(Normaliser(per).apply(frames), Normaliser(per).apply(torch.from_numpy(frames)))


def test_state_travels():
    trained = Normaliser("corpus", dim=3).fit([("a", frames_of(0, 50, mean=7))])
    state = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == {"mean": (3,), "deviation": (3,)}
    loaded = Normaliser("corpus", dim=3)
    loaded.load_state_dict(state)
    other = frames_of(1, 9)
    assert torch.equal(loaded.apply(other), trained.apply(other))


def test_corpus_statistics_come_first():
    with pytest.raises(TrainingError, match="no statistics yet"):
        Normaliser("corpus").apply(frames_of(0, 3))
    with pytest.raises(TrainingError, match="is the training set empty"):
        Normaliser("corpus").fit([])


@pytest.mark.parametrize(
    ("per", "state", "message"),
    [
        ("corpus", {}, r"per=corpus needs \['deviation', 'mean'\], found \[\]"),
        ("utterance", {"mean": torch.zeros(3)}, r"per=utterance needs \[\], found \['mean'\]"),
        ("corpus", {"mean": torch.zeros(3), "deviation": torch.ones(2)}, "of one shape"),
        ("corpus", {"mean": torch.zeros(3), "deviation": torch.zeros(3)}, "no deviation below 1e-12"),
        ("corpus", {"mean": torch.full((3,), float("nan")), "deviation": torch.ones(3)}, "no value above 1e\\+12"),
        (
            "corpus",
            {"mean": torch.zeros(2), "deviation": torch.ones(2)},
            "of 2 values a frame, but the features have 3",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused(per, state, message):
    with pytest.raises(CheckpointError, match=message):
        Normaliser(per, dim=3).load_state_dict(state)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match=r"per=speakers; expected one of .*; did you mean 'speaker'?"):
        Normaliser("speakers")


def test_nothing_is_computed_that_is_not_needed():
    def never():
        raise AssertionError("asked for frames")
        yield

    Normaliser("utterance").fit(never())
    Normaliser("none").fit(never())


def test_hearing_speakers_changes_nothing_else():
    frames, other = frames_of(0, 20), frames_of(1, 20, mean=5.0)
    corpus = Normaliser("corpus").fit([(None, frames)])
    corpus.hear(pytest.fail(f"{one} was asked for") for one in range(3))
    assert np.array_equal(corpus.apply(frames), Normaliser("corpus").fit([(None, frames)]).apply(frames))
    heard = Normaliser("speaker")
    heard.hear([("a", frames), (None, other), ("a", other)])
    fitted = Normaliser("speaker").fit([("a", frames), ("a", other)])
    assert torch.equal(heard.apply(frames, "a"), fitted.apply(frames, "a"))
