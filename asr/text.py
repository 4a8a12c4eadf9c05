"""The normal form in which all text is stored, spelled and compared."""

from __future__ import annotations

import unicodedata


def normalise_text(text: str) -> str:
    """Return a text in Unicode form NFC, with one space for each run of white space and none at the ends.

    >>> normalise_text(" to   be ")
    'to be'
    """
    return " ".join(unicodedata.normalize("NFC", text).split())
