"""Open every recording of a corpus once, to read its length and to find faulty files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from asr.audio.reading import AudioInfo, audio_info, check_channel, segment_frames
from asr.corpus.faults import CorpusFaults
from asr.corpus.utterance import Utterance
from asr.errors import DataError

Progress = Callable[[str, int, int], None]


_ROUNDING_SECONDS = 0.005  # smaller differences come from rounded times and are not reported

TRIMMED_SECONDS = 0.5
"""A segment that ends at most this much after its recording is trimmed, as by Kaldi's `extract-segments`."""


def with_durations(
    splits: Mapping[str, Sequence[Utterance]], faults: CorpusFaults, on_progress: Progress | None = None
) -> dict[str, list[Utterance]]:
    """Set the durations of utterances, in seconds, from the headers of their recordings; ink is not changed.

    A segment that ends at most `TRIMMED_SECONDS` after its recording is trimmed, with a note in `faults`. An utterance
    is left out, with an entry in `faults`, if its recording is missing, empty, truncated or not audio, has several
    channels of which none was chosen, or is shorter than the segment.

    Args:
        splits: utterances by split name.
        faults: collects faults and notes.
        on_progress: called with `(what, done, total)`.
    """
    headers: dict[Path, AudioInfo | DataError] = {}
    overshoots: list[float] = []
    total = sum(len(utterances) for utterances in splits.values())
    done = 0
    measured: dict[str, list[Utterance]] = {}
    for split, utterances in splits.items():
        measured[split] = []
        for utterance in utterances:
            try:
                measured[split].append(_measured(utterance, headers, overshoots))
            except DataError as error:
                faults.leave_out(utterance.id, split, str(error))
            done += 1
            if on_progress is not None:
                on_progress("reading headers", done, total)
    if overshoots:
        noun = "segment was" if len(overshoots) == 1 else "segments were"
        faults.notes.append(
            f"{len(overshoots)} {noun} trimmed by up to {max(overshoots):.3g} s to the end of the recording"
        )
    return measured


def recording_problems(utterances: Iterable[Utterance]) -> list[str]:
    """Return the faults that `with_durations` finds, for utterances that are left out for another reason."""
    faults = CorpusFaults(collect=True)
    with_durations({"": list(utterances)}, faults)
    return [f"'{one.place}': {one.reason}" for one in faults.skipped]


def _measured(utterance: Utterance, headers: dict[Path, AudioInfo | DataError], overshoots: list[float]) -> Utterance:
    if utterance.kind != "audio":
        return utterance
    if utterance.source not in headers:
        try:
            headers[utterance.source] = audio_info(utterance.source)
        except DataError as error:
            headers[utterance.source] = error
    info = headers[utterance.source]
    if isinstance(info, DataError):
        raise info
    check_channel(utterance.source, info, utterance.channel)
    # Without a start the utterance is the whole file, even if a duration is given.
    duration = None if utterance.start is None else utterance.duration
    if utterance.start is not None and duration is not None:
        left = info.seconds - utterance.start
        if 0 < left < duration <= left + TRIMMED_SECONDS:
            if duration - left > _ROUNDING_SECONDS:
                overshoots.append(duration - left)
            duration = left
    _, n_frames = segment_frames(utterance.source, info, utterance.start, duration)
    return replace(utterance, duration=round(n_frames / info.rate, 6))
