from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asr.audio import Sound, is_one_sound, read_audio, sound_of, sound_of_stream
from asr.errors import DataError, DataWarning

RATE = 8000


@pytest.fixture
def path(tmp_path: Path, tone: np.ndarray) -> Path:
    path = tmp_path / "sound.flac"
    soundfile.write(path, tone, RATE)
    return path


class Tensor:
    """What a tensor of torch is to NumPy: no array as long as it has a gradient or lies on another device."""

    def __init__(self, array: np.ndarray, ready: bool = False) -> None:
        self.array, self.ready = array, ready
        self.dtype, self.ndim = array.dtype, array.ndim

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return Tensor(self.array, ready=True)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if not self.ready:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return self.array if dtype is None else self.array.astype(dtype)


def same(sound: Sound, expected: np.ndarray, rate: int = RATE) -> None:
    assert sound.rate == rate
    assert sound.samples.dtype == np.float32
    assert sound.samples.flags.c_contiguous
    assert sound.samples.flags.writeable
    assert np.array_equal(sound.samples, expected)


def test_samples_in_every_layout(tone: np.ndarray):
    read_only = tone.copy()
    read_only.flags.writeable = False
    strided = np.stack([tone, -tone], axis=1)[:, 0]
    unaligned = np.frombuffer(b"." + tone.tobytes(), dtype=np.uint8)[1:].view(np.float32)
    for array in (
        tone, tone[None], tone[:, None], tone[None, None], read_only, strided, unaligned, tone[::-1][::-1],
        tone.astype(">f4"), tone.astype(np.float64), tone.astype(">f8"), tone.astype(np.longdouble), tone.tolist(),
        tuple(tone.tolist()), [tone.tolist()], Tensor(tone), Tensor(tone[None]), memoryview(tone).toreadonly().obj,
    ):  # fmt: skip
        same(sound_of(array, rate=RATE), tone)
    same(sound_of(tone.astype(np.float16), rate=RATE), tone.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "middle", "scale"), [
    ("i1", 0, 2**7), ("i2", 0, 2**15), ("i4", 0, 2**31), ("u1", 2**7, 2**7), ("u2", 2**15, 2**15), ("u4", 2**31, 2**31),
])  # fmt: skip
def test_integers_are_scaled_by_their_full_scale(order: str, kind: str, middle: int, scale: int):
    limits = np.iinfo(kind)
    values = [limits.min, middle, limits.max]
    array = np.array(values, dtype=order + kind)
    expected = np.array([(value - middle) / scale for value in values], dtype=np.float32)
    assert expected[0] == -1
    assert expected[1] == 0
    same(sound_of(array, rate=RATE), expected)


def test_integers_give_what_a_file_of_them_gives(tmp_path: Path, tone: np.ndarray):
    for subtype, dtype in (("PCM_16", np.int16), ("PCM_32", np.int32)):
        soundfile.write(tmp_path / "a.wav", tone, RATE, subtype=subtype)
        array, rate = soundfile.read(tmp_path / "a.wav", dtype=np.dtype(dtype).name)
        same(sound_of((array, rate)), read_audio(tmp_path / "a.wav", rate=RATE))


def test_a_channel_is_chosen(tone: np.ndarray):
    both = np.stack([tone, -tone])
    for array in (both, both.T, np.asfortranarray(both), both[None], Tensor(both)):
        same(sound_of(array, rate=RATE, channel=1), -tone)
        with pytest.raises(DataError, match=r"<samples>: has 2 channels; choose one with `channel` \(0 or 1\)"):
            sound_of(array, rate=RATE)
        with pytest.raises(DataError, match="has no channel 2; it has 2, counted from 0"):
            sound_of(array, rate=RATE, channel=2)
    same(sound_of(tone, rate=RATE, channel=0), tone)
    with pytest.raises(DataError, match="has no channel 1; it has 1"):
        sound_of(tone[None], rate=RATE, channel=1)


def test_pairs_and_dictionaries_tell_the_rate(path: Path, tone: np.ndarray):
    raw = path.read_bytes()
    number = np.array(RATE)
    for source in (
        (tone, RATE), (RATE, tone), (tone, float(RATE)), (np.int32(RATE), tone), [tone, RATE], (tone[:, None], number),
        (Tensor(tone[None]), RATE), (tone.tolist(), RATE), (RATE, np.round(tone * 32768).astype(np.int16)),
        {"array": tone, "sampling_rate": RATE, "path": "/not/there.wav"}, {"raw": tone, "sampling_rate": number},
        {"path": str(path), "bytes": None}, {"path": None, "bytes": raw}, {"path": path}, {"bytes": raw, "path": "x"},
    ):  # fmt: skip
        same(sound_of(source), tone)
        same(sound_of(source, rate=RATE), tone)
        with pytest.raises(DataError, match="rate=16000 was given, but the sound has 8000 Hz; leave rate= out"):
            sound_of(source, rate=16000)
    same(sound_of({"array": tone, "sampling_rate": None}, rate=RATE), tone)


def test_files_bytes_and_streams(path: Path, tone: np.ndarray):
    raw = path.read_bytes()
    spooled = tempfile.SpooledTemporaryFile()  # noqa: SIM115  (as web frameworks pass uploads)
    spooled.write(raw)
    spooled.seek(0)
    with path.open("rb") as opened, spooled:
        for source in (str(path), path, raw, bytearray(raw), memoryview(raw), io.BytesIO(raw), opened, spooled):
            same(sound_of(source), tone)
    same(sound_of_stream(io.BytesIO(raw)), tone)
    same(sound_of_stream(io.BufferedReader(io.BytesIO(raw))), tone)  # type: ignore[type-var]


def test_a_pipe_is_read(path: Path, tone: np.ndarray):
    code = "import sys; from asr.audio import sound_of_stream; print(sound_of_stream(sys.stdin.buffer).samples.sum())"
    with path.open("rb") as file:
        cat = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        out = subprocess.run([sys.executable, "-c", code], stdin=cat.stdout, capture_output=True, text=True, check=True)
        cat.wait()
    assert float(out.stdout) == pytest.approx(float(tone.sum()), rel=1e-5)


def test_a_stream_is_read_up_to_a_limit(path: Path):
    class Endless(io.RawIOBase):
        given = 0

        def read(self, n: int = -1) -> bytes:  # type: ignore[override]
            self.given += n
            return bytes(n)

    raw = path.read_bytes()
    assert len(sound_of_stream(io.BytesIO(raw), most_bytes=len(raw)).samples) == 32000
    endless = Endless()
    with pytest.raises(DataError, match="<stdin>: holds more than 3000000 bytes; write it to a file and pass"):
        sound_of_stream(endless, most_bytes=3_000_000)  # type: ignore[arg-type]
    assert endless.given == 3_000_001


def test_streams_that_cannot_be_read(path: Path):
    closed = path.open("rb")
    closed.close()
    with pytest.raises(DataError, match=r"sound\.flac: cannot be read: read of closed file"):
        sound_of(closed)
    with path.open(encoding="latin-1") as text, pytest.raises(DataError, match=r"reading gives str instead of bytes"):
        sound_of(text)
    with pytest.raises(DataError, match=r"<file object>: is empty \(0 bytes\)"):
        sound_of(io.BytesIO())
    with pytest.raises(DataError, match=r"<bytes>: is empty"):
        sound_of(b"")
    with pytest.raises(DataError, match=r"<stdin>: cannot be read as audio"):
        sound_of_stream(io.BytesIO(b"no sound" * 100))


def test_another_rate_is_that_of_read_audio(path: Path, tone: np.ndarray):
    assert np.array_equal(sound_of(path).at(16000), read_audio(path, rate=16000))
    assert np.array_equal(sound_of(tone, rate=RATE).at(11025), read_audio(path, rate=11025))
    sound = sound_of(tone, rate=RATE)
    assert sound.at(RATE) is sound.samples


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "NoneType is not supported; expected a path, an array of samples, "),
        (object(), "object is not supported"),
        (3.5, "the array has the shape"),
        (["a.wav", "b.wav"], "list is not a sound|samples of type <U5"),
        ([[0.1, 0.2], [0.3]], "list is not supported"),
        ((0.5, "a"), "str is not supported"),
        ({}, "a dictionary with the keys none; expected array and sampling_rate, or path or bytes"),
        ({"audio": 1, "text": 2}, "a dictionary with the keys 'audio', 'text'; expected array"),
        ([], r"no samples: the array has the shape \(0,\); record it again"),
        (np.zeros((2, 0)), r"no samples: the array has the shape \(2, 0\)"),
        (np.zeros(5, bool), "samples of type bool; expected floats in"),
        (np.zeros(5, complex), "samples of type complex128; expected floats"),
        ([0, 1, 2], "integers of 64 bits .int64., whose full scale is unknown; convert them .*int16"),
        (np.zeros(5, np.uint64), "integers of 64 bits"),
        (np.zeros((2, 3, 4)), r"the array has the shape \(2, 3, 4\); expected samples \(N,\), or"),
        (np.zeros((300, 400)), r"shape \(300, 400\), in which channels and samples look the same; pass one channel"),
        (np.zeros((5, 5)), r"shape \(5, 5\), in which channels and samples look the same"),
        (np.array([0.0, np.nan]), "<samples>: sample 1 is nan"),
        (np.array([0.0, np.inf]), "<samples>: sample 1 is inf"),
        (np.array([0.0, 1e300]), r"<samples>: sample 1 is 1e\+300"),
        ((np.zeros(5), True), "tuple is not supported"),
        ((np.zeros(5), 0), "rate is 0; expected a whole number of hertz, 1000 to 1000000"),
        ((np.zeros(5), float("nan")), "rate is nan"),
        ((np.zeros(5), 22050.5), "rate is 22050.5; expected a whole number"),
        ({"array": np.zeros(5), "sampling_rate": "16k"}, "rate is 16k; expected a whole number"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_sentence(source: object, message: str):
    with pytest.raises(DataError, match=message) as caught:
        sound_of(source, rate=None if isinstance(source, (tuple, dict)) else RATE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", [np.zeros(5), [0.0, 0.5], {"array": np.zeros(5)}, np.zeros((1, 5), np.int16)])
def test_the_rate_is_asked_for(source: object):
    with pytest.raises(DataError, match=r"the samples have no rate; give rate=, such as rate=16000, or pass"):
        sound_of(source)


def test_integers_written_as_floats_are_warned_of(tone: np.ndarray):
    with pytest.warns(DataWarning, match="samples reach 1.*, but floats have full scale 1; pass integers as"):
        sound_of(tone * 32768, rate=RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sound_of(tone * 4, rate=RATE)


def test_the_decoder_of_datasets(tone: np.ndarray):
    class Samples:
        data, sample_rate = Tensor(tone[None]), RATE

    class Decoder:
        def get_all_samples(self) -> Samples:
            return Samples()

    same(sound_of(Decoder()), tone)


def test_home_is_expanded(path: Path, tone: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(path.parent))
    monkeypatch.setenv("USERPROFILE", str(path.parent))
    same(sound_of("~/sound.flac"), tone)
    with pytest.raises(DataError, match="no such file"):
        sound_of("~nobody-of-this-name/sound.flac")


def test_tensors_of_torch(tone: np.ndarray):
    torch = pytest.importorskip("torch")
    for tensor in (torch.from_numpy(tone), torch.from_numpy(tone)[None].requires_grad_(), torch.tensor(tone).double()):
        same(sound_of(tensor, rate=RATE), tone)
    same(sound_of((torch.from_numpy(tone)[:, None], torch.tensor(RATE))), tone)
    same(sound_of(torch.tensor([-32768, 0], dtype=torch.int16), rate=RATE), np.array([-1, 0], np.float32))
    half = torch.from_numpy(tone).bfloat16()
    same(sound_of(half, rate=RATE), half.float().numpy())
    with pytest.raises(DataError, match="integers of 64 bits"):
        sound_of(torch.zeros(5, dtype=torch.int64), rate=RATE)


def test_torch_is_not_imported():
    code = "import sys; import asr.audio; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_one_sound_is_told_from_several_sources(tone: np.ndarray):
    for one in [(tone, 16000), [16000, tone], [0.0, 0.5, -0.5], [np.float32(0.1)]]:
        assert is_one_sound(one)
    for several in [[], [tone], [tone, tone], ["a.wav", "b.wav"], [(tone, 8000), (tone, 8000)], [b"x"], [True]]:
        assert not is_one_sound(several)
