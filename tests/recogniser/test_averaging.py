"""Averages of the weights of two models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import asr
from asr.config import Component
from asr.corpus.inventory import BLANK, Inventory
from asr.decoding.beam import BeamConfig
from asr.decoding.choice import named
from asr.engines.pool import Engines
from asr.errors import ConfigError
from asr.recogniser.averaging import _between, averaged
from asr.recogniser.bundle import save_bundle
from asr.recogniser.card import Card
from asr.recogniser.recogniser import Recogniser
from asr.recurrent.options import ZoneoutLstmConfig
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
    with pytest.raises(ConfigError, match="differ in their labels"):
        averaged(first, replace(second, config=config), 0.5)


def with_options(recogniser: Recogniser, part: str, **options: object) -> Recogniser:
    component = getattr(recogniser.config, part).with_options(**options)
    return replace(recogniser, config=replace(recogniser.config, **{part: component}))


@pytest.mark.parametrize(
    ("part", "options", "told"),
    [
        ("model", {"skips": True}, r"model\.skips \(false and true\)"),
        ("model", {"cell": Component.of(ZoneoutLstmConfig())}, r"model\.cell\._target_"),
        ("features", {"step": 0.3}, r"features\.step"),
        ("stacking", {"width": 3}, r"stacking\.width"),
        ("normaliser", {"per": "utterance"}, r"normaliser\.per"),
    ],
)
def test_models_that_differ_in_an_option_are_refused(part: str, options: dict[str, object], told: str) -> None:
    first, second = two()
    with pytest.raises(ConfigError, match=f"^the two models differ in {told}"):
        averaged(first, with_options(second, part, **options), 0.5)


def test_dropout_and_options_that_an_older_version_left_out_may_differ() -> None:
    first, second = two()
    other = with_options(second, "model", dropout=0.3)
    older = {key: value for key, value in other.config.model.options.items() if key != "skips"}
    config = replace(other.config, model=replace(other.config.model, options=older))
    mixed = averaged(first, replace(other, config=config), 0.5)
    np.testing.assert_array_equal(weights(mixed)["output.weight"], weights(averaged(*two(), 0.5))["output.weight"])


def with_weights(recogniser: Recogniser, **changed: np.ndarray) -> Recogniser:
    assert recogniser.engines.network is not None
    network = replace(recogniser.engines.network, weights={**weights(recogniser), **changed})
    return replace(recogniser, engines=Engines(network))


@pytest.mark.parametrize("of", [np.zeros(2, dtype=np.float32), np.zeros(3, dtype=np.float64)])
def test_weights_of_another_shape_or_type_are_refused(of: np.ndarray) -> None:
    first, second = two()
    given = with_weights(first, own=np.zeros(3, dtype=np.float32)), with_weights(second, own=of)
    with pytest.raises(ConfigError, match="differ in the shape or type of their weights"):
        averaged(*given, 0.5)


def test_only_floats_are_averaged() -> None:
    """A user's own network may have weights of other types."""
    values = {"a": np.array([1, 3]), "b": np.array([0.0, 1.0])}
    mixed = _between(values, {"a": np.array([1, 3]), "b": np.array([1.0, 1.0])}, 0.25)
    assert {name: (one.dtype, one.tolist()) for name, one in mixed.items()} == {
        "a": (np.dtype(np.int64), [1, 3]), "b": (np.dtype(np.float64), [0.25, 1.0]),
    }  # fmt: skip
    with pytest.raises(ConfigError, match="differ in a, which has the type int64; only floats can be averaged"):
        _between(values, values | {"a": np.array([1, 4])}, 0.25)


def test_a_calibration_of_other_weights_is_dropped() -> None:
    first, second = two()
    tuned = named(Component.of(BeamConfig(beam=7, calibration=[0.5, 0.1, 0.2] * 3)), "dev")
    mixed = averaged(first.with_default_decoder(tuned), second, 0.5)
    for choice in (mixed.decoder_choice, mixed.config.decoder_choice):
        assert (choice.component.options["calibration"], choice.component.options["beam"]) == ([], 7)
        assert choice.chosen_on is None
    raw = np.random.default_rng(0).normal(size=(12, mixed.extractor.dim)).astype(np.float32)
    plain = averaged(first, second, 0.5).with_decoder(named(Component.of(BeamConfig(beam=7))))
    results = [one.recognise([one.frames(raw)]) for one in (mixed, plain)]
    assert results[0] == results[1]


def test_an_onnx_file_is_refused() -> None:
    first, second = two()
    without = replace(second, engines=Engines(None, only=second.engines.for_work(1)))
    for given in ((first, without), (without, first)):
        with pytest.raises(ConfigError, match=r"an \.onnx file does not hold weights to average"):
            averaged(*given, 0.5)


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
