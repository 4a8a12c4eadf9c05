"""Open the sources that users pass to a recogniser, recordings or ink, and compute their frames."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.audio import Sound, audio_info, is_one_sound, sound_of
from asr.audio.blocks import SoundBlocks, sound_blocks, wrong_rate
from asr.audio.content import read_stream
from asr.audio.formats import SUFFIXES as SOUND_SUFFIXES
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.extractor import FrameExtractor, PointIndexed, Sampled, Streaming
from asr.ink import Ink
from asr.ink.formats import SUFFIXES as INK_SUFFIXES
from asr.ink.sheets import Sheet, one_ink

Samples: TypeAlias = "NDArray[Any] | Sequence[float]"
Source: TypeAlias = (
    "str | os.PathLike[str] | Utterance | Ink | Sound | bytes | BinaryIO | Mapping[str, Any] | Samples"
    " | tuple[Samples, int]"
)
"""One recording or one ink; see `Recogniser.transcribe`. Tensors of torch are accepted as arrays."""

Signal = NDArray[np.float32]

LONG_SECONDS = 60.0
"""The duration above which recordings are recognised in pieces, see `asr.recogniser.long`."""

NOT_INK = "this model reads recordings, not ink; load a model for pen strokes"
_NOT_SOUND = "this model reads ink, not recordings; load a model for recordings"
_STROKES = {"strokes", "pages"}  # keys of a dictionary of ink
_NOT_SAMPLES = "this model reads ink, not samples; give a file of ink, an asr.ink.Ink or a dictionary with strokes"


@dataclass(frozen=True, eq=False)
class RawFrames:
    """The frames that an extractor computes from one source.

    Attributes:
        values: (T, F) float32, not normalised.
        start: the time of the first frame, in seconds from the beginning of the file.
        places: (T,) the point of the ink that each frame was computed from; None for sound.
    """

    values: Signal
    start: float = 0.0
    places: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class LongSound:
    """An open recording that is too long to keep its frames in memory; it can be read several times.

    Attributes:
        extractor: computes the frames.
        sound: the samples, at the rate of the extractor.
        start: the time of the first sample, in seconds from the beginning of the file.
    """

    extractor: Streaming
    sound: SoundBlocks
    start: float = 0.0

    def frames(self) -> Iterator[Signal]:
        """Yield all frames in blocks (t, F), not normalised."""
        return self.extractor.compute_blocks(self.sound)

    def check(self) -> None:
        """Read the recording to its end.

        Raises:
            DataError: it cannot be read to its end.
        """
        for _ in self.sound:
            pass


def several(source: object) -> list[Any] | None:
    """Return the sources in a list, a tuple or an iterator; None if the argument is a single source.

    A pair of samples and their rate is a single source, and so is a list of numbers.

    >>> several(["a.wav", "b.wav"]), several("a.wav"), several([0.0, 0.5])
    (['a.wav', 'b.wav'], None, None)
    """
    if isinstance(source, (list, tuple)):
        return None if is_one_sound(source) else list(source)
    if isinstance(source, Iterator) and not callable(getattr(source, "read", None)):  # files are iterators, too
        return list(source)
    return None


@contextmanager
def opened(
    extractor: FrameExtractor, source: object, rate: int | None, channel: int | None
) -> Iterator[RawFrames | LongSound]:
    """Open one source, see `Recogniser.transcribe`; yield its frames, or a long recording that is open in the block.

    Args:
        extractor: computes the frames.
        source: the source.
        rate: the sampling rate of samples that do not carry it, in hertz.
        channel: which channel of a recording with several, from 0.

    Raises:
        DataError: the source cannot be read, or is ink for a model of recordings or the other way round.
    """
    if isinstance(extractor, PointIndexed):
        values, places = extractor.compute_placed(_ink_signal(extractor, source))
        yield RawFrames(values, places=places)
        return
    if isinstance(source, Ink) or (isinstance(source, Mapping) and _STROKES & source.keys()):
        raise DataError(NOT_INK)
    if isinstance(source, (str, os.PathLike)):
        source = _of_file(source, channel)
    start = (source.start or 0.0) if isinstance(source, Utterance) else 0.0
    if not isinstance(extractor, Streaming) or not isinstance(extractor, Sampled) or _is_ink(source):
        yield RawFrames(extractor.compute(_signal(extractor, source, rate, channel)), start)
        return
    with _blocks(extractor.rate, source, rate, channel) as sound:
        if sound.seconds > LONG_SECONDS:
            yield LongSound(extractor, sound, start)
        else:
            yield RawFrames(extractor.compute(sound.whole()), start)


def ink_of(source: object) -> Ink:
    """Read ink from a file (by name, open, or in memory) or a dictionary of strokes; pages are put below each other.

    Raises:
        DataError: the source cannot be read, or is not ink.
    """
    return source if isinstance(source, Ink) else one_ink(sheets_of(source))


def sheets_of(source: object) -> tuple[Sheet, ...]:
    """Read the pages of a source of ink; see `ink_of`. An `Ink` is a single page.

    Raises:
        DataError: the source cannot be read, or is not ink.
    """
    if isinstance(source, Ink):
        return (Sheet(source, y_down=False),)
    from asr.ink.assembling import MAX_BYTES  # imported here, because recognisers of sound do not need it
    from asr.ink.json_ink import sheets_of_mapping
    from asr.ink.reading import read_sheets, read_sheets_bytes

    if isinstance(source, Mapping) and _STROKES & source.keys():
        return sheets_of_mapping(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return read_sheets_bytes(bytes(source), "<bytes>")
    if isinstance(source, (str, os.PathLike)):
        path = Path(os.fsdecode(source))
        with _wrong_kind(path, SOUND_SUFFIXES, _NOT_SOUND):
            return read_sheets(path.expanduser())
    if callable(getattr(source, "read", None)):
        given = getattr(source, "name", None)
        name = given if isinstance(given, str) else "<file object>"
        return read_sheets_bytes(read_stream(source, name, MAX_BYTES), name)  # type: ignore[arg-type]
    raise DataError(_NOT_SAMPLES)


def _ink_signal(extractor: Any, source: object) -> Signal:
    if not isinstance(source, Utterance):
        return extractor.signal_of(ink_of(source))  # type: ignore[no-any-return]
    with _wrong_kind(source.source, SOUND_SUFFIXES, _NOT_SOUND):
        return extractor.read(source)  # type: ignore[no-any-return]


def _is_ink(source: object) -> bool:
    return isinstance(source, Utterance) and source.kind == "ink"


@contextmanager
def _blocks(wanted_rate: int, source: object, rate: int | None, channel: int | None) -> Iterator[SoundBlocks]:
    """Open a recording at the rate of the extractor."""
    with ExitStack() as stack:
        if isinstance(source, Utterance):
            path, start = source.source, source.start
            duration = None if start is None else source.duration  # the duration of a whole file may be rounded
            with _wrong_kind(path, INK_SUFFIXES, NOT_INK):
                sound = stack.enter_context(sound_blocks(path, wanted_rate, source.channel, start, duration, rate))
        else:
            sound = stack.enter_context(sound_blocks(source, wanted_rate, channel, own_rate=rate))
        yield sound


def _signal(extractor: FrameExtractor, source: object, rate: int | None, channel: int | None) -> Signal:
    """Return the samples at the rate of an extractor that reads a whole signal."""
    if isinstance(source, Utterance):
        with _wrong_kind(source.source, INK_SUFFIXES, NOT_INK):
            signal = extractor.read(source)
        if rate is not None and (told := audio_info(source.source).rate) != rate:
            raise wrong_rate(str(source.source), rate, told)
        return signal
    if not isinstance(extractor, Sampled):
        raise DataError(
            f"{type(extractor).__name__} has no attribute `rate`, so it cannot read samples; give this model files"
        )
    sound = source if isinstance(source, Sound) else sound_of(source, rate, channel)
    return sound.at(extractor.rate)


def _of_file(source: str | os.PathLike[str], channel: int | None) -> Utterance:
    path = Path(os.fsdecode(source)).expanduser().absolute()
    return Utterance(id=path.stem, source=path, channel=channel)


@contextmanager
def _wrong_kind(path: Path, suffixes: frozenset[str], sentence: str) -> Iterator[None]:
    """Replace the error of a file that cannot be read by `sentence`, if its suffix is one of `suffixes`."""
    try:
        yield
    except DataError as error:
        if path.suffix.lower() in suffixes and path.is_file():
            raise DataError(f"{path}: {sentence}") from error
        raise
