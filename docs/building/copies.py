"""Pages that stand elsewhere in the checkout: READMEs of recipes and benchmarks, cards of models, top files."""

from __future__ import annotations

import re

from asr.report.readme import fill
from building.links import Links
from building.places import ROOT, index

_FOLDERS = {
    "tasks": ("Tasks", "Each recipe with its data and licence, its commands, and all of its error rates."),
    "models": ("Pretrained models", "The cards of the models and language models that come with the package."),
}
"""The titles and openings of the contents of copied pages, by folder."""
_SUMMARY = re.compile(r"^<!-- summary\n.*?\n-->\n(?P<table>.*?)^<!-- /results -->", re.MULTILINE | re.DOTALL)
_BLOCK = "```{summary}\n```"
"""The block that the summary of the README replaces."""

STAND_INS = {"index": "README.md", "results/index": "recipes"}
"""Files and folders of the checkout whose links lead to a page that does not hold their text, by its name."""


def origins() -> dict[str, str]:
    """Return where the text of each copied page stands, relative to the checkout, by the page's name."""
    tops = {
        "reference/project/contributing": "CONTRIBUTING.md",
        "reference/project/changelog": "CHANGELOG.md",
        "results/benchmarks": "benchmarks/README.md",
    }
    recipes = {f"results/tasks/{path.parent.name}": path for path in sorted(ROOT.glob("recipes/*/README.md"))}
    cards = {f"results/models/{path.stem}": path for path in sorted(ROOT.glob("asr/pretrained/*.md"))}
    return tops | {name: path.relative_to(ROOT).as_posix() for name, path in (recipes | cards).items()}


def pages() -> dict[str, str]:
    """Return the copied pages by name, with tables made from the result files."""
    names = origins()
    contents = {
        f"results/{folder}/index": index(
            title, opening, [one.rpartition("/")[2] for one in names if f"/{folder}/" in one]
        )
        for folder, (title, opening) in _FOLDERS.items()
    }
    return contents | {
        name: fill((ROOT / path).read_text(encoding="utf-8"), ROOT / "recipes", path) for name, path in names.items()
    }


def with_summary(name: str, markdown: str, links: Links) -> str:
    """Return a page in which the README's table of results takes the place of a block `{summary}`.

    Raises:
        LookupError: README.md has no such table.
    """
    if _BLOCK not in markdown:
        return markdown
    filled = fill((ROOT / "README.md").read_text(encoding="utf-8"), ROOT / "recipes")
    found = _SUMMARY.search(filled)
    if found is None:
        raise LookupError("README.md has no table between <!-- summary ... --> and <!-- /results -->")
    return markdown.replace(_BLOCK, links.mended(name, found["table"].strip(), "README.md"))
