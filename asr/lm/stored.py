"""Load and save language models of any kind."""

from __future__ import annotations

import os
import re
from pathlib import Path
from weakref import WeakValueDictionary

from asr.config import nearest
from asr.errors import ConfigError, DataError
from asr.lm.model import LanguageModel, Unit
from asr.lm.ngram import NgramModel
from asr.printable import printable
from asr.resources import SHIPPED

SUFFIXES = (".lm", ".arpa", ".arpa.gz")
_SNIFFED = 1 << 16  # bytes; comments may stand before the first line that says something
_held: WeakValueDictionary[tuple[str, int, int, Unit | None], LanguageModel] = WeakValueDictionary()


def load_model(name_or_path: str | Path, unit: Unit | None = None) -> LanguageModel:
    """Load a language model; a model of the same file that is still in use is returned again.

    Args:
        name_or_path: an `.lm`, `.arpa` or `.arpa.gz` file, or the name of a model that comes with the package. An ARPA
            file of another program may be called `.lm` too.
        unit: what the symbols of an ARPA file should be, where it does not say so; see `asr.lm.arpa.load_arpa`.

    Raises:
        ConfigError: there is no model of that name.
        DataError, CheckpointError: the file is missing or damaged.
    """
    name = os.path.expanduser(name_or_path)  # a Path raises where there is no such user
    path = Path(name)
    if not name.endswith(SUFFIXES):
        known = sorted(one.stem for one in SHIPPED.glob("*.lm"))
        if name not in known:
            problem = f"{name} is a folder" if path.is_dir() else f"there is no language model {name}"
            raise ConfigError(
                f"{problem}; expected a file ending in {', '.join(SUFFIXES)}"
                + (f", or one of {', '.join(known)}{nearest(name, known)}" if known else "")
            )
        path = SHIPPED / f"{name}.lm"
    try:
        state = path.stat()
    except OSError:
        return _load(path, unit)  # says what is wrong
    key = (str(path.absolute()), state.st_mtime_ns, state.st_size, unit)
    model = _held.get(key)
    if model is None:
        model = _held[key] = _load(path, unit)
    return model


def _load(path: Path, unit: Unit | None) -> LanguageModel:
    if path.suffix == ".lm" and not _is_arpa(path):
        return _load_lm(path)
    from asr.lm.arpa import load_arpa

    return load_arpa(path, unit)


def _is_arpa(path: Path) -> bool:
    """Return whether a `.lm` file is an ARPA file, which other programs call so too.

    Raises:
        DataError: it is a compressed file, probably an ARPA file.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(_SNIFFED)
    except OSError:
        return False  # who reads it says what is wrong
    if begin.startswith(b"\x1f\x8b"):
        raise DataError(
            f"{printable(path)} is a gzip file; if it is an ARPA file, call it {printable(path.stem)}.arpa.gz"
        )
    return b"\0" not in begin[:8] and re.search(rb"^[ \t]*\\data\\[ \t\r]*$", begin, re.MULTILINE) is not None


def _load_lm(path: Path) -> LanguageModel:
    """Load an `.lm` file, whose header states the kind of its model."""
    from asr.lm.recurrent_header import is_recurrent

    if is_recurrent(path):
        from asr.lm.recurrent_file import load_recurrent

        return load_recurrent(path)
    from asr.lm.binary import load_binary

    return load_binary(path)


def save_model(path: str | Path, model: NgramModel, quantise: bool = False) -> None:
    """Save an n-gram model in the format that the suffix of the name chooses.

    Args:
        path: a name that ends in `.lm`, `.arpa` or `.arpa.gz`.
        model: what to save.
        quantise: whether to keep each number in 8 bits, in a `.lm` file of about two bytes an n-gram.

    Raises:
        ConfigError: the suffix is none of these, or `quantise` is set for a text file.
        DataError: the file cannot be written.
    """
    from asr.lm.arpa import save_arpa
    from asr.lm.binary import save_binary

    path = Path(path)
    check_name(path, quantise)
    if path.suffix == ".lm":
        save_binary(model, path, quantise)
    else:
        save_arpa(model, path)


def check_name(path: Path, quantise: bool = False) -> None:
    """Raise a ConfigError if a model cannot be saved under a name."""
    if not path.name.endswith(SUFFIXES):
        raise ConfigError(f"{path}: the name of a language model ends in {', '.join(SUFFIXES)}")
    if quantise and path.suffix != ".lm":
        raise ConfigError(f"{path}: only .lm files keep their numbers in 8 bits; give such a name")
