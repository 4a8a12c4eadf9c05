"""Find a corpus on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from asr.corpus.named_files import path_problem, quoted
from asr.errors import DataError

IN_TRAINING = "(asr-train: corpus.root=, and corpus.options.NAME= for other options)"
"""How the options that messages name are written there."""


def shown(path: str | os.PathLike[str]) -> str:
    r"""A path as it can be printed, with what is not UTF-8 as `\xe9`; equal to the path where it is UTF-8."""
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a surrogate pair, which no file system gave us
        return str(path).encode("utf-8", "backslashreplace").decode()


def given_path(written: str | os.PathLike[str], option: str = "root") -> Path:
    """The absolute path that an option means, links followed; it need not be there.

    Raises:
        DataError: no file can have this name, or the name is not UTF-8.
    """
    text = str(written)
    if reason := path_problem(text):
        if not_utf8 := shown(text) != text:
            reason = "is not UTF-8; rename it"
        raise DataError(f"{shown(text) if not_utf8 else f'{option}={quoted(text)}'}: the name {reason}")
    try:
        path = Path(text).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # `~nobody`, a loop of links
        raise DataError(f"{option}={text} is no path: {error}; write an absolute path") from error
    if shown(path) != str(path):
        raise DataError(f"{shown(path)}: the name is not UTF-8; rename it")
    return path


def subfolders(folder: Path) -> list[Path]:
    """Its folders by name, hidden ones left out."""
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"the folder {folder} cannot be read: {error.strerror}") from error


def search_root(top: Path, is_corpus: Callable[[Path], bool], depth: int = 2) -> Path | None:
    """`top` or the first folder beneath it, at most `depth` floors down, that is the corpus; None without one."""
    floor = [top]
    for _ in range(depth + 1):
        for folder in floor:
            if is_corpus(folder):
                return folder
        floor = [child for folder in floor for child in subfolders(folder)]
    return None


def find_root(root: str, is_corpus: Callable[[Path], bool], expected: str, remedy: str, depth: int = 2) -> Path:
    """The folder of a corpus: `root` itself or the first one beneath it, at most `depth` floors down.

    Args:
        is_corpus: whether a folder is the corpus.
        expected: what the folder should hold, and `remedy`: how to get it; both for the error.

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
