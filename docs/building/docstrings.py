"""Docstrings as Sphinx reads them: the project writes them in Markdown, with Google's sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sphinx.ext.napoleon import Config, GoogleDocstring

_CODE = re.compile(r"(`+[^`]+`+)")
_LIST = re.compile(r"\s*([-*]|\d+\.) ")
_MARKS = re.compile(r"(?P<kept>\*\*[^*]+\*\*|(?<!\w)\*[^*\s][^*]*(?<!\s)\*(?!\w))|[*|]")
_ARRAY = re.compile(
    r"~?numpy\.ndarray\[tuple\[~?(?:typing\.)?Any, \.\.\.\], ~?numpy\.dtype\[~?(?:numpy\.|typing\.)?(\w+)\]\]"
)
_OURS = re.compile(r"(?:asr|data_prep)(?:\.\w+)+")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_STYLE = Config(napoleon_google_docstring=True, napoleon_numpy_docstring=False, napoleon_use_ivar=True)


def as_restructured_text(lines: Sequence[str], what: str) -> list[str]:
    """Return a docstring in reStructuredText.

    Args:
        lines: of the docstring, without the indentation that all of them share.
        what: `module`, `class`, `attribute` and so on, as autodoc has it.
    """
    text = "\n".join(_blocks(lines))
    # An attribute's docstring is a sentence here, not `type: sentence`.
    kind = "object" if what in ("attribute", "data", "property") else what
    return str(GoogleDocstring(text, _STYLE, what=kind)).splitlines()


def readable_signature(signature: str | None, what: str) -> str | None:
    """Return the signature of an object, or the type that it returns, with arrays as the source writes them.

    A protocol is never called, so it has no parameters.

    >>> readable_signature("(x: ~numpy.ndarray[tuple[~typing.Any, ...], ~numpy.dtype[~numpy.float32]])", "function")
    '(x: NDArray[float32])'
    """
    if what == "class" and signature == "(*args, **kwargs)":
        return ""
    return None if signature is None else _ARRAY.sub(r"NDArray[\1]", signature)


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines with tables, blocks of code and lists as reStructuredText has them."""
    number, above = 0, ""
    while number < len(lines):
        line = lines[number]
        if _ROW.fullmatch(line):
            end = _end(lines, number, lambda one: _ROW.fullmatch(one) is not None)
            yield from ("", *_table(lines[number:end]), "")
            number = end
            continue
        blank_before = number == 0 or not lines[number - 1].strip()
        if line.startswith("    ") and blank_before and above and not above.startswith(" ") and not _LIST.match(above):
            end = _end(lines, number, lambda one: not one.strip() or one.startswith("    "))
            yield from ("::", "", *lines[number:end], "")
            number = end
            continue
        if _LIST.match(line) and above and not blank_before and not _LIST.match(above) and _is_outer(line, above):
            yield ""
        yield line if line.lstrip().startswith(">>>") else _escaped(line)
        above = line if line.strip() else above
        number += 1


def _is_outer(line: str, above: str) -> bool:
    """Return whether a list begins at the indentation of the paragraph above it."""
    return len(line) - len(line.lstrip()) == len(above) - len(above.lstrip())


def _end(lines: Sequence[str], start: int, belongs: object) -> int:
    assert callable(belongs)
    return next((number for number in range(start, len(lines)) if not belongs(lines[number])), len(lines))


def _table(rows: Sequence[str]) -> Iterator[str]:
    """Yield a Markdown table as a `list-table`."""
    indent = " " * (len(rows[0]) - len(rows[0].lstrip()))
    cells = [[_escaped(cell.strip()) for cell in row.strip().strip("|").split("|")] for row in rows]
    yield f"{indent}.. list-table::"
    yield f"{indent}   :header-rows: 1"
    yield ""
    for row in [cells[0], *cells[2:]]:
        for number, cell in enumerate(row):
            yield f"{indent}   {'* -' if number == 0 else '  -'} {cell}"
    yield ""


def _escaped(line: str) -> str:
    """Return a line in which bars and asterisks outside of code mean themselves, but for those of emphasis.

    Code is literal, backslashes included; a dotted name of this package becomes a link where it leads somewhere.
    """
    parts = _CODE.split(line)
    parts[::2] = [_MARKS.sub(lambda found: found["kept"] or "\\" + found[0], part) for part in parts[::2]]
    parts[1::2] = [_literal(part.strip("`").strip()) for part in parts[1::2]]
    return "".join(parts)


def _literal(code: str) -> str:
    return f":py:obj:`{code}`" if _OURS.fullmatch(code) else f"``{code}``"
