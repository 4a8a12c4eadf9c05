"""Find the folder of a corpus."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from asr.corpus.named_files import path_problem, quoted
from asr.errors import DataError

IN_TRAINING = "(asr-train: corpus.root=, and corpus.options.NAME= for other options)"
"""Remark at the end of messages: the names of the options in asr-train."""


def shown(path: str | os.PathLike[str]) -> str:
    r"""Return a printable form of a path: bytes that are not UTF-8 become escapes such as `\xe9`.

    >>> shown("/data/a.wav")
    '/data/a.wav'
    """
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a surrogate pair, which does not come from a file system
        return str(path).encode("utf-8", "backslashreplace").decode()


def given_path(written: str | os.PathLike[str], option: str = "root") -> Path:
    """Return the absolute path of an option's value, with links resolved; it need not exist.

    Args:
        written: the value of the option.
        option: name of the option, for the error message.

    Raises:
        DataError: the value is not a valid path, or is not UTF-8.
    """
    text = str(written)
    if reason := path_problem(text):
        if not_utf8 := shown(text) != text:
            reason = "is not UTF-8; rename it"
        raise DataError(f"{shown(text) if not_utf8 else f'{option}={quoted(text)}'}: the name {reason}")
    try:
        path = Path(text).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # `~nobody`, a loop of links
        raise DataError(f"{option}={text} is not a path: {error}; write an absolute path") from error
    if shown(path) != str(path):
        raise DataError(f"{shown(path)}: the name is not UTF-8; rename it")
    return path


def subfolders(folder: Path) -> list[Path]:
    """Return the subfolders of a folder, sorted by name, without hidden ones."""
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"the folder {folder} cannot be read: {error.strerror}") from error


def search_root(top: Path, is_corpus: Callable[[Path], bool], depth: int = 2) -> Path | None:
    """Search `top` and the folders below it, at most `depth` levels down; return the first that is the corpus.

    Returns:
        The folder; None if there is no such folder.
    """
    floor = [top]
    for _ in range(depth + 1):
        for folder in floor:
            if is_corpus(folder):
                return folder
        floor = [child for folder in floor for child in subfolders(folder)]
    return None


def find_root(root: str, is_corpus: Callable[[Path], bool], expected: str, remedy: str, depth: int = 2) -> Path:
    """Find the folder of a corpus: `root` itself, or the first suitable folder below it.

    Args:
        root: the option of this name.
        is_corpus: function that returns whether a folder is the corpus.
        expected: what the folder should contain, for the error message.
        remedy: how to get the corpus, for the error message.
        depth: number of levels below `root` to search.

    Raises:
        DataError: there is no such folder, or its name is not UTF-8.
    """
    if not root:
        raise DataError(f"no root= was given; expected a folder with {expected}. {remedy} {IN_TRAINING}")
    top = given_path(root)
    if not top.is_dir():
        what = "is not a folder" if top.exists() else "does not exist"
        raise DataError(f"{top} {what}; expected a folder with {expected}. {remedy} {IN_TRAINING}")
    found = search_root(top, is_corpus, depth)
    if found is not None:
        return found
    raise DataError(f"no such corpus in {top}; expected {expected} in it. {remedy} {IN_TRAINING}")
