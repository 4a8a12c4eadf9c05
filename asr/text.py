"""The form in which every text is stored, spelled and compared."""

from __future__ import annotations

import unicodedata


def normalise_text(text: str) -> str:
    """Compose characters (Unicode NFC) and leave one space for each run of white space, none at the ends.

    >>> normalise_text(" to   be ")
    'to be'
    """
    return " ".join(unicodedata.normalize("NFC", text).split())
