"""The fields of a dataclass as its source states them: type, default, and what is written about each."""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
import tokenize
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from asr.config import TARGET, shown

_SECTION = re.compile(r"^ *Attributes:\n(?P<body>(?: +.*\n|\n)*)", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^(?P<indent> +)(?P<names>\w+(?:, \w+)*): (?P<text>.*(?:\n(?P=indent) +.*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Option:
    """A field of a configuration.

    Attributes:
        name: of the field.
        kind: its type, as Python writes it.
        default: its default as on a command line; empty where there is none.
        meaning: what its class says about it, in Markdown.
    """

    name: str
    kind: str
    default: str
    meaning: str


def options_of(node: type[Any]) -> list[Option]:
    """Return the fields of a dataclass, without the one that names the class to build."""
    meanings = meanings_of(node)
    return [
        Option(one.name, _kind(one), _default(one), meanings.get(one.name, ""))
        for one in fields(node)
        if one.name != TARGET
    ]


def meanings_of(node: type[Any]) -> dict[str, str]:
    """Return what is written about each field of a class and of its bases.

    It stands in the section `Attributes:` of the docstring, in the metadata, in a comment on the field's line, or in
    a text below it.
    """
    found: dict[str, str] = {}
    for one in reversed([base for base in node.__mro__ if "__dataclass_fields__" in vars(base)]):
        found |= _in_source(one) | _in_docstring(one.__doc__ or "")
    return found | {one.name: one.metadata["help"] for one in fields(node) if "help" in one.metadata}


def _in_docstring(docstring: str) -> dict[str, str]:
    section = _SECTION.search(inspect.cleandoc(docstring) + "\n")
    found: dict[str, str] = {}
    for one in _ATTRIBUTE.finditer(section["body"] if section else ""):
        found |= dict.fromkeys(one["names"].split(", "), _one_line(one["text"]))
    return found


def _in_source(node: type[Any]) -> dict[str, str]:
    source = textwrap.dedent(inspect.getsource(node))
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for one, below in zip(definition.body, [*definition.body[1:], ast.Pass()], strict=True):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            text = _text(below) or " ".join(
                comments[line] for line in range(one.lineno, (one.end_lineno or one.lineno) + 1) if line in comments
            )
            found |= {one.target.id: _one_line(text)} if text else {}
    return found


def _text(statement: ast.stmt) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _kind(one: Field[Any]) -> str:
    return f"`{one.type if isinstance(one.type, str) else one.type.__name__}`"


def _default(one: Field[Any]) -> str:
    if one.default is not MISSING:
        return shown(one.default)
    if one.default_factory is MISSING:
        return ""
    value = one.default_factory()
    if isinstance(value, dict):
        return "{}"
    return shown(value) if isinstance(value, (list, tuple)) else ""
