"""The messages that docs/questions.md quotes in its text are those of the program.

`test_commands.py` compares the messages in blocks of output; this test compares those in headings, tables and
sentences.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/questions.md"
NO_MESSAGES = {"probably right"}
"""Quotations that are not messages."""

_VALUES = re.compile(r"\.\.\.|\d+|\(\[\w+\]\)|torch|pip install 'ctc-asr\[train\]'")
"""The parts of a message that depend on the case; `...` stands for any."""


def quoted(page: str) -> list[str]:
    r"""Return the quotations of a page, without its blocks of code and its code in lines.

    >>> quoted('### "has 2 channels"\n\n`x "y"` and "a\nb"\n')
    ['has 2 channels', 'a b']
    """
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page, flags=re.S | re.M)
    found = [" ".join(one.split()) for one in re.findall(r'"([^"]+)"', text)]
    return [one for one in found if one not in NO_MESSAGES]


def fixed_parts(message: str) -> list[str]:
    """Return the parts of a message that are the same in every case.

    >>> fixed_parts("speaker ... has 2 channels")
    ['speaker', 'has', 'channels']
    """
    return [one.strip() for one in _VALUES.split(message) if one.strip(" ,;")]


def messages(source: str) -> list[str]:
    r"""Return the texts of a module that are not docstrings; a line break stands for each inserted value.

    >>> messages("'''Doc.'''\nx = f'has {n} ' 'channels'")
    ['has \n channels']
    """
    found: list[str] = []
    inner: set[int] = set()
    for node in ast.walk(ast.parse(source)):  # parents come before their children
        if isinstance(node, ast.Expr):
            inner.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            inner |= {id(one) for one in node.values}
            found.append("".join(str(one.value) if isinstance(one, ast.Constant) else "\n" for one in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            found.append(node.value)
    return found


@pytest.fixture(scope="module")
def sources() -> list[str]:
    paths = [path for folder in ("asr", "data_prep") for path in sorted((ROOT / folder).rglob("*.py"))]
    return [one for path in paths for one in messages(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("message", quoted((ROOT / PAGE).read_text(encoding="utf-8")))
def test_a_quoted_message_is_one_of_the_program(message: str, sources: list[str]) -> None:
    parts = fixed_parts(message)
    assert parts
    assert any(all(part in one for part in parts) for one in sources), f"no message has {parts}"


def test_messages_are_quoted_and_found(sources: list[str]) -> None:
    assert len(quoted((ROOT / PAGE).read_text(encoding="utf-8"))) > 10
    assert not any("holds a run with another configuration" in one for one in sources)
