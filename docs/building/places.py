"""Folders of the checkout; pages by name, which is their path in the documentation without the ending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
_NO_PAGES = ("_build", "code", "building", "examples")
"""Folders of the documentation without pages, and with pages that show code."""


def names() -> list[str]:
    """Return the names of all pages, but for those that show code."""
    paths = [path.relative_to(DOCS) for path in sorted(DOCS.rglob("*.md"))]
    return [path.with_suffix("").as_posix() for path in paths if path.parts[0] not in _NO_PAGES]


def written_by_hand() -> list[Path]:
    """Return the files of the pages that git keeps: those that nothing here writes."""
    made = tuple(line.removeprefix("docs/") for line in _ignored() if line.startswith("docs/"))
    return [DOCS / f"{name}.md" for name in names() if not f"{name}.md".startswith(made)]


def _ignored() -> list[str]:
    return (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


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


def index(title: str, opening: str, names: Sequence[str]) -> str:
    """Return a page with a title, a paragraph and the contents of the pages below it."""
    return f"# {title}\n\n{opening}\n\n```{{toctree}}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```\n"


def literal(text: str, language: str = "text") -> str:
    """Return a text in a block of fixed width."""
    return f"````{language}\n{text.rstrip()}\n````"
