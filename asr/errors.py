"""Errors that a user can cause. Commands print the message of such an error; `--debug` adds the traceback.

Bugs raise other exceptions and always show their traceback.
"""

from __future__ import annotations

from collections.abc import Sequence

from asr.printable import printable

_SHOWN = 20  # sentences of a list
_LONGEST = 200  # characters of another program's message


class AsrError(Exception):
    """Base class of all errors that a user can cause.

    The message states what is wrong with what, what was expected, and what to do.
    """

    @property
    def lines(self) -> list[str]:
        """The message as commands print it: one line, or several if it lists several problems."""
        return [str(self)]


class DataError(AsrError):
    """A corpus, manifest, audio file or transcript is invalid, or a file cannot be written."""


class DataWarning(UserWarning):
    """A part of a user's file was repaired, skipped or trimmed; the rest was read."""


class ConfigError(AsrError):
    """An option is misspelt, has the wrong type or contradicts other options.

    Args:
        message: the whole message.
        faults: one sentence for each fault, if several are reported together.

    Attributes:
        faults: one sentence for each fault; the message alone if there is only one.
    """

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults) or (message,)

    @property
    def lines(self) -> list[str]:
        """The message; for several faults a headline and a line for each."""
        if len(self.faults) == 1:
            return [str(self)]
        return [str(self).partition("\n")[0], *(f"  {one}" for one in self.faults)]

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Keep all arguments when the error is pickled, for example to send it from a worker process."""
        return type(self), (str(self), self.faults)


class MissingExtra(ConfigError):  # noqa: N818  (a missing package is no error of the user's)
    """An optional package is not installed; the message ends with the command that installs it (`asr.extras`)."""


class CheckpointError(AsrError):
    """A checkpoint, run folder or bundle cannot be read, or names code that is not allowed."""


class TrainingError(AsrError):
    """Training cannot continue, for example because a loss or gradient is not finite."""


class Problems(DataError):  # noqa: N818  (several errors in one)
    """Several problems of one data source, reported together.

    Args:
        problems: a sentence for each, with its file and line, or its utterance id.
        what: the name of the data source, for the headline.

    >>> print(Problems(["dev.tsv:3: no text", "dev.tsv:7: no text"], what="my corpus"))
    2 problems in my corpus:
      dev.tsv:3: no text
      dev.tsv:7: no text
    """

    def __init__(self, problems: Sequence[str], what: str) -> None:
        self.problems, self.what = tuple(problems), what
        noun = "problem" if len(self.problems) == 1 else "problems"
        self._lines = [f"{len(self.problems)} {noun} in {printable(what)}:", *listed(self.problems)]
        super().__init__("\n".join(self._lines))

    @property
    def lines(self) -> list[str]:
        """The headline and the problems, one a line; at most 20 problems are shown."""
        return list(self._lines)

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Keep all arguments when the error is pickled, for example to send it from a worker process."""
        return type(self), (self.problems, self.what)


def listed(sentences: Sequence[str]) -> list[str]:
    """Return at most 20 sentences as indented lines, and a last line with the number of further ones.

    >>> listed([f"line {i}" for i in range(22)])[-2:]
    ['  line 19', '  ... and 2 more']
    """
    more = len(sentences) - _SHOWN
    return [f"  {printable(one)}" for one in sentences[:_SHOWN]] + ([f"  ... and {more} more"] if more > 0 else [])


def one_line(error: object) -> str:
    r"""Return the message of an error, often another program's, as one short line without control characters.

    >>> one_line(ValueError("two\nlines"))
    'two lines'
    """
    message = getattr(error, "strerror", None) or str(error) or type(error).__name__
    words = "".join(one if one.isprintable() else " " for one in message[: 10 * _LONGEST]).split()
    return " ".join(words)[:_LONGEST]
