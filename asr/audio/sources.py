"""Accept a recording in any form that users have it: a file, its bytes, an array, a pair, a dictionary.

The module needs NumPy only: it recognises torch tensors by their methods, so torch need not be installed.
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
_MOST_CHANNELS = 64  # of an array; a longer axis is taken for time
_LOUDEST = 16.0  # larger floats are probably integers that were not divided by full scale
_OF_SAMPLES, _OF_FILES = ("array", "raw"), ("bytes", "path")  # keys of dictionaries
_ACCEPTED = (
    "a path, an array of samples, (array, rate), a dictionary with array and sampling_rate or with path or bytes,"
    " the bytes of a sound file, or a binary file object"
)


@dataclass(frozen=True, eq=False)
class Sound:
    """One channel of sound.

    Attributes:
        samples: (N,) float32, N >= 1, full scale [-1, 1]; may share memory with the array that it was made from.
        rate: sampling rate in hertz.
    """

    samples: NDArray[np.float32]
    rate: int

    def at(self, rate: int) -> NDArray[np.float32]:
        """Return the samples at another rate, (round(N * rate / self.rate),) float32.

        >>> Sound(np.zeros(8000, dtype=np.float32), rate=8000).at(16000).shape
        (16000,)
        """
        return resample(self.samples, self.rate, rate)


def sound_of(source: object, rate: int | None = None, channel: int | None = None) -> Sound:
    """Read a recording from any of the accepted forms.

    Args:
        source: one of these forms:
            a path (str or os.PathLike) of a sound file of any format that `read_audio` supports;
            samples: a NumPy array, a torch tensor, anything else that NumPy converts, or a list of floats, with the
            shape (N,), (1, N) or (N, 1), or (C, N) or (N, C) for several channels. Floats have full scale 1; integers
            of 8, 16 and 32 bits have the full scale of their type (zero is the middle value if they are unsigned);
            a pair (samples, rate) or (rate, samples);
            a mapping with `array` (or `raw`) and `sampling_rate`, or with `bytes` or `path`, as in Hugging Face's
            datasets and pipelines;
            the bytes of a sound file, or a binary file object, which is read to its end (1 GiB at most).
        rate: sampling rate of samples that have none, in hertz; if the source has a rate, it must be equal.
        channel: channel to take, counted from 0; None if there is only one.

    Returns:
        The sound at its own rate; `Sound.at` resamples it.

    Raises:
        DataError: the source has another form, no samples or no rate; it has several channels and `channel` is None;
            or samples are NaN or infinite.

    >>> sound = sound_of((np.array([0, 16384, -32768], dtype=np.int16), 8000))
    >>> sound.samples.tolist(), sound.rate
    ([0.0, 0.5, -1.0], 8000)
    """
    sound = _sound(source, _rate(rate), channel)
    if rate is not None and sound.rate != rate:
        raise DataError(f"rate={rate} was given, but the sound has {sound.rate} Hz; leave rate= out or correct it")
    return sound


def is_one_sound(source: Sequence[object]) -> bool:
    """Return whether a list or tuple is one sound (a pair with a rate, or samples), not a list of several sources.

    >>> is_one_sound([0.0, 0.1, 0.2]), is_one_sound(["a.wav", "b.wav"])
    (True, False)
    """
    return _pair(source) is not None or (len(source) > 0 and all(map(_is_number, source)))


def sound_of_stream(
    stream: BinaryIO, name: str = "<stdin>", channel: int | None = None, most_bytes: int = MOST_BYTES
) -> Sound:
    """Read a sound file from a stream, such as `sys.stdin.buffer`.

    Args:
        stream: a binary stream; it is read to its end.
        name: name of the stream in error messages.
        channel: channel to take, counted from 0; None if there is only one.
        most_bytes: largest accepted size. The default, 1 GiB, is nine hours of 16-bit samples at 16 kHz.

    Raises:
        DataError: for the reasons of `sound_of`, or because the stream is longer than `most_bytes`.

    >>> import io
    >>> import soundfile
    >>> stream = io.BytesIO()
    >>> soundfile.write(stream, np.zeros(800), 8000, format="WAV")
    >>> _ = stream.seek(0)
    >>> sound_of_stream(stream).samples.shape
    (800,)
    """
    with of_stream(stream, name, most_bytes) as content:
        return _of_content(content, channel)


def encoded(source: object) -> AbstractContextManager[Content] | None:
    """Return the encoded sound file that a source names or holds; None if the source holds samples or is invalid.

    Raises:
        DataError: the file or stream cannot be read.
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
    """Return the path or the bytes of a sound file in a mapping; None if it holds samples or neither."""
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
    """Replace a leading ~ by the user's home folder, if it is known."""
    try:
        return path.expanduser()
    except RuntimeError:  # unknown user
        return path


def _of_content(content: Content, channel: int | None) -> Sound:
    return Sound(*read_content(content, channel=channel))


def _of_mapping(source: Mapping[Any, Any], rate: int | None, channel: int | None) -> Sound:
    for key in _OF_SAMPLES:
        if source.get(key) is not None:
            told = source.get("sampling_rate")
            return Sound(_samples(source[key], channel), _known(rate if told is None else _rate(told)))
    inner = _encoded_within(source)
    if inner is not None:  # another mapping, or something that `_sound` refuses
        return _sound(inner, rate, channel)
    keys = ", ".join(sorted(repr(key)[:40] for key in source)[:10]) or "none"
    raise DataError(
        f"a dictionary with the keys {keys}; expected array and sampling_rate, or path or bytes of a sound file"
    )


def _pair(source: object) -> tuple[Any, Any] | None:
    """Return (samples, rate) of a pair in either order; None if the source is not such a pair."""
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
    """Return a sampling rate as an int; refuse fractions and values outside the accepted range."""
    if value is None:
        return None
    number = value.item() if _is_number(value) and not isinstance(value, (int, float)) else value
    if not _is_number(number) or not _RATES[0] <= number <= _RATES[1] or number != int(number):
        raise DataError(f"rate is {str(number)[:40]}; expected a whole number of hertz, {_RATES[0]} to {_RATES[1]}")
    return int(number)


def _known(rate: int | None) -> int:
    if rate is None:
        raise DataError("the samples have no rate; give rate=, such as rate=16000, or pass (samples, rate)")
    return rate


def _samples(source: object, channel: int | None) -> NDArray[np.float32]:
    """Return the samples of one channel, (N,) float32."""
    chosen = _one_channel(_array(source), channel)
    if chosen.dtype.kind == "f":
        return _of_floats(chosen)
    bits = 8 * chosen.dtype.itemsize
    middle = 0 if chosen.dtype.kind == "i" else 1 << bits - 1
    wide: NDArray[Any] = chosen.astype(np.float32 if bits < 32 else np.float64)  # exact in both cases
    wide -= middle
    wide /= 1 << bits - 1
    return np.asarray(wide, dtype=np.float32)


def _array(source: object) -> NDArray[Any]:
    """Convert a source to an array of samples; refuse anything that cannot be samples."""
    try:
        array = np.asarray(_in_memory(source))
    except Exception as error:  # lists of different lengths, or objects whose conversion raises anything
        raise _no_sound(source) from error
    if array.dtype.kind == "O" or (array.ndim == 0 and array.dtype.kind not in "fiu"):
        raise _no_sound(source)
    if array.size == 0:
        raise DataError(f"no samples: the array has the shape {array.shape}; record it again")
    if array.dtype.kind not in "fiu":
        raise DataError(f"samples of type {array.dtype}; expected floats in [-1, 1], or integers of 8, 16 or 32 bits")
    if array.dtype.kind in "iu" and array.dtype.itemsize > 4:
        raise DataError(
            f"the samples are integers of 64 bits ({array.dtype}), whose full scale is unknown; convert them to the"
            " recorded type, such as samples.astype('int16'), or to floats in [-1, 1]"
        )
    return array


def _in_memory(source: object) -> object:
    """Detach a torch tensor, move it to the CPU, and convert bfloat16 to float32; return anything else unchanged."""
    if not (hasattr(source, "dtype") and hasattr(source, "detach")):
        return source
    tensor: Any = source.detach().cpu()
    return tensor.float() if "bfloat16" in str(tensor.dtype) else tensor


def _one_channel(array: NDArray[Any], channel: int | None) -> NDArray[Any]:
    """Return one channel, (N,), of an array; axes of length 1 are ignored."""
    shape = array.shape
    array = array.squeeze() if array.ndim > 1 else array
    if array.ndim > 2 or not shape:
        raise DataError(
            f"the array has the shape {shape}; expected samples (N,), or channels and samples (C, N) or (N, C)"
        )
    if array.ndim < 2:
        array = array.reshape(1, -1)
    elif array.shape[0] > array.shape[1]:
        array = array.T
    if array.shape[0] > _MOST_CHANNELS or (array.shape[0] == array.shape[1] > 1):
        raise DataError(
            f"the array has the shape {shape}, in which channels and samples look the same; pass one channel (N,)"
        )
    info = AudioInfo(rate=1, channels=array.shape[0], frames=array.shape[1], format="array")
    chosen: NDArray[Any] = array[check_channel("<samples>", info, channel)]
    return chosen


def _of_floats(array: NDArray[Any]) -> NDArray[np.float32]:
    """Return the samples as float32; refuse NaN and infinite values, and warn if they look unscaled."""
    with np.errstate(over="ignore"):
        wide: NDArray[Any] = array.astype(np.float32 if array.dtype.itemsize <= 4 else np.float64, copy=False)
    check_samples("<samples>", wide, 0)
    loudest = float(np.abs(wide).max())
    if loudest > _LOUDEST:
        warnings.warn(
            f"the samples reach {loudest:g}, but floats have full scale 1; pass integers as an integer type, or divide"
            " them by full scale (32768 for 16 bits)",
            DataWarning,
            stacklevel=2,
        )
    return np.require(wide, np.float32, ["C_CONTIGUOUS", "ALIGNED", "WRITEABLE"])


def _no_sound(source: object) -> DataError:
    return DataError(f"a source of type {type(source).__name__} is not supported; expected {_ACCEPTED}")
