"""Write alignments of recordings for Praat, ELAN and Audacity.

JSON and ctm are in `asr.recogniser.formats`, SubRip is in `asr.recogniser.subtitles`. Every function yields lines
without line ends. A file has the tiers `words` and `labels`; if the transcript consists of phonemes without words, it
has `labels` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from asr.decoding.hypothesis import Hypothesis, Span
from asr.printable import printable

_ELAN_TYPES = {".wav": "audio/x-wav", ".mp3": "audio/mpeg", ".flac": "audio/flac", ".ogg": "audio/ogg"}


@dataclass(frozen=True)
class Tier:
    """A named sequence of spans, in order, without overlap and without spaces."""

    name: str
    spans: Sequence[Span]


def tiers_of(found: Hypothesis, has_words: bool) -> list[Tier]:
    """Return the tiers of an alignment: `labels` and, if the transcript has words, `words` before it."""
    labels = Tier("labels", [span for span in found.spans if not span.label.isspace()])
    return [Tier("words", found.words), labels] if has_words else [labels]


def textgrid_lines(tiers: Sequence[Tier], seconds: float) -> Iterator[str]:
    """Yield a TextGrid of Praat in the long form; intervals between spans are empty.

    https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html

    Args:
        tiers: the tiers of the file.
        seconds: the duration of the recording.
    """
    end = max([seconds, *(span.end for tier in tiers for span in tier.spans)])
    yield from ('File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end:.6f}")
    yield from ("tiers? <exists>", f"size = {len(tiers)}", "item []:")
    for number, tier in enumerate(tiers, start=1):
        intervals = list(_intervals(tier.spans, end))
        yield from (f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{tier.name}"')
        yield from ("        xmin = 0", f"        xmax = {end:.6f}", f"        intervals: size = {len(intervals)}")
        for index, (first, last, label) in enumerate(intervals, start=1):
            text = printable(label).replace('"', '""')
            yield f"        intervals [{index}]:"
            yield from (f"            xmin = {first:.6f}", f"            xmax = {last:.6f}")
            yield f'            text = "{text}"'


def _intervals(spans: Sequence[Span], end: float) -> Iterator[tuple[float, float, str]]:
    """Yield consecutive intervals from 0 to the end, with empty ones between the spans."""
    at = 0.0
    for span in spans:
        if span.start > at:
            yield at, span.start, ""
        yield max(span.start, at), span.end, span.label
        at = span.end
    if end > at:
        yield at, end, ""


def eaf_lines(tiers: Sequence[Tier], address: str, suffix: str) -> Iterator[str]:
    """Yield an annotation document of ELAN, format 3.0, with times in milliseconds.

    https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf

    Args:
        tiers: the tiers of the file.
        address: the URL of the recording.
        suffix: the suffix of the recording's name, such as `.wav`.
    """
    kind = _ELAN_TYPES.get(suffix.lower(), "unknown")
    placed = [(tier, list(_milliseconds(tier.spans))) for tier in tiers]
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        '<ANNOTATION_DOCUMENT AUTHOR="" DATE="1970-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">'
    )
    yield '  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">'
    yield f'    <MEDIA_DESCRIPTOR MEDIA_URL={quoteattr(printable(address))} MIME_TYPE="{kind}"/>'
    yield "  </HEADER>"
    yield "  <TIME_ORDER>"
    values = [value for _, times in placed for span in times for value in span]
    for slot, value in enumerate(values, start=1):
        yield f'    <TIME_SLOT TIME_SLOT_ID="ts{slot}" TIME_VALUE="{value}"/>'
    yield "  </TIME_ORDER>"
    number = 0
    for tier, _ in placed:
        yield f'  <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="{tier.name}">'
        for span in tier.spans:
            number += 1
            slots = f'TIME_SLOT_REF1="ts{2 * number - 1}" TIME_SLOT_REF2="ts{2 * number}"'
            yield f'    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}" {slots}>'
            yield f"      <ANNOTATION_VALUE>{escape(printable(span.label))}</ANNOTATION_VALUE>"
            yield "    </ALIGNABLE_ANNOTATION></ANNOTATION>"
        yield "  </TIER>"
    yield '  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>'
    yield "</ANNOTATION_DOCUMENT>"


def _milliseconds(spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Yield start and end of each span in milliseconds, without overlap; each lasts at least one."""
    at = 0
    for span in spans:
        start = max(at, round(1000 * span.start))
        at = max(start + 1, round(1000 * span.end))
        yield start, at


def audacity_lines(spans: Sequence[Span]) -> Iterator[str]:
    """Return a label track of Audacity: start and end in seconds and the text, with tabs between them.

    https://manual.audacityteam.org/man/importing_and_exporting_labels.html

    >>> list(audacity_lines([Span("TWO", 0.25, 0.5, 0.9)]))
    ['0.250000\\t0.500000\\tTWO']
    """
    return (f"{span.start:.6f}\t{span.end:.6f}\t{printable(span.label)}" for span in spans)
