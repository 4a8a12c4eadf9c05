"""Find, check, save and load the files that a decoder needs, such as its language model.

In memory, an option holds the path of a file, or the name of a file that comes with the package. A saved model holds
the plain name of a file that lies beside it, never a path: so a model from somebody else can read only the files that
came with it. The name of a file of the package takes precedence over a file in the working folder; for the latter,
write `./english_words`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asr.config import Component, nearest, shown
from asr.corpus.named_files import file_problem
from asr.decoding.marks import FileKind, file_options, kind_of_file
from asr.errors import ConfigError, DataError
from asr.files import write_file
from asr.printable import printable
from asr.resources import SHIPPED

_OF_OTHERS = (".safetensors", ".md")  # recognisers and their cards


def shipped_files() -> list[str]:
    """Return the names of the language models and word lists that come with the package."""
    if not SHIPPED.is_dir():
        return []
    return sorted({_stem(one.name) for one in SHIPPED.iterdir() if one.suffix not in _OF_OTHERS})


def file_of(name: str | Path) -> Path:
    """Return the path of the file that an option names.

    Args:
        name: the name of a file that comes with the package, or a path; a `Path` is always a path.

    >>> file_of("english_words").name
    'english_words.tsv.gz'
    """
    if isinstance(name, str) and is_shipped(name):
        return next(one for one in sorted(SHIPPED.iterdir()) if _is_of(one, name))
    return Path(os.path.expanduser(name))  # Path.expanduser would raise for an unknown user


def _is_of(file: Path, name: str) -> bool:
    return file.suffix not in _OF_OTHERS and _stem(file.name) == name


def file_stem(value: str) -> str:
    """Return the name of a file without folder and suffixes, for the name of a decoder.

    >>> file_stem("models/an4.arpa.gz")
    'an4'
    """
    return _stem(Path(value).name)


def _stem(name: str) -> str:
    return Path(name.removesuffix(".gz")).stem


def found_beside(component: Component, folder: Path) -> Component:
    """Replace the plain names of files in a saved decoder by paths in the folder of the saved model.

    Args:
        component: a decoder whose options hold plain names of files.
        folder: the folder of the saved model.

    Raises:
        ConfigError: an option holds a path instead of a name.
    """

    def found(option: str, name: str) -> str:
        if not _is_plain(name):
            raise ConfigError(
                f"{option}={shown(name)}; a saved decoder may only name a file that lies beside it or comes with this"
                " package: copy the file there, and write its plain name"
            )
        path = os.path.join(folder, name)  # a Path would drop the folder "."
        return name if name in shipped_files() and not Path(path).is_file() else path

    return _changed(component, found)


def check_files(component: Component, saved: Component | None = None) -> None:
    """Raise a ConfigError if a file that a decoder names is missing.

    Args:
        component: the decoder.
        saved: the decoder that a model was saved with, as `found_beside` returns it. If the missing file is one of its
            files, the message says to copy it beside the model.
    """
    files = file_options(component)
    for option, value in component.options.items():
        before = None if saved is None else saved.options.get(option)
        if isinstance(value, Component):
            check_files(value, before if isinstance(before, Component) else None)
        elif option in files and isinstance(value, str) and value and not is_shipped(value):
            path = file_of(value)
            if problem := file_problem(path):
                beside = value == before and path.name != value
                wanted = _beside(path) if beside else _wanted(kind_of_file(component, option), value)
                raise ConfigError(f"{option}={printable(value)} {problem}; {wanted}")


def _beside(path: Path) -> str:
    return (
        f"copy {printable(path.name)} into {printable(path.parent)}, or choose another decoder, such as decoder=greedy"
    )


def _wanted(kind: FileKind, name: str) -> str:
    """Return the end of a message about a missing file: what to give instead."""
    known = [one for one in shipped_files() if kind in (FileKind.ANY, _kind_of(one))]
    shipped = f", or one that comes with this package: {', '.join(known)}{nearest(name, known)}" if known else ""
    return f"give a {kind.value}{shipped}"


def _kind_of(shipped: str) -> FileKind:
    return FileKind.LANGUAGE_MODEL if (SHIPPED / f"{shipped}.lm").is_file() else FileKind.WORDS


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and not any(one in name for one in "/\\:\0")


def with_plain_names(component: Component) -> Component:
    """Return a decoder whose options name files without their folders."""
    return _changed(component, lambda option, name: name if is_shipped(name) else Path(name).name)


def saved_beside(component: Component, folder: Path, on_copy: Callable[[Path], object] | None = None) -> Component:
    """Copy the files of a decoder into a folder, and return the decoder with their plain names, to be saved there.

    A file that is already in the folder is not copied. If a different file has the same name, the name of the copy gets
    a checksum.

    Args:
        component: the decoder.
        folder: an existing folder.
        on_copy: called with the path of each copy before it is written, also if an equal copy is already there.

    Raises:
        DataError: a file cannot be read, or cannot be written.
    """

    def saved(option: str, name: str) -> str:
        return name if is_shipped(name) else _copied(file_of(name), folder, on_copy or (lambda path: None))

    return _changed(component, saved)


def is_shipped(name: str | Path) -> bool:
    """Return whether a name is that of a file that comes with the package; always False for a `Path`.

    >>> is_shipped("english_letters"), is_shipped("./english_letters")
    (True, False)
    """
    return isinstance(name, str) and name in shipped_files()


def _copied(source: Path, folder: Path, on_copy: Callable[[Path], object]) -> str:
    """Copy a file into a folder, and return its name there."""
    try:
        if source.resolve().parent == folder.resolve():
            return source.name
        content = source.read_bytes()
        if _holds(folder / source.name, content):
            on_copy(folder / source.name)
            return source.name
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}; the decoder needs it") from error
    name = source.name
    if os.path.lexists(folder / name):
        stem = _stem(name)
        name = f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}{name[len(stem) :]}"
    on_copy(folder / name)
    write_file(folder / name, content)
    return name


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content


def _changed(component: Component, change: Callable[[str, str], str]) -> Component:
    """Apply `change(option, value)` to the options of a component that name files, also in nested components."""
    files = file_options(component)

    def changed(name: str, value: Any) -> Any:
        if isinstance(value, Component):
            return _changed(value, change)
        return change(name, value) if name in files and isinstance(value, str) and value else value

    return Component(component.target, {name: changed(name, value) for name, value in component.options.items()})
