"""One item to recognise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Utterance:
    """A recording or a line of ink with its transcript: one line of a manifest.

    Attributes:
        id: unique in its corpus, no whitespace.
        source: absolute path of the file that holds it.
        kind: what the source is.
        start: seconds from the start of the file where a segment begins; None for the whole file.
        duration: seconds (audio) or points (ink); None where it is not known yet.
        channel: 0-based channel of the file; None where the file has only one.
        text: the transcript as words.
        labels: the transcript as labels (phonemes), where the corpus has them.
        speaker: speaker or writer; None where it is not known.
        tags: anything else worth keeping.
    """

    id: str
    source: Path
    kind: Literal["audio", "ink"] = "audio"
    start: float | None = None
    duration: float | None = None
    channel: int | None = None
    text: str | None = None
    labels: tuple[str, ...] | None = None
    speaker: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
