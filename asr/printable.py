r"""Escape control characters in text from outside, so that it is safe to print.

File names, headers, ids, labels and options come from outside. An escape sequence in them can move the cursor, set the
window's title or hide text; a newline can forge a line of output.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

_STEERING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # the control characters C0, DEL and C1, with ESC, newline and tab
    "\u2028\u2029"  # line and paragraph separator
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates: they show text in another order
    "\ud800-\udfff"  # surrogates: Python stores non-UTF-8 bytes of file names as U+DC80 to U+DCFF
    "]"
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str | os.PathLike[str], keep: str = "") -> str:
    r"""Return a text or path with visible escapes in place of characters that control a terminal.

    A non-UTF-8 byte in a file name becomes an escape such as `\xe9`. Printable text is returned unchanged.

    Args:
        text: any text, or a path.
        keep: control characters to leave unescaped, such as newlines.

    >>> printable("caf\udce9 \x1b[2J\n")
    'caf\\xe9 \\x1b[2J\\n'
    """
    return _STEERING.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), os.fspath(text))


def printable_json(value: Any) -> str:
    r"""Return a value as one line of JSON without control characters; it reads back as the same value.

    >>> printable_json({"text": "café\x9b"})
    '{"text": "café\\u009b"}'
    """
    text = json.dumps(value, ensure_ascii=False)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)  # such characters occur in JSON strings only


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00  # the byte itself
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
