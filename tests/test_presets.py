"""Options that are read without Hydra give what Hydra composes."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from asr.config import Component
from asr.errors import ConfigError
from asr.presets import Group, choose, is_option
from asr.resources import resource

GROUPS = ("features", "normaliser", "stacking", "augment", "schedule", "decoder", "model/cell")
"""The groups whose presets are one component each; a model holds a cell, and a corpus is none."""
PRESETS = [(group, path.stem) for group in GROUPS for path in sorted((resource("conf") / group).glob("*.yaml"))]


@dataclass
class BeamConfig:
    """Options of a decoder that is not there."""

    width: int = 10
    beta: float = 1.0
    lexicon: str | None = None
    scales: list[float] = field(default_factory=lambda: [1.0])
    _target_: str = "asr.made_up_for_a_test.Beam"


BEAM = Group("decoder", {"beam": BeamConfig})
DEFAULT = Component.of(BeamConfig())


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the package with the decoder."""
    module = ModuleType("asr.made_up_for_a_test")
    module.BeamConfig = BeamConfig  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "asr.made_up_for_a_test", module)


def composed(group: str, *words: str) -> Component:
    """What Hydra makes of the words."""
    pytest.importorskip("torch")
    from tests.composing import compose

    config = compose(words)
    component = config.model.options["cell"] if group == "model/cell" else getattr(config, group)
    assert isinstance(component, Component)
    return component


def classes(group: str) -> dict[str, type]:
    pytest.importorskip("torch")
    from asr.experiment.schema import GROUPS as OF_RUNS

    return OF_RUNS[group]


@pytest.mark.parametrize(("group", "name"), PRESETS)
def test_a_preset_is_what_hydra_makes_of_it(group: str, name: str) -> None:
    known = Group(group, classes(group))
    assert name in known.names()
    words = [f"{group}={name}"]
    assert choose(known, words, Component("never.used", {})) == composed(group, *words)


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("features", ["features=mel64", "features.n_mels=32", "features.low_hz=50"]),
        ("features", ["features=mfcc", "features.kind=fbank", "features.log_floor=1e-6"]),
        ("augment", ["augment=strong", "augment.speeds=[1, 1.1]", "augment.noise_share=0"]),
        ("normaliser", ["normaliser=speaker", "normaliser.variance=false"]),
        ("schedule", ["schedule=constant", "schedule.warmup=.25"]),
        ("decoder", ["decoder=greedy"]),
        ("decoder", ["decoder=beam", "decoder.gap=inf", "decoder.insertion_bonus=-inf"]),
        ("model/cell", ["model/cell=odyssey_nog"]),
    ],
)
def test_options_are_what_hydra_makes_of_them(group: str, words: list[str]) -> None:
    ours = choose(Group(group, classes(group)), words, Component("never.used", {})).to_node()
    hydras = composed(group, *words).to_node()
    assert ours == hydras
    assert {key: type(value) for key, value in ours.items()} == {key: type(value) for key, value in hydras.items()}


def test_numbers_have_the_type_of_their_field() -> None:
    words = ["decoder.width=50", "decoder.beta=2", "decoder.scales=[1, 2.5e-1, 1e-3]", "decoder.lexicon='12'"]
    options = choose(BEAM, words, DEFAULT).options
    assert dict(options) == {"width": 50, "beta": 2.0, "scales": [1.0, 0.25, 1e-3], "lexicon": "12"}
    assert [type(options[name]) for name in ("width", "beta")] == [int, float]
    assert [type(one) for one in options["scales"]] == [float] * 3


def test_infinite_numbers_are_numbers_where_one_is_expected() -> None:
    words = ["decoder.beta=-inf", "decoder.scales=[inf, 1]", "decoder.lexicon=inf"]
    assert dict(choose(BEAM, words, DEFAULT).options) == {
        "width": 10, "beta": -math.inf, "scales": [math.inf, 1.0], "lexicon": "inf",
    }  # fmt: skip


def test_the_last_choice_counts_and_options_stand_on_it_in_any_order() -> None:
    words = ["decoder.width=5", "decoder=beam", "decoder.width=6"]
    assert choose(BEAM, words, Component("another.Decoder", {"x": 1})) == DEFAULT.with_options(width=6)
    assert choose(BEAM, ["decoder.lexicon=null"], DEFAULT.with_options(lexicon="a")) == DEFAULT
    assert choose(BEAM, [], Component(DEFAULT.target, {"width": 3})) == DEFAULT.with_options(width=3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["decoder=baem"], r"there is no decoder 'baem'; did you mean 'beam'\?; expected beam"),
        (["decoder=../augment/none"], r"lies outside this package"),
        (["decoder.widht=5"], r"there is no option 'decoder\.widht'; did you mean 'width'\?"),
        (["decoder.width=many"], r"decoder\.width=many; expected a whole number"),
        (["decoder.width=1.5"], r"decoder\.width=1\.5; expected a whole number"),
        (["decoder.width=true"], r"decoder\.width=true; expected a whole number"),
        (["decoder.lexicon=12"], r"decoder\.lexicon=12; expected text or null; put it in quotes"),
        (["decoder.scales=[1, x]"], r"decoder\.scales=.*expected a list of numbers"),
        (["decoder.width=x", "decoder.beat=1"], r"2 options are not as expected"),
        (["decoder.width=!!python/name:os.system"], r"cannot be read as a value"),
        (["decoder.=5"], r"expected decoder=NAME or decoder\.OPTION=VALUE"),
        (["decoder."], r"expected decoder=NAME or decoder\.OPTION=VALUE"),
        (["beam.width=5"], r"'beam\.width=5': expected decoder=NAME"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose(BEAM, words, DEFAULT)


def test_a_preset_of_two_groups_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"small\.yaml cannot be chosen here"):
        choose(Group("model", {"schema": BeamConfig}), ["model=small"], DEFAULT)


def test_an_option_is_no_path(tmp_path: Path) -> None:
    assert is_option("decoder.width=5")
    assert not is_option("./decoder.width=5")
    assert not is_option(str(tmp_path / "a=b.wav"))
    assert not is_option("-=1")
