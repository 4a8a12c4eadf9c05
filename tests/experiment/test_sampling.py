"""Shares of the kinds of utterances: what an epoch sees is a function of seed, epoch and id alone."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from asr.experiment.experiment import Experiment
from asr.experiment.sampling import SamplingConfig, Turns, without_unused
from asr.training.checkpoint import load_checkpoint
from asr.training.loop import Stopped
from tests.experiment.conftest import compose_small, quiet
from tests.tones import make_corpus
from tests.training.test_loop import StopsAt
from tests.training.toy import Silent


def some(count: int, kind: str) -> list[Utterance]:
    return [Utterance(f"{kind}{number}", Path("x"), tags={"category": kind}) for number in range(count)]


def seen(turns: Turns, utterances: list[Utterance], epoch: int) -> set[str]:
    return {utterances[index].id for index in turns.chosen(epoch)}


@given(st.floats(0.01, 1.0), st.integers(0, 99), st.integers(0, 50))
def test_everything_is_seen_equally_often(share: float, seed: int, first: int) -> None:
    utterances = some(40, "word")
    turns, epochs = Turns(SamplingConfig(shares={"word": share}), utterances, seed), 12
    chosen = [seen(turns, utterances, epoch) for epoch in range(first, first + epochs)]
    for one in utterances:
        assert int(epochs * share) <= sum(one.id in epoch for epoch in chosen) <= int(epochs * share) + 1


def test_a_share_is_about_that_of_the_utterances() -> None:
    utterances = [*some(2000, "word"), *some(100, "line")]
    turns = Turns(SamplingConfig(shares={"word": 0.3}), utterances, seed=1)
    counts = [sum(one.startswith("word") for one in seen(turns, utterances, epoch)) for epoch in range(5)]
    assert all(500 < count < 700 for count in counts)
    assert len(set(counts)) > 1
    assert all(sum(one.startswith("line") for one in seen(turns, utterances, epoch)) == 100 for epoch in range(5))


def test_the_order_of_the_corpus_changes_nothing_and_the_seed_does() -> None:
    utterances = some(300, "word")
    shuffled = random.Random(5).sample(utterances, len(utterances))
    config = SamplingConfig(shares={"word": 0.5})
    for epoch in (0, 1, 7):
        plain = seen(Turns(config, utterances, 1), utterances, epoch)
        assert seen(Turns(config, shuffled, 1), shuffled, epoch) == plain
        assert seen(Turns(config, utterances, 2), utterances, epoch) != plain


def test_a_share_of_0_leaves_a_kind_out() -> None:
    utterances = [*some(3, "word"), *some(2, "line")]
    assert without_unused(SamplingConfig(shares={"word": 0}), utterances) == utterances[3:]
    assert without_unused(SamplingConfig(), utterances) == utterances


@pytest.mark.parametrize(
    ("shares", "by", "message"),
    [
        ({"wrods": 0.5}, "category", "has the category 'wrods'; did you mean 'word'.*expected one of: line, word"),
        ({"word": 0.5}, "donor", "expected one of: none, because they have no tag 'donor'"),
        ({"word": 0.0, "line": 0.0}, "category", "all shares are 0"),
    ],
)
def test_shares_of_nothing_are_refused(shares: dict[str, float], by: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        without_unused(SamplingConfig(by, shares), [*some(3, "word"), *some(2, "line")])


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan"), True])
def test_shares_out_of_range_are_named(share: float) -> None:
    with pytest.raises(ConfigError, match=r"shares\.word=.*expected a number from 0 to 1"):
        SamplingConfig(shares={"word": share})


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    """Recordings of two kinds."""
    root = make_corpus(tmp_path / "tones", {"train": 12, "dev": 2, "test": 2})
    rows = read_manifest(root / "train.jsonl")
    tagged = [replace(one, tags={"category": "ab"[number % 2]}) for number, one in enumerate(rows)]
    write_manifest(root / "train.jsonl", tagged)
    return root


def test_a_run_sees_the_shares_and_resumes_to_the_same_weights(kinds: Path, tmp_path: Path) -> None:
    changes = {
        "+sampling.shares": "{a: 0.5}", "training.epochs": "4", "training.max_utterances": "1", "augment": "light",
    }  # fmt: skip
    config = compose_small(kinds, **changes)
    whole = Experiment(config, tmp_path / "whole", quiet)
    whole.train(watcher := Silent())
    assert watcher.steps == 4 * 6 + 2 * 6  # of kind `b` all, of kind `a` each twice
    with pytest.raises(Stopped):
        Experiment(config, tmp_path / "cut", quiet).train(StopsAt(7))
    Experiment(config, tmp_path / "cut", quiet).train(Silent())
    weights = [load_checkpoint(tmp_path / name / "checkpoints/last.pt")["weights"] for name in ("whole", "cut")]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


def test_an_epoch_that_would_see_nothing_names_the_option(kinds: Path, tmp_path: Path) -> None:
    config = compose_small(kinds, **{"+sampling.shares": "{a: 0.001, b: 0.001}"})
    with pytest.raises(
        ConfigError, match=r"sampling\.shares: epoch 1 uses none of 12 training utterances; raise a share"
    ):
        Experiment(config, tmp_path / "run", quiet).train(Silent())
