"""A user's own feature, cell and decoder train without a change to this package, and only when they are named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import command
from tests.tones import make_corpus, small_run

PARTS = '''
import torch
from asr.decoding.greedy import GreedyDecoder, GreedySearch
from asr.features.sound.spectral import SpectralFeatures
from asr.recurrent.cells.lstm import LstmCell


class Halved(SpectralFeatures):
    """Every other frame of the energies: a feature of one's own."""

    @property
    def frame_shift(self):
        return 2 * super().frame_shift

    def n_frames(self, n_samples):
        return (super().n_frames(n_samples) + 1) // 2

    def compute(self, signal):
        return super().compute(signal)[::2]


class Leaky(LstmCell):
    """An LSTM that leaks: a cell of one's own."""

    def __init__(self, n_inputs, hidden, leak=0.1):
        super().__init__(n_inputs, hidden)
        self.leak = leak

    def point(self, projected, recurrent, state):
        output, state = super().point(projected, recurrent, state)
        return (1 - self.leak) * output, ((1 - self.leak) * state[0], *state[1:])


class Loud(GreedySearch):
    """Greedy search that shouts."""

    def end(self, n_best=1):
        from dataclasses import replace
        return [replace(one, text=one.text + "!") for one in super().end(n_best)]


class Shouting(GreedyDecoder):
    """A decoder of one's own."""

    def begin(self, frame_seconds, offset=0.0):
        return Loud(self.inventory, frame_seconds, offset)
'''
YAMLS = {
    "features/mine.yaml": "_target_: my_parts.Halved\nn_mels: 20\n",
    "model/cell/mine.yaml": "_target_: my_parts.Leaky\nleak: 0.05\n",
    "decoder/mine.yaml": "_target_: my_parts.Shouting\n",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with parts of one's own, from which Python imports."""
    home = tmp_path_factory.mktemp("home")
    make_corpus(home / "tones", {"train": 8, "dev": 2, "test": 2})
    (home / "my_parts.py").write_text(PARTS)
    for name, text in YAMLS.items():
        path = home / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(home)
        yield home
    sys.modules.pop("my_parts", None)


@pytest.mark.parametrize("choice", ["features=mine", "model/cell=mine", "decoder=mine"])
def test_a_part_of_ones_own_trains(home: Path, choice: str) -> None:
    options = [
        one for one in small_run(home / "tones") if not (choice.startswith("features") and one == "features=mel64")
    ]
    run = "run_" + choice.split("=")[0].replace("/", "_")
    arguments = ["--config-dir", "conf", *options, choice, f"run_dir={run}", "training.epochs=1"]
    refused = command("train", *arguments, cwd=home)
    assert refused.returncode == 1
    assert "only `asr` and modules named in plugins=[...] may be loaded" in refused.stderr
    done = command("train", *arguments, "plugins=[my_parts]", cwd=home)
    assert done.returncode == 0, done.stderr
    wav = str(home / "tones" / "test" / "test00.wav")
    text = command("transcribe", run, wav, "--plugin", "my_parts", cwd=home)
    assert text.returncode == 0, text.stderr
    assert text.stdout.endswith("!\n") == choice.startswith("decoder")
    alone = command("transcribe", run, wav, cwd=home)
    assert "requires code from the modules my_parts; if you trust it" in alone.stderr
