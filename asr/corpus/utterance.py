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
        id: unique within its corpus, without white space.
        source: absolute path of the audio or ink file.
        kind: whether `source` holds audio or ink.
        start: where the segment begins, in seconds from the start of the file; None for the whole file.
        duration: in seconds (audio) or points (ink); None if it is not known yet.
        channel: channel of the file, counted from 0; None if the file has only one.
        text: the transcript as words; None if the corpus has none.
        labels: the transcript as labels (phonemes); None if the corpus has none.
        speaker: the speaker or writer; None if it is not known.
        tags: further properties by name, such as a speaker's dialect.

    >>> digit = Utterance("theo-3", Path("/data/theo-3.wav"), text="three", speaker="theo", tags={"take": "1"})
    >>> digit.kind, digit.text, digit.labels
    ('audio', 'three', None)
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
