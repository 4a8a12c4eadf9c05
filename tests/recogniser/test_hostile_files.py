"""Bundles and checkpoints from outside, damaged or made to harm: a recogniser or one sentence, at once."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from asr.config import Component
from asr.engines.torch import build_module
from asr.errors import AsrError, CheckpointError
from asr.recogniser.bundle import save_bundle
from asr.recogniser.checkpoints import state_of
from asr.recogniser.config import PARTS, RecogniserConfig
from asr.recogniser.loading import load
from asr.recogniser.parts import parts_of
from asr.seeds import generator
from tests.hostile import VALUES, damaged, in_time, refusal
from tests.mutations import mutated
from tests.recogniser.models import CELLS, recognised, small, small_config, with_weights


def tried(config: RecogniserConfig, what: object) -> str | None:
    """Build a recogniser and let it recognise; None where it does."""
    return refusal(lambda: recognised(small(config)), what)


HOW_MANY = [pytest.param(5, id="few"), pytest.param(1, id="all", marks=pytest.mark.slow)]


def try_options(config: RecogniserConfig, step: int, part: str, nested: str | None = None) -> Counter[str]:
    """Build with each option of a component (or of one within it) at every `step`-th hostile value."""
    assert tried(config, part) is None  # imports what it needs, which takes its time
    seen: Counter[str] = Counter()
    owner: Component = getattr(config, part).completed()
    component = owner if nested is None else owner.options[nested].completed()
    for number, option in enumerate(component.options):
        for value in VALUES[number % step :: step]:
            changed = component.with_options(**{option: value})
            changed = changed if nested is None else owner.with_options(**{nested: changed})
            told = tried(replace(config, **{part: changed}), (part, option, value))
            group = part if nested is None else f"{part}.{nested}"
            named = told is None or any(one in told for one in (group, "frames", "are not finite"))
            assert named, (option, value, told)
            seen["read" if told is None else "refused"] += 1
    return seen


@pytest.mark.parametrize("step", HOW_MANY)
@pytest.mark.parametrize("part", PARTS)
def test_every_option_of_a_recogniser_of_sound(part: str, step: int) -> None:
    seen = try_options(small_config(), step, part)
    assert part == "decoder" or seen["refused"] > 1


@pytest.mark.parametrize("step", HOW_MANY)
def test_every_option_of_features_of_ink(step: int) -> None:
    seen = try_options(small_config(pen=True), step, "features")
    assert min(seen["read"], seen["refused"]) > 1


@pytest.mark.parametrize("step", HOW_MANY)
@pytest.mark.parametrize("cell", CELLS)
def test_every_option_of_a_cell(cell: str, step: int) -> None:
    try_options(small_config(cell=cell), step, "model", "cell")


@pytest.mark.parametrize(
    ("part", "option", "value", "message"),
    [
        ("features", "scale", 1e308, r"features\.scale=1e\+308; expected above 0, at most 1e9"),
        ("stacking", "stride", 1.5, r"stacking\.stride=1\.5; expected a whole number$"),
        ("features", "rate", 10**400, r"features\.rate=about 1e400; expected a whole number of at most 18 digits"),
        ("normaliser", "per", "all", r"normaliser\.per=all; expected one of utterance, speaker, corpus, none"),
        ("model", "hidden", "x\ny", r"model\.hidden='x\\ny'; expected a whole number"),
        ("model", "hiden", 3, r"model: 'asr\.recurrent\.stack\.RecurrentStack' has no option 'hiden'; did you mean"),
        ("model", "cell", 3, "model: a part of the configuration is 3; expected a node with a _target_"),
    ],
)
def test_what_is_said_of_an_option(part: str, option: str, value: Any, message: str) -> None:
    config = small_config()
    changed = replace(config, **{part: getattr(config, part).with_options(**{option: value})})
    with pytest.raises(AsrError, match=message):
        small(changed)


def test_an_option_of_a_cell_is_named_with_its_groups() -> None:
    config = small_config(cell="conv_lstm")
    cell = config.model.options["cell"].with_options(kernel=2, channels=3)
    with pytest.raises(AsrError) as caught:
        small(replace(config, model=config.model.with_options(cell=cell)))
    assert str(caught.value).split("\n") == [
        "2 options are not as expected:",
        "  model.cell.channels=3; expected 1 or more, a divisor of model.hidden (8)",
        "  model.cell.kernel=2; expected an odd number, 1 to 1001",
    ]


TENSORS = ("model.output.weight", "scale.output.weight", "model.output.bias", "normaliser.mean")


class Bundle:
    """The parts of a bundle, to be put together again after changes."""

    def __init__(self, path: Path, per: str = "corpus") -> None:
        self.path = path
        save_bundle(small(small_config(per=per)), path, "int8")
        with safe_open(str(path), framework="pt") as file:
            self.header = json.loads(file.metadata()["bundle"])
            self.tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  (not a dict)

    def write(self, header: Any, tensors: dict[str, torch.Tensor] | None = None) -> Path:
        self.path.write_bytes(save(self.tensors if tensors is None else tensors, {"bundle": json.dumps(header)}))
        return self.path


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path / "model.safetensors")


def survivals_of_headers(bundle: Bundle, n: int, first: int = 0) -> Counter[str]:
    """Load a bundle after each of many changes to its header's values, and let it recognise."""
    seen: Counter[str] = Counter()
    for k in range(first, first + n):
        path = bundle.write(damaged(bundle.header, generator("headers", k)))
        told = refusal(lambda path=path: recognised(load(path)), k)
        assert told is None or "model.safetensors" in told or "frames" in told, (k, told)
        seen["read" if told is None else "refused"] += 1
    return seen


def survivals_of_bytes(path: Path, n: int, first: int = 0) -> Counter[str]:
    """Load a file after each of many mutations of its bytes, and let it recognise."""
    content, seen = path.read_bytes(), Counter[str]()
    for k in range(first, first + n):
        path.write_bytes(mutated(content, generator("bytes of models", path.suffix, k)))
        told = refusal(lambda: recognised(load(path)), k)
        seen["read" if told is None else "refused"] += 1
    path.write_bytes(content)
    return seen


def checkpoint(path: Path, change: Any = None) -> Path:
    """A checkpoint of a small recogniser, as training writes it."""
    recogniser = small(small_config(per="corpus"))
    network = recogniser.engines.network
    assert network is not None
    weights = {name: torch.from_numpy(one) for name, one in network.weights.items()}
    saved = {"bundle": state_of(recogniser), "weights": weights, "state": {"epoch": 1}}
    torch.save(saved if change is None else change(saved), path)
    return path


def test_headers_of_bundles(bundle: Bundle) -> None:
    seen = survivals_of_headers(bundle, 150)
    assert min(seen["read"], seen["refused"]) > 5


def test_bytes_of_bundles(bundle: Bundle) -> None:
    seen = survivals_of_bytes(bundle.path, 250)
    assert min(seen["read"], seen["refused"]) > 5


def test_bytes_of_checkpoints(tmp_path: Path) -> None:
    seen = survivals_of_bytes(checkpoint(tmp_path / "best.pt"), 100)
    assert seen["refused"] > 50


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["headers", "bundles", "checkpoints"])
def test_many_damaged_models(kind: str, bundle: Bundle, tmp_path: Path) -> None:
    if kind == "headers":
        survivals_of_headers(bundle, 5000, 10_000)
    else:
        path = bundle.path if kind == "bundles" else checkpoint(tmp_path / "best.pt")
        survivals_of_bytes(path, 5000, 10_000)


@pytest.mark.parametrize(
    "made",
    [
        lambda value: value.double(),
        lambda value: value.to(torch.int64),
        lambda value: value.bool(),
        lambda value: value.to(torch.complex64),
        lambda value: value[:0],
        lambda value: value.unsqueeze(0),
        lambda value: torch.full_like(value, torch.nan),
        lambda value: torch.full_like(value, 3e38),
        lambda value: value.flatten()[0],
    ],
)
@pytest.mark.parametrize(
    "which", ["model.output.weight", "model.output.bias", "scale.output.weight", "normaliser.mean"]
)
def test_tensors_of_other_types_and_sizes(bundle: Bundle, which: str, made: Any) -> None:
    tensor = bundle.tensors[which].float() if "model" in which else bundle.tensors[which]
    path = bundle.write(bundle.header, bundle.tensors | {which: made(tensor).contiguous()})
    told = refusal(lambda: recognised(load(path)), which)
    if (
        made(tensor).is_complex()
        or made(tensor).dtype in (torch.bool, torch.int64)
        or made(tensor).shape != tensor.shape
    ):
        assert told is not None


def test_scales_do_not_make_a_vector_a_matrix(bundle: Bundle) -> None:
    """A million values and a million scales would be four terabytes."""
    many = 1_000_000
    more = {"model.x": torch.zeros(many, dtype=torch.int8), "scale.x": torch.zeros(many)}
    path = bundle.write(bundle.header, bundle.tensors | more)
    with in_time("scales"), pytest.raises(CheckpointError, match="the scales of the weights 'x' are"):
        load(path)


@pytest.mark.parametrize("name", ["mean", "deviation"])
@pytest.mark.parametrize("value", [0.0, -1.0, 1e-40, 1e30, torch.nan, torch.inf])
def test_statistics_that_no_frames_have(bundle: Bundle, name: str, value: float) -> None:
    tensors = bundle.tensors | {f"normaliser.{name}": torch.full_like(bundle.tensors["normaliser.mean"], value)}
    path = bundle.write(bundle.header, tensors)
    told = refusal(lambda: recognised(load(path)), (name, value))
    assert (told is None) == (name == "mean" and value in (0.0, -1.0, 1e-40))


def test_weights_that_give_no_numbers_are_named() -> None:
    def fill(weights: dict[str, Any]) -> None:
        for weight in weights.values():
            weight.fill(3e38)

    recogniser = with_weights(small(small_config()), fill)
    with pytest.raises(AsrError, match="the network computes NaN from these frames; its weights are damaged"):
        recognised(recogniser)


@pytest.mark.parametrize("key", ["bundle", "weights", "state"])
@pytest.mark.parametrize("value", VALUES, ids=map(str, range(len(VALUES))))
def test_checkpoints_with_other_values(tmp_path: Path, key: str, value: Any) -> None:
    path = checkpoint(tmp_path / "best.pt", lambda saved: saved | {key: value})
    assert (refusal(lambda: recognised(load(path)), key) is None) == (key == "state")


def test_a_weight_that_claims_more_than_it_holds_takes_no_memory(tmp_path: Path) -> None:
    """One number under the shape of a matrix of four terabytes, for a network that asks for such a matrix."""

    def huge(saved: dict[str, Any]) -> dict[str, Any]:
        config = saved["bundle"]["config"]
        config["model"]["hidden"] = 2**20
        asked = RecogniserConfig.from_dict(config, small_config().inventory)
        n_features = parts_of(asked).n_features
        shapes = build_module(asked.model, n_features, len(asked.inventory), device="meta").state_dict()
        return saved | {"weights": {name: torch.zeros(1).expand(one.shape) for name, one in shapes.items()}}

    path = checkpoint(tmp_path / "best.pt", huge)
    assert path.stat().st_size < 100_000
    with in_time("huge"), pytest.raises(CheckpointError, match=r"best\.pt: the weights do not fit"):
        load(path)


def test_a_checkpoint_is_not_unpacked(tmp_path: Path) -> None:
    path, packed = checkpoint(tmp_path / "best.pt"), io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    path.write_bytes(packed.getvalue())
    with pytest.raises(CheckpointError, match=r"best\.pt is not a complete checkpoint .*its records are compressed"):
        load(path)


def test_labels_that_a_terminal_obeys_are_refused(shared_cases: Path) -> None:
    told = refusal(lambda: recognised(load(shared_cases / "damaged" / "escape_labels.safetensors")), "escape")
    assert told is not None
    assert "\x1b" not in told


def test_a_header_nested_without_end(bundle: Bundle) -> None:
    for depth in (100, 900, 100_000):
        nested = '{"model":' * depth + "1" + "}" * depth
        header = json.dumps(bundle.header).replace('"layers": 1', f'"layers": {nested}')
        bundle.path.write_bytes(save(bundle.tensors, {"bundle": header}))
        assert refusal(lambda: load(bundle.path), depth) is not None


def test_numbers_of_thousands_of_digits(bundle: Bundle) -> None:
    header = json.dumps(bundle.header).replace('"layers": 1', f'"layers": {"9" * 5000}')
    bundle.path.write_bytes(save(bundle.tensors, {"bundle": header}))
    assert "model.safetensors" in (refusal(lambda: load(bundle.path), "digits") or "")


def test_what_is_whole_is_read(bundle: Bundle, tmp_path: Path) -> None:
    assert np.isfinite(recognised(load(bundle.path)).score.acoustic)
    assert recognised(load(checkpoint(tmp_path / "best.pt"))).text is not None
