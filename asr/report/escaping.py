"""Escape text for Markdown, so that names, options and commits are shown literally."""

from __future__ import annotations

import re

from asr.printable import printable

_MARKUP = re.compile(r"[\\`*\[\]<>&|~$]|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word is text already
_NO_CODE = re.compile(r"[`|<>&]|^\s|\s$|^$")


def plain(text: str) -> str:
    """Return Markdown that shows a text literally, also in a cell of a table.

    >>> plain("a|b <!-- c")
    'a&#124;b &#60;!-- c'
    """
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", printable(text))


def code(text: str) -> str:
    """Return Markdown that shows a text as code.

    >>> code("model.hidden=128"), code("a`b")
    ('`model.hidden=128`', '<code>a&#96;b</code>')
    """
    text = printable(text)
    return f"<code>{plain(text)}</code>" if _NO_CODE.search(text) else f"`{text}`"


def with_unbroken_interval(figure: str) -> str:
    """Return a figure with non-breaking spaces in its interval, so that a browser keeps the interval on one line.

    >>> with_unbroken_interval("8.1 [7.1, 10.1]")
    '8.1 [7.1,\\xa010.1]'
    """
    value, space, interval = figure.partition(" ")
    return value + space + interval.replace(" ", "\N{NO-BREAK SPACE}")
