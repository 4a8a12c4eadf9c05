"""Only what is meant to be configured is built, and what is wrong with a node is said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from asr.config import Component, build, check_types, target
from asr.errors import ConfigError
from asr.experiment.schema import GROUPS
from asr.features.stack import FrameStack


def test_a_node_is_built() -> None:
    stacking = build(Component.of({"_target_": "asr.features.stack.FrameStack", "width": 3, "stride": 2}))
    assert isinstance(stacking, FrameStack)
    assert (stacking.width, stacking.stride) == (3, 2)


def test_every_target_of_the_command_line_is_offered() -> None:
    paths = [node._target_ for nodes in GROUPS.values() for node in nodes.values() if hasattr(node, "_target_")]
    assert len(paths) >= 10
    for path in paths:
        assert callable(target(path))


@pytest.mark.parametrize(
    "node",
    [
        {"_target_": "asr.corpus.manifest.write_manifest", "path": "precious.txt", "utterances": []},
        {"_target_": "asr.load", "model": "other.safetensors", "plugins": ["os"]},
        {"_target_": "asr.config.build"},
        {"_target_": "asr.features.cache.Path", "path": "x"},
        {"_target_": "asr.config.importlib"},
    ],
)
def test_code_of_this_package_that_no_config_offers_is_not_called(
    node: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "precious.txt").write_text("precious")
    with pytest.raises(ConfigError, match=r"_target_ 'asr\.\S+' cannot be built from a configuration"):
        build(Component.of(node))
    assert (tmp_path / "precious.txt").read_text() == "precious"


def test_other_code_needs_a_plugin() -> None:
    node = {"_target_": "string.Template", "template": "x"}
    with pytest.raises(ConfigError, match=r"'string\.Template' lies outside this package"):
        build(Component.of(node))
    with pytest.raises(ConfigError, match="lies outside this package"):
        build(Component.of(node), ["str"])
    assert build(Component.of(node), ["string"]).template == "x"
    with pytest.raises(ConfigError, match="cannot be built from a configuration"):
        build(Component.of({"_target_": "string.digits"}), ["string"])


def test_a_name_that_is_not_there_is_an_error_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"_target_ 'asr\.nowhere\.X' cannot be loaded: No module named"):
        build(Component.of({"_target_": "asr.nowhere.X"}))
    with pytest.raises(ConfigError, match=r"a node with the fields \[width\] has no _target_"):
        build(Component.of({"width": 3}))


def test_a_misspelt_field_gets_the_nearest_known_one() -> None:
    with pytest.raises(ConfigError, match=r"has no option 'widht'; did you mean 'width'\?"):
        build(Component.of({"_target_": "asr.features.stack.FrameStack", "widht": 3}))


def test_a_value_that_the_target_refuses_is_an_error_of_the_configuration() -> None:
    node = {"_target_": "asr.training.optimizers.sgd", "lr": 0.1, "momentum": -1.0, "nesterov": False}
    with pytest.raises(ConfigError, match=r"'asr\.training\.optimizers\.sgd' cannot be built: .*weight_decay"):
        build(Component.of(node), parameters=[torch.nn.Parameter(torch.ones(1))])
    with pytest.raises(ConfigError, match=r"^momentum=-1\.0; expected 0 to below 1$"):
        build(Component.of(node | {"weight_decay": 0.0}), parameters=[torch.nn.Parameter(torch.ones(1))])


@dataclass(frozen=True)
class Options:
    """What a corpus reader may take."""

    root: str = ""
    count: int = 3
    share: float = 0.5
    channel: int | None = None
    download: bool = False
    kind: Literal["a", "b"] = "a"
    folder: Path = Path()


@pytest.mark.parametrize(
    "options",
    [
        {"root": "x", "count": 4, "share": 1, "channel": None, "download": True, "kind": "b", "folder": "x"},
        {"root": None, "channel": 1, "share": 0.25},
    ],
)
def test_options_of_the_right_types_pass(options: dict[str, Any]) -> None:
    check_types(Options, options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": 2024}, "root=2024; expected text; put it in quotes: 'root=\"2024\"'"),
        ({"count": "many"}, "count=many; expected a whole number"),
        ({"count": 2.5}, "count=2.5; expected a whole number"),
        ({"count": True}, "count=true; expected a whole number"),
        ({"share": "half"}, "share=half; expected a number"),
        ({"channel": "left"}, "channel=left; expected a whole number or null"),
        ({"download": "yes please"}, "download='yes please'; expected true or false"),
    ],
)
def test_an_option_of_another_type_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}$"):
        check_types(Options, options)
