"""Pages that show the files of the checkout that other pages link to: code, presets, recipes."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from building.links import Links, code_page

_LANGUAGES = {".py": "python", ".yaml": "yaml", ".json": "json", ".toml": "toml"}


def pages(links: Links, texts: Mapping[str, str]) -> dict[str, str]:
    """Return a page for each file that these pages link to.

    Args:
        links: what links become.
        texts: the pages, by name.
    """
    paths = sorted({path for name, text in texts.items() for path in links.files(name, text)})
    return {code_page(path): _page(path) for path in paths}


def _page(path: str) -> str:
    up = "../" * (code_page(path).count("/") + 1)
    language = _LANGUAGES.get(posixpath.splitext(path)[1], "text")
    return f"---\norphan: true\n---\n\n# `{path}`\n\n```{{literalinclude}} {up}{path}\n:language: {language}\n```\n"
