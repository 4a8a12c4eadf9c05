"""Read the words of a line of a NIST transcript file: optional words, alternatives, and escaped special characters.

Words are read as `sclite -s -D` reads them:

- `(uh)` is an optional word; it also matches `uh`. Only a single word in parentheses is optional: `(a b)` is two words,
  one of which begins and one ends with a parenthesis.
- `{ a / b c / @ }` stands for one of these sequences, also nested, with or without spaces around the signs; `@` is no
  word. Outside of braces, `/` and `}` are ordinary characters.
- Upper and lower case differ (without -s, sclite ignores case).
- Unlike in sclite, words are composed (Unicode NFC).

sclite treats a few more characters specially, which are read literally here: it removes the end of `word;x`, the star
of `word*`, and backslashes. `escaped` hides such characters from sclite.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from urllib.parse import unquote

from asr.scoring.lattice import Arc, Lattice

# White space, special characters, and percent signs that look like an escape.
_SPECIAL = re.compile(r"[\s\x00-\x20\x7f(){}@;:\\*\ufeff]|%(?=[0-9A-Fa-f]{2})")
_SPECIAL_OR_NOT_ASCII = re.compile(_SPECIAL.pattern + r"|[^\x00-\x7f]")


def escaped(word: str) -> str:
    """Escape a word so that both `words_of(..., escapes=True)` and sclite read it literally.

    Special characters are percent-encoded, as in a web address: `%28` for `(`. A percent sign is encoded only if two
    hexadecimal digits follow. A word that Unicode composition would change is encoded, too. Equal words stay equal and
    different words different, so sclite counts the same errors.

    >>> escaped("(50%)"), escaped("50%20")
    ('%2850%%29', '50%2520')
    """
    plain = _SPECIAL.sub(_hexadecimal, word)
    return plain if _composed(plain) == plain else _SPECIAL_OR_NOT_ASCII.sub(_hexadecimal, word)


def unescaped(word: str) -> str:
    """Return the word that `escaped` was called with.

    >>> unescaped("%2850%%29")
    '(50%)'
    """
    return unquote(word)


def words_of(line: str, escapes: bool) -> tuple[str, ...] | Lattice:
    """Read the words of a line.

    Args:
        line: the line without the name in parentheses.
        escapes: whether words are percent-encoded, as in the files of this package.

    Returns:
        The words, or a lattice if some are optional or have alternatives.

    Raises:
        ValueError: braces do not match, or an alternative is empty.

    >>> words_of("hello world", escapes=False)
    ('hello', 'world')
    """
    reader = _Reader(escapes)
    for piece in line.split():
        reader.read(piece)
    if reader.open:
        raise ValueError("a '{' has no '}'; expected { one alternative / another }")
    if reader.plain:
        return tuple(arc.word for arc in reader.arcs if arc.word is not None)
    return Lattice(reader.here + 1, tuple(reader.arcs))


@dataclass
class _Braces:
    """Alternatives whose closing brace was not read yet."""

    start: int
    ends: list[int] = field(default_factory=list)  # the last nodes of complete alternatives
    empty: bool = True  # whether the current alternative has no word yet


class _Reader:
    """A builder of the arcs of a line; `here` is the node that the next word starts from."""

    def __init__(self, escapes: bool) -> None:
        self.arcs: list[Arc] = []
        self.here = 0
        self.plain = True
        self.open: list[_Braces] = []
        self._escapes = escapes
        self._newest = 0

    def read(self, piece: str) -> None:
        """Read a piece without white space: a word, or words and signs without spaces between them."""
        begin = 0
        for place, character in enumerate(piece):
            if character == "{" or (self.open and character in "/}"):
                self._word(piece[begin:place])
                self._sign(character)
                begin = place + 1
        self._word(piece[begin:])

    def _word(self, raw: str) -> None:
        if not raw:
            return
        optional = len(raw) > 1 and raw[0] == "(" and raw[-1] == ")"
        word = _composed(raw[1:-1] if optional else raw)
        nothing = word in ("", "@")
        self._step(None if nothing else unescaped(word) if self._escapes else word, optional and not nothing)
        self.plain = self.plain and not optional and not nothing

    def _step(self, word: str | None, optional: bool = False) -> None:
        self._newest += 1
        self.arcs.append(Arc(self.here, self._newest, word, optional))
        self.here = self._newest
        if self.open:
            self.open[-1].empty = False

    def _sign(self, sign: str) -> None:
        self.plain = False
        if sign == "{":
            self.open.append(_Braces(self.here))
            return
        braces = self.open[-1]
        if braces.empty:
            raise ValueError("an alternative between { / } is empty; write @ for no word")
        braces.ends.append(self.here)
        if sign == "/":
            self.here, braces.empty = braces.start, True
            return
        self.open.pop()
        self._newest += 1
        self.here = self._newest
        self.arcs += [Arc(end, self.here, None) for end in braces.ends]
        if self.open:
            self.open[-1].empty = False


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _hexadecimal(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
