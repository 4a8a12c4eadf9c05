"""What the light installation does, and what it says where more is needed: every package of the extras is hidden.

Each test runs a process of its own, in which these packages cannot be found, as if they were not installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.config import Component
from asr.extras import EXTRAS
from asr.ink import Ink, write_json
from asr.lm.recurrent import RecurrentModel
from asr.lm.recurrent_file import save_recurrent
from asr.lm.recurrent_header import LabelModelHeader
from asr.lm.recurrent_symbols import character_symbols
from asr.recogniser.pretrained import pretrained_names
from asr.recurrent.options import LabelModelConfig
from tests.commands import surroundings
from tests.report.made import put, result
from tests.tones import RATE, make_corpus

HIDDEN = sorted({package for packages in EXTRAS.values() for package in packages})
HIDE = f"""
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {HIDDEN} else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(one) for one in sys.meta_path]
"""
PEN, SOUND = "quickstart_pen", "quickstart"


def python(code: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in the light installation."""
    return subprocess.run(
        [sys.executable, "-c", HIDE + code, *words],
        cwd=cwd, capture_output=True, text=True, timeout=120,
        env=surroundings(PYTHONPATH=os.pathsep.join(filter(None, sys.path)), XDG_CACHE_HOME=str(cwd / "cache")),
    )  # fmt: skip


def command(name: str, *words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `asr-<name>` in the light installation."""
    start = f"sys.argv[0] = 'asr-{name}'; from asr.cli.{name} import main; main()"
    return python(start, *map(str, words), cwd=cwd)


def printed(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines on standard output of a command that succeeded."""
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two recordings of tones, manifests of more, and a page of ink."""
    make_corpus(tmp_path / "tones", {"test": 2})
    sound, _ = soundfile.read(tmp_path / "tones" / "test" / "test00.wav")
    for name in ("a.wav", "b=c.wav"):
        soundfile.write(tmp_path / name, sound, RATE)
    write_json(tmp_path / "page.json", Ink.of([[0, 0], [10, 40], [20, 0]], [[5, 20], [15, 20]]))
    return tmp_path


def test_the_packages_of_the_extras_are_hidden(tmp_path: Path) -> None:
    done = python("import importlib\nfor one in sys.argv[1:]:\n try: importlib.import_module(one)\n"
                  " except ModuleNotFoundError: print(one)", *HIDDEN, cwd=tmp_path)  # fmt: skip
    assert printed(done) == HIDDEN


@pytest.mark.parametrize("model", pretrained_names())
def test_every_bundle_recognises(model: str, folder: Path) -> None:
    import asr

    reads_ink = model in (PEN, "unipen", "unipen_words")
    name = "page.json" if reads_ink else "a.wav"
    code = (
        "import asr, json; recogniser = asr.load(sys.argv[1]); found = recogniser.transcribe(sys.argv[2])\n"
        "print(json.dumps([found.text, recogniser.engine_choice.name, recogniser.card.about.get('recipe')]))\n"
        "print(json.dumps([one.text for one in recogniser.transcribe([sys.argv[2]] * 3)]))\n"
    )
    first, second = map(json.loads, printed(python(code, model, name, cwd=folder)))
    text = asr.load(model, engine="numpy").transcribe(folder / name).text
    assert first[:2] == [text, "numpy"]
    assert first[2]
    assert second == [text] * 3


@pytest.mark.parametrize("form", ["text", "json", "ctm", "trn"])
def test_recordings_are_transcribed(form: str, folder: Path) -> None:
    lines = printed(command("transcribe", SOUND, "a.wav", "./b=c.wav", "--format", form, cwd=folder))
    assert lines
    if form == "json":
        assert [json.loads(line)["file"] for line in lines] == ["a.wav", "b=c.wav"]


@pytest.mark.parametrize("form", ["text", "json", "trn"])
def test_pages_are_transcribed(form: str, folder: Path) -> None:
    assert printed(command("transcribe", PEN, "page.json", "--format", form, "decoder=greedy", cwd=folder))


def test_recordings_of_one_speaker_and_many_are_transcribed(folder: Path) -> None:
    one = printed(command("transcribe", "an4", "a.wav", "--one-speaker", cwd=folder))
    many = printed(command("transcribe", "an4", *["a.wav"] * 101, cwd=folder))
    assert len(one) == 1
    assert len(many) == 101


def test_transcripts_are_scored(folder: Path) -> None:
    (folder / "ref.trn").write_text("one two three (u-1)\n")
    (folder / "hyp.trn").write_text("one too three (u-1)\n")
    table = printed(command("evaluate", "--ref", "ref.trn", "--hyp", "hyp.trn", "--rate", "cer", cwd=folder))
    assert "cer" in "\n".join(table)


@pytest.mark.parametrize("words", [["tones"], ["tones/test.jsonl"], ["--on", "tones"]])
def test_a_model_is_scored_on_manifests(words: Sequence[str], folder: Path) -> None:
    done = command("evaluate", "an4", *words, "decoder=greedy", "--verbose", "--out", "results", cwd=folder)
    assert any("wer" in line for line in printed(done))
    assert "engine numpy: " in done.stderr
    (path,) = (folder / "results").glob("*.json")
    assert json.loads(path.read_text())["splits"]["test"]["engine"]["name"] == "numpy"


def test_a_recurrent_language_model_writes(folder: Path) -> None:
    rng, symbols = np.random.default_rng(0), character_symbols("ab ", unknown=False)
    shapes = {"embedding.weight": (4, 2), "stack.output.weight": (4, 3), "stack.output.bias": (4,)}
    of_cell = {"weight_ih": (12, 2), "weight_hh": (12, 3), "bias": (12,)}
    shapes |= {f"stack.layers.0.forward_cell.{name}": shape for name, shape in of_cell.items()}
    weights = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    component = Component.of(LabelModelConfig(hidden=3, layers=1, embedding=2))
    save_recurrent(RecurrentModel(LabelModelHeader(symbols, "characters", component), weights), folder / "small.lm")
    text = command("generate", "small.lm", "--prompt", "ab", "--length", "30", cwd=folder).stdout
    assert text.startswith("ab")
    assert len(text) == 33
    assert set(text) <= set("ab \n")


def test_results_are_reported(folder: Path) -> None:
    put(folder, result("an4/ctc", 1, 10, 81), result("an4/ctc", 2, 11, 90))
    (folder / "recipes" / "an4" / "ctc.yaml").write_text("")
    (folder / "README.md").write_text("<!-- results:an4 -->\n<!-- /results -->\n")
    assert printed(command("report", cwd=folder)) == ["wrote README.md"]
    assert "8.6" in (folder / "README.md").read_text()


def test_recordings_are_prepared(folder: Path) -> None:
    for number in range(6):
        place = folder / "mine" / f"speaker{number}" / "one.wav"
        place.parent.mkdir(parents=True)
        soundfile.write(place, np.sin(np.arange(RATE) * 0.1 * number), RATE)
        place.with_suffix(".txt").write_text("one two")
    printed(command("prepare", "folder", "root=mine", "out=manifest", cwd=folder))
    assert (folder / "manifest" / "train.jsonl").is_file()


RUN, CHECKPOINT = "my_run", "last.pt"


@pytest.mark.parametrize(
    ("name", "words", "line"),
    [
        ("train", [], "asr-train needs torch; install it: pip install 'ctc-asr[train]'"),
        ("train", ["--help"], "asr-train needs torch; install it: pip install 'ctc-asr[train]'"),
        ("transcribe", [RUN, "a.wav"], "torch; install it: pip install 'ctc-asr[train]'"),
        ("transcribe", [CHECKPOINT, "a.wav"], "torch; install it: pip install 'ctc-asr[train]'"),
        ("transcribe", ["an4", "a.wav", "--engine", "torch"], "torch; install it: pip install 'ctc-asr[train]'"),
        ("evaluate", [RUN], "torch; install it: pip install 'ctc-asr[train]'"),
        ("evaluate", [RUN, RUN], "torch; install it: pip install 'ctc-asr[train]'"),
        ("evaluate", [RUN, "tones"], "torch; install it: pip install 'ctc-asr[train]'"),
        ("evaluate", ["an4", "--on", "espeak"], "espeakng_loader; install it: pip install 'ctc-asr[train]'"),
        ("prepare", ["espeak", "out=manifest"], "espeakng_loader; install it: pip install 'ctc-asr[train]'"),
        ("prepare", ["hershey", "out=manifest"], "HersheyFonts; install it: pip install 'ctc-asr[train]'"),
        ("export", [RUN, "new.safetensors"], "torch; install it: pip install 'ctc-asr[train]'"),
        ("export", ["an4", "new.onnx"], "onnx; install it: pip install 'ctc-asr[onnx]'"),
        ("report", ["compared"], "scipy; install it: pip install 'ctc-asr[train]'"),
    ],
)
def test_what_needs_more_says_what_to_install(name: str, words: list[str], line: str, folder: Path) -> None:
    (folder / RUN / "checkpoints").mkdir(parents=True)
    for path in (folder / RUN / "checkpoints" / "best.pt", folder / CHECKPOINT):
        path.write_bytes(b"PK")
    put(folder / "compared", result("an4/ctc", 1, 10, 81), result("an4/ctc", 2, 11, 90))
    (folder / "compared" / "recipes" / "an4" / "ctc.yaml").write_text("")
    (folder / "compared" / "README.md").write_text("<!-- results:an4/ctc against as it is -->\n<!-- /results -->\n")
    there = sorted(folder.rglob("*"))
    done = command(name, *words, cwd=folder)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(f"{line}\n")
    assert done.stderr.count("\n") == 1
    assert sorted(folder.rglob("*")) == there


@pytest.mark.parametrize(
    "name", ["transcribe", "evaluate", "prepare", "export", "report", "generate", "lm", "tune", "align"]
)
def test_help_needs_nothing_more(name: str, tmp_path: Path) -> None:
    assert printed(command(name, "--help", cwd=tmp_path))


def test_recognising_imports_no_module_that_it_does_not_need(folder: Path) -> None:
    """Where everything is installed, too."""
    code = (
        "import asr\nassert len([one for one in sys.modules if one.startswith('asr.')]) <= 1\n"
        "asr.load('an4').transcribe('a.wav')\n"
        "print(*sorted(set(sys.modules) & set(sys.argv[1:])))\n"
    )
    ours = [
        "asr.scoring.trn",
        "statistics",
        "asr.ink.reading",
        "asr.evaluation",
        "asr.report",
        "asr.training",
        "asr.experiment",
    ]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}", *HIDDEN, "rich", "yaml", *ours],
        cwd=folder, capture_output=True, text=True, timeout=120,
        env=surroundings(PYTHONPATH=os.pathsep.join(filter(None, sys.path))),
    )  # fmt: skip
    assert printed(done) == [""]


def test_a_decoder_is_tuned_and_several_texts_are_told(folder: Path) -> None:
    tuned = command("tune", "an4", "decoder=beam", "decoder.candidates=2", "--weight", "insertion_bonus",
                    "--on", "tones/test.jsonl", "--out", "tuned.safetensors", cwd=folder)  # fmt: skip
    assert "decoder.insertion_bonus=" in "\n".join(printed(tuned))
    assert sorted(path.name for path in folder.glob("tuned*")) == ["tuned.safetensors", "tuned.tuning.tsv"]
    lines = printed(command("transcribe", "tuned.safetensors", "a.wav", "--nbest", 2, cwd=folder))
    assert [line.split("\t")[0] for line in lines] == ["1", "2"]
