"""Averages of the weights of two models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import asr
from asr.corpus.inventory import BLANK, Inventory
from asr.errors import ConfigError
from asr.recogniser.averaging import averaged
from asr.recogniser.bundle import save_bundle
from asr.recogniser.card import Card
from asr.recogniser.recogniser import Recogniser
from tests.commands import command
from tests.recogniser.models import small, small_config


def shifted(recogniser: Recogniser, by: float) -> Recogniser:
    """The recogniser with other statistics of its normaliser."""
    state = {name: one + np.float32(by) for name, one in recogniser.normaliser.state_dict().items()}
    return replace(recogniser, normaliser=recogniser.normaliser.with_state(state))


def two() -> tuple[Recogniser, Recogniser]:
    config = small_config(pen=True, per="corpus")
    return small(config, seed=1), shifted(small(config, seed=2), 0.5)


def weights(recogniser: Recogniser) -> dict[str, np.ndarray]:
    assert recogniser.engines.network is not None
    return dict(recogniser.engines.network.weights)


def test_every_weight_lies_between() -> None:
    first, second = two()
    mixed = averaged(first, second, 0.25)
    for name, value in weights(mixed).items():
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, 0.75 * weights(first)[name] + 0.25 * weights(second)[name], atol=1e-6)
    for name, value in mixed.normaliser.state_dict().items():
        np.testing.assert_allclose(value, first.normaliser.state_dict()[name] + 0.125, atol=1e-6)


@pytest.mark.parametrize(("share", "like"), [(0.0, 0), (1.0, 1)])
def test_the_ends_are_the_models(share: float, like: int) -> None:
    models = two()
    mixed = averaged(*models, share)
    raw = np.random.default_rng(0).normal(size=(12, mixed.extractor.dim)).astype(np.float32)
    posteriors = [one.posteriors([one.frames(raw)])[0] for one in (mixed, models[like])]
    np.testing.assert_array_equal(posteriors[0], posteriors[1])


def test_error_rates_of_other_weights_are_dropped() -> None:
    first, second = two()
    known = replace(first, card=Card({"recipe": "unipen/words"}, {"test": {}}))
    assert averaged(known, second, 0.5).card == Card({"recipe": "unipen/words"})


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_outside_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="expected a number from 0 to 1"):
        averaged(*two(), share)


def test_other_labels_are_refused() -> None:
    first, second = two()
    config = replace(second.config, inventory=Inventory((BLANK, "a", "b", "d"), "characters"))
    with pytest.raises(ConfigError, match="differ in their inventory"):
        averaged(first, replace(second, config=config), 0.5)


def test_other_shapes_are_refused() -> None:
    first, _ = two()
    other = small(small_config(pen=True, per="corpus", cell="gru"), seed=2)
    with pytest.raises(ConfigError, match="differ in shape"):
        averaged(first, other, 0.5)


def test_the_command(tmp_path: Path) -> None:
    first, second = two()
    save_bundle(first, tmp_path / "first.safetensors")
    save_bundle(second, tmp_path / "second.safetensors")
    given = ("first.safetensors", "mixed.safetensors", "--average-with", "second.safetensors")
    ended = command("export", *given, "0.4", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    mixed = asr.load(tmp_path / "mixed.safetensors")
    np.testing.assert_array_equal(
        weights(mixed)["output.weight"], weights(averaged(first, second, 0.4))["output.weight"]
    )
    assert mixed.card.about["command"] == "asr-export RUN --average-with second.safetensors 0.4"
    refused = command("export", *given, "half", cwd=tmp_path)
    assert "the share must be a number from 0 to 1" in refused.stderr
