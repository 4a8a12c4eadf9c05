"""Errors that a user can cause; commands print their one sentence instead of a traceback (`--debug` shows it).

A bug is not among these: it keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence

from asr.printable import printable

_SHOWN = 20
_LONGEST = 200  # characters of another program's message


class AsrError(Exception):
    """Base of everything a user can cause: the message says what was expected, what came, where, and what to do."""

    @property
    def lines(self) -> list[str]:
        """The message as commands print it: one line, and more only where several problems are listed."""
        return [str(self)]


class DataError(AsrError):
    """A corpus, a manifest, an audio file or a transcript is not what it should be, or a file cannot be written."""


class DataWarning(UserWarning):
    """Something in a user's file was repaired, skipped or trimmed; the rest was read."""


class ConfigError(AsrError):
    """An option is misspelt, has the wrong type or does not fit the others.

    Attributes:
        faults: one sentence for each fault, where several are reported together.
    """

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults) or (message,)

    @property
    def lines(self) -> list[str]:
        """The message, or a headline and the faults."""
        if len(self.faults) == 1:
            return [str(self)]
        return [str(self).partition("\n")[0], *(f"  {one}" for one in self.faults)]

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Let `pickle` make the error again, in the process that waits for a worker's."""
        return type(self), (str(self), self.faults)


class MissingExtra(ConfigError):  # noqa: N818  (what is missing is no mistake)
    """An optional package is not installed; the sentence ends with the line that installs it. See `asr.extras`."""


class CheckpointError(AsrError):
    """A checkpoint, run folder or bundle cannot be read, or names code that is not allowed."""


class TrainingError(AsrError):
    """Training cannot go on: a loss or gradient that is not finite."""


class Problems(DataError):  # noqa: N818  (several errors in one)
    """All problems of one source, reported together.

    Args:
        problems: one sentence each, with file and line or utterance id.
        what: what was examined, for the headline.
    """

    def __init__(self, problems: Sequence[str], what: str) -> None:
        self.problems, self.what = tuple(problems), what
        noun = "problem" if len(self.problems) == 1 else "problems"
        self._lines = [f"{len(self.problems)} {noun} in {printable(what)}:", *listed(self.problems)]
        super().__init__("\n".join(self._lines))

    @property
    def lines(self) -> list[str]:
        """The headline and the problems."""
        return list(self._lines)

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Let `pickle` make the error again, in the process that waits for a worker's."""
        return type(self), (self.problems, self.what)


def listed(sentences: Sequence[str]) -> list[str]:
    """The first of many sentences, a line each, and how many more there are."""
    more = len(sentences) - _SHOWN
    return [f"  {printable(one)}" for one in sentences[:_SHOWN]] + ([f"  ... and {more} more"] if more > 0 else [])


def one_line(error: object) -> str:
    """Return the message of an error, often another program's, as one short line without control characters."""
    told = getattr(error, "strerror", None) or str(error) or type(error).__name__
    words = "".join(one if one.isprintable() else " " for one in told[: 10 * _LONGEST]).split()
    return " ".join(words)[:_LONGEST]
