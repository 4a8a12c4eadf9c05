"""Pen strokes in and out: the `Ink` type and its formats."""

from __future__ import annotations

from asr.ink.ink import Ink, Stroke

__all__ = ["Ink", "Stroke"]
