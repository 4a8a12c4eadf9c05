"""Tables of contents by pattern: a page that is put into a folder is found, and a folder may be empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from posixpath import dirname, join, normpath

_BLOCK = re.compile(r"^```\{toctree\}\n(?P<body>.*?)^```\n?", re.MULTILINE | re.DOTALL)
_REST = "*"


def with_contents(name: str, markdown: str, known: Sequence[str]) -> str:
    """Return a page whose tables of contents list pages in place of patterns.

    A line with a `*` becomes the pages of that name, in alphabetical order; a line `*` alone becomes the pages of the
    folder that no other line of the page lists. A page `folder/index` without a table of contents gets one of its
    folder, which is not shown in the text.

    >>> with_contents("a/index", "text", ["a/b", "a/index", "c"])
    'text\\n\\n```{toctree}\\n:hidden:\\n\\nb\\n```\\n'
    """
    if name.endswith("/index") and not _BLOCK.search(markdown):
        markdown += "\n\n```{toctree}\n:hidden:\n\n*\n```\n"
    named = {
        one
        for block in _BLOCK.finditer(markdown)
        for line in _entries(block["body"])
        if line != _REST
        for one in _matching(line, name, known)
    }
    rest = [one for one in _matching(_REST, name, known) if one not in named]
    return _BLOCK.sub(lambda found: _listed(found["body"], name, known, rest), markdown)


def _entries(body: str) -> Iterator[str]:
    return (line for line in body.splitlines() if line and not line.startswith(":"))


def _listed(body: str, name: str, known: Sequence[str], rest: Sequence[str]) -> str:
    entries = dict.fromkeys(
        one
        for line in _entries(body)
        for one in (rest if line == _REST else _matching(line, name, known) if "*" in line else [line])
    )
    options = [line for line in body.splitlines() if line.startswith(":")]
    return "\n".join(["```{toctree}", *options, "", *entries, "```", ""]) if entries else ""


def _matching(pattern: str, name: str, known: Sequence[str]) -> list[str]:
    """Return the pages of a pattern, relative to the folder of the page that has it; a `*` stays in one folder."""
    folder = dirname(name)
    full = normpath(join(folder, pattern))
    found = [one for one in known if one != name and fnmatchcase(one, full) and one.count("/") == full.count("/")]
    return [one[len(folder) + 1 :] if folder else one for one in sorted(found)]
