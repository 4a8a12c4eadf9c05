"""Unify how a text is written (`clean=unicode`): characters that look alike or cannot be seen become one.

What is done, in this order:

| removed | soft hyphen, zero-width blanks and joiners, byte order marks, marks of direction (see `REMOVED`) |
| `'` | typographic, modifier and full-width apostrophes, acute and grave accents, primes |
| `"` | typographic, low, angle and full-width quotation marks, double primes |
| `-` | hyphens, dashes and the minus sign |
| blank | every other kind of blank, tabs and ends of lines; blanks in a row become one, none stay at the ends |
| NFC | a letter and its accents become one character where Unicode has it |

Joiners (U+200C, U+200D) stay behind letters from U+0600 to U+0DFF: Arabic, Persian and Indian scripts spell with them.
"""

from __future__ import annotations

import re
import unicodedata

REMOVED = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
"""Characters that have no width and spell nothing."""

_APOSTROPHES = "\u0060\u00b4\u02b9\u02bc\u02c8\u2018\u2019\u201b\u2032\u2035\uff07\uff40"
_QUOTES = "\u00ab\u00bb\u02ba\u201c\u201d\u201e\u201f\u2033\u2036\u301d\u301e\uff02"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
UNIFIED = {
    **dict.fromkeys(_APOSTROPHES, "'"),
    **dict.fromkeys(_QUOTES, '"'),
    **dict.fromkeys(_DASHES, "-"),
}
"""Characters and what they become."""

_JOINERS = "\u200c\u200d"
_REMOVED = re.compile(f"(?<![\u0600-\u0dff])[{_JOINERS}]|[{''.join(set(REMOVED) - set(_JOINERS))}]")
_UNIFIED = str.maketrans(UNIFIED)


def clean_text(text: str) -> str:
    """The text as the table at the top of this module writes it.

    >>> clean_text("don\u2019t\u00a0 zero\u200b")
    "don't zero"
    """
    return unicodedata.normalize("NFC", " ".join(_REMOVED.sub("", text).translate(_UNIFIED).split()))
