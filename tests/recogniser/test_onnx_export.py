"""A recogniser as an `.onnx` file: what its metadata says, loaded again, and used without this package."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import asr
from asr.config import Component
from asr.corpus.inventory import BLANK, Inventory
from asr.decoding.greedy import GreedyDecoder
from asr.engines.onnx_file import FORMAT
from asr.engines.pool import Engines
from asr.engines.torch import build_module
from asr.errors import CheckpointError, ConfigError, DataError, MissingExtra
from asr.recogniser.bundle import save_bundle
from asr.recogniser.card import Card
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.onnx_export import export_onnx
from asr.recogniser.parts import parts_of
from asr.recogniser.pretrained import pretrained_names
from asr.recogniser.recogniser import Recogniser
from asr.recurrent.options import BATCH_TOLERANCE
from tests.commands import command
from tests.recogniser.models import network_of
from tests.tones import RATE, sound

onnx = pytest.importorskip("onnx", reason="needs the package onnx (ctc-asr[onnx])")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the package onnxruntime (ctc-asr[onnx])")

N_MELS = 40
LABELS = (BLANK, *"abcdefghijklmnopqrstuvwxyzäß '")
EXAMPLE = Path(__file__).parents[2] / "examples" / "onnx_transcribe.py"


def recogniser(normaliser: str = "none", width: int = 1, stride: int = 1, **model: Any) -> Recogniser:
    """An untrained recogniser of sound with random weights, large enough to make its posteriors very different."""
    import torch

    torch.manual_seed(11)
    config = RecogniserConfig(
        inventory=Inventory(LABELS, "characters"),
        features=Component("asr.features.sound.spectral.SpectralFeatures", {"n_mels": N_MELS}),
        normaliser=Component("asr.features.normalise.Normaliser", {"per": normaliser}),
        stacking=Component("asr.features.stack.FrameStack", {"width": width, "stride": stride}),
        model=Component.of({"_target_": "asr.recurrent.stack.RecurrentStack"} | model),
        decoder=Component("asr.decoding.greedy.GreedyDecoder", {}),
    )
    parts = parts_of(config)
    if normaliser == "corpus":
        rng = np.random.default_rng(2)
        statistics = {"mean": rng.normal(-8, 1, N_MELS), "deviation": rng.uniform(0.5, 1.5, N_MELS)}
        state = {name: values.astype(np.float32) for name, values in statistics.items()}
        parts = replace(parts, normaliser=parts.normaliser.with_state(state))
    built = build_module(config.model, parts.n_features, len(LABELS), ())
    with torch.no_grad():
        for values in built.parameters():
            values.normal_(std=2.0 / math.sqrt(values.shape[-1]) if values.ndim == 2 else 0.3)
        built.output.weight.mul_(4.0)
    card = Card({"licence": "CC0", "data": "none: random weights"})
    return Recogniser.of(config, parts, Engines(network_of(config, parts, built), "numpy"), card)


def heard() -> np.ndarray:
    return sound("abc cab bca acb", np.random.default_rng(3))


@pytest.mark.parametrize(("normaliser", "reduction"), [("corpus", 2), ("utterance", 1), ("speaker", 3), ("none", 1)])
def test_it_is_the_same_recogniser_when_it_is_loaded(tmp_path: Path, normaliser: str, reduction: int) -> None:
    made = recogniser(normaliser, width=3, stride=2, hidden=16, layers=2, time_reduction=reduction)
    path = tmp_path / "model.onnx"
    export_onnx(made, path)
    loaded = asr.load(path)
    assert loaded.engine_choice.name == loaded.engine.name == "onnx"
    assert loaded.config == made.config
    assert loaded.card.to_dict() == made.card.to_dict()
    assert loaded.frame_seconds == made.frame_seconds
    for name, values in made.normaliser.state_dict().items():
        assert np.array_equal(loaded.normaliser.state_dict()[name], values)
    frames = made.frames(made.extractor.compute(heard()))
    expected, _ = made.posteriors([frames])
    np.testing.assert_allclose(loaded.posteriors([frames])[0], expected, rtol=0, atol=1e-4)
    alone, many = loaded.transcribe((heard(), RATE)), loaded.transcribe([(heard(), RATE)] * 3)
    assert alone.text == made.transcribe((heard(), RATE)).text
    assert len(alone.labels) > 10
    assert [one.text for one in many] == [alone.text] * 3


def test_it_takes_another_decoder_and_no_other_engine(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(recogniser(hidden=4, layers=1), path)
    assert asr.load(path, engine="onnx").engine.name == "onnx"
    assert isinstance(asr.load(path, decoder="greedy").decoder, GreedyDecoder)
    with pytest.raises(ConfigError, match=r"engine=torch; .*only onnx runs .*model\.onnx: load the bundle"):
        asr.load(path, engine="torch")
    with pytest.raises(ConfigError, match="export the model that the file was made from"):
        export_onnx(asr.load(path), path)


def test_int8_is_loaded_too(tmp_path: Path) -> None:
    made = recogniser("utterance", hidden=128, layers=2)
    sizes = {}
    for store in ("float32", "int8"):
        export_onnx(made, tmp_path / f"{store}.onnx", store)
        sizes[store] = (tmp_path / f"{store}.onnx").stat().st_size
        loaded = asr.load(tmp_path / f"{store}.onnx")
        assert loaded.engine._file.metadata["weights"] == store  # type: ignore[attr-defined]  # an OnnxEngine
        assert len(loaded.transcribe((heard(), RATE)).labels) > 10
    assert sizes["int8"] < 0.3 * sizes["float32"]
    with pytest.raises(
        ConfigError, match=r"^an \.onnx file cannot store its weights as float16; give float32 or int8$"
    ):
        export_onnx(made, tmp_path / "float16.onnx", "float16")


def test_the_metadata_are_complete(tmp_path: Path) -> None:
    made = recogniser("corpus", width=3, stride=3, hidden=4, layers=1, time_reduction=2)
    export_onnx(made, tmp_path / "model.onnx")
    network = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    meta = network.get_modelmeta()
    told = meta.custom_metadata_map
    assert (told["format"], told["version"], meta.producer_name) == (FORMAT, asr.__version__, "ctc-asr")
    assert tuple(json.loads(told["labels"])) == LABELS
    assert (told["blank"], told["unit"], json.loads(told["fold"])) == ("0", "characters", None)
    assert float(told["frame_seconds"]) == made.frame_seconds == pytest.approx(0.06)
    assert (told["time_reduction"], told["weights"]) == ("2", "float32")
    assert json.loads(told["features"]) == made.extractor.settings()
    assert json.loads(told["features"])["shift_seconds"] == 0.01  # a default, written out
    assert json.loads(told["stacking"]) == made.config.stacking.to_node()
    statistics = json.loads(told["normaliser"])["statistics"]
    for name, values in made.normaliser.state_dict().items():
        assert np.array_equal(np.array(statistics[name], np.float32), values)
    assert json.loads(told["card"]) == made.card.to_dict()
    assert json.loads(told["recogniser"])["config"] == made.config.to_dict()
    inputs = {one.name: (one.shape, one.type) for one in network.get_inputs()}
    assert inputs == {
        "frames": (["batch", "time", 3 * N_MELS], "tensor(float)"),
        "lengths": (["batch"], "tensor(int64)"),
    }
    outputs = {one.name: (one.shape, one.type) for one in network.get_outputs()}
    assert outputs == {
        "log_probs": (["batch", "out_time", len(LABELS)], "tensor(float)"),
        "out_lengths": (["batch"], "tensor(int64)"),
    }


def test_the_example_recognises_the_same_without_this_package(tmp_path: Path) -> None:
    code = [line for line in EXAMPLE.read_text().partition('"""\n\n')[2].splitlines() if line and line[0] != "#"]
    assert 10 < len(code) <= 20
    made = recogniser("utterance", width=3, stride=2, hidden=16, layers=1, time_reduction=2)
    export_onnx(made, tmp_path / "model.onnx")
    soundfile.write(tmp_path / "heard.wav", heard(), RATE)
    blocked = (
        "import sys, runpy; sys.modules['asr'] = None\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    words = [sys.executable, "-c", blocked, str(EXAMPLE), "model.onnx", "heard.wav"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = made.transcribe(tmp_path / "heard.wav")
    assert len(expected.labels) > 10
    assert done.stdout == f"{''.join(expected.labels)}\n"


@pytest.mark.parametrize("name", pretrained_names())
def test_models_that_come_with_the_package_give_what_the_engine_numpy_gives(tmp_path: Path, name: str) -> None:
    """On noise, whose deviation is that of normalised frames; 8e-5 was seen."""
    made = asr.load(name, engine="numpy")
    export_onnx(made, tmp_path / "model.onnx")
    loaded, rng = asr.load(tmp_path / "model.onnx"), np.random.default_rng(6)
    frames = [rng.normal(size=(length, made.n_features)).astype(np.float32) for length in (90, 33, 1)]
    expected, lengths = made.posteriors(frames)
    log_probs, out_lengths = loaded.posteriors(frames)
    assert np.array_equal(out_lengths, lengths)
    for one, other, length in zip(log_probs, expected, lengths, strict=True):
        np.testing.assert_allclose(one[:length], other[:length], rtol=0, atol=BATCH_TOLERANCE)


LIGHT = """
import sys
sys.modules.update(dict.fromkeys(["torch", "torchaudio", "hydra", "numba", "librosa", "scipy"]))
from pathlib import Path
import asr
from asr.recogniser.onnx_export import export_onnx
export_onnx(asr.load("model.safetensors"), Path("model.onnx"))
print(asr.load("model.onnx").transcribe("heard.wav").text)
"""


def test_writing_and_reading_need_no_training_framework(tmp_path: Path, bundle: Recogniser) -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{bundle.transcribe(tmp_path / 'heard.wav').text}\n"


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recogniser(hidden=4, layers=1)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "onnx", None)
        with pytest.raises(MissingExtra, match=r"needs onnx; install it: pip install 'ctc-asr\[onnx\]'$"):
            export_onnx(made, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
    export_onnx(made, tmp_path / "model.onnx")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(MissingExtra, match=r"needs onnxruntime; install it: pip install 'ctc-asr\[onnx\]'$"):
            asr.load(tmp_path / "model.onnx")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"model\.onnx cannot be written: .*No such file"):
        export_onnx(recogniser(hidden=4, layers=1), tmp_path / "nowhere" / "model.onnx")
    assert not list(tmp_path.iterdir())


def changed_metadata(path: Path, **changes: Callable[[Any], Any]) -> None:
    """Change JSON values of a file's metadata, and seal it again."""
    from asr.engines.onnx_file import sealed

    model = onnx.load(path)
    told = {one.key: one.value for one in model.metadata_props if one.key != "sha256"}
    for key, change in changes.items():
        told[key] = json.dumps(change(json.loads(told[key])))
    onnx.helper.set_model_props(model, told)
    path.write_bytes(sealed(model.SerializeToString()))


def without_labels(told: Any) -> Any:
    told["inventory"]["labels"] = told["inventory"]["labels"][:-1]
    return told


def of_other_code(told: Any) -> Any:
    told["config"]["decoder"]["_target_"] = "os.system"
    return told


def with_a_plugin(told: Any) -> Any:
    told["config"]["plugins"] = ["somebody.elses"]
    return told


REFUSED: list[tuple[dict[str, Callable[[Any], Any]], str]] = [
    ({"recogniser": lambda told: []}, "its metadata has no valid 'recogniser': expected a JSON object"),
    ({"recogniser": lambda told: told | {"format": "x"}}, "is not a 'ctc-asr-bundle-1' model"),
    ({"recogniser": without_labels}, "its network has 40 features and 31 labels, its configuration 40 and 30"),
    ({"recogniser": of_other_code}, "_target_ 'os.system' lies outside this package"),
    ({"recogniser": with_a_plugin}, "requires code from the modules somebody.elses"),
    ({"card": lambda told: 3}, "its metadata has no valid 'card'"),
    ({"normaliser": lambda told: told | {"statistics": {"mean": ["x"]}}}, "statistics of its normaliser are damaged"),
    ({"normaliser": lambda told: told | {"statistics": 7}}, "statistics of its normaliser are damaged"),
    ({"normaliser": lambda told: told | {"statistics": {"mean": [1.0]}}}, "normalisation per=corpus needs"),
    ({"normaliser": lambda told: told | {"statistics": {}}}, "normalisation per=corpus needs"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_metadata_that_fit_nothing(tmp_path: Path, changes: dict[str, Callable[[Any], Any]], message: str) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(recogniser("corpus", hidden=4, layers=1), path)
    changed_metadata(path, **changes)
    with pytest.raises(CheckpointError) as caught:
        asr.load(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    path.mkdir()
    with pytest.raises(CheckpointError, match=r"model\.onnx"):
        asr.load(path)
    path.rmdir()
    path.write_bytes(b"\n" * 30)
    with pytest.raises(CheckpointError, match=r"model\.onnx: it is not a complete ONNX file of this package: "):
        asr.load(path)
    monkeypatch.setattr("asr.recogniser.onnx_loading.LARGEST", 29)
    with pytest.raises(CheckpointError, match=r"model\.onnx has 0\.0 GB; expected an ONNX file of at most 2\.1 GB"):
        asr.load(path)
    with pytest.raises(CheckpointError, match=r"no \.onnx file at .*other\.onnx"):
        asr.load(tmp_path / "other.onnx")


@pytest.fixture
def bundle(tmp_path: Path) -> Recogniser:
    """A recogniser whose bundle stands in the folder, with a recording and its manifest."""
    made = recogniser("utterance", hidden=32, layers=2)
    save_bundle(made, tmp_path / "model.safetensors")
    soundfile.write(tmp_path / "heard.wav", heard(), RATE)
    line = {"id": "one", "audio": "heard.wav", "duration": len(heard()) / RATE, "text": "abc cab bca acb"}
    (tmp_path / "mine.jsonl").write_text(json.dumps(line) + "\n")
    return made


def test_the_commands_write_it_and_read_it(tmp_path: Path, bundle: Recogniser) -> None:
    done = command("export", "model.safetensors", "model.onnx", "--licence", "CC0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wrote model.onnx" in done.stderr
    assert "measured" not in done.stderr
    assert asr.load(tmp_path / "model.onnx").card.about["licence"] == "CC0"
    read = command("transcribe", "model.onnx", "heard.wav", cwd=tmp_path)
    assert read.returncode == 0, read.stderr
    assert bundle.transcribe(tmp_path / "heard.wav").text in read.stdout
    scored = command("evaluate", "model.onnx", "--on", "mine.jsonl", cwd=tmp_path)
    assert scored.returncode == 0, scored.stderr
    assert "cer" in scored.stdout
    (tmp_path / "model.onnx").write_bytes((tmp_path / "model.onnx").read_bytes()[:-9])
    damaged = command("transcribe", "model.onnx", "heard.wav", cwd=tmp_path)
    assert damaged.returncode == 1
    assert "error: model.onnx: it is not a complete ONNX file of this package" in damaged.stderr


def test_the_command_reports_what_int8_changes(tmp_path: Path, bundle: Recogniser) -> None:
    done = command("export", "model.safetensors", "small.onnx", "--store", "int8", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the effect of int8 on the error rates was not measured; to measure it, add --on MANIFEST" in done.stderr
    words = ("export", "model.safetensors", "small.onnx", "--store", "int8", "--on", "mine.jsonl")
    done = command(*words, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    same = (
        asr.load(tmp_path / "small.onnx").transcribe(tmp_path / "heard.wav").text
        == bundle.transcribe(tmp_path / "heard.wav").text
    )
    assert done.stdout.splitlines()[-1] == f"{0 if same else 1} of 1 texts differ"
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows if row and row[0] in ("before", "int8")] == ["before", "int8"]
    assert sum("cer" in row for row in rows) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["other.onnx", "--store", "float16"], "--store float16: .onnx files store weights as float32 or int8"),
        (
            ["o.safetensors", "--store", "int9"],
            "--store int9: .safetensors files store weights as float32 or float16",
        ),
        (["other.pt"], "other.pt: the name must end in .safetensors or .onnx"),
        (["other.onnx", "--split", "dev"], "--split and the options of a corpus need --on"),
        (["other.onnx", "--on", "mine.jsonl", "--split", "dev"], "mine.jsonl has no split dev; it has mine"),
    ],
)
def test_what_the_command_refuses(tmp_path: Path, bundle: Recogniser, words: list[str], message: str) -> None:
    done = command("export", "model.safetensors", *words, cwd=tmp_path)
    assert done.returncode == 1
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / words[0]).exists()
