"""Small files that take the place of the ones that a reader brings: recordings, ink, texts, transcripts, a run.

Each is made when a page first needs it, and copied into the page's folder.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.ink import Ink, Stroke, write_inkml, write_json
from tests.commands import command
from tests.skipping import SHARED_DATA
from tests.tones import RATE, TONES, make_corpus, small_run, sound

AN4 = SHARED_DATA / "an4" / "an4" / "wav"
TEXTS = "ENTER SIX TWO\nERASE C Q Q F SEVEN\nTWELVE NINETEEN\nGO\nHELP\nSTART\nSTOP\n"
"""Texts in the letters of `an4`."""

DICTIONARY = "HELLO HH AH L OW\nHELLO(2) HH EH L OW\nWORLD W ER L D\n"


def _text(content: str) -> Callable[[Path], None]:
    return lambda path: _write(path, content)


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")


def recording(path: Path, number: int = 0) -> None:
    """Write one of AN4's test recordings where the corpus is here, or else tones."""
    found = sorted(AN4.glob("an4test_clstk/*/*.flac"))
    if found:
        samples, rate = soundfile.read(found[number])
    else:
        samples, rate = sound("abcab cabc", np.random.default_rng(number)), RATE
    soundfile.write(path, samples, rate)


def _stereo(path: Path) -> None:
    signal = sound("abc", np.random.default_rng(1))
    soundfile.write(path, np.stack([signal, signal], axis=1), RATE)


def _cut(path: Path) -> None:
    recording(path)
    path.write_bytes(path.read_bytes()[:5000])


def _recordings(folder: Path) -> None:
    for number, name in enumerate(("one", "two")):
        recording(folder / f"{name}.flac", number)
        _write(folder / f"{name}.txt", "GO\n")


def _speakers(folder: Path) -> None:
    """Four speakers with four recordings each, and their transcripts beside them."""
    rng = np.random.default_rng(3)
    for speaker in ("ann", "bob", "eve", "joe"):
        (folder / speaker).mkdir()
        for number in range(1, 5):
            text = " ".join(rng.choice(list("abc"), 3))
            soundfile.write(folder / speaker / f"{number}.wav", sound(text, rng), RATE)
            _write(folder / speaker / f"{number}.txt", text.upper() + "\n")


def _manifests(folder: Path) -> None:
    """Tones in capitals, which `an4` knows."""
    rng = np.random.default_rng(5)
    for split, count in {"train": 12, "dev": 3, "test": 3}.items():
        utterances = []
        for number in range(count):
            text = " ".join(rng.choice([letter for letter in TONES if letter != " "], 2))
            path = folder / f"{split}{number:02}.wav"
            soundfile.write(path, sound(text, rng), RATE)
            seconds = soundfile.info(path).duration
            utterances.append(
                Utterance(path.stem, path, duration=seconds, text=text.upper(), speaker=f"{split}{number % 2}")
            )
        write_manifest(folder / f"{split}.jsonl", utterances)


def _run(folder: Path) -> None:
    """A run of `asr-train` on tones."""
    pytest.importorskip("torch")
    tones = make_corpus(folder.with_name("tones"))
    done = command("train", *small_run(tones, run_dir=str(folder), **{"training.epochs": "1"}), cwd=folder.parent)
    assert done.returncode == 0, done.stderr


def _bundle(path: Path) -> None:
    done = command("export", "quickstart", str(path), cwd=path.parent)
    assert done.returncode == 0, done.stderr


def hand_drawn(letters: str) -> Ink:
    """Return block letters of straight strokes, as a careful hand draws them."""
    shapes = {
        "l": [((0, 2), (0, 0))],
        "i": [((0, 1), (0, 0)), ((0, 1.4), (0, 1.45))],
        "t": [((0.2, 1.8), (0.2, 0)), ((0, 1.2), (0.5, 1.2))],
    }
    return Ink(
        tuple(
            Stroke(np.linspace(start, end, 12) * 20 + [25 * place, 0])
            for place, letter in enumerate(letters)
            for start, end in shapes[letter]
        )
    )


def _xopp(path: Path) -> None:
    """A notebook of Xournal++ with two lines."""
    lines = []
    for top in (100, 180):
        for stroke in hand_drawn("till").strokes:
            points = stroke.points * [1, -1] + [100, top]
            numbers = " ".join(f"{value:.2f}" for value in points.ravel())
            lines.append(f'<stroke tool="pen" color="#000000ff" width="1.41">{numbers}</stroke>')
    _write(
        path,
        '<?xml version="1.0"?>\n<xournal creator="test" fileversion="4">\n<page width="595.0" height="842.0">\n'
        '<background type="solid" color="#ffffffff" style="plain"/>\n<layer>\n'
        + "\n".join(lines)
        + "\n</layer>\n</page>\n</xournal>\n",
    )


FILES: dict[str, Callable[[Path], None]] = {
    "recording.flac": recording,
    "recording.wav": lambda path: recording(path, 1),
    "a.wav": recording,
    "stereo.wav": _stereo,
    "cut.wav": _cut,
    "interview.flac": recording,
    "hello.wav": recording,
    "notes.xopp": _xopp,
    "page.xopp": _xopp,
    "page.inkml": lambda path: write_inkml(path, hand_drawn("till")),
    "note.inkml": lambda path: write_inkml(path, hand_drawn("till")),
    "word.inkml": lambda path: write_inkml(path, hand_drawn("till")),
    "word.json": lambda path: write_json(path, hand_drawn("till")),
    "year.inkml": lambda path: write_inkml(path, hand_drawn("lll")),
    "amount.inkml": lambda path: write_inkml(path, hand_drawn("lll")),
    "plate.inkml": lambda path: write_inkml(path, hand_drawn("lit")),
    "names.txt": _text("SMITH\t120\nNEW YORK\t14\nENTER\t300\n"),
    "words.txt": _text("ENTER\nSIX\nTWO\n"),
    "commands.txt": _text("GO\nHELP\nSTART\nSTOP\n"),
    "mine.txt": _text(TEXTS),
    "my_texts.txt": _text(TEXTS),
    "other.txt": _text("ENTER TWO\nSTOP\n"),
    "cmudict.txt": _text(DICTIONARY),
    "ref.trn": _text("the cat sat (a-1)\non the mat (b-2)\nfar away (c-3)\n"),
    "hyp.trn": _text("the cat sat (a-1)\non a mat (b-2)\nfar away (c-3)\n"),
    "other.trn": _text("a cat sat (a-1)\non a mat (b-2)\nfar a way (c-3)\n"),
    "mine.safetensors": _bundle,
    "letters.txt": _text("# march\nto be or not to be\n# may\nto be\n# june\nnot to be\n"),
    "books.txt.gz": _text("# one\nto be or not to be\n"),
}
FOLDERS: dict[str, Callable[[Path], None]] = {
    "recordings": _recordings,
    "my_recordings": _speakers,
    "manifest/mine": _manifests,
    "runs/mine": _run,
}


@dataclass(frozen=True)
class StandIns:
    """Files that are made once, and copied as often as pages want them."""

    store: Path

    def copy(self, name: str, folder: Path) -> None:
        """Put a file or folder of this name into a page's folder."""
        made, wanted = self.store / name, folder / name
        if not made.exists():
            made.parent.mkdir(parents=True, exist_ok=True)
            if name in FOLDERS:
                made.mkdir()
            try:
                (FOLDERS | FILES)[name](made)
            except BaseException:  # a skip, where PyTorch is missing: leave nothing that another page takes for whole
                shutil.rmtree(made, ignore_errors=True)
                raise
        wanted.parent.mkdir(parents=True, exist_ok=True)
        if made.is_dir():
            shutil.copytree(made, wanted)
        else:
            shutil.copy(made, wanted)


def named_in(text: str) -> list[str]:
    """Return the stand-ins that a page names."""
    return [name for name in (*FILES, *FOLDERS) if re.search(rf"(?<![\w./]){re.escape(name)}(?![\w.])", text)]
