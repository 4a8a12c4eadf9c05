"""Input files of `asr-transcribe` and `asr-align`: files, folders of files, and standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asr.audio import formats as sound
from asr.errors import ConfigError, DataError
from asr.ink import formats as ink
from asr.presets import is_option

_STDIN = (Path("-"), Path("/dev/stdin"))


@dataclass(frozen=True)
class Input:
    """One file to read.

    Attributes:
        path: the path of the file; `-` is standard input.
        root: the folder on the command line in which the file was found; None if the file itself was given.
    """

    path: Path
    root: Path | None = None

    @property
    def is_stream(self) -> bool:
        """Return whether the input is standard input or a named pipe, which can be read only once."""
        return self.path in _STDIN or self.path.is_fifo()

    @property
    def display_path(self) -> Path:
        """The path for output formats that contain file names; `stdin` for standard input."""
        return Path("stdin") if self.path in _STDIN else self.path

    def source(self) -> Path | BinaryIO:
        """Return the object to pass to a recogniser: a path, or an open stream."""
        if self.path in _STDIN:
            return sys.stdin.buffer
        return self.path.open("rb") if self.is_stream else self.path


def files_and_options(words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Split the words of a command line into files and decoder options.

    Raises:
        ConfigError: a word is an option, but not of the decoder.

    >>> files, options = files_and_options(["a.wav", "decoder=greedy"])
    >>> [path.name for path in files], options
    (['a.wav'], ['decoder=greedy'])
    """
    options = [word for word in words if is_option(word)]
    for word in options:
        if not word.startswith(("decoder=", "decoder.")):
            raise ConfigError(
                f"'{word}' is not an option; expected decoder=NAME or decoder.OPTION=VALUE (for a file of this name"
                f" write ./{word})"
            )
    return [Path(word) for word in words if not is_option(word)], options


def gather(given: Sequence[Path], reads_ink: bool) -> tuple[list[Input], list[str]]:
    """Find all files to read.

    Args:
        given: files, folders to search with their subfolders, and `-` or `/dev/stdin`.
        reads_ink: True to look for ink in folders, False to look for recordings.

    Returns:
        The files, sorted by name within each folder; and a note for each folder that contains other files. `1.txt`
        beside `1.wav` is a transcript and does not count as another file.

    Raises:
        ConfigError: standard input is given twice, or is a terminal.
        DataError: a folder cannot be read, or contains no suitable file.
    """
    _check_stdin([path for path in given if path in _STDIN])
    inputs: list[Input] = []
    notes: list[str] = []
    for path in given:
        if not path.is_dir():
            inputs.append(Input(path))
            continue
        found = list(_files(path))
        wanted = [one for one in found if _is(one, ink.SUFFIXES if reads_ink else sound.SUFFIXES)]
        if not wanted:
            raise _no_files(path, found, reads_ink)
        inputs += [Input(one, path) for one in wanted]
        transcripts = {one.with_suffix(".txt") for one in wanted}
        if others := sum(one not in transcripts for one in found) - len(wanted):
            what = "ink" if reads_ink else "recordings"
            notes.append(f"{path}: ignored {others} file{'s' if others > 1 else ''} without a suffix of {what}")
    return inputs, notes


def _check_stdin(named: Sequence[Path]) -> None:
    if len(named) > 1:
        raise ConfigError(f"standard input is given {len(named)} times; it can be read only once")
    if named and (sys.stdin is None or sys.stdin.isatty()):
        raise ConfigError(
            f"{named[0]} is standard input, but nothing is piped into it; expected something like"
            f" `cat recording.flac | asr-transcribe MODEL {named[0]}`"
        )


def _files(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder and its subfolders, except hidden ones, sorted by name."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}; change its permissions") from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))


def _is(path: Path, suffixes: frozenset[str]) -> bool:
    return path.suffix.lower() in suffixes


def _no_files(folder: Path, found: Sequence[Path], reads_ink: bool) -> DataError:
    """Return the error for a folder in which no file has a suitable suffix."""
    what, other, others, formats = (
        ("ink", "recordings", sound.SUFFIXES, ink.FORMATS)
        if reads_ink
        else ("recordings", "ink", ink.SUFFIXES, sound.FORMATS)
    )
    n_other = sum(_is(one, others) for one in found)
    if not found:
        return DataError(f"{folder}: contains no files; give a folder of {what}")
    if n_other:
        return DataError(
            f"{folder}: contains {other} (files: {n_other}), but this model reads {what}; use another model"
        )
    return DataError(f"{folder}: none of its files ({len(found)}) has a suffix of {what}; expected {formats}")
