"""A full disk or a kill at any call that reaches the disk: the same command, run again, ends as if nothing had been.

Beginning a run and exporting are tried at every call. Training, evaluating and preparing are tried at every call by the
tests marked slow, and at some calls by the others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from asr.cli import evaluate, export, prepare
from asr.corpus.manifest import read_manifest
from asr.errors import AsrError
from asr.experiment import provenance, run_evaluation
from asr.experiment.corpus_splits import CorpusConfig, load_splits
from asr.experiment.experiment import Experiment
from asr.experiment.run_config import RunConfig
from asr.experiment.run_evaluation import evaluate_run
from asr.experiment.run_folder import RunFolder
from asr.files import is_leftover
from asr.training.checkpoint import load_checkpoint
from tests.disks import FULL, KILLED, Disk, exchanged, interrupted
from tests.experiment.conftest import compose_small, quiet
from tests.tones import make_corpus
from tests.training.toy import Silent

FEW = {"train": 2, "dev": 1, "test": 1}
FAULTS = (FULL, KILLED)
OPTIONS = {"model.hidden": "2", "training.epochs": "1", "training.max_utterances": "1", "training.tensorboard": "true"}
"""Two steps of a tiny network: 117 calls reach the disk."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module", autouse=True)
def _no_git() -> Iterator[None]:
    """Git is asked several times a run, and slow."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (provenance, run_evaluation):
            patch.setattr(module, "commit", lambda: "abc")
        yield


def train(values: RunConfig, folder: Path) -> None:
    """What `asr-train` does when its options are composed."""
    experiment = Experiment(values, folder, quiet)
    experiment.train(Silent())
    evaluate_run(experiment.run, ("dev", "test"), quiet)


@pytest.fixture(scope="module")
def finished(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing has interrupted."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    train(compose_small(few, **OPTIONS), folder)
    return folder


def calls_of(command: Callable[[], object]) -> list[str]:
    """The calls of a command that reach the disk."""
    disk = Disk(1 << 30, FULL)
    with exchanged(disk):
        command()
    return disk.calls


def same_files(folder: Path) -> dict[str, bytes]:
    """Content of all files but those that are unfinished."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not is_leftover(path))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def check_run(folder: Path, finished: Path) -> None:
    """See that a run ended as the one that was not interrupted."""
    for name in ("last.pt", "best.pt"):
        one, other = (load_checkpoint(run / "checkpoints" / name) for run in (folder, finished))
        assert all(torch.equal(value, other["weights"][key]) for key, value in one["weights"].items())
        assert one["state"]["step"] == other["state"]["step"] == 2
    there = {name: content for name, content in same_files(folder).items() if not name.startswith("tensorboard")}
    expected = {name: content for name, content in same_files(finished).items() if not name.startswith("tensorboard")}
    assert there.keys() == expected.keys()
    timed = ("environment.json", "metrics.jsonl", "result.json", "checkpoints/last.pt", "checkpoints/best.pt")
    for name in there.keys() - set(timed):
        if name != "config.yaml":
            assert there[name] == expected[name], name
    assert len(there["metrics.jsonl"].splitlines()) == 1


def sweep(command: Callable[[Path], object], check: Callable[[Path], object], tmp_path: Path, every: int = 1) -> None:
    """Interrupt a command that works in a folder at its calls, with each fault; then run it again, and check."""
    count = len(calls_of(lambda: command(tmp_path / "counted")))
    assert count > 3
    for fault in FAULTS:
        for at in range(0, count, every):
            folder = tmp_path / f"{fault} {at}"
            assert interrupted(lambda folder=folder: command(folder), fault, at).struck
            command(folder)
            check(folder)
            shutil.rmtree(folder)


@pytest.fixture
def spoken(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Run a command in this process; a failure raises what it said."""

    def run(main: Callable[[], None], *arguments: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["asr", *arguments])
            code = 0
            try:
                main()
            except SystemExit as ended:
                code = ended.code
        if code == 1:
            _, _, said = " ".join(capsys.readouterr().err.split()).rpartition("error: ")
            assert "Errno" not in said
            raise AsrError(said)
        assert code == 0

    return run


def test_beginning_a_run(few: Path, tmp_path: Path) -> None:
    values = compose_small(few, **OPTIONS)
    splits = load_splits(CorpusConfig(manifests=str(few)))

    def begin(folder: Path) -> None:
        run = RunFolder(folder)
        run.check(values)
        with run.alone():
            run.check(values)
            if not run.started:
                run.begin(values, splits)

    begin(tmp_path / "expected")
    expected = same_files(tmp_path / "expected")

    def check(folder: Path) -> None:
        assert same_files(folder) == expected
        assert not [path for path in folder.rglob("*") if is_leftover(path)]

    sweep(begin, check, tmp_path)


@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_training(few: Path, finished: Path, tmp_path: Path, every: int) -> None:
    values = compose_small(few, **OPTIONS)
    sweep(lambda folder: train(values, folder), lambda folder: check_run(folder, finished), tmp_path, every)


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_evaluating(finished: Path, tmp_path: Path, spoken: Callable[..., None], every: int) -> None:
    before = same_files(finished)

    def command(folder: Path) -> None:
        if not folder.exists():
            shutil.copytree(finished, folder / "run", ignore=shutil.ignore_patterns("decode", "result.json"))
        spoken(evaluate.main, str(folder / "run"), "--out", str(folder / "out"))

    def check(folder: Path) -> None:
        assert same_files(folder / "run") == before
        assert [path.suffix for path in (folder / "out").iterdir() if not is_leftover(path)] == [".json"]

    sweep(command, check, tmp_path, every)


@pytest.mark.parametrize("name", ["model.safetensors", "model.onnx"])
def test_exporting(finished: Path, tmp_path: Path, spoken: Callable[..., None], name: str) -> None:
    if name.endswith("onnx"):
        pytest.importorskip("onnx")

    def command(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        spoken(export.main, str(finished), str(folder / name))

    command(tmp_path / "expected")
    expected = (tmp_path / "expected" / name).read_bytes()

    def check(folder: Path) -> None:
        assert (folder / name).read_bytes() == expected

    sweep(command, check, tmp_path)


@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_preparing(tmp_path: Path, spoken: Callable[..., None], every: int) -> None:
    """A corpus that is made on the spot: its staging folder, ink and card are written as well as the manifests."""
    pytest.importorskip("HersheyFonts")
    sizes = ["train=2", "dev=1", "test=1", "train_writers=1", "dev_writers=1", "test_writers=1"]

    def command(folder: Path) -> None:
        spoken(prepare.main, "hershey", *sizes, f"root={folder / 'made' / 'corpus'}", f"out={folder / 'out'}")

    def check(folder: Path) -> None:
        assert sorted(same_files(folder / "out")) == ["characters.txt", "dev.jsonl", "test.jsonl", "train.jsonl"]
        assert len(read_manifest(folder / "out" / "train.jsonl")) == 2
        assert sorted(same_files(folder / "made" / "corpus")) == [
            "corpus.json", "dev.jsonl", "test.jsonl", "train.jsonl", "words.inks",
        ]  # fmt: skip

    sweep(command, check, tmp_path, every)


_DRIVER = """
import os, random, signal, sys, time
import torch
from tests.experiment.test_interrupted import OPTIONS, train
from tests.experiment.conftest import compose_small
from pathlib import Path

root, folder, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(1)  # a forked copy of a process whose torch threads run may hang
values = compose_small(root, **OPTIONS)
rng = random.Random(3)


def child(run):
    process = os.fork()
    if process == 0:
        try:
            train(values, run)
            os._exit(0)
        finally:
            os._exit(1)
    return process


begin = time.monotonic()
assert os.waitpid(child(folder / "timed"), 0)[1] == 0
whole = time.monotonic() - begin
done = 0
while done < kills:
    run = folder / f"killed{done}"
    process = child(run)
    time.sleep(rng.uniform(0, whole))
    os.kill(process, signal.SIGKILL)
    done += os.waitpid(process, 0)[1] == signal.SIGKILL
    assert os.waitpid(child(run), 0)[1] == 0, run
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_twenty_real_kills(few: Path, finished: Path, tmp_path: Path) -> None:
    """Children of one warm process are killed at random points of a run that takes a moment."""
    ended = subprocess.run(
        [sys.executable, "-c", _DRIVER, str(few), str(tmp_path), "20"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    for number in range(20):
        check_run(tmp_path / f"killed{number}", finished)
