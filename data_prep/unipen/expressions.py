"""Draw random texts to be composed of single signs: symbols, capitals, digits, prices, dates, addresses, formulas.

They teach a recogniser which signs may be side by side, not a language. A text depends only on the random generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from data_prep.unipen.composing import Random
from data_prep.unipen.sizes import EXTENTS

SYMBOLS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""The printable signs of ASCII that are neither letters nor digits, without the space."""

LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
DIGITS = "0123456789"
_PAIRS = r"""() [] {} <> "" '' /\ \/ += /= !? ?! -> => <= >= ~= && ||"""
_UNITS = "% $ kg km cm m h C F l MB x"
_ENDS = "com org net de fr es it uk edu info"
_FILES = "txt pdf py jpg csv html"
_MARKED = r"""{0}. {0}, {0}! {0}? {0}: {0}; "{0}" ({0}) '{0}' {0}'s [{0}] #{0} @{0} *{0}* {0}&"""
_ITEMS = "{1}. {1}) ({0}) {0}) #{1} {0}{1} {0}-{1}"
_LONGEST = 24  # signs of a text


def expression(random: Random) -> str:
    """Draw a text of 2 to 24 signs of ASCII, with single spaces between its parts and none at its ends.

    At least one sign is as high as an x, because points, quotes and bars alone cannot be told apart.
    """
    shares = np.array([share for _, share in _MAKERS])
    while True:
        make, _ = _MAKERS[int(random.choice(len(_MAKERS), p=shares / shares.sum()))]
        text = make(random)
        if 1 < len(text) <= _LONGEST and any(EXTENTS[sign].height >= 1.0 for sign in text if sign != " "):
            return text


def row(random: Random, signs: str, least: int = 2, most: int = 6) -> str:
    """Draw a row of signs; half of the rows have spaces between all signs."""
    return _spaced(random, _some(random, signs, least, most))


def _spaced(random: Random, signs: str) -> str:
    return (" " if random.random() < 0.5 else "").join(signs)


def _some(random: Random, signs: Sequence[str], least: int, most: int) -> str:
    count = int(random.integers(least, most + 1))
    return "".join(signs[i] for i in random.integers(len(signs), size=count))


def _one(random: Random, choices: Sequence[str]) -> str:
    return choices[int(random.integers(len(choices)))]


def _symbols(random: Random) -> str:
    return row(random, SYMBOLS)


def _pairs(random: Random) -> str:
    """Draw pairs of symbols that often occur together, mixed with single symbols."""
    count, pairs = int(random.integers(1, 4)), _PAIRS.split()
    return _spaced(random, "".join(_one(random, pairs if random.random() < 0.6 else SYMBOLS) for _ in range(count)))


def _run(signs: str) -> Callable[[Random], str]:
    """Return a function that draws a random row of `signs`, or a part of `signs` in order."""

    def make(random: Random) -> str:
        if random.random() < 0.5:
            return row(random, signs, 2, 7)
        start = int(random.integers(len(signs)))
        return _spaced(random, (signs + signs)[start : start + int(random.integers(2, 8))])

    return make


def _mixture(random: Random) -> str:
    """Draw a mixture of letters, digits and symbols, as in a password or a part number."""
    groups = [one for one in (LOWER, UPPER, DIGITS, SYMBOLS) if random.random() < 0.6] or [UPPER, DIGITS]
    return "".join(_one(random, _one(random, groups)) for _ in range(random.integers(3, 9)))


def _number(random: Random, most: int = 4) -> str:
    first = str(random.integers(1, 10))
    return first + _some(random, DIGITS, 0, most - 1)


def _word(random: Random, least: int = 2, most: int = 6) -> str:
    """Draw letters, consonants and vowels in turn."""
    turns = ["bcdfghjklmnpqrstvwxyz", "aeiou"]
    at = int(random.integers(2))
    return "".join(_one(random, turns[(at + i) % 2]) for i in range(random.integers(least, most + 1)))


def _price(random: Random) -> str:
    cents = _one(random, ("", f".{_some(random, DIGITS, 2, 2)}", f",{_some(random, DIGITS, 2, 2)}", ".-"))
    amount = _number(random) + cents
    return _one(random, (f"${amount}", f"$ {amount}", f"{amount} $", f"{amount}"))


def _date(random: Random) -> str:
    day, month, year = random.integers(1, 32), random.integers(1, 13), random.integers(1900, 2040)
    sign = _one(random, "./-")
    two = random.random() < 0.5
    parts = [f"{day:02d}" if two else f"{day}", f"{month:02d}" if two else f"{month}"]
    written = f"{year}" if random.random() < 0.5 else f"{year % 100:02d}"
    return sign.join([*parts, written] if random.random() < 0.8 else parts)


def _time(random: Random) -> str:
    hour, minute = random.integers(0, 24), random.integers(0, 60)
    return f"{hour}{_one(random, ':.')}{minute:02d}" + _one(random, ("", "", " h", " am", " pm"))


def _telephone(random: Random) -> str:
    parts = [_some(random, DIGITS, 2, 4) for _ in range(random.integers(2, 4))]
    sign = _one(random, (" ", "-", "/", "."))
    return _one(random, ("", "+", "0")) + sign.join(parts)


def _mail(random: Random) -> str:
    name = _word(random) + (_one(random, "._-") + _word(random) if random.random() < 0.4 else "")
    return f"{name}@{_word(random)}.{_one(random, _ENDS.split())}"


def _address(random: Random) -> str:
    begin = _one(random, ("www.", "http://", "https://", "", ""))
    query = f"/?{_word(random, 1, 2)}={_number(random, 2)}"
    page = _one(random, ("", f"/{_word(random)}", f"/~{_word(random)}", query))
    return f"{begin}{_word(random)}.{_one(random, _ENDS.split())}{page}"


def _path(random: Random) -> str:
    name = f"{_word(random)}{_one(random, ('', '_', '-'))}{_number(random, 2)}.{_one(random, _FILES.split())}"
    return _one(random, ("", "/", "~/", "C:\\", "../")) + name


def _term(random: Random) -> str:
    term = _one(random, (*"xyabnk", _number(random, 2), _number(random, 3), f"{_number(random, 1)}x"))
    return term + (f"^{_number(random, 1)}" if random.random() < 0.2 else "")


def _formula(random: Random) -> str:
    terms = [_term(random) for _ in range(random.integers(2, 4))]
    signs = [_one(random, ("+", "-", "*", "/", "=", "<", ">")) for _ in terms[1:]]
    if random.random() < 0.2:
        terms[0] = f"({terms[0]}{_one(random, '+-')}{_term(random)})"
    gap = " " if random.random() < 0.4 else ""
    return terms[0] + "".join(f"{gap}{sign}{gap}{term}" for sign, term in zip(signs, terms[1:], strict=True))


def _amount(random: Random) -> str:
    return _number(random, 3) + _one(random, ("", " ")) + _one(random, _UNITS.split())


def _marked_word(random: Random) -> str:
    """Draw a word with punctuation or other signs beside it."""
    word = _word(random)
    word = _one(random, (word, word.upper(), word.capitalize()))
    return _one(random, _MARKED.split()).format(word)


def _item(random: Random) -> str:
    """Draw the number of a line in a list, or a short code."""
    return _one(random, _ITEMS.split()).format(_one(random, UPPER + LOWER), _number(random, 2))


_MAKERS: tuple[tuple[Callable[[Random], str], float], ...] = (
    (_symbols, 0.28),
    (_pairs, 0.12),
    (_run(UPPER), 0.10),
    (_run(DIGITS), 0.08),
    (_run(LOWER), 0.03),
    (_mixture, 0.12),
    (_price, 0.03),
    (_date, 0.03),
    (_time, 0.02),
    (_telephone, 0.02),
    (_mail, 0.03),
    (_address, 0.02),
    (_path, 0.02),
    (_formula, 0.04),
    (_amount, 0.02),
    (_marked_word, 0.02),
    (_item, 0.02),
)
"""Functions that draw texts, with their shares; symbols are most frequent, because the release has no rows of them."""
