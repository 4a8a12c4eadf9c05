"""Pen strokes: the type `Ink`, its file formats, and the layout of pages.

Each name is imported when it is first used, so that a program loads only the formats that it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asr.ink.ink import Ink, Stroke
    from asr.ink.inkml import write_inkml
    from asr.ink.json_ink import write_json
    from asr.ink.layout import Doubt, Layout, Line, Mark, analyse
    from asr.ink.reading import ink_points, read_ink
    from asr.ink.store import read_store, write_store
    from asr.ink.svg import write_svg

__all__ = [
    "Doubt",
    "Ink",
    "Layout",
    "Line",
    "Mark",
    "Stroke",
    "analyse",
    "ink_points",
    "read_ink",
    "read_store",
    "write_inkml",
    "write_json",
    "write_store",
    "write_svg",
]

_MODULES = {
    "ink": ("Ink", "Stroke"),
    "inkml": ("write_inkml",),
    "json_ink": ("write_json",),
    "layout": ("Doubt", "Layout", "Line", "Mark", "analyse"),
    "reading": ("ink_points", "read_ink"),
    "store": ("read_store", "write_store"),
    "svg": ("write_svg",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"asr.ink.{module}"), name)
    raise AttributeError(f"module 'asr.ink' has no attribute {name!r}")
