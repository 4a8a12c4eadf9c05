"""Frames from several processes: the same bytes as from one, and nothing is left of them, however they end."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems
from asr.features import cache as cache_module
from asr.features import workers as workers_module
from asr.features.cache import FrameCache
from asr.features.parts import Pace, Part
from asr.features.pen.extractor import PenFeatures
from asr.features.sound.spectral import SpectralFeatures
from asr.ink.store import write_store
from tests.features.pen.inks import word
from tests.features.strokes import Deadly, Faulty, Slow, Strokes, Unchecked, Witness

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX")


@pytest.fixture
def lines(tmp_path: Path) -> list[Utterance]:
    """Twelve files of 1 to 12 points, each point (number of the file, 7)."""
    utterances = []
    for i in range(12):
        path = tmp_path / f"{i}.txt"
        path.write_text(f"{i} 7\n" * (i + 1))
        utterances.append(Utterance(f"line{i}", path, kind="ink"))
    return utterances


def bytes_of(cache: FrameCache) -> tuple[bytes, bytes]:
    return cache.path.read_bytes(), cache.path.with_suffix(".json").read_bytes()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_number_of_workers_changes_no_frame_of_sound(recordings, tmp_path):
    features = SpectralFeatures(energy=True, differences=2)
    heard: list[tuple[int, int]] = []
    one = FrameCache.open(recordings, features, tmp_path / "one", speeds=(1.0, 1.1), workers=1)
    two = FrameCache.open(
        recordings, features, tmp_path / "two", speeds=(1.0, 1.1), workers=2,
        on_progress=lambda *step: heard.append(step),
    )  # fmt: skip
    assert bytes_of(one) == bytes_of(two)
    assert heard[-1] == (6, 6)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_number_of_workers_changes_no_frame_of_ink(tmp_path, workers):
    places = write_store(tmp_path / "words.inks", [word(i, timed=i % 2 == 0) for i in range(40)])
    words = [
        Utterance(f"w{i}", tmp_path / "words.inks", kind="ink", start=begin, duration=count)
        for i, (begin, count) in enumerate(places)
    ]
    one = FrameCache.open(words, PenFeatures(), tmp_path / "one", workers=1)
    more = FrameCache.open(words, PenFeatures(), tmp_path / "more", workers=workers)
    assert bytes_of(one) == bytes_of(more)
    assert np.array_equal(more.frames(7), PenFeatures().compute(PenFeatures().read(words[7])))


def test_frames_are_in_order_though_later_ones_come_first(lines, tmp_path):
    cache = FrameCache.open(lines, Slow(), tmp_path / "cache", workers=2)
    for i in range(len(lines)):
        assert cache.frames(i).tolist() == [[i, 7]] * (i + 1)


def test_workers_are_other_processes_that_import_what_they_need_alone(lines, tmp_path, capfd):
    cache = FrameCache.open(lines, Witness(), tmp_path / "cache", workers=2)
    seen = np.concatenate([cache.frames(i) for i in range(len(lines))])
    assert len(seen) == sum(range(1, 13))
    assert not seen[:, 1].any(), "torch or pytest was imported"
    assert os.getpid() not in seen[:, 0]
    assert not any(is_alive(int(process)) for process in np.unique(seen[:, 0]))
    printed, noise = capfd.readouterr()
    assert printed == ""  # standard output is the way of the frames
    assert noise.count("printing harms nobody") == 12


def test_everything_wrong_is_reported_together_by_workers_too(lines, tmp_path):
    for i in (2, 9):
        lines[i].source.write_text("1 2 3\n")
    with pytest.raises(Problems, match="2 problems in the source files") as caught:
        FrameCache.open(lines, Unchecked(), tmp_path / "cache", workers=2)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["line2", "line9"]
    assert list((tmp_path / "cache").iterdir()) == []


@posix
def test_a_worker_that_is_killed_is_one_sentence(lines, tmp_path):
    told = (
        r"^a process that computes frames was lost \(killed by signal 9, perhaps out of memory\); nothing was "
        r"written; try again with one process \(workers=1\)$"
    )
    with pytest.raises(DataError, match=told):
        FrameCache.open(lines, Deadly(), tmp_path / "cache", workers=2)
    assert list((tmp_path / "cache").iterdir()) == []


@posix
def test_a_worker_that_sends_something_else_is_one_sentence(lines, tmp_path, monkeypatch):
    """Instead of waiting for ever: here it starts with a line of text in its standard output."""
    monkeypatch.setattr(workers_module, "_BEGIN", f"print('Welcome!', flush=True); {workers_module._BEGIN}")
    monkeypatch.setattr(workers_module, "_PATIENCE", 0.1)
    with pytest.raises(DataError, match=r"^a process that computes frames was lost \(its answer cannot be read\); "):
        FrameCache.open(lines, Strokes(), tmp_path / "cache", workers=2)


def test_a_bug_in_a_worker_is_raised_as_it_is(lines, tmp_path):
    with pytest.raises(ZeroDivisionError, match="float division by zero"):
        FrameCache.open(lines, Faulty(), tmp_path / "cache", workers=2)
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_interrupted_build_leaves_no_process(lines, tmp_path, monkeypatch):
    begun: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def noted(*args: object, **options: object) -> subprocess.Popen[bytes]:
        begun.append(start(*args, **options))
        return begun[-1]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", noted)
    with pytest.raises(KeyboardInterrupt):
        FrameCache.open(lines, Strokes(), tmp_path / "cache", workers=2, on_progress=stop)
    assert len(begun) == 2
    assert all(process.returncode is not None for process in begun)
    assert list((tmp_path / "cache").iterdir()) == []


SCRIPT = """
import sys
from pathlib import Path
from asr.corpus.utterance import Utterance
from asr.features.cache import FrameCache
from tests.features.strokes import Strokes, Witness

print("run")
folder, workers = Path(sys.argv[1]), int(sys.argv[2])
lines = [Utterance(str(i), folder / f"{i}.txt", kind="ink") for i in range(12)]

class Mine(Strokes): ...

if workers:
    cache = FrameCache.open(lines, Witness(), folder / "cache", workers=workers)
    print(len({int(cache.frames(i)[0, 0]) for i in range(12)}))
else:
    FrameCache.open(lines, Mine(), folder / "cache", workers=2)
"""


def run(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    command = [sys.executable, path, tmp_path, *args]
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": root})


def test_a_script_needs_no_guard(lines, tmp_path):
    """Workers do not run it again, as they would with `multiprocessing`."""
    done = run(tmp_path, "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["run", "2"]


def test_an_extractor_of_the_script_itself_is_refused(lines, tmp_path):
    done = run(tmp_path, "0")
    assert done.stderr.splitlines()[-1].endswith(
        "DataError: Mine cannot be sent to other processes; define it in a module of its own and make its objects "
        "picklable, or compute frames in one process (workers=1)"
    )


# How many there are when nobody says it


def test_little_work_is_done_here(lines, tmp_path):
    cache = FrameCache.open(lines, Witness(), tmp_path / "cache")
    assert {int(cache.frames(i)[0, 0]) for i in range(12)} == {os.getpid()}


def test_much_work_is_shared(lines, tmp_path, monkeypatch):
    """The first two parts are computed here, and show how long the others take."""
    monkeypatch.setattr(cache_module, "_WORTH_A_WORKER", 1e-9)
    monkeypatch.setattr(cache_module, "usable_cores", lambda: 2)
    cache = FrameCache.open(lines, Witness(), tmp_path / "cache")
    by = [int(cache.frames(i)[0, 0]) for i in range(12)]
    assert by[0] == os.getpid()
    assert by[-1] != os.getpid()
    assert len(set(by)) in (2, 3)


@pytest.mark.parametrize(
    ("cores", "seconds", "expected"), [(4, 100.0, 4), (4, 6.5, 3), (4, 3.9, 1), (1, 100.0, 1), (64, 1e9, 64)]
)
def test_workers_by_cores_and_seconds(monkeypatch, cores, seconds, expected):
    monkeypatch.setattr(cache_module, "usable_cores", lambda: cores)
    assert cache_module._worth_starting(seconds, Strokes()) == expected


def test_what_cannot_be_sent_is_computed_here(monkeypatch):
    @dataclass
    class Local(Strokes): ...

    monkeypatch.setattr(cache_module, "usable_cores", lambda: 4)
    assert cache_module._worth_starting(100.0, Local()) == 1
    monkeypatch.setattr(Strokes, "__module__", "__main__")
    assert cache_module._worth_starting(100.0, Strokes()) == 1


def test_a_child_of_multiprocessing_starts_none(monkeypatch):
    monkeypatch.setattr(cache_module, "usable_cores", lambda: 4)
    monkeypatch.setattr("multiprocessing.parent_process", lambda: object())
    assert cache_module._worth_starting(100.0, Strokes()) == 1


def test_parts_take_about_a_quarter_of_a_second():
    def part(n_utterances: int, seconds: float) -> Part:
        return Part(np.zeros((0, 1), dtype=np.int64), np.zeros((0, 2), dtype=np.float32), (), n_utterances, seconds)

    pace, sizes = Pace(), []
    for n_utterances, seconds in ((1, 0.001), (4, 0.004), (16, 0.016), (64, 0.064), (250, 2.5), (1, 60.0), (1, 0.0)):
        pace.learn(part(n_utterances, seconds))
        sizes.append(pace.size)
    assert sizes == [4, 16, 64, 250, 25, 1, 4]
