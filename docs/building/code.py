"""Pages that show the files and folders of the checkout that other pages link to: code, presets, recipes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from building.links import SHOWN, Links, code_page
from building.places import ROOT


def pages(links: Links, texts: Mapping[str, str]) -> dict[str, str]:
    """Return a page for each file and folder that these pages link to, and for the files of such folders.

    Args:
        links: what links become.
        texts: the pages, by name.
    """
    named = {path for name, text in texts.items() for path in links.files(name, text)}
    inside = {f"{path}/{one.name}" for path in named for one in _files(ROOT / path)}
    return {code_page(path): _page(path) for path in sorted(named | inside)}


def _files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.glob("*.*") if one.suffix in SHOWN)


def _page(path: str) -> str:
    if (ROOT / path).is_dir():
        name = path.rpartition("/")[2]
        shown = "\n".join(f"- [`{one.name}`]({name}/{one.name}.md)" for one in _files(ROOT / path))
    else:
        up = "../" * (code_page(path).count("/") + 1)
        shown = f"```{{literalinclude}} {up}{path}\n:language: {SHOWN[Path(path).suffix]}\n```"
    return f"---\norphan: true\n---\n\n# `{path}`\n\n{shown}\n"
