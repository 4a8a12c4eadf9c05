"""Lines of ink by hands of the embedded pen corpus, for pages that are composed in tests."""

from __future__ import annotations

import pytest

from asr.seeds import generator
from tests.ink.composed_pages import Written

TEXTS = (
    "the quick brown fox jumps",
    "over my lazy dog",
    "nine",
    "it rains again tonight",
    "I",
    "bring two apples and some bread please",
    "of all the gin joints in all the towns",
    "yes",
    "happy days are gone",
    "pack my box with five dozen jugs",
    "a",
    "we shall see what they say",
)


def synthetic_lines(style: str = "print", seed: int = 1) -> list[Written]:
    """Twelve lines by one hand; the test is skipped where the fonts are not installed."""
    pytest.importorskip("HersheyFonts", reason="the package Hershey-Fonts holds the letters")
    from data_prep.hershey.hand import Writing, hand

    writing = Writing(hand(f"page {style}", seed, style))
    return [Written(writing.write(text, generator(seed, "line", text)), text) for text in TEXTS]
