"""Parse XML from untrusted sources: without document type definitions and own entities, with limits of size and depth.

Namespace prefixes are removed from names: `inkml:trace` becomes `trace`, `xml:id` becomes `id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from asr.errors import DataError

MAX_DEPTH = 500  # of nested elements
MAX_ELEMENTS = 1_000_000
MAX_ATTRIBUTES = 4_000_000  # of all elements
MAX_OWN_ATTRIBUTES = 1000  # of one element
_SVG_DTD = re.compile(r"-//W3C//DTD SVG [0-9.]+( Tiny| Basic)?//EN")  # old drawing programs name it; never fetched


@dataclass
class Element:
    """One element of a parsed file.

    Attributes:
        name: its name without prefix.
        attributes: values by name without prefix.
        line: line of the file where it begins, from 1.
        text: its character data, without that of its children.
        children: its child elements in the order of the file.
    """

    __slots__ = ("attributes", "children", "line", "name", "text")

    name: str
    attributes: Mapping[str, str]
    line: int
    text: str
    children: list[Element]

    def all(self, name: str) -> list[Element]:
        """Return the children of this name."""
        return [child for child in self.children if child.name == name]

    def everything(self) -> Iterator[Element]:
        """Iterate over this element and all elements inside it, in the order of the file."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


def parse_xml(path: Path, content: bytes) -> Element:
    """Parse a file and return its root element; the memory needed is about 30 times the size of the file.

    Args:
        path: the file, for error messages.
        content: its bytes.

    Raises:
        DataError: the XML is not well-formed or truncated, declares a DTD or entities, is nested too deeply or has too
            many elements; names file and line.

    >>> root = parse_xml(Path("a.inkml"), b"<ink><trace id='t0'>1 2, 3 4</trace></ink>")
    >>> root.name, root.children[0].text, root.children[0].attributes
    ('ink', '1 2, 3 4', {'id': 't0'})
    """
    builder = _Builder(path)
    if b"<!ENTITY" in content.replace(b"\0", b""):  # before the parser expands any; UTF-16 has zeros in between
        raise DataError(f"{path}: declares entities (<!ENTITY), which are not allowed; save it without them")
    if content.count(b"=") > MAX_ATTRIBUTES:  # before the parser stores all attributes of an element
        raise DataError(f"{path}: more than {MAX_ATTRIBUTES} attributes; cut it into pages")
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        raise DataError(
            f"{path}: line {error.lineno}: not well-formed XML: {expat.ErrorString(error.code)}; was it cut or edited?"
        ) from None
    except (LookupError, ValueError) as error:  # the encoding is unknown to Python, or has several bytes
        raise DataError(f"{path}: its encoding cannot be read: {error}; save it as UTF-8") from None
    if builder.root is None:
        raise DataError(f"{path}: holds no XML element; was it cut?")
    return builder.root


@dataclass
class _Builder:
    """Builder of the tree of elements from the parser's events."""

    path: Path
    root: Element | None = None
    open: list[tuple[Element, list[str]]] = field(default_factory=list)
    n_elements: int = 0

    def __post_init__(self) -> None:
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.StartDoctypeDeclHandler = self.doctype
        parser.SkippedEntityHandler = lambda name, _: self.refuse(f"uses the undeclared entity &{name[:60]};")

    def refuse(self, what: str) -> NoReturn:
        raise DataError(
            f"{self.path}: line {self.parser.CurrentLineNumber}: {what}, which is not allowed; save it without"
        )

    def doctype(self, name: str, system: str | None, public: str | None, has_subset: int) -> None:
        if has_subset or name != "svg" or not _SVG_DTD.fullmatch(public or ""):
            self.refuse("has a document type definition (DOCTYPE)")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.n_elements += 1
        if len(self.open) >= MAX_DEPTH:
            self.refuse(f"nests more than {MAX_DEPTH} elements")
        if self.n_elements > MAX_ELEMENTS:
            self.refuse(f"has more than {MAX_ELEMENTS} elements")
        if len(attributes) > MAX_OWN_ATTRIBUTES:
            self.refuse(f"has an element with more than {MAX_OWN_ATTRIBUTES} attributes")
        if any(":" in key for key in attributes):
            attributes = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        element = Element(name.rpartition(":")[2], attributes, self.parser.CurrentLineNumber, "", [])
        if self.open:
            self.open[-1][0].children.append(element)
        else:
            self.root = element
        self.open.append((element, []))

    def characters(self, text: str) -> None:
        if self.open:
            self.open[-1][1].append(text)

    def end(self, name: str) -> None:
        element, texts = self.open.pop()
        element.text = "".join(texts)
