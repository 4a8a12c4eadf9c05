"""The commands as a user meets them, from another directory; a few in a process of their own."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from asr.cli.train import departures
from tests.commands import command, process, program, surroundings
from tests.tones import make_corpus, small_run

MODULES = ("prepare", "train", "evaluate", "transcribe", "export", "report", "generate", "lm", "tune", "align")


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def run(tones: Path) -> Path:
    """A run made by `asr-train`."""
    done = process("train", *small_run(tones, run_dir="my_run"), cwd=tones)
    assert done.returncode == 0, done.stderr
    assert "cer" in done.stdout
    assert "the run is in" in done.stderr
    return tones / "my_run"


def test_a_result_tells_in_what_the_run_departed_from_its_recipe(run: Path, tones: Path) -> None:
    told = json.loads((run / "result.json").read_text(encoding="utf-8"))["options"]
    assert told == departures(small_run(tones, run_dir="my_run"))
    assert "training.epochs=3" in told
    assert not any(
        one.startswith(("recipe=", "run_dir=", "cache_dir=", "corpus.manifests=", "training.threads=")) for one in told
    )
    given = ["recipe=an4/ctc", "+model.hidden=96", "training.seed=2", "training.workers=3", "model.hidden=128"]
    assert departures([*given, "model/cell=gru", "corpus.root=/data"]) == ["model.hidden=128", "model/cell=gru"]


@pytest.mark.parametrize("name", MODULES)
def test_help_says_what_the_command_does(name: str, tmp_path: Path) -> None:
    done = command(name, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"asr-{name}" in done.stdout
    assert len(done.stdout.splitlines()) > 8


def test_the_help_of_training_lists_the_recipes_and_the_options(tmp_path: Path) -> None:
    text = command("train", "--help", cwd=tmp_path).stdout
    for word in ("recipe/an4: ctc", "frame_budget", "optimizer: adamw, sgd", "features: ", "graves2013"):
        assert word in text, word


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["training.epoch=3"], r"there is no option 'training.epoch'; did you mean 'training.epochs'?"),
        (["model.hiden=3"], r"there is no option 'model.hiden'; did you mean 'model.hidden'?"),
        (["training.epochs=many"], r"training.epochs: Value 'many' of type 'str' could not be converted to Integer"),
        (["recipe=an4/cct"], r"there is no recipe=an4/cct; did you mean 'an4/ctc'?"),
        (["features=mfc"], r"there is no features=mfc; did you mean 'mfcc'?"),
        (["recipe=an4/ctc"], r"no root= was given; expected a folder with etc/an4_train.fileids"),
        (["recipe=an4/ctc", "corpus.root=/nowhere"], r"/nowhere"),
        (["scoring.rates=[prr]"], r"scoring.rates=[prr]; expected one or more of wer, cer"),
        (["corpus.reader=timti", "corpus.root=x"], r"there is no corpus reader 'timti'; did you mean 'timit'?"),
        (["an4/ctc"], r"'an4/ctc' is not option=value; did you mean recipe=an4/ctc?"),
        (["seed=2"], r"there is no option 'seed'; did you mean 'training.seed'?"),
        (["+foo=1"], r"there is no option 'foo'; `asr-train --help` lists them"),
        (["+training.epoch=3"], r"there is no option 'training.epoch'; did you mean 'training.epochs'?"),
        (
            ["corpus.options.train_=3"],
            r"did you mean 'train'?; to add it, put a plus before it: +corpus",
        ),
        (["corpus.options.snr_low=loud"], r"snr_low=loud; expected a number"),
        (["training.device=cdua"], r"training.device=cdua; expected a device"),
        (["--multirun", "recipe=an4/ctc", "training.seed=1,2"], r"error: 2 runs failed; see above"),
    ],
)
def test_a_wrong_option_gets_one_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = command("train", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not [path for path in tmp_path.glob("runs/*") if path.is_dir()]


def test_a_run_stopped_by_ctrl_c_tells_the_command_that_goes_on_with_it(tones: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "conf" / "augment").mkdir(parents=True)
    (tmp_path / "conf" / "augment" / "mine.yaml").write_text("defaults: [schema, _self_]\n")
    options = small_run(tones, augment="mine", **{"training.epochs": "100000"})
    running = subprocess.Popen(
        program("train", "--config-dir", "conf", *options),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env=surroundings(COLUMNS="60"),
    )
    while not list(tmp_path.glob("runs/quickstart/speech/*/checkpoints/last.pt")) and running.poll() is None:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130, said
    line = next(line for line in said.splitlines() if line.startswith("stopped by signal 2 after step"))
    again = shlex.split(line.partition("resume with: ")[2])
    assert again[0] == "asr-train"
    assert again[1:-1] == [f"--config-dir={tmp_path / 'conf'}", *options]
    assert (tmp_path / again[-1].removeprefix("run_dir=")).is_dir()
    assert "scoring.rates=[cer,wer]" in again


def test_runs_that_start_in_the_same_second_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asr.cli.train import new_folder, remove_empty

    monkeypatch.chdir(tmp_path)
    folders = [new_folder("an4/ctc") for _ in range(5)]
    assert len(set(folders)) == 5
    (folders[0] / "config.yaml").touch()
    for folder in folders:
        remove_empty(folder)
    assert [path.name for path in tmp_path.glob("runs/an4/ctc/*")] == [folders[0].name]


def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    done = command("train", "recipe=an4/ctc", cwd=tmp_path)
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert re.fullmatch(r"error: runs/an4/ctc/\S+ cannot be made: Not a directory; give a folder that exists", said)


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = command("train", "training.epoch=3", "--debug", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_second_run_into_a_finished_folder_trains_nothing_and_reports_again(run: Path, tones: Path) -> None:
    before = (run / "checkpoints" / "last.pt").read_bytes()
    done = command("train", *small_run(tones, run_dir="my_run"), cwd=tones)
    assert done.returncode == 0, done.stderr
    assert (run / "checkpoints" / "last.pt").read_bytes() == before
    other = command("train", *small_run(tones, run_dir="my_run", **{"model.hidden": "9"}), cwd=tones)
    assert other.returncode == 1
    assert "model.hidden (was 32, is 9)" in other.stderr


def test_evaluate_reports_a_run_and_writes_its_result_file(run: Path, tmp_path: Path) -> None:
    done = command("evaluate", str(run), "--split", "test", "--out", "results", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "test" in done.stdout
    assert "cer" in done.stdout
    (written,) = (tmp_path / "results").glob("speech-*-seed1.json")  # with what departs from the recipe
    result = json.loads(written.read_text())
    assert list(result["splits"]) == ["test"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["some_run", "--rate", "wer"], "--rate is for trn files"),
        (["--ref", "r.trn", "--hyp", "h.trn", "--out", "results"], "--out is for a model"),
        (["--ref", "r.trn", "--hyp", "h.trn", "--by", "speaker"], "--by is for a model"),
        (["one", "two", "--by", "speaker"], "--by is for one run"),
        (["--ref", "r.trn"], "give both --ref and --hyp"),
        (["--ref", "r.trn", "--hyp", "h.trn", "--engine", "numpy"], "--engine is for a model"),
        (["--ref", "r.trn", "--hyp", "h.trn", "--verbose"], "--verbose is for a model"),
        (["--ref", "r.trn", "--hyp", "h.trn", "an4", "x.jsonl"], "give either models, or --ref and --hyp"),
        ([], "give run folders, or a model and a manifest, or --ref and --hyp"),
        (["an4"], "an4 has no corpus of its own; give one to evaluate it on: asr-evaluate an4 manifest/mine\n"),
        (["an4", "nowhere"], "asr-evaluate an4 manifest/mine (there is no nowhere)"),
        (["an4", "x.jsonl", "y.jsonl"], "expected one model and one manifest or folder of manifests; remove y.jsonl"),
        (["an4", "x.jsonl"], "there is no manifest x.jsonl"),
        (["an4", "x.jsonl", "root=mine"], "root=mine: a manifest has no options"),
        (["an4", "x.jsonl", "decoder=greddy"], "there is no decoder 'greddy'; did you mean 'greedy'?"),
        (["an4", "x.jsonl", "decoder.width=5"], "there is no option 'decoder.width'"),
    ],
)
def test_evaluate_leaves_no_option_unread(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = command("evaluate", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr


def test_evaluate_refuses_a_file_as_folder_before_it_decodes(run: Path, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("a file")
    done = command("evaluate", str(run), "--split", "test", "--out", "r.json", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: --out r.json is a file; give another folder\n"


def test_evaluate_by_tag_and_of_a_run_that_is_not_finished(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(run, folder)
    (folder / "config.yaml").write_text((run / "config.yaml").read_text().replace("epochs: ", "epochs: 9"))
    done = command("evaluate", str(folder), "--split", "test", "--by", "speaker", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "test-1" in done.stdout
    assert "speaker" in done.stdout
    assert "the run is not finished: these are its best weights" in done.stderr
    other = shutil.copytree(folder, tmp_path / "fold")
    manifest = other / "manifest" / "test.jsonl"
    manifest.write_text(manifest.read_text().replace('"id": "test', '"id": "more'))
    folds = command("evaluate", str(folder), str(other), cwd=tmp_path)
    assert folds.returncode == 0, folds.stderr
    assert "not all folds are finished" in folds.stderr
    both = command("evaluate", str(run), str(folder), cwd=tmp_path)
    assert both.returncode == 1
    assert "other: differs from" in both.stderr


def test_rates_by_seen_ask_for_a_training_split(run: Path, tmp_path: Path) -> None:
    alone = command("evaluate", str(run), str(run / "manifest" / "test.jsonl"), "--by", "seen", cwd=tmp_path)
    assert alone.returncode == 1
    assert "the tag 'seen' requires a training split beside the utterances, and there is none" in alone.stderr
    assert "give a folder of manifests with train.jsonl" in alone.stderr
    beside = command("evaluate", str(run), str(run / "manifest"), "--split", "test", "--by", "seen", cwd=tmp_path)
    assert beside.returncode == 0, beside.stderr


def test_report_in_another_folder_says_so(tmp_path: Path) -> None:
    done = command("report", cwd=tmp_path)
    assert done.returncode == 1
    assert "is no checkout: it has no folder recipes" in done.stderr


def test_evaluate_scores_the_output_of_any_system(tmp_path: Path) -> None:
    (tmp_path / "ref.trn").write_text("the cat sat (a-1)\non the mat (a-2)\n")
    (tmp_path / "hyp.trn").write_text("on a mat (a-2)\nthe cat (a-1)\n")
    done = command("evaluate", "--ref", "ref.trn", "--hyp", "hyp.trn", "--rate", "wer", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "33.3" in done.stdout
    (tmp_path / "marked.trn").write_text("\ufeffthe cat sat (a-1)\non the mat (a-2)\n", encoding="utf-8")
    done = command("evaluate", "--ref", "ref.trn", "--hyp", "marked.trn", "--rate", "cer", cwd=tmp_path)
    assert re.search(r"cer +0\.0 ", done.stdout), done.stdout
    (tmp_path / "hyp.trn").write_text("on a mat (a-2)\n")
    done = command("evaluate", "--ref", "ref.trn", "--hyp", "hyp.trn", cwd=tmp_path)
    assert done.returncode == 1
    assert "has no hypothesis in hyp.trn" in done.stderr


def test_export_writes_a_bundle_that_transcribes_alone(run: Path, tones: Path, tmp_path: Path) -> None:
    done = command("export", str(run), "model.safetensors", "--store", "float16", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    wav = str(tones / "test" / "test00.wav")
    one, other = (command("transcribe", model, wav, cwd=tmp_path) for model in (str(run), "model.safetensors"))
    assert other.returncode == 0, other.stderr
    assert one.stdout == other.stdout
    refused = command("export", str(run), "model.pkl", cwd=tmp_path)
    assert "the name must end in .safetensors or .onnx" in refused.stderr


def test_a_corpus_reader_of_ones_own_trains_with_plugins(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_corpus.py").write_text(
        "from dataclasses import dataclass\n"
        "from pathlib import Path\n"
        "from asr.corpus.manifest import read_manifest\n"
        "@dataclass(frozen=True)\n"
        "class Config:\n"
        "    root: str = ''\n"
        "def prepare(config):\n"
        "    return {s: read_manifest(Path(config.root) / f'{s}.jsonl') for s in ('train', 'dev', 'test')}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    prepared = command("prepare", "my_corpus", f"root={tones}", "plugins=[my_corpus]", "out=m", cwd=tmp_path)
    assert prepared.returncode == 0, prepared.stderr
    assert "64 utterances, 2 speakers" in prepared.stderr
    options = [one for one in small_run(tones) if not one.startswith("corpus")]
    own = [
        "corpus=own",
        "corpus.reader=my_corpus",
        f"corpus.root={tones}",
        "plugins=[my_corpus]",
        "training.epochs=1",
    ]
    done = command("train", *options, *own, "run_dir=r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
