"""`asr-tune`: one command finds weights, and every command uses them from then on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.numpy import load_file

import asr
from asr.decoding.choice import named
from asr.evaluation.result import read_result
from asr.recogniser.bundle import save_bundle
from asr.recogniser.saved_decoder import saved_decoder
from tests.commands import command
from tests.decoding.toy_weighted import toy_decoder


@pytest.fixture(autouse=True)
def with_toy() -> Iterator[None]:
    with toy_decoder():
        yield


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "my.lm").write_text("10")
    return tmp_path / "run"


TOY = ("decoder=toy", "decoder.model=my.lm", "decoder.blank_bonus=-8")


def test_a_run_is_tuned_on_its_own_dev_set_and_evaluated_with_the_choice(
    run: Path, tones: Path, tmp_path: Path
) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    ended = command("tune", "run", *TOY, cwd=tmp_path, **cache)
    assert ended.returncode == 0, ended.stderr
    assert "dev, toy,model=my" in ended.stdout
    assert "before: greedy" in ended.stdout
    assert "tuned on the other speakers" in ended.stdout
    assert "decoder.model_weight=0\n" in ended.stdout
    assert "warning: the tuned decoder is worse" not in ended.stderr
    for name in ("decoder.json", "my.lm", "tuning.tsv"):
        assert f"wrote run/{name}" in ended.stderr
        assert (run / name).is_file()
    assert (run / "my.lm").read_text() == "10"
    tuned = saved_decoder(run)
    assert tuned is not None
    assert tuned.chosen_on == "dev"
    assert tuned.component.options["model"] == str(run / "my.lm")

    (tmp_path / "my.lm").unlink()
    ended = command("evaluate", "run", "--split", "test", "--out", "out", cwd=tmp_path, **cache)
    assert ended.returncode == 0, ended.stderr
    (path,) = (tmp_path / "out").iterdir()
    result = read_result(path)
    assert (result.decoder.name, result.decoder.chosen_on) == (tuned.name, "dev")
    ended = command("transcribe", "run", str(tones / "test" / "test00.wav"), "--verbose", cwd=run.parent)
    assert f"decoder {tuned.name}, tuned on dev" in ended.stderr
    ended = command("export", "run", "model.safetensors", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "\nwrote my.lm\n" in ended.stderr
    assert asr.load(tmp_path / "model.safetensors").decoder_choice.name == tuned.name
    assert (tmp_path / "my.lm").read_text() == "10"  # beside the bundle again


@pytest.mark.parametrize("store", ["float16", "int8"])
def test_a_bundle_is_tuned_into_a_new_one_whose_weights_stay_as_they_are(run: Path, tmp_path: Path, store: str) -> None:
    save_bundle(asr.load(run), tmp_path / "model.safetensors", store)
    (tmp_path / "out").mkdir()
    ended = command(
        "tune", "model.safetensors", "--on", "run/manifest/dev.jsonl", *TOY, "--rate", "wer",
        "--out", "out/new.safetensors", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "wrote out/my.lm" in ended.stderr
    assert {"new.safetensors", "new.tuning.tsv", "my.lm"} <= {one.name for one in (tmp_path / "out").iterdir()}
    before, after = (load_file(tmp_path / name) for name in ("model.safetensors", "out/new.safetensors"))
    assert {name: (one.dtype, one.tobytes()) for name, one in before.items()} == {
        name: (one.dtype, one.tobytes()) for name, one in after.items()
    }
    recogniser = asr.load(tmp_path / "out" / "new.safetensors")
    assert recogniser.decoder_choice.chosen_on == "dev"
    assert recogniser.card == asr.load(tmp_path / "model.safetensors").card
    assert recogniser.decoder_choice.component.options["model"] == str(tmp_path / "out" / "my.lm")
    again = command(
        "tune", "out/new.safetensors", "--on", "run/manifest/dev.jsonl", "--weight", "model_weight",
        "--out", "out/new.safetensors", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "decoder.model_weight=0" in again.stdout
    assert "blank_bonus=" not in again.stdout.rpartition("reference")[2]


def test_a_run_becomes_a_tuned_bundle(run: Path, tmp_path: Path) -> None:
    ended = command("tune", "run", "decoder=toy", "--out", "a.safetensors", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert not (run / "decoder.json").exists()
    recogniser = asr.load(tmp_path / "a.safetensors")
    assert recogniser.decoder_choice.chosen_on == "dev"
    assert recogniser.card.rates["test"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["run"],
            "error: the decoder greedy has no weights to tune; choose another, such as decoder=beam decoder.lm=FILE",
        ),
        (["run", "decoder=toy", "--weight", "model_wait"], "has no weight 'model_wait'; did you mean 'model_weight'?"),
        (["run", "decoder=toy", "decoder.blank=1"], "there is no option 'decoder.blank'; did you mean 'blank_bonus'?"),
        (["run", "decoder=toy", "decoder.model=none.lm"], "decoder.model=none.lm does not exist; give a file"),
        (["run", "decoder=toy", "--on", "none.jsonl"], "none.jsonl"),
        (["run", "decoder=toy", "--split", "tset"], "has no split tset; it has train, dev, test"),
        (["run", "decoder=toy", "--rate", "per"], "rates=[per]; expected one or more of the rates"),
        (["quickstart", "decoder=toy"], "quickstart is no run folder; name a new file: asr-tune quickstart ... --out"),
        (
            ["quickstart", "decoder=toy", "--out", "a.safetensors"],
            "quickstart has no development set of its own; give a manifest, a folder",
        ),
        (["run", "decoder=toy", "--out", "a.onnx"], "--out a.onnx: the name must end in .safetensors"),
        (["run", "decoder=toy", "--out", "run/config.yaml/a.safetensors"], "is a file; give another place with --out"),
        (
            ["run", "decoder=toy", "--out", "nodir/a.safetensors"],
            "error: nodir/a.safetensors cannot be written: there is no folder nodir; give another place with --out",
        ),
        (["run", "decoder=toy", "--out", "/proc/a.safetensors"], "error: /proc/a.safetensors cannot be written: "),
        (["run", "decoder=toy", "--weight", "model_weight"], "model_weight has no effect without decoder.model; set"),
        (["run", "other", "decoder=toy"], "give one model, not 2"),
        (["decoder=toy"], "give one model, not 0"),
    ],
)
def test_what_cannot_be_tuned_is_one_sentence(run: Path, tmp_path: Path, words: list[str], told: str) -> None:
    ended = command("tune", *words, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert ended.returncode == 1
    assert told in " ".join(ended.stderr.split())
    assert not (run / "decoder.json").exists()


def test_tuning_on_test_is_warned_of(run: Path, tmp_path: Path) -> None:
    ended = command(
        "tune", "run", "decoder=toy", "--split", "test", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache")
    )
    assert "warning: after tuning on test, error rates on test are too optimistic" in ended.stderr
    saved = saved_decoder(run)
    assert saved is not None
    assert saved == named(saved.component, "test")


def test_a_choice_that_is_worse_than_before_is_warned_of(run: Path, tmp_path: Path) -> None:
    """A bonus of -60 nats for each label makes silence of everything, however wide the beam is."""
    ended = command(
        "tune", "run", "decoder=beam", "decoder.insertion_bonus=-60", "--weight", "beam",
        cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "warning: the tuned decoder is worse than greedy, the decoder before: cer 100.0 instead of 0.0 %" in (
        ended.stderr
    )


def test_ctrl_c_says_that_nothing_was_written(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("asr.evaluation.tuning.tune", interrupt)
    ended = command("tune", "run", "decoder=toy", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert ended.returncode == 130
    assert ended.stderr.endswith("stopped; nothing was written\n")
    assert not (run / "decoder.json").exists()


def test_a_bundle_is_calibrated_with_its_weights(trained: Path, tones: Path, tmp_path: Path) -> None:
    save_bundle(asr.load(trained, decoder=["decoder=beam", "decoder.beam=4"]), tmp_path / "model.safetensors")
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    on = ("--on", str(tones / "dev.jsonl"), "--out", "new.safetensors", "--keep-weights")
    ended = command("tune", "model.safetensors", "decoder=beam", "decoder.beam=4", *on, cwd=tmp_path, **cache)
    assert ended.returncode == 0, ended.stderr
    assert "calibrated" in ended.stdout
    assert not list(tmp_path.glob("*.tsv"))
    options = asr.load(tmp_path / "new.safetensors").decoder_choice.component.options
    assert options["beam"] == 4
    assert len(options["calibration"]) == 9
    ended = command("tune", "model.safetensors", *on, "--weight", "beam", cwd=tmp_path, **cache)
    assert "--keep-weights and --weight exclude each other" in ended.stderr
