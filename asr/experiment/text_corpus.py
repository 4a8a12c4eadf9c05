"""Read the text for training a language model: a file of parts, such as books, some of which are dev and test.

The file is UTF-8, plain or gzipped, with one paragraph or sentence in each line. A line `# NAME` begins a part. Lines
are cleaned by `asr.corpus.cleaning`: one kind of apostrophe, quotation mark, dash and space. With `ascii` they then
contain only the 95 printable characters of ASCII (U+0020 to U+007E), like the inventory of the pen models:

| in the text | becomes |
| --- | --- |
| a letter with an accent, a ligature | its base letters: `e` for U+00E9, `ae` for U+00E6, `oe` for U+0153 |
| an ellipsis | `...` |
| a two-em or three-em dash | `-` |
| fractions, full-width forms and the like | their compatibility form (Unicode NFKD): `1/2` for U+00BD |
| any other character | nothing |
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asr.config import check_values, nearest
from asr.corpus.cleaning import clean_text
from asr.corpus.splits import SPLITS
from asr.corpus.text_lines import whole_text
from asr.errors import ConfigError, DataError

_PART = "# "
_SPELLED = str.maketrans(
    {"\u00e6": "ae", "\u00c6": "Ae", "\u0153": "oe", "\u0152": "Oe", "\u00f8": "o", "\u00d8": "O", "\u00df": "ss",
     "\u0142": "l", "\u0141": "L", "\u2e3a": "-", "\u2e3b": "-", "\u2044": "/", "\u00d7": "x"}
)  # fmt: skip

Texts = Mapping[str, tuple[str, ...]]
"""The lines of each split."""


@dataclass
class TextConfig:
    """The file of the text, and its division into train, dev and test."""

    root: str | None = None  # the file of parts; required
    dev: list[str] = field(default_factory=list)  # names of the parts that choose the best epoch
    test: list[str] = field(default_factory=list)  # names of the parts that are measured at the end
    ascii: bool = True  # reduce the text to the 95 printable characters of ASCII, see the top of this file

    def __post_init__(self) -> None:
        """Raise a ConfigError if dev or test has no part, or a part is in both."""
        both = sorted({*self.dev} & {*self.test})
        apart = f"one part or more, none of them in dev{''.join(f' ({one})' for one in both)}"
        conditions = {
            "root": (self.root is None or self.root != "", "a file of text"),
            "dev": (len(self.dev) > 0, "one part of the text or more"),
            "test": (len(self.test) > 0 and not both, apart),
        }
        check_values(vars(self), conditions)


def read_texts(config: TextConfig) -> Texts:
    """Read the text, and divide it into train, dev and test; train gets all parts that are not named.

    Raises:
        ConfigError: no file is given, or the file does not have a named part.
        DataError: the file cannot be read, has text before the first part, or leaves a split without text.
    """
    if config.root is None:
        raise ConfigError("these options must be given: corpus.root=... (the file of the text)")
    path = Path(config.root).expanduser()
    parts = parts_of(whole_text(path, "the text of corpus.root=").splitlines(), path)
    for name in (*config.dev, *config.test):
        if name not in parts:
            raise ConfigError(f"{path} has no part {name!r}{nearest(name, parts)}; a line '# NAME' begins one")
    held = {"dev": config.dev, "test": config.test}
    held["train"] = [name for name in parts if name not in {*config.dev, *config.test}]
    texts = {
        split: tuple(
            line for name in held[split] for line in (written(one, config.ascii) for one in parts[name]) if line
        )
        for split in SPLITS
    }
    if empty := [split for split in SPLITS if not texts[split]]:
        raise DataError(f"{path} leaves no text for {', '.join(empty)}; name fewer parts in corpus.dev and corpus.test")
    return texts


def written(line: str, ascii: bool) -> str:
    """Return a cleaned line; with `ascii`, reduced to ASCII by the table at the top of this module.

    >>> written("\u201cCaf\u00e9\u201d\u2014it\u2019s \u00a35\u2026", ascii=True)
    '"Cafe"-it\\'s 5...'
    """
    line = clean_text(line)
    if not ascii or line.isascii():
        return line
    spelled = unicodedata.normalize("NFKD", line.translate(_SPELLED)).replace("\u2044", "/")
    return clean_text("".join(one for one in spelled if " " <= one <= "~"))


def parts_of(lines: Iterable[str], path: Path) -> dict[str, list[str]]:
    """Divide lines into parts; a line `# NAME` begins a part, and parts of the same name are joined.

    Args:
        lines: the lines of the file.
        path: the file, for messages.

    Raises:
        DataError: there is text before the first part.

    >>> parts_of(["# one", "a", "# two", "b"], Path("text.txt"))
    {'one': ['a'], 'two': ['b']}
    """
    parts: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(lines, start=1):
        if line.startswith(_PART):
            current = parts.setdefault(line[len(_PART) :].strip(), [])
        elif current is not None:
            current.append(line)
        elif line.strip():
            raise DataError(f"{path}:{number}: text before the first part; begin it with a line '# NAME'")
    return parts
