"""Pen strokes in and out: the `Ink` type and its formats."""

from __future__ import annotations

from asr.ink.ink import Ink, Stroke
from asr.ink.inkml import write_inkml
from asr.ink.json_ink import write_json
from asr.ink.page import Line, cut_lines
from asr.ink.reading import ink_points, read_ink
from asr.ink.store import read_store, write_store
from asr.ink.svg import write_svg

__all__ = [
    "Ink",
    "Line",
    "Stroke",
    "cut_lines",
    "ink_points",
    "read_ink",
    "read_store",
    "write_inkml",
    "write_json",
    "write_store",
    "write_svg",
]
