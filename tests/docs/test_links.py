"""Links inside the checkout lead somewhere: to a file that is there, and to a heading that it has."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from building.links import is_external, targets
from building.places import written_by_hand
from markdown_it import MarkdownIt

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted(
    chain(
        [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")],
        REPOSITORY.glob("recipes/*/README.md"),
        REPOSITORY.glob("asr/pretrained/*.md"),
        written_by_hand(),
    )
)
_MARKUP = re.compile(r"(?:href|src|srcset)=\"([^\"]+)\"")
_IGNORED = re.compile(r"[^\w\- ]")


def anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it.

    >>> anchor("Pages, upside down")
    'pages-upside-down'
    """
    return _IGNORED.sub("", heading.lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """The anchors of a page; equal headings are numbered."""
    found: dict[str, int] = {}
    tokens = MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8"))
    for opening, inline in zip(tokens, tokens[1:]):  # noqa: B905, RUF007
        if opening.type == "heading_open":
            text = "".join(one.content for one in inline.children or () if one.type in ("text", "code_inline"))
            found[anchor(text)] = found.get(anchor(text), 0) + 1
    return {f"{name}-{number}" if number else name for name, count in found.items() for number in range(count)}


def fault(page: Path, target: str) -> str | None:
    """Return the fault of a link of a page; None for a good one."""
    if is_external(target):
        parts = urlsplit(target)
        good = parts.scheme in ("http", "https", "mailto") and bool(parts.netloc or parts.scheme == "mailto")
        return None if good else "no address"
    file, _, place = target.partition("#")
    path = (page.parent / file).resolve() if file else page
    if REPOSITORY not in (path, *path.parents):
        return "leaves the checkout"
    if not path.exists():
        return "there is no such file"
    if place and path.suffix == ".md" and place not in anchors(path):
        return f"{path.name} has no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [*targets(text), *_MARKUP.findall(text)]
    assert [f"{link}: {why}" for link in links if (why := fault(page, link))] == []


def test_links_are_found() -> None:
    assert sum(len(list(targets(page.read_text(encoding="utf-8")))) for page in PAGES) > 50


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("nowhere.md", "there is no such file"),
        ("README.md#nowhere", "README.md has no such heading"),
        ("../outside.md", "leaves the checkout"),
        ("http:nowhere", "no address"),
        ("#the-house", None),
        ("https://example.org/a#b", None),
    ],
)
def test_bad_links_are_seen(target: str, why: str | None) -> None:
    assert fault(REPOSITORY / "CONTRIBUTING.md", target) == why
