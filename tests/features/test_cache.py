from __future__ import annotations

import errno
import json
import os
import pickle
import re
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems
from asr.features.cache import FrameCache
from asr.features.extractor import FrameExtractor
from asr.features.sound.spectral import SpectralFeatures
from tests.features.strokes import Strokes
from tests.mutations import mutated


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def direct(features: SpectralFeatures, utterance: Utterance, speed: float = 1.0) -> np.ndarray:
    return features.compute(features.at_speed(features.read(utterance), speed))


def test_frames_are_those_of_the_extractor(recordings, tmp_path):
    features = SpectralFeatures(energy=True, differences=2)
    cache = FrameCache.open(recordings, features, tmp_path / "cache", speeds=(0.9, 1.0))
    assert len(cache) == 6
    for i, utterance in enumerate(recordings):
        for speed in (0.9, 1.0):
            frames = cache.frames(i, speed)
            assert frames.dtype == np.float32
            np.testing.assert_allclose(frames, direct(features, utterance, speed), atol=1e-5)
            assert len(frames) == cache.n_frames(i, speed)
    assert np.array_equal(cache.frames(0), cache.frames(0, 1.0))


def test_the_file_is_plain_numpy(recordings, tmp_path):
    cache = FrameCache.open(recordings, SpectralFeatures(), tmp_path)
    everything = np.load(cache.path, allow_pickle=False)
    assert np.array_equal(everything, np.concatenate([cache.frames(i) for i in range(6)]))
    assert not cache.frames(2).flags.writeable


def test_a_file_that_is_cut_while_it_is_in_use_is_told(recordings, tmp_path):
    cache = FrameCache.open(recordings, SpectralFeatures(), tmp_path)
    first = cache.frames(0)
    os.truncate(cache.path, cache.path.stat().st_size - 1)
    assert np.array_equal(cache.frames(0), first)
    with pytest.raises(DataError, match=rf"{cache.path.name}: was truncated while it was in use"):
        cache.frames(5)


def test_the_second_time_nothing_is_computed(recordings, tmp_path, monkeypatch):
    first = FrameCache.open(recordings, SpectralFeatures(), tmp_path)
    monkeypatch.setattr(SpectralFeatures, "read", lambda *_: pytest.fail("read again"))
    heard: list[tuple[int, int]] = []
    again = FrameCache.open(
        [replace(one, id=f"new-{one.id}", text="other") for one in recordings], SpectralFeatures(), tmp_path,
        on_progress=lambda *step: heard.append(step),
    )  # fmt: skip
    assert again.path == first.path
    assert heard == []
    assert np.array_equal(again.frames(5), first.frames(5))


def test_progress_is_told(recordings, tmp_path):
    heard: list[tuple[int, int]] = []
    FrameCache.open(recordings, SpectralFeatures(), tmp_path, on_progress=lambda *step: heard.append(step))
    assert {total for _, total in heard} == {6}
    done = [done for done, _ in heard]
    assert done == sorted(set(done))
    assert done[-1] == 6


def test_whatever_changes_another_file_is_used(recordings, tmp_path):
    folder = tmp_path / "cache"
    paths = {FrameCache.open(recordings, SpectralFeatures(), folder).path}
    paths.add(FrameCache.open(recordings, SpectralFeatures(n_mels=41), folder).path)
    paths.add(FrameCache.open(recordings, SpectralFeatures(), folder, speeds=(1.0, 1.1)).path)
    paths.add(FrameCache.open(recordings[:-1], SpectralFeatures(), folder).path)
    paths.add(FrameCache.open([*recordings[:-1], replace(recordings[-1], start=0.11)], SpectralFeatures(), folder).path)
    paths.add(FrameCache.open(recordings[::-1], SpectralFeatures(), folder).path)
    stat = recordings[0].source.stat()
    soundfile.write(recordings[0].source, np.full(3000, 0.25), 16000)  # other samples; same name, size and time
    os.utime(recordings[0].source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    changed = FrameCache.open(recordings, SpectralFeatures(), folder)
    paths.add(changed.path)
    assert len(paths) == 7
    np.testing.assert_allclose(changed.frames(0), direct(SpectralFeatures(), recordings[0]), atol=1e-5)


@pytest.mark.parametrize("damage", ["cut", "longer", "no frames", "no index", "index cut", "index of another"])
def test_a_damaged_cache_is_made_again(recordings, tmp_path, damage):
    cache = FrameCache.open(recordings, SpectralFeatures(), tmp_path)
    frames, index = cache.path.read_bytes(), cache.path.with_suffix(".json").read_bytes()
    if damage == "cut":
        cache.path.write_bytes(frames[:-4])
    elif damage == "longer":
        cache.path.write_bytes(frames + b"1234")
    elif damage == "no frames":
        cache.path.unlink()
    elif damage == "no index":
        cache.path.with_suffix(".json").unlink()
    elif damage == "index cut":
        cache.path.with_suffix(".json").write_bytes(index[:-20])
    else:
        cache.path.with_suffix(".json").write_text(json.dumps({"frames": [[3], [4]]}))
    FrameCache.open(recordings, SpectralFeatures(), tmp_path)
    assert cache.path.read_bytes() == frames
    assert cache.path.with_suffix(".json").read_bytes() == index


def test_an_index_damaged_anyhow_is_made_again(recordings, tmp_path):
    cache = FrameCache.open(recordings, SpectralFeatures(), tmp_path)
    frames, index = cache.path.read_bytes(), cache.path.with_suffix(".json")
    whole = index.read_text()
    rows = json.loads(whole)["frames"]
    first = rows[0][0]
    damaged = [
        "[" * 1_000_000, "null", "3", "[]", "{}",
        '{"frames": {}}', '{"frames": null}', '{"frames": [1, 2, 3, 4, 5, 6]}',
        json.dumps({"frames": rows[:-1]}),
        json.dumps({"frames": [[str(n) for n in row] for row in rows]}),
        json.dumps({"frames": [[float(n) for n in row] for row in rows]}),
        json.dumps({"frames": [*rows[:-1], []]}),
        json.dumps({"frames": [[n, 0] for (n,) in rows]}),
        json.dumps({"frames": [[rows[0][0] + rows[1][0] + 1], [-1], *rows[2:]]}),
        json.dumps({"frames": [[first + 1], *rows[1:]]}),
        json.dumps({"frames": [[True], *rows[1:]]}),
        json.dumps({"frames": "abcdef"}),
        whole.replace(f"[[{first}]", f"[[{2**63}]"),
        whole.replace(f"[[{first}]", f"[[{10**30}]"),
        whole.replace(f"[[{first}]", "[[1e999]"),
        whole.replace(f"[[{first}]", f"[[{'9' * 5000}]"),
        whole + " " * 50_000_000,
    ]  # fmt: skip
    for text in damaged:
        assert text != whole
        index.write_text(text)
        FrameCache.open(recordings, SpectralFeatures(), tmp_path)
        assert index.read_text() == whole, text[:80]
    assert cache.path.read_bytes() == frames


def test_an_index_damaged_at_random_gives_the_frames_or_is_made_again(tmp_path):
    lines = []
    for i, n in enumerate((1, 2, 3, 40)):
        path = tmp_path / f"{i}.txt"
        path.write_text(f"{i} 7\n" * n)
        lines.append(Utterance(f"line{i}", path, kind="ink"))
    cache = FrameCache.open(lines, Strokes(), tmp_path / "cache")
    index = cache.path.with_suffix(".json")
    whole, rng = index.read_bytes(), np.random.default_rng(5)
    for _ in range(300):
        index.write_bytes(mutated(whole, rng))
        again = FrameCache.open(lines, Strokes(), tmp_path / "cache")
        assert [again.n_frames(i) for i in range(4)] == [1, 2, 3, 40]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_two_processes_may_build_the_same_cache(tmp_path):
    lines = []
    for i in range(4):
        path = tmp_path / f"{i}.txt"
        path.write_text(f"{i} 7\n" * (i + 1))
        lines.append(Utterance(f"line{i}", path, kind="ink"))

    def build() -> None:
        for _ in range(20):
            cache = FrameCache.open(lines, Strokes(), tmp_path / "cache")
            assert [cache.frames(i)[0].tolist() for i in range(4)] == [[i, 7] for i in range(4)]
            cache.path.with_suffix(".json").unlink(missing_ok=True)

    builders = []
    for _ in range(2):
        builders.append(os.fork())  # this extractor starts no thread
        if builders[-1] == 0:
            with suppress(BaseException):
                build()
                os._exit(0)
            os._exit(1)
    assert [os.waitpid(one, 0)[1] for one in builders] == [0, 0]
    build()
    assert not any(name.startswith(".") for name in contents(tmp_path / "cache"))


def test_all_bad_files_are_reported_together_and_nothing_is_written(recordings, tmp_path):
    (tmp_path / "wav" / "u1.wav").unlink()
    (tmp_path / "wav" / "u2.wav").write_bytes(b"")
    cut = (tmp_path / "wav" / "u3.wav").read_bytes()
    (tmp_path / "wav" / "u3.wav").write_bytes(cut[:-100])
    outside = Utterance("late", recordings[0].source, start=7.0, duration=1.0)
    with pytest.raises(Problems) as caught:
        FrameCache.open([*recordings, outside], SpectralFeatures(), tmp_path / "cache")
    told = caught.value.problems
    assert len(told) == 4
    expected = ["u1: .*no such file", "u2: .*is empty", "u3: .*truncated", "late: .*outside the file"]
    assert all(re.match(pattern, problem) for pattern, problem in zip(expected, told, strict=True)), told
    assert contents(tmp_path / "cache") == []


def test_headers_are_looked_at_before_anything_is_computed(recordings, tmp_path, monkeypatch):
    recordings[-1].source.write_bytes(b"")
    monkeypatch.setattr(SpectralFeatures, "compute", lambda *_: pytest.fail("computed"))
    with pytest.raises(Problems, match=r"u4: .*is empty"):
        FrameCache.open(recordings, SpectralFeatures(), tmp_path / "cache")


def test_damage_that_headers_do_not_show_is_reported_together_too(recordings, tmp_path):
    samples = np.zeros(2000, dtype=np.float32)
    samples[77] = np.nan
    for i in (1, 3):
        soundfile.write(recordings[i].source, samples, 16000, subtype="FLOAT")
    with pytest.raises(Problems, match="2 problems in the source files") as caught:
        FrameCache.open(recordings, SpectralFeatures(), tmp_path / "cache")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["u1", "u3"]
    assert "sample 77 is nan" in caught.value.problems[0]
    assert contents(tmp_path / "cache") == []


def test_a_full_disk_is_told_and_leaves_nothing(recordings, tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        DataError, match=r"\.npy cannot be written: No space left on device; nothing was written; free some space"
    ):
        FrameCache.open(recordings, SpectralFeatures(), tmp_path / "cache")
    assert contents(tmp_path / "cache") == []


def test_an_interrupted_build_leaves_nothing(recordings, tmp_path):
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FrameCache.open(recordings, SpectralFeatures(), tmp_path / "cache", on_progress=stop)
    assert contents(tmp_path / "cache") == []


def test_what_killed_processes_left_is_swept_after_a_day(recordings, tmp_path):
    old, new = (tmp_path / f".{name}.npy.ctc-asr-1-0123456789abcdef.tmp" for name in "ab")
    for path, age in ((old, 90000.0), (new, 100.0)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age, time.time() - age))
    FrameCache.open(recordings, SpectralFeatures(), tmp_path)
    assert not old.exists()
    assert new.exists()


def test_a_cache_travels_to_another_process(recordings, tmp_path):
    cache = FrameCache.open(recordings, SpectralFeatures(differences=2), tmp_path)
    sent = pickle.dumps(cache)
    assert len(sent) < cache.path.stat().st_size  # the frames stay in the file
    assert np.array_equal(pickle.loads(sent).frames(3), cache.frames(3))


def test_wrong_questions_are_refused(recordings, tmp_path):
    cache = FrameCache.open(recordings, SpectralFeatures(), tmp_path)
    with pytest.raises(IndexError, match="utterance 6 of 6"):
        cache.frames(6)
    with pytest.raises(IndexError, match="utterance -1 of 6"):
        cache.n_frames(-1)
    with pytest.raises(ValueError, match=r"speed 1.1 is not in this cache"):
        cache.frames(0, 1.1)
    with pytest.raises(DataError, match="no utterances"):
        FrameCache.open([], SpectralFeatures(), tmp_path)


def test_ink_needs_no_second_cache(tmp_path):
    lines = []
    for i, text in enumerate(["0 0\n1 2\n3 4\n", "5 6\n"]):
        path = tmp_path / f"{i}.txt"
        path.write_text(text)
        lines.append(Utterance(f"line{i}", path, kind="ink"))
    assert isinstance(Strokes(), FrameExtractor)
    cache = FrameCache.open(lines, Strokes(scale=2.0), tmp_path / "cache")
    assert cache.frames(0).tolist() == [[0, 0], [2, 4], [6, 8]]
    assert cache.frames(1).tolist() == [[10, 12]]
    lines[1].source.write_text("1 2 3\n")
    with pytest.raises(Problems, match=r"line1: .*two coordinates"):
        FrameCache.open(lines, Strokes(scale=2.0), tmp_path / "cache")


def test_frames_come_with_their_speakers(recordings, tmp_path):
    utterances = [replace(one, speaker=f"s{number % 2}") for number, one in enumerate(recordings)]
    cache = FrameCache.open(utterances, SpectralFeatures(), tmp_path)
    said = list(cache.by_speaker())
    assert [speaker for speaker, _ in said] == [one.speaker for one in utterances]
    assert all(np.array_equal(frames, cache.frames(number)) for number, (_, frames) in enumerate(said))
