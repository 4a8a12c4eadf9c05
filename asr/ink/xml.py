"""XML that cannot do harm: no document type definition, no entities but the five of XML, bounded depth and number.

Namespaces are not looked at: a name is what stands behind its prefix (`inkml:trace` is `trace`, `xml:id` is `id`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from asr.errors import DataError

MAX_DEPTH = 500  # elements within elements
MAX_ELEMENTS = 1_000_000
MAX_ATTRIBUTES = 4_000_000  # of all elements
MAX_OWN_ATTRIBUTES = 1000  # of one element
_SVG_DTD = re.compile(r"-//W3C//DTD SVG [0-9.]+( Tiny| Basic)?//EN")  # an old custom of drawing programs; never fetched


@dataclass
class Element:
    """One element of a parsed file.

    Attributes:
        name: without prefix.
        attributes: by their names without prefix.
        line: where it begins in the file, from 1.
        text: the character data in it, before and between its children.
        children: in the order of the file.
    """

    __slots__ = ("attributes", "children", "line", "name", "text")

    name: str
    attributes: Mapping[str, str]
    line: int
    text: str
    children: list[Element]

    def all(self, name: str) -> list[Element]:
        """The children of this name."""
        return [child for child in self.children if child.name == name]

    def everything(self) -> Iterator[Element]:
        """This element and all within it, in the order of the file."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


def parse_xml(path: Path, content: bytes) -> Element:
    """The root element of a file.

    Args:
        path: for messages.
        content: the file's bytes; their number bounds the memory that parsing takes (some 30 times as much).

    Raises:
        DataError: not well-formed, cut, a DTD or an entity, too deep, too many elements; names file and line.
    """
    builder = _Builder(path)
    if b"<!ENTITY" in content.replace(b"\0", b""):  # before the parser sees any; UTF-16 has zeros in between
        raise DataError(f"{path}: declares entities (<!ENTITY), which is not read from files here; save it without")
    if content.count(b"=") > MAX_ATTRIBUTES:  # before they are all in memory: the parser reports them by element
        raise DataError(f"{path}: more than {MAX_ATTRIBUTES} attributes; cut it into pages")
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        raise DataError(
            f"{path}: line {error.lineno}: not well-formed XML: {expat.ErrorString(error.code)}; was it cut or edited?"
        ) from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know, or of several bytes
        raise DataError(f"{path}: its encoding cannot be read: {error}; save it as UTF-8") from None
    if builder.root is None:
        raise DataError(f"{path}: no XML element in it; was it cut?")
    return builder.root


@dataclass
class _Builder:
    """Puts the tree together from the parser's events."""

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
            f"{self.path}: line {self.parser.CurrentLineNumber}: {what}, which is not read from files here; save it"
            " without"
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
