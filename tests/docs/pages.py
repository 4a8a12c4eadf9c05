"""The code blocks of a page of documentation, and the statements of a shell block.

A page is plain Markdown. Comments in front of a block say what a test does with it:

| comment | meaning |
|---|---|
| `<!-- not run: REASON -->` | the block is not run |
| `<!-- file: NAME -->` | the block is written to this file instead |
| `<!-- output varies: REASON -->` | the output that the page shows here is not compared |
| `<!-- fails -->` | the block's last command must end with an error |
| `<!-- given: NAME, NAME -->` | anywhere: the only files that a reader is expected to have before the first block |
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RUN = ("bash", "sh", "console", "python")
"""Languages of blocks that are run."""

OUTPUT = ("text", "json")
"""Languages of blocks that show the output of the block before them."""

LEFT_OUT = {"_build", "reference", "results", "experiments"}
"""Folders of docs/ whose commands are not run.

`_build` is written by the build. `reference` and `results` hold no commands, and some of their pages are written by the
build. The commands of `experiments` take days; `test_training_lines.py` composes their configurations.
"""

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>```+)(?P<language>[\w{}-]*)[^\n`]*$")
_COMMENT = re.compile(r"<!--\s*(not run|file|output varies|given|fails):?\s*(.*?)\s*-->", re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: number of its first line in the page.
        language: the word behind the fence; empty where there is none.
        text: the lines between the fences.
        mark: `not run`, `file`, `output varies` or `fails`; empty where no comment stands in front of it.
        value: what the comment says.
    """

    line: int
    language: str
    text: str
    mark: str = ""
    value: str = ""


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    lines, found, before, at = page.split("\n"), [], "", 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if not fence:
            before = lines[at] if lines[at].strip() else before
            at += 1
            continue
        end = next(n for n in range(at + 1, len(lines)) if lines[n].strip() == fence["ticks"])
        text = "\n".join(line.removeprefix(fence["indent"]) for line in lines[at + 1 : end])
        comment = _COMMENT.fullmatch(before.strip())
        found.append(Block(at + 1, fence["language"], text + "\n", *(comment.groups() if comment else ("", ""))))
        at, before = end + 1, ""
    return found


def given(page: str) -> list[str] | None:
    """Return the files that a page names as given; None where it names none."""
    for mark, value in _COMMENT.findall(page):
        if mark == "given":
            return [name.strip() for name in value.split(",") if name.strip()]
    return None


def statements(text: str) -> Iterator[str]:
    """Yield the commands of a shell block: continued lines joined, here-documents whole, comments left out.

    >>> list(statements("# first\\nasr-train \\\\\\n  a=1  # one\\ncat <<END\\nx\\nEND\\n"))
    ['asr-train   a=1', 'cat <<END\\nx\\nEND']
    """
    lines = iter(text.splitlines())
    for line in lines:
        while line.endswith("\\"):
            line = line[:-1] + next(lines)
        here = re.search(r"<<-?\s*['\"]?(\w+)['\"]?", line)
        if here:
            body = [line]
            while body[-1].strip() != here[1]:
                body.append(next(lines))
            yield "\n".join(body)
            continue
        line = without_comment(line).strip()
        if line:
            yield line


def without_comment(line: str) -> str:
    """Return a line of a shell script without the comment at its end.

    >>> without_comment("echo '# no' # yes")
    "echo '# no' "
    """
    quote = ""
    for at, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line


def console(text: str) -> Iterator[tuple[str, str]]:
    """Yield the commands behind `$ ` of a console block, each with the output below it."""
    command, output = "", []  # type: str, list[str]
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, "\n".join(output)
            command, output = without_comment(line[2:]).strip(), []
        else:
            output.append(line)
    if command:
        yield command, "\n".join(output)


def pages(root: Path) -> list[Path]:
    """Return the pages whose commands are run, relative to the checkout."""
    found = [path.relative_to(root) for path in sorted((root / "docs").rglob("*.md"))]
    return [Path("README.md"), *(path for path in found if not LEFT_OUT & set(path.parts))]
