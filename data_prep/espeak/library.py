"""Synthesise English speech with eSpeak NG's shared library, in a separate process.

eSpeak NG (https://github.com/espeak-ng/espeak-ng, GPL-3) comes as the separate package `espeakng-loader`: the shared
library, its dictionaries and about 100 voice variants. This package contains none of it. This module loads the library
at run time, as a program of its own: `python -m data_prep.espeak.library`.

There are two reasons for a separate process. The library keeps state between sentences that cannot be reset (the phase
of the pitch flutter, the random generators), so only a new process that speaks the same list always gives the same
samples. And a crash of the library does not affect the caller.

The program reads requests as JSON lines from standard input; each answer is a JSON line followed by the samples.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from asr.errors import DataError

RATE = 22050
"""Sampling rate of eSpeak NG in hertz."""

REMEDY = "`pip install espeakng-loader`, or give root= a tree that was made elsewhere"

# Names and values of speak_lib.h.
_SYNCHRONOUS = 2
_PHONEME_EVENTS = 0x0001
_DONT_EXIT = 0x8000
_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_EVENT_END_OF_LIST, _EVENT_PHONEME = 0, 7


@dataclass(frozen=True)
class Request:
    """A sentence and the way to speak it.

    Attributes:
        text: the sentence.
        voice: language and variant, such as `en-us+f1`.
        speed: words per minute, 80 to 450; eSpeak's default is 175.
        pitch, pitch_range: 0 to 99; 50 keeps the variant's own.
        seed: seed of the breath noise.
    """

    text: str
    voice: str
    speed: int = 175
    pitch: int = 50
    pitch_range: int = 50
    seed: int = 1


@dataclass(frozen=True)
class Phoneme:
    """A phoneme event.

    Attributes:
        name: eSpeak's name of the phoneme, with stress marks.
        sample: its first sample.
        position: position in the text of the character that it belongs to, from 1.
    """

    name: str
    sample: int
    position: int


@dataclass(frozen=True)
class Speech:
    """A spoken sentence: samples (N,) int16 at `RATE`, and the phonemes in order."""

    samples: np.ndarray[Any, np.dtype[np.int16]]
    phonemes: tuple[Phoneme, ...]


def speak(requests: Sequence[Request]) -> Iterator[Speech]:
    """Speak a list of sentences; yield each one when it is ready.

    The samples depend on the whole list, see the top of this module, and on nothing else.

    Raises:
        DataError: the library is not installed, cannot be loaded, or does not have a voice.
    """
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said:
        asked.write(b"".join(json.dumps(asdict(request)).encode() + b"\n" for request in requests))
        asked.seek(0)
        with subprocess.Popen(
            [sys.executable, "-m", "data_prep.espeak.library"],
            stdin=asked,
            stdout=subprocess.PIPE,
            stderr=said,
            cwd=root,
        ) as process:
            assert process.stdout is not None
            try:
                for request in requests:
                    yield _answer(process.stdout, request, said)
            finally:
                process.kill()


def _answer(stream: IO[bytes], request: Request, said: IO[bytes]) -> Speech:
    line = stream.readline()
    if not line:
        said.seek(0)
        last = said.read().decode(errors="replace").strip().splitlines()[-1:]
        raise DataError(f"eSpeak NG stopped before {request.text!r}: {' '.join(last) or 'no message'}. Try {REMEDY}")
    head = json.loads(line)
    if "error" in head:
        raise DataError(f"eSpeak NG cannot speak: {head['error']}. Try {REMEDY}")
    data = stream.read(2 * head["samples"])
    phonemes = tuple(Phoneme(*phoneme) for phoneme in head["phonemes"])
    return Speech(np.frombuffer(data, dtype=np.int16), phonemes)


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h, revision 7 and later; `id` holds a phoneme's name, up to 8 bytes of UTF-8."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class _Library:
    """The loaded library; only one per process, because it has global state."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        # The library cuts paths after 160 bytes; a relative one is always short enough.
        os.chdir(Path(espeakng_loader.get_data_path()).parent)
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, b".", _PHONEME_EVENTS | _DONT_EXIT) != RATE:
            raise OSError("its data is not beside the library")
        self._chunks: list[bytes] = []
        self._phonemes: list[tuple[str, int, int]] = []
        self._callback = _Callback(self._heard)  # keep a reference, because the library calls it later
        self._library.espeak_SetSynthCallback(self._callback)

    def _heard(self, samples: int | None, n: int, events: Any) -> int:
        if samples and n > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * n))
        for index in range(1 << 16):
            event = events[index]
            if event.type == _EVENT_END_OF_LIST:
                break
            if event.type == _EVENT_PHONEME:
                self._phonemes.append((event.id.decode(), event.sample, event.text_position))
        return 0

    def speak(self, request: Request) -> tuple[bytes, list[tuple[str, int, int]]]:
        """Speak a sentence; return the samples as bytes, and name, first sample and position of each phoneme."""
        library = self._library
        self._chunks.clear()
        self._phonemes.clear()
        if library.espeak_SetVoiceByName(request.voice.encode()) != 0:
            raise OSError(f"it has no voice '{request.voice}'")
        library.espeak_SetParameter(_RATE, request.speed, 0)
        library.espeak_SetParameter(_PITCH, request.pitch, 0)
        library.espeak_SetParameter(_RANGE, request.pitch_range, 0)
        library.espeak_ng_SetRandSeed(ctypes.c_long(request.seed))
        text = request.text.encode() + b"\0"
        library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, _POSITION_CHARACTER, 0, _UTF8, None, None)
        library.espeak_Synchronize()
        return b"".join(self._chunks), self._phonemes


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    try:
        library = _Library()
        for line in requests:
            samples, phonemes = library.speak(Request(**json.loads(line)))
            answers.write(json.dumps({"samples": len(samples) // 2, "phonemes": phonemes}).encode() + b"\n" + samples)
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        answers.write(json.dumps({"error": str(error)}).encode() + b"\n")


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
