"""Find and remove noise tags in transcripts of speech: words such as [cough] that name a sound.

A tag is a word of its own, with white space or an end of the text on both sides; punctuation may follow it. Tags are

- `[noise]`, `[background noise]`, `<unk>`, `</s>`, `{laugh}`, `++um++`: any name in these brackets;
- `!SIL` and `!sil`;
- `(cough)`, `((unclear))`: in parentheses only the words in `IN_PARENTHESES`, because ordinary words may be in
  parentheses too.
"""

from __future__ import annotations

import re

_PARENTHESES = """
    applause background blank breath breathing chuckle chuckles clears click cough coughing coughs crosstalk foreign
    hesitation inaudible indistinct laugh laughing laughs laughter lipsmack music noise pause sigh sighs sil silence
    sneeze sneezes spn static talking throat unclear unintelligible unk
"""
IN_PARENTHESES = tuple(_PARENTHESES.split())
"""Words that form a noise tag when they are in parentheses."""

_NAME = r"[/!#%]?[^\W_][\w .,:/'-]{0,60}"
_WORD = "(?:" + "|".join(IN_PARENTHESES) + ")"
_INNER = rf"{_WORD}(?:[ _-]{_WORD}){{0,3}}"
_TAG = re.compile(
    rf"(?<!\S)(?:\[{_NAME}\]|<{_NAME}>|\{{{_NAME}\}}|\+\+{_NAME}\+\+|!sil|\({_INNER}\)|\(\({_INNER}\)\))(?=[\s.,;:?!]|$)",
    re.IGNORECASE,
)


def noise_tags(text: str) -> list[str]:
    """Return the noise tags of a text, in order.

    >>> noise_tags("zero [noise] one <unk>, (cough) (maybe)")
    ['[noise]', '<unk>', '(cough)']
    """
    return _TAG.findall(text)


def without_noise(text: str) -> str:
    """Return the text without its noise tags; if it has any, runs of white space become one space.

    >>> without_noise("[noise] zero <unk> one")
    'zero one'
    """
    return " ".join(_TAG.sub(" ", text).split()) if _TAG.search(text) else text
