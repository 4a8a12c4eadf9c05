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
_SNIFFED = 1 << 16  # bytes in which `\data\` is searched; comments may stand before it
_held: WeakValueDictionary[tuple[str, int, int, Unit | None], LanguageModel] = WeakValueDictionary()


def load_model(name_or_path: str | Path, unit: Unit | None = None) -> LanguageModel:
    """Load a language model; while a model is in use, loading the same file again returns the same object.

    Args:
        name_or_path: an `.lm`, `.arpa` or `.arpa.gz` file, or the name of a model that comes with the package. An ARPA
            file of another program may also be named `.lm`.
        unit: the expected unit of the symbols of an ARPA file that does not name it; see `asr.lm.arpa.load_arpa`.

    Raises:
        ConfigError: no model has this name.
        DataError, CheckpointError: the file is missing or damaged.

    >>> model = load_model("english_letters")
    >>> model.unit
    'characters'
    """
    name = os.path.expanduser(name_or_path)  # Path.expanduser would raise for an unknown user
    path = Path(name)
    if not name.endswith(SUFFIXES):
        known = sorted(one.stem for one in SHIPPED.glob("*.lm"))
        if name not in known:
            problem = f"{name} is a folder" if path.is_dir() else f"no language model is named {name}"
            raise ConfigError(
                f"{problem}; expected a file ending in {', '.join(SUFFIXES)}"
                + (f", or one of {', '.join(known)}{nearest(name, known)}" if known else "")
            )
        path = SHIPPED / f"{name}.lm"
    try:
        state = path.stat()
    except OSError:
        return _load(path, unit)  # raises the error
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
    """Return whether a file named `.lm` is an ARPA file; some programs name them so.

    Raises:
        DataError: it is a compressed file, probably an ARPA file.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(_SNIFFED)
    except OSError:
        return False  # loading it raises the error
    if begin.startswith(b"\x1f\x8b"):
        raise DataError(
            f"{printable(path)} is a gzip file; if it is an ARPA file, rename it to {printable(path.stem)}.arpa.gz"
        )
    return b"\0" not in begin[:8] and re.search(rb"^[ \t]*\\data\\[ \t\r]*$", begin, re.MULTILINE) is not None


def _load_lm(path: Path) -> LanguageModel:
    """Load a `.lm` file; the header states whether the model is recurrent or of n-grams."""
    from asr.lm.recurrent_header import is_recurrent

    if is_recurrent(path):
        from asr.lm.recurrent_file import load_recurrent

        return load_recurrent(path)
    from asr.lm.binary import load_binary

    return load_binary(path)


def save_model(path: str | Path, model: NgramModel, quantise: bool = False) -> None:
    """Save an n-gram model; the suffix of the name chooses the format.

    Args:
        path: a name that ends in `.lm`, `.arpa` or `.arpa.gz`.
        model: the model to save.
        quantise: store each number in 8 bits; a `.lm` file then has about two bytes per n-gram.

    Raises:
        ConfigError: the suffix is another one, or `quantise` is set for an ARPA file.
        DataError: the file cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> from asr.lm.corpus import Corpus
    >>> from asr.lm.counting import count_ngrams
    >>> from asr.lm.kneser_ney import estimate_from_counts
    >>> model = estimate_from_counts(count_ngrams(Corpus.of(["to be or not to be"], "words"), order=2))
    >>> with TemporaryDirectory() as folder:
    ...     save_model(Path(folder, "mine.lm"), model)
    ...     load_model(Path(folder, "mine.lm")).symbols
    ('<s>', '</s>', '<unk>', 'to', 'be', 'or', 'not')
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
    """Raise a ConfigError if `save_model` does not support a suffix, or not together with `quantise`."""
    if not path.name.endswith(SUFFIXES):
        raise ConfigError(f"{path}: expected a name that ends in {', '.join(SUFFIXES)} for a language model")
    if quantise and path.suffix != ".lm":
        raise ConfigError(f"{path}: only .lm files can store numbers in 8 bits; give a name that ends in .lm")
