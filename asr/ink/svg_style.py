"""Decide which elements of a drawing are visible, from attributes, `style` attributes and style sheets (CSS 2.1).

Supported properties are `display`, `visibility`, `opacity`, `stroke-opacity`, `fill`, `fill-opacity`, `stroke` and
`stroke-width`, inherited as in SVG. Supported selectors are types, `*`, `.class`, `#id`, their combinations (`g.old`),
lists, descendants (`g path`) and children (`g > path`). Rules with other selectors (attributes, pseudo-classes,
siblings) and rules inside `@media` are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from asr.ink.xml import Element

MAX_STEPS = 5_000_000  # of matching selectors with the elements of one drawing

_PROPERTIES = frozenset(
    ("display", "visibility", "opacity", "stroke-opacity", "fill", "fill-opacity", "stroke", "stroke-width")
)
_INVISIBLE = 1 / 255  # a lower opacity shows nothing on a screen
_MARK = re.compile(r"[;{}]")
_COMPOUND = re.compile(r"(\*|[\w-]+)?((?:[.#][\w-]+)*)")
_LONGEST = 1 << 20  # characters of the style sheets of a drawing that are read


class TooManySteps(Exception):  # noqa: N818  (becomes an error that names the file)
    """Raised if the style sheets take too long to apply."""


class Compound(NamedTuple):
    """A compound selector: the type (None for any), the id (None for any) and the classes of one element."""

    type: str | None
    id: str | None
    classes: frozenset[str]

    def fits(self, element: Element, classes: frozenset[str]) -> bool:
        """Return whether an element with these classes matches."""
        return (
            (self.type is None or self.type == element.name)
            and (self.id is None or self.id == element.attributes.get("id"))
            and self.classes <= classes
        )


class Selector(NamedTuple):
    """A selector: the element's own compound, then pairs `(" " or ">", compound)` for ancestors, innermost first."""

    own: Compound
    around: tuple[tuple[str, Compound], ...]


class Rule(NamedTuple):
    """Declarations for the elements that a selector matches; of two with equal weight the later wins."""

    weight: tuple[int, int, int, int]  # ids, classes, types, place in the sheets
    important: bool
    selector: Selector
    declarations: Mapping[str, str]


@dataclass(frozen=True)
class Shown:
    """The style of an element.

    Attributes:
        values: the inherited properties.
        opacity: product of its own opacity and those of the groups around it.
        displayed: False if it or a group around it has `display: none`.
        classes: its classes; empty if there are no style sheets.
        parent: the group around it with its style, for selectors.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    opacity: float = 1.0
    displayed: bool = True
    classes: frozenset[str] = frozenset()
    parent: tuple[Element, Shown] | None = None

    @property
    def seen(self) -> bool:
        """Return whether elements inside it can be visible."""
        return self.displayed and self.opacity >= _INVISIBLE

    @property
    def visible(self) -> bool:
        """Return whether the element itself is visible."""
        if not self.seen or self.values.get("visibility", "visible") != "visible":
            return False
        no_line = _number(self.values.get("stroke-opacity", "1")) < _INVISIBLE
        fill = self.values.get("fill", "black")
        no_area = fill in ("none", "transparent") or _number(self.values.get("fill-opacity", "1")) < _INVISIBLE
        return not (no_line and no_area)

    @property
    def pen(self) -> tuple[str, str, float]:
        """Colour, width and opacity of its line, which are the same for all strokes of one pen."""
        values = self.values
        opacity = self.opacity * _number(values.get("stroke-opacity", "1"))
        return values.get("stroke", ""), values.get("stroke-width", ""), opacity


class Styles:
    """The style sheets of a drawing.

    Args:
        root: root element of the drawing; each `style` element applies to the whole drawing.
    """

    def __init__(self, root: Element) -> None:
        self._by_key: dict[str, list[Rule]] = {}  # by #id, .class or type of the selector's own compound
        self._steps = 0
        texts = [one.text for one in root.everything() if one.name == "style"]
        for rule in _rules("\n".join(texts)[:_LONGEST]):
            own = rule.selector.own
            key = f"#{own.id}" if own.id else f".{min(own.classes)}" if own.classes else own.type or "*"
            self._by_key.setdefault(key, []).append(rule)

    def shown(self, element: Element, parent: tuple[Element, Shown] | None) -> Shown:
        """Return the style of an element.

        Args:
            element: the element.
            parent: the group around it with its style; None for the root.

        Raises:
            TooManySteps: the style sheets are too large for the number of elements.
        """
        around = Shown() if parent is None else parent[1]
        if not self._by_key and "style" not in element.attributes and _PROPERTIES.isdisjoint(element.attributes):
            return around
        classes = frozenset(element.attributes.get("class", "").split()) if self._by_key else frozenset()
        of_sheets, important = self._of_sheets(element, classes, parent) if self._by_key else ({}, {})
        of_style, more_important = _declarations(element.attributes.get("style", ""))
        own = {key: value.strip().lower() for key, value in element.attributes.items() if key in _PROPERTIES}
        own = {**own, **of_sheets, **of_style, **important, **more_important}
        own = {key: value for key, value in own.items() if value != "inherit"}
        displayed = around.displayed and own.pop("display", "") != "none"
        opacity = around.opacity * _number(own.pop("opacity", "1"))
        return Shown({**around.values, **own} if own else around.values, opacity, displayed, classes, parent)

    def _of_sheets(
        self, element: Element, classes: frozenset[str], parent: tuple[Element, Shown] | None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the declarations of the matching rules: the normal ones, and the `!important` ones."""
        keys = ["*", element.name, f"#{element.attributes.get('id', '')}", *(f".{name}" for name in classes)]
        candidates = [rule for key in keys for rule in self._by_key.get(key, ())]
        self._count(len(keys) + len(candidates))
        found = [
            rule
            for rule in candidates
            if rule.selector.own.fits(element, classes) and self._ancestors_match(rule.selector.around, parent)
        ]
        plain: dict[str, str] = {}
        important: dict[str, str] = {}
        for rule in sorted(found, key=lambda rule: rule.weight):
            (important if rule.important else plain).update(rule.declarations)
        return plain, important

    def _ancestors_match(self, around: tuple[tuple[str, Compound], ...], parent: tuple[Element, Shown] | None) -> bool:
        """Return whether the groups around an element match the rest of a selector, from the innermost outwards."""
        if not around:
            return True
        (relation, compound), further = around[0], around[1:]
        while parent is not None:
            self._count(1)
            group, shown = parent
            if compound.fits(group, shown.classes) and self._ancestors_match(further, shown.parent):
                return True
            parent = None if relation == ">" else shown.parent
        return False

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise TooManySteps


def _number(text: str) -> float:
    """Parse an opacity; 1 if it cannot be read."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return 1.0
    return min(max(value, 0.0), 1.0) if value == value else 1.0


def _without_comments(text: str) -> str:
    kept, *rest = text.replace("<!--", " ").replace("-->", " ").split("/*")
    return kept + "".join(f" {part.partition('*/')[2]}" for part in rest)


def _rules(text: str) -> Iterator[Rule]:
    """Yield the rules of a style sheet that set a supported property."""
    for place, (selectors, body) in enumerate(_blocks(_without_comments(text))):
        plain, important = _declarations(body)
        for written in selectors.split(",") if plain or important else ():
            selector = _selector(written)
            if selector is None:
                continue
            compounds = [selector.own, *(one for _, one in selector.around)]
            ids = sum(one.id is not None for one in compounds)
            classes, types = sum(len(one.classes) for one in compounds), sum(one.type is not None for one in compounds)
            for declarations, is_important in ((plain, False), (important, True)):
                if declarations:
                    yield Rule((ids, classes, types, place), is_important, selector, declarations)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield selectors and body of each top-level rule; nested blocks (`@media`) are skipped."""
    depth, begin, end, selectors, nested = 0, 0, 0, "", False
    for match in _MARK.finditer(text):
        before, end, mark = text[end : match.start()], match.end(), match[0]
        if mark == "{":
            depth += 1
            if depth == 1:
                selectors, begin, nested = before.strip(), end, False
            nested = nested or depth > 1
        elif mark == "}" and depth > 0:
            depth -= 1
            if depth == 0 and not nested and selectors and not selectors.startswith("@"):
                yield selectors, text[begin : match.end() - 1]


def _declarations(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the supported properties of a rule's body or a `style` attribute: normal ones, and `!important` ones."""
    plain: dict[str, str] = {}
    important: dict[str, str] = {}
    for part in _without_comments(text).split(";") if text else ():
        name, _, value = part.partition(":")
        name = name.strip().lower()
        if name in _PROPERTIES:
            value, mark, _ = value.lower().partition("!")
            (important if mark else plain)[name] = value.strip()
    return plain, important


def _selector(written: str) -> Selector | None:
    """Parse a selector; return None if it is not supported."""
    compounds: list[Compound] = []
    relations: list[str] = []
    relation = ""
    for word in written.replace(">", " > ").split():
        if word == ">":
            relation = ">"
            continue
        match = _COMPOUND.fullmatch(word)
        if match is None:
            return None
        if compounds:
            relations.append(relation or " ")
        compounds.append(_compound(match[1], match[2]))
        relation = ""
    if not compounds or relation:
        return None
    around = tuple(zip(reversed(relations), reversed(compounds[:-1]), strict=True))
    return Selector(compounds[-1], around)


def _compound(name: str | None, rest: str) -> Compound:
    marks = re.findall(r"([.#])([\w-]+)", rest)
    ids: Iterable[str] = (value for mark, value in marks if mark == "#")
    classes = frozenset(value for mark, value in marks if mark == ".")
    return Compound(None if name in (None, "*") else name, next(iter(ids), None), classes)
