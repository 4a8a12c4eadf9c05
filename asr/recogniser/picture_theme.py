"""Colours of pictures on a light or a dark page, and the SVG elements that several pictures share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asr.config import nearest
from asr.errors import ConfigError
from asr.printable import printable
from asr.recogniser.page_picture import escaped

TEXT = 17.0
"""Height of letters in units of the picture."""

_MOST_CHARACTERS = 80  # of one text


@dataclass(frozen=True)
class Theme:
    """The colours of a picture.

    Attributes:
        paper: the background.
        ink: texts.
        faint: lines and marks behind the content.
        colours: given to words or letters in turns.
    """

    paper: str
    ink: str
    faint: str
    colours: tuple[str, ...]

    def colour(self, number: int) -> str:
        """Return the colour of the word or letter with this number."""
        return self.colours[number % len(self.colours)]


THEMES = {
    "light": Theme("#ffffff", "#1f2328", "#c4cad1", ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#bf3989")),
    "dark": Theme("#0d1117", "#e6edf3", "#3d444d", ("#58a6ff", "#f0883e", "#3fb950", "#bc8cff", "#f778ba")),
}


def theme_of(name: str) -> Theme:
    """Return the theme of a name.

    Raises:
        ConfigError: there is no such theme.
    """
    if name not in THEMES:
        raise ConfigError(f"there is no theme '{printable(name)}'{nearest(name, THEMES)}; expected {', '.join(THEMES)}")
    return THEMES[name]


def framed(content: Iterator[str], width: float, height: float, title: str, theme: Theme) -> Iterator[str]:
    """Yield the lines of an SVG file: its frame, its background and the content."""
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}"'
        f' width="{number(width)}" height="{number(height)}" font-family="sans-serif" font-size="{number(TEXT)}">'
    )
    yield f"<title>{escaped(title)}</title>"
    yield f'<rect width="100%" height="100%" fill="{theme.paper}"/>'
    yield from content
    yield "</svg>"


def text(content: str, x: float, y: float, colour: str, anchor: str = "middle") -> str:
    """Return the element of a text whose base line is at y; long texts are cut."""
    shown = content if len(content) <= _MOST_CHARACTERS else content[: _MOST_CHARACTERS - 1] + "\u2026"
    place = f'x="{number(x)}" y="{number(y)}" fill="{colour}" text-anchor="{anchor}"'
    return f"<text {place}>{escaped(shown)}</text>"


def rectangle(x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> str:
    """Return the element of a filled rectangle."""
    faded = f' opacity="{number(opacity, 2)}"' if opacity < 1.0 else ""
    sides = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect {sides} fill="{colour}"{faded}/>'


def number(value: float, decimals: int = 1) -> str:
    """Return a number without needless zeros.

    >>> number(2.04), number(0.5, 2)
    ('2', '0.5')
    """
    shown = f"{value:.{decimals}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
