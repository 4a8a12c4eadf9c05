"""What `asr-transcribe` is told to read: files, folders of them, standard input."""

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
        path: of the file; `-` is standard input.
        root: the folder in which it was found; None where it was named itself.
    """

    path: Path
    root: Path | None = None

    @property
    def is_stream(self) -> bool:
        """Whether it can be read only once."""
        return self.path in _STDIN or self.path.is_fifo()

    @property
    def called(self) -> Path:
        """The path as formats that call files by their names know it."""
        return Path("stdin") if self.path in _STDIN else self.path

    def source(self) -> Path | BinaryIO:
        """What a recogniser takes."""
        if self.path in _STDIN:
            return sys.stdin.buffer
        return self.path.open("rb") if self.is_stream else self.path


def parted(words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Tell files from the options of the decoder among the words of a command line.

    Raises:
        ConfigError: a word that looks like an option is none of the decoder.
    """
    options = [word for word in words if is_option(word)]
    for word in options:
        if not word.startswith(("decoder=", "decoder.")):
            raise ConfigError(
                f"'{word}' is no option; expected decoder=NAME or decoder.OPTION=VALUE (a file of this name is written"
                f" ./{word})"
            )
    return [Path(word) for word in words if not is_option(word)], options


def gather(given: Sequence[Path], reads_ink: bool) -> tuple[list[Input], list[str]]:
    """Find all files to read.

    Args:
        given: files, folders, which are searched with the folders in them, and `-` or `/dev/stdin`.
        reads_ink: look for ink in folders; for recordings otherwise.

    Returns:
        The files, those of a folder in the order of their names; and a sentence for each folder in which others stand
        that are no transcripts, which are named as a file beside them, but for their ending `.txt`.

    Raises:
        ConfigError: standard input is named twice, or is a terminal.
        DataError: a folder cannot be read, or holds no file to read.
    """
    _check_stdin([path for path in given if path in _STDIN])
    inputs: list[Input] = []
    told: list[str] = []
    for path in given:
        if not path.is_dir():
            inputs.append(Input(path))
            continue
        found = list(_files(path))
        wanted = [one for one in found if _is(one, ink.SUFFIXES if reads_ink else sound.SUFFIXES)]
        if not wanted:
            raise _nothing(path, found, reads_ink)
        inputs += [Input(one, path) for one in wanted]
        transcripts = {one.with_suffix(".txt") for one in wanted}
        if others := sum(one not in transcripts for one in found) - len(wanted):
            what = "ink" if reads_ink else "recordings"
            told.append(f"{path}: left out {others} other file{'s' if others > 1 else ''}, not named as {what} are")
    return inputs, told


def _check_stdin(named: Sequence[Path]) -> None:
    if len(named) > 1:
        raise ConfigError(f"standard input is named {len(named)} times; it can be read once")
    if named and (sys.stdin is None or sys.stdin.isatty()):
        raise ConfigError(
            f"{named[0]} is standard input, and nothing is piped into it; expected something like"
            f" `cat recording.flac | asr-transcribe MODEL {named[0]}`"
        )


def _files(folder: Path) -> Iterator[Path]:
    """All files beneath a folder, hidden ones left out, in an order that does not depend on the file system."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}; change its permissions") from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))


def _is(path: Path, suffixes: frozenset[str]) -> bool:
    return path.suffix.lower() in suffixes


def _nothing(folder: Path, found: Sequence[Path], reads_ink: bool) -> DataError:
    what, other, others, formats = (
        ("ink", "recordings", sound.SUFFIXES, ink.FORMATS)
        if reads_ink
        else ("recordings", "ink", ink.SUFFIXES, sound.FORMATS)
    )
    of_other = sum(_is(one, others) for one in found)
    if not found:
        return DataError(f"{folder}: holds no files; name a folder of {what}")
    if of_other:
        return DataError(
            f"{folder}: holds {other} (files: {of_other}), and this model reads {what}; load another model"
        )
    return DataError(f"{folder}: of its files ({len(found)}) none is named as {what} are; expected {formats}")
