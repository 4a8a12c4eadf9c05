"""Folders of the checkout; pages by name, which is their path in the documentation without the ending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
_NO_PAGES = ("_build/", "building/", "examples/", "reference/code/")
"""Folders of the documentation without pages, and the one with pages that show code."""


def names() -> list[str]:
    """Return the names of all pages, but for those that show code."""
    return [name for name in _all() if not name.startswith(_NO_PAGES)]


def written_by_hand() -> list[Path]:
    """Return the files of the pages that git keeps: those that nothing here writes."""
    return [DOCS / f"{name}.md" for name in names() if not _is_made(name)]


def _all() -> list[str]:
    return sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))


def _is_made(name: str) -> bool:
    """Return whether a page is written by the build, so that git ignores it."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    return f"docs/{name}.md".startswith(tuple(line for line in lines if line.startswith("docs/")))


def read_page(name: str) -> str:
    """Return the Markdown of a page."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def write_pages(pages: Mapping[str, str]) -> None:
    """Write pages, given by name; a page that holds the same text already keeps its time."""
    for name, text in pages.items():
        path = DOCS / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def remove_old_pages(pages: Mapping[str, str]) -> None:
    """Remove pages of an earlier build that are not among these."""
    for name in _all():
        if _is_made(name) and not name.startswith("_build/") and name not in pages:
            (DOCS / f"{name}.md").unlink()


def index(title: str, opening: str, names: Sequence[str]) -> str:
    """Return a page with a title, a paragraph and the contents of the pages below it."""
    return f"# {title}\n\n{opening}\n\n```{{toctree}}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```\n"


def literal(text: str, language: str = "text") -> str:
    """Return a text in a block of fixed width."""
    return f"````{language}\n{text.rstrip()}\n````"
