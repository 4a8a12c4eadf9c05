"""Unify the spelling of a text (`clean=unicode`): remove invisible characters, replace look-alike characters by one.

The steps, in this order:

| result | replaced characters |
|---|---|
| removed | soft hyphen, zero-width spaces and joiners, byte order marks, direction marks (see `REMOVED`) |
| `'` | typographic, modifier and full-width apostrophes, acute and grave accents, primes |
| `"` | typographic, low, angle and full-width quotation marks, double primes |
| `-` | hyphens, dashes and the minus sign |
| space | every other kind of white space; several in a row become one, those at the ends are removed |
| NFC | a letter and its accents become one character, if Unicode has it |

Joiners (U+200C, U+200D) are kept after letters from U+0600 to U+0DFF: the spelling of Arabic, Persian and Indian
scripts needs them.
"""

from __future__ import annotations

import re
import unicodedata

REMOVED = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
"""Invisible characters that `clean_text` removes."""

_APOSTROPHES = "\u0060\u00b4\u02b9\u02bc\u02c8\u2018\u2019\u201b\u2032\u2035\uff07\uff40"
_QUOTES = "\u00ab\u00bb\u02ba\u201c\u201d\u201e\u201f\u2033\u2036\u301d\u301e\uff02"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
UNIFIED = {
    **dict.fromkeys(_APOSTROPHES, "'"),
    **dict.fromkeys(_QUOTES, '"'),
    **dict.fromkeys(_DASHES, "-"),
}
"""Replacement of each look-alike character."""

_JOINERS = "\u200c\u200d"
_REMOVED = re.compile(f"(?<![\u0600-\u0dff])[{_JOINERS}]|[{''.join(set(REMOVED) - set(_JOINERS))}]")
_UNIFIED = str.maketrans(UNIFIED)


def clean_text(text: str) -> str:
    """Return the text after the steps listed at the top of this module.

    >>> clean_text("don\u2019t\u00a0 zero\u200b")
    "don't zero"
    """
    return unicodedata.normalize("NFC", " ".join(_REMOVED.sub("", text).translate(_UNIFIED).split()))
