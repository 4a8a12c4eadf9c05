"""Pages cut into lines."""

from asr.ink.layout.analysis import analyse
from asr.ink.layout.types import KINDS, Doubt, Layout, Line, Mark

__all__ = ["KINDS", "Doubt", "Layout", "Line", "Mark", "analyse"]
