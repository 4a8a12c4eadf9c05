"""Links between Markdown files of the checkout become links between pages of the site.

A file in the checkout is read in two places: where it stands, and here. Links are written for the first.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")  # its text may begin on the line before
SHOWN = {".py": "python", ".yaml": "yaml", ".json": "json", ".toml": "toml", ".md": "markdown", ".txt": "text"}
"""The endings of files that a page can show, and their languages."""

_FENCE = re.compile(r"^\s*(```+|~~~+|:::+)")
_EXTERNAL = re.compile(r"[a-z][a-z0-9+.-]*:")


def targets(markdown: str) -> Iterator[str]:
    """Yield the targets of the links and pictures of a page, but for those in blocks of code.

    >>> list(targets("see [a](b.md#c) and ![d](e.svg)"))
    ['b.md#c', 'e.svg']
    """
    found: list[str] = []

    def noted(target: str) -> str:
        found.append(target)
        return target

    _replaced(markdown, noted)
    yield from found


def is_external(target: str) -> bool:
    """Return whether a link leaves the checkout, by its scheme."""
    return _EXTERNAL.match(target) is not None


def _replaced(markdown: str, change: Callable[[str], str]) -> str:
    lines, fence = [], ""
    for line in markdown.split("\n"):
        opening = _FENCE.match(line)
        if opening and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else opening[1]
        elif not fence:
            line = _LINK.sub(lambda found: f"]({change(found['target'])})", line)
        lines.append(line)
    return "\n".join(lines)


class Links:
    """Links of the checkout, as they are in the site.

    Args:
        root: the checkout.
        docs: the folder of the documentation, relative to it.
        origins: the file of the checkout that each copied page was taken from, by the page's name.
        stand_ins: the file or folder that a page takes the place of, by the page's name.
    """

    def __init__(self, root: Path, docs: str, origins: Mapping[str, str], stand_ins: Mapping[str, str]) -> None:
        self._root, self._docs, self._origins = root, docs, origins
        self._page_of = {path: name for name, path in {**stand_ins, **origins}.items()}

    def mended(self, name: str, markdown: str, origin: str = "") -> str:
        """Return the text of a page with links that hold in the site.

        Args:
            name: the page.
            markdown: its text, or a part of it.
            origin: the file of the checkout that the text stands in; empty for that of the page.
        """
        origin = origin or self._origins.get(name, f"{self._docs}/{name}.md")
        return _replaced(markdown, lambda target: self._mended(target, origin, name))

    def files(self, name: str, markdown: str) -> Iterator[str]:
        """Yield the files of the checkout that a page links to and that are no pages: code, recipes."""
        origin = self._origins.get(name, f"{self._docs}/{name}.md")
        for target in targets(markdown):
            path = self._path(target, origin)
            if path and self._is_shown_as_code(path):
                yield path

    def _mended(self, target: str, origin: str, name: str) -> str:
        path = self._path(target, origin)
        if not path:
            return target
        anchor = "#" + target.partition("#")[2] if "#" in target else ""
        here = posixpath.dirname(f"{self._docs}/{name}")
        if path in self._page_of:
            page = self._page_of[path]
            return posixpath.relpath(f"{self._docs}/{page}.md", here) + ("" if page.endswith("index") else anchor)
        if self._is_shown_as_code(path):
            return posixpath.relpath(f"{self._docs}/{code_page(path)}.md", here)
        return posixpath.relpath(path, here) + anchor

    def _path(self, target: str, origin: str) -> str:
        """Return the path that a link points to, relative to the checkout; empty for an anchor or an address."""
        file = target.partition("#")[0]
        if not file or is_external(target):
            return ""
        return posixpath.normpath(posixpath.join(posixpath.dirname(origin), file))

    def _is_shown_as_code(self, path: str) -> bool:
        full = self._root / path
        if full.is_dir():
            return True
        is_page = path in self._page_of or (path.startswith(f"{self._docs}/") and path.endswith(".md"))
        return full.is_file() and full.suffix in SHOWN and not is_page


def code_page(path: str) -> str:
    """Return the name of the page that shows a file or a folder of the checkout."""
    return f"reference/code/{path}"
