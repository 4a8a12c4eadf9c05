"""Parse options as they are typed: `name=value` with plain values, without any substitution."""

from __future__ import annotations

import re
from collections.abc import Sequence

from asr.corpus.named_files import quoted
from asr.errors import ConfigError

_WORDS = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
    **dict.fromkeys(("", "null", "~"), None),
}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(
    r"[-+]?(?:[0-9]+\.?[0-9]*(?:e[-+]?[0-9]+)?|\.[0-9]+(?:e[-+]?[0-9]+)?|\.?inf)|\.?nan", re.IGNORECASE
)
_MOST_DIGITS = 300  # longest accepted number


def parse_options(words: Sequence[str]) -> dict[str, object]:
    """Parse options: true, false, null, numbers and lists in brackets; anything else is text, in quotes or not.

    Returns:
        Values by name.

    >>> parse_options(["root=/data", "dev=0.2", "plugins=[my.corpus]"])
    {'root': '/data', 'dev': 0.2, 'plugins': ['my.corpus']}

    Raises:
        ConfigError: a word is not `name=value`, a name is repeated, or a number is too long.
    """
    options: dict[str, object] = {}
    for word in words:
        name, equals, written = word.partition("=")
        if not equals or not name:
            raise ConfigError(f"{quoted(word)} is not option=value")
        if name in options:
            raise ConfigError(f"{name}= is given twice; give it once")
        options[name] = _value(name, written)
    return options


def _value(name: str, written: str) -> object:
    text = written.strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text.startswith("[") and text.endswith("]"):
        return [_value(name, one) for one in text[1:-1].split(",") if one.strip()]
    if _WHOLE.fullmatch(text) or _NUMBER.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            raise ConfigError(f"{name}={quoted(text)[1:]}: the number has {len(text)} digits; expected a shorter one")
        return int(text) if _WHOLE.fullmatch(text) else float(text.lower().replace(".n", "n").replace(".i", "i"))
    return text
