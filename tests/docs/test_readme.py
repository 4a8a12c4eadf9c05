"""README is short, and its figures are those of the pages that it links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import asr
from asr.version import __version__
from tests.docs.drawing import draw

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def peers() -> list[list[str]]:
    """The rows of the table that sets this project beside others."""
    table = TEXT.partition("## Measured against others")[2].partition("\n\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def numbers(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])", text))


def test_the_readme_has_at_most_120_lines() -> None:
    assert len(TEXT.splitlines()) <= 120


def test_the_two_commands_stand_as_they_are() -> None:
    for extra, rest in (("'.[train]'", ".venv/bin/asr-train"), ("-e '.[test]'", ".venv/bin/python -m pytest -n 2")):
        command = f"python3 -m venv .venv && .venv/bin/pip install -c constraints.txt {extra} && {rest}"
        assert f"```bash\n{command}\n```" in TEXT
    assert TEXT.index("'.[test]'") == TEXT.index("[test]") - 2  # .ci/run takes the first line that names it


@pytest.mark.parametrize("row", peers(), ids=lambda row: row[0][:30])
def test_figures_of_peers_stand_in_the_pages_that_are_linked(row: list[str]) -> None:
    _, here, others, more = row
    page, _, anchor = re.findall(r"\]\(([^)]+)\)", more)[0].partition("#")
    shown = (REPOSITORY / page).read_text(encoding="utf-8")
    if anchor:
        headings = {
            re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-"): line for line in shown.splitlines()
        }
        assert anchor in headings, f"{page} has no heading #{anchor}"
        shown = shown.partition(headings[anchor] + "\n")[2].partition("\n## ")[0]
    if "11,529" in here:
        texts = {
            name: int(count) for name, count in re.findall(r"^\| `(\w+)`.*onnxruntime \| \d+ \| (\d+) \|", shown, re.M)
        }
        assert sum(texts.values()) == 11_529, texts
        return
    figures = numbers(here) | numbers(others)
    assert figures
    assert figures <= numbers(shown)


def test_the_citation_is_of_this_version() -> None:
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == __version__
    assert cited["license"] == "Apache-2.0"


def test_the_transcript_of_the_short_paths_is_that_of_the_picture(shared_data: Path) -> None:
    text = asr.load("an4").transcribe(shared_data / "an4" / "an4" / draw.RECORDING).text
    assert "$ asr-transcribe an4 recording.flac  " in TEXT
    assert TEXT.count(f"\n{text}\n") == 2
