"""Names in Markdown tables mean themselves."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from asr.printable import printable
from asr.report.escaping import code, plain

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=30) | st.text(
    "`|<>\\&*_[]()!~$#ab: -\n\x1b", max_size=30
)


def cell(markdown: str) -> str:
    """What a reader sees in a table's cell, and nothing but text may stand in it."""
    rendered = MARKDOWN.render(f"| h | i |\n| --- | --- |\n| {markdown} | end |\n")
    found = re.search(r"<tbody>\s*<tr>\s*<td>(.*?)</td>\s*<td>end</td>\s*</tr>\s*</tbody>", rendered, re.DOTALL)
    assert found, rendered
    inner = re.sub(r"^<code>(.*)</code>$", r"\1", found[1], flags=re.DOTALL)
    assert "<" not in inner, rendered
    return html.unescape(inner)


@given(TEXTS)
def test_a_reader_sees_the_text(text: str) -> None:
    shown = printable(text).strip()
    assert cell(plain(text)).strip() == shown
    assert cell(code(text)).strip() == shown


@pytest.mark.parametrize("text", ["x <!-- /results -->", "<!-- results:an4 -->", "a|b", "a\n| b |", "`", "``a` b```"])
def test_marks_and_cells_cannot_be_forged(text: str) -> None:
    for markdown in (plain(text), code(text)):
        assert "<!--" not in markdown
        assert "|" not in markdown
        assert "\n" not in markdown
        assert cell(markdown) == printable(text)


def test_what_needs_no_escape_stays_readable() -> None:
    assert code("model/cell=gru_before,lr=[1e-3]") == "`model/cell=gru_before,lr=[1e-3]`"
    assert plain("adult_male, 3 %") == "adult_male, 3 %"
