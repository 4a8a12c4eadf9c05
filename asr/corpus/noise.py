"""Noise tags in transcripts of speech: what stands for a sound and not for its letters.

A tag stands alone, between blanks or at an end (punctuation may follow it), and is one of

- `[noise]`, `[background noise]`, `<unk>`, `</s>`, `{laugh}`, `++um++`: any name in such brackets;
- `!SIL` and `!sil`;
- `(cough)`, `((unclear))`: in parentheses only the names in `IN_PARENTHESES`, since they enclose words too.
"""

from __future__ import annotations

import re

_PARENTHESES = """
    applause background blank breath breathing chuckle chuckles clears click cough coughing coughs crosstalk foreign
    hesitation inaudible indistinct laugh laughing laughs laughter lipsmack music noise pause sigh sighs sil silence
    sneeze sneezes spn static talking throat unclear unintelligible unk
"""
IN_PARENTHESES = tuple(_PARENTHESES.split())
"""Words of which tags in parentheses consist."""

_NAME = r"[/!#%]?[^\W_][\w .,:/'-]{0,60}"
_WORD = "(?:" + "|".join(IN_PARENTHESES) + ")"
_INNER = rf"{_WORD}(?:[ _-]{_WORD}){{0,3}}"
_TAG = re.compile(
    rf"(?<!\S)(?:\[{_NAME}\]|<{_NAME}>|\{{{_NAME}\}}|\+\+{_NAME}\+\+|!sil|\({_INNER}\)|\(\({_INNER}\)\))(?=[\s.,;:?!]|$)",
    re.IGNORECASE,
)


def noise_tags(text: str) -> list[str]:
    """The tags in a text, in order.

    >>> noise_tags("zero [noise] one <unk>, (cough) (maybe)")
    ['[noise]', '<unk>', '(cough)']
    """
    return _TAG.findall(text)


def without_noise(text: str) -> str:
    """The text without its tags; the blanks around a tag become one.

    >>> without_noise("[noise] zero <unk> one")
    'zero one'
    """
    return " ".join(_TAG.sub(" ", text).split()) if _TAG.search(text) else text
