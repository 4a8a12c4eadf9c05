"""Whatever users hold a recording in: a file, its bytes, an array, a pair, a dictionary. One function takes it all.

NumPy only: a tensor of torch is known by what it can do, so that torch need not be there.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from asr.audio.content import MOST_BYTES, Content, of_bytes, of_stream, open_path
from asr.audio.reading import AudioInfo, check_channel, check_samples, read_content
from asr.audio.resampling import resample
from asr.errors import DataError, DataWarning

_RATES = (1_000, 1_000_000)
_MOST_CHANNELS = 64  # of an array; a longer axis is time
_LOUDEST = 16.0  # floats beyond are most likely integers that nobody divided by full scale
_OF_SAMPLES, _OF_FILES = ("array", "raw"), ("bytes", "path")  # keys of dictionaries
_ACCEPTED = (
    "a path, an array of samples, (array, rate), a dictionary with array and sampling_rate or with path or bytes,"
    " the bytes of a sound file, or a binary file object"
)


@dataclass(frozen=True, eq=False)
class Sound:
    """One channel of sound.

    Attributes:
        samples: (N,) float32, N >= 1, full scale [-1, 1]; it may share memory with what it came from.
        rate: hertz.
    """

    samples: NDArray[np.float32]
    rate: int

    def at(self, rate: int) -> NDArray[np.float32]:
        """The samples at another rate: (round(N * rate / self.rate),) float32, as `read_audio` gives them."""
        return resample(self.samples, self.rate, rate)


def sound_of(source: object, rate: int | None = None, channel: int | None = None) -> Sound:
    """The sound that somebody passes, in whatever form.

    Args:
        source: one of
            a path (str or os.PathLike) of a sound file, of any format of `read_audio`;
            samples: a NumPy array, a tensor of torch, whatever else NumPy takes, or a list of floats; (N,), (1, N),
            (N, 1), or with several channels (C, N) or (N, C), of which `channel` chooses one; floats have full scale
            1, integers of 8, 16 and 32 bits that of their type (unsigned ones are silent in the middle);
            a pair (samples, rate) or (rate, samples);
            a mapping with `array` (or `raw`) and `sampling_rate`, or with `bytes` or `path`, as Hugging Face's datasets
            and pipelines have them;
            the bytes of a sound file, or a binary file object, read to its end: up to 1 GiB.
        rate: hertz of samples that do not tell it; where they do, it must be the same.
        channel: 0-based; needed where there are several.

    Returns:
        The sound at its own rate; `Sound.at` gives another.

    Raises:
        DataError: anything else, no rate, several channels and none chosen, no samples, NaN, infinite values; says
            what was expected.
    """
    sound = _sound(source, _rate(rate), channel)
    if rate is not None and sound.rate != rate:
        raise DataError(f"rate={rate} was given, but the sound says {sound.rate} Hz; leave rate= out or correct it")
    return sound


def is_one_sound(source: Sequence[object]) -> bool:
    """Whether a list or tuple is one sound (a pair with a rate, or samples) and not several sources."""
    return _pair(source) is not None or (len(source) > 0 and all(map(_is_number, source)))


def sound_of_stream(
    stream: BinaryIO, name: str = "<stdin>", channel: int | None = None, most_bytes: int = MOST_BYTES
) -> Sound:
    """The sound file that comes out of a pipe, such as `sys.stdin.buffer`.

    Args:
        stream: binary; read to its end.
        name: what messages call it.
        channel: as of `sound_of`.
        most_bytes: 1 GiB, about nine hours of 16-bit samples at 16 kHz; a longer stream is refused.

    Raises:
        DataError: as `sound_of`, and where the stream is longer.
    """
    with of_stream(stream, name, most_bytes) as content:
        return _of_content(content, channel)


def encoded(source: object) -> AbstractContextManager[Content] | None:
    """The content of a sound file that `sound_of` would decode: named, in memory or a stream; None of anything else.

    Raises:
        DataError: it cannot be read.
    """
    if isinstance(source, (str, os.PathLike)):
        return open_path(_expanded(Path(os.fsdecode(source))))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return nullcontext(of_bytes(bytes(source), "<bytes>"))
    if isinstance(source, Mapping):
        inner = _encoded_within(source)
        return None if inner is None else encoded(inner)
    if callable(getattr(source, "read", None)):
        name = getattr(source, "name", None)
        return of_stream(source, name if isinstance(name, str) else "<file object>")  # type: ignore[arg-type]
    return None


def _encoded_within(source: Mapping[Any, Any]) -> object:
    """What a dictionary without samples holds of a sound file, if anything."""
    if any(source.get(key) is not None for key in _OF_SAMPLES):
        return None
    return next((source[key] for key in _OF_FILES if source.get(key) is not None), None)


def _sound(source: object, rate: int | None, channel: int | None) -> Sound:
    file = encoded(source)
    if file is not None:
        with file as content:
            return _of_content(content, channel)
    if isinstance(source, Mapping):
        return _of_mapping(source, rate, channel)
    if callable(getattr(source, "get_all_samples", None)):  # torchcodec's decoder, as datasets gives it
        decoded = source.get_all_samples()  # type: ignore[attr-defined]
        return Sound(_samples(decoded.data, channel), _known(_rate(decoded.sample_rate)))
    pair = _pair(source)
    if pair is not None:
        return Sound(_samples(pair[0], channel), _known(_rate(pair[1])))
    return Sound(_samples(source, channel), _known(rate))


def _expanded(path: Path) -> Path:
    """With the user's home folder for ~, where there is one."""
    try:
        return path.expanduser()
    except RuntimeError:  # of a user whom nobody knows
        return path


def _of_content(content: Content, channel: int | None) -> Sound:
    return Sound(*read_content(content, channel=channel))


def _of_mapping(source: Mapping[Any, Any], rate: int | None, channel: int | None) -> Sound:
    for key in _OF_SAMPLES:
        if source.get(key) is not None:
            told = source.get("sampling_rate")
            return Sound(_samples(source[key], channel), _known(rate if told is None else _rate(told)))
    inner = _encoded_within(source)
    if inner is not None:  # neither a name nor bytes nor a file
        return _sound(inner, rate, channel)
    keys = ", ".join(sorted(repr(key)[:40] for key in source)[:10]) or "none"
    raise DataError(
        f"a dictionary with the keys {keys}; expected array and sampling_rate, or path or bytes of a sound file"
    )


def _pair(source: object) -> tuple[Any, Any] | None:
    """Samples and rate of a sequence of both, in either order; None where it is none."""
    if not isinstance(source, (tuple, list)) or len(source) != 2:
        return None
    first, second = source
    if _is_number(first) == _is_number(second):
        return None
    return (second, first) if _is_number(first) else (first, second)


def _is_number(value: object) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    return isinstance(value, Real) or (getattr(value, "ndim", None) == 0 and callable(getattr(value, "item", None)))


def _rate(value: Any) -> int | None:
    """A rate as a whole number of hertz."""
    if value is None:
        return None
    number = value.item() if _is_number(value) and not isinstance(value, (int, float)) else value
    if not _is_number(number) or not _RATES[0] <= number <= _RATES[1] or number != int(number):
        raise DataError(f"a rate of {str(number)[:40]}; expected a whole number of hertz, {_RATES[0]} to {_RATES[1]}")
    return int(number)


def _known(rate: int | None) -> int:
    if rate is None:
        raise DataError("samples without their rate; say it with rate=, such as rate=16000, or pass (samples, rate)")
    return rate


def _samples(source: object, channel: int | None) -> NDArray[np.float32]:
    """(N,) float32 of one channel."""
    chosen = _one_channel(_array(source), channel)
    if chosen.dtype.kind == "f":
        return _of_floats(chosen)
    bits = 8 * chosen.dtype.itemsize
    middle = 0 if chosen.dtype.kind == "i" else 1 << bits - 1
    wide: NDArray[Any] = chosen.astype(np.float32 if bits < 32 else np.float64)  # both hold every value
    wide -= middle
    wide /= 1 << bits - 1
    return np.asarray(wide, dtype=np.float32)


def _array(source: object) -> NDArray[Any]:
    """What NumPy makes of it, where that can be samples."""
    try:
        array = np.asarray(_in_memory(source))
    except Exception as error:  # lists of lists of different lengths, objects whose conversion fails in its own way
        raise _no_sound(source) from error
    if array.dtype.kind == "O" or (array.ndim == 0 and array.dtype.kind not in "fiu"):
        raise _no_sound(source)
    if array.size == 0:
        raise DataError(f"no samples: the array has the shape {array.shape}; record it again")
    if array.dtype.kind not in "fiu":
        raise DataError(f"samples of type {array.dtype}; expected floats in [-1, 1], or integers of 8, 16 or 32 bits")
    if array.dtype.kind in "iu" and array.dtype.itemsize > 4:
        raise DataError(
            f"whole numbers of 64 bits ({array.dtype}), whose full scale is unknown; pass them as the type they were"
            " recorded in, such as samples.astype('int16'), or as floats in [-1, 1]"
        )
    return array


def _in_memory(source: object) -> object:
    """A tensor without its gradient, on the processor, in a type that NumPy has; anything else as it is."""
    if not (hasattr(source, "dtype") and hasattr(source, "detach")):
        return source
    tensor: Any = source.detach().cpu()
    return tensor.float() if "bfloat16" in str(tensor.dtype) else tensor


def _one_channel(array: NDArray[Any], channel: int | None) -> NDArray[Any]:
    """(N,) of the array; axes of length 1 do not count."""
    shape = array.shape
    array = array.squeeze() if array.ndim > 1 else array
    if array.ndim > 2 or not shape:
        raise DataError(
            f"an array of the shape {shape}; expected samples (N,), or channels and samples (C, N) or (N, C)"
        )
    if array.ndim < 2:
        array = array.reshape(1, -1)
    elif array.shape[0] > array.shape[1]:
        array = array.T
    if array.shape[0] > _MOST_CHANNELS or (array.shape[0] == array.shape[1] > 1):
        raise DataError(
            f"an array of the shape {shape}, which does not tell channels from samples; pass one channel (N,)"
        )
    info = AudioInfo(rate=1, channels=array.shape[0], frames=array.shape[1], format="array")
    chosen: NDArray[Any] = array[check_channel("<samples>", info, channel)]
    return chosen


def _of_floats(array: NDArray[Any]) -> NDArray[np.float32]:
    """Return the samples as float32; refuse values that are no sound."""
    with np.errstate(over="ignore"):
        wide: NDArray[Any] = array.astype(np.float32 if array.dtype.itemsize <= 4 else np.float64, copy=False)
    check_samples("<samples>", wide, 0)
    loudest = float(np.abs(wide).max())
    if loudest > _LOUDEST:
        warnings.warn(
            f"samples reach {loudest:g}, and floats have full scale 1; pass whole numbers as integers, or divide them"
            " by full scale (32768 for 16 bits)",
            DataWarning,
            stacklevel=2,
        )
    return np.require(wide, np.float32, ["C_CONTIGUOUS", "ALIGNED", "WRITEABLE"])


def _no_sound(source: object) -> DataError:
    return DataError(f"{type(source).__name__} is not a sound that can be read here; expected {_ACCEPTED}")
