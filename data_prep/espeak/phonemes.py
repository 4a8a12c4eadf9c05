"""Convert eSpeak NG's phonemes to TIMIT's 61 labels with times.

eSpeak NG reports the sample at which each phoneme's own sound begins. TIMIT labels the closure of a stop separately, so
closures have to be found. For voiceless stops, and voiced ones after a consonant, the closure is the silence before the
event; for voiced stops after a vowel, it is the low voicing between the event and the burst.

The table covers the phonemes of the rhotic English voices `en-us` and `en-gb-scotland`
(https://github.com/espeak-ng/espeak-ng, phsource/ph_english and ph_english_us). It does not use TIMIT's labels `nx`,
`ux`, `hv`, `ax-h` and `epi`, for which eSpeak NG has no separate sounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from asr.errors import DataError
from data_prep.espeak.library import RATE, Phoneme, Speech

ACCENTS = ("en-us", "en-gb-scotland")

_TABLE = """
    p=p t=t t2=t k=k b=b d=d g=g t#=dx ?=q tS=ch dZ=jh
    f=f v=v T=th D=dh s=s z=z S=sh Z=zh h=hh
    m=m n=n N=ng m-=em n-=en N-=eng
    l=l l/=l l/2=l @L=el r=r r-=r r/=r w=w w#=w j=y
    i:=iy i=iy I=ih I2=ix I#=ix I2#=ix E=eh E2=eh a=ae aa=ae a2=ae
    A:=aa A#=aa 0=aa O=ao O2=ao O:=ao V=ah U=uh u:=uw u=uw
    @=ax @2=ax @5=ax @-=ax a#=ax 3=axr 3:=er
    eI=ey e:=ey aI=ay aI2=ay OI=oy aU=aw oU=ow o:=ow
    A@=aa+r O@=ao+r o@=ao+r e@=eh+r i@3=ih+r U@=uh+r IR=ax+r VR=ah+r
    i@=iy+ax aI@=ay+ax aI3=ay+axr aU@=aw+axr
"""
LABELS: dict[str, tuple[str, ...]] = {
    name: tuple(labels.split("+")) for name, labels in (entry.rsplit("=") for entry in _TABLE.split())
}
"""TIMIT labels by eSpeak NG's name without stress marks."""

CLOSURES = {"p": "pcl", "t": "tcl", "k": "kcl", "b": "bcl", "d": "dcl", "g": "gcl", "ch": "tcl", "jh": "dcl"}
"""The closure before the release of each stop and affricate."""

_GLIDE = ";"  # the end of a vowel before another vowel, as in "being"; belongs to the first vowel
_STRESS = "',%=|"
_SHORT_PAUSE_SECONDS = 0.04  # a shorter silence is not heard as a pause
_SHORT_CLOSURE_SECONDS = 0.006
# eSpeak reports a liquid after a vowel too late, near its end; the liquid gets a part of the vowel's time.
_LEAST_SECONDS = {"l": 0.05, "r": 0.05}
_LEAST_SECONDS_OF_OTHERS = 0.005
_LARGEST_SHARE = 0.4  # of the two segments together
_SILENT = 1  # largest sample of the library's silence


@dataclass
class Segment:
    """A label from sample `start` to sample `end`; `position` is the text position of its phoneme."""

    label: str
    start: int
    end: int
    position: int


def segments(speech: Speech) -> list[Segment]:
    """Return the labels of a sentence without gaps, from the first sound to the end of the last, without `h#`.

    Raises:
        DataError: a phoneme is not in the table.
    """
    phonemes, end_of_last = _sounds(speech)
    ends = [*(phoneme.sample for phoneme in phonemes[1:]), end_of_last]
    found: list[Segment] = []
    for phoneme, following, end in zip(phonemes, [*phonemes[1:], None], ends, strict=True):
        name = phoneme.name.lstrip(_STRESS)
        if name.startswith("_"):
            _add_pause(found, phoneme, end)
        elif name == _GLIDE:
            _extend(found, end)
        else:
            _add(found, _labels(name, following), speech, phoneme, end)
    for before, segment in pairwise(found):
        _begin_early_enough(segment, before)
    return found


def _begin_early_enough(segment: Segment, before: Segment) -> None:
    least = round(_LEAST_SECONDS.get(segment.label, _LEAST_SECONDS_OF_OTHERS) * RATE)
    start = segment.end - min(least, round(_LARGEST_SHARE * (segment.end - before.start)))
    if start < segment.start:
        before.end = segment.start = start


def _sounds(speech: Speech) -> tuple[list[Phoneme], int]:
    """Join successive pauses and remove final ones; return the phonemes and the end of the last sound."""
    joined: list[Phoneme] = []
    for phoneme in speech.phonemes:
        if not (joined and joined[-1].name.startswith("_") and phoneme.name.startswith("_")):
            joined.append(phoneme)
    if joined and joined[-1].name.startswith("_"):
        return joined[:-1], joined[-1].sample
    return joined, len(speech.samples)


def _labels(name: str, following: Phoneme | None) -> tuple[str, ...]:
    if name not in LABELS:
        raise DataError(
            f"eSpeak NG's phoneme {name!r} has no TIMIT label; choose one of the accents {', '.join(ACCENTS)}"
        )
    labels = LABELS[name]
    if labels[1:] == ("r",) and following is not None and following.name.lstrip(_STRESS) in ("r", "r-"):
        return labels[:-1]  # an r before a vowel is reported as a separate phoneme
    return labels


def _add_pause(found: list[Segment], phoneme: Phoneme, end: int) -> None:
    if found and end - phoneme.sample >= _SHORT_PAUSE_SECONDS * RATE:
        found.append(Segment("pau", phoneme.sample, end, phoneme.position))


def _extend(found: list[Segment], end: int) -> None:
    last = found[-1]
    last.end = end
    last.label = {"ix": "iy", "ih": "iy"}.get(last.label, last.label)  # the glide closes the vowel, as in "the old"


def _add(found: list[Segment], labels: tuple[str, ...], speech: Speech, phoneme: Phoneme, end: int) -> None:
    sound = phoneme.sample
    previous = found[-1] if found else None
    start = _silence_before(speech.samples, sound, previous.start if previous else sound)
    if previous is not None and previous.label == "pau":
        previous.end = start = sound  # a closure after a pause cannot be found
    elif previous is not None:
        previous.end = start
    if labels[0] in CLOSURES:
        release = sound
        if previous is not None and previous.label != "pau" and sound - start < _SHORT_CLOSURE_SECONDS * RATE:
            release = _burst(speech.samples, start, end)
        if release > start:
            found.append(Segment(CLOSURES[labels[0]], start, release, phoneme.position))
        start = release
    cuts = np.linspace(start, end, len(labels) + 1).round().astype(int).tolist()
    found += [Segment(label, a, b, phoneme.position) for label, a, b in zip(labels, cuts[:-1], cuts[1:], strict=True)]


def _silence_before(samples: np.ndarray[Any, np.dtype[np.int16]], sound: int, earliest: int) -> int:
    """Return the first sample of the silence that ends at `sound`."""
    loud = np.flatnonzero(np.abs(samples[earliest:sound].astype(np.int32)) > _SILENT)
    return earliest + int(loud[-1]) + 1 if len(loud) else sound


def _burst(samples: np.ndarray[Any, np.dtype[np.int16]], start: int, end: int) -> int:
    """Return the first sample of a voiced stop's burst: the steepest rise of the high frequencies.

    Energies are computed over 2 ms; the largest of the 10 ms before (a pitch period) is compared with the largest of
    the 6 ms after.
    """
    step = RATE // 500
    sharp = np.diff(samples[start:end].astype(np.float64), n=2, prepend=0.0)
    n = len(sharp) // step
    if n < 8:
        return start + (end - start) // 2
    energy = 10 * np.log10(1 + np.square(sharp[: n * step]).reshape(n, step).mean(axis=1))
    rises = [energy[i : i + 3].max() - energy[max(i - 5, 0) : i].max() for i in range(4, n - 2)]
    return start + step * (4 + int(np.argmax(rises)))
