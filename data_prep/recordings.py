"""Open every recording of a corpus once, for its length and for what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from asr.audio.reading import AudioInfo, audio_info, check_channel, segment_frames
from asr.corpus.faults import CorpusFaults
from asr.corpus.utterance import Utterance
from asr.errors import DataError

Progress = Callable[[str, int, int], None]


_ROUNDING_SECONDS = 0.005  # tables round their times; that is not worth a note

TRIMMED_SECONDS = 0.5
"""A segment that ends so far behind its recording is trimmed to it, as Kaldi's `extract-segments` does."""


def with_durations(
    splits: Mapping[str, Sequence[Utterance]], faults: CorpusFaults, on_progress: Progress | None = None
) -> dict[str, list[Utterance]]:
    """The same utterances with their duration in seconds, read from the headers; ink is passed through.

    A segment that ends at most `TRIMMED_SECONDS` behind its recording is trimmed, with a note. Left out, with an entry
    in `faults`, is every recording that is missing, empty, truncated, no audio, of several channels with none chosen,
    or shorter than its segment.
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
    """What `with_durations` finds wrong, for utterances that a reader leaves out for another reason."""
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
    # Without a start the whole file is meant, whatever duration says.
    duration = None if utterance.start is None else utterance.duration
    if utterance.start is not None and duration is not None:
        left = info.seconds - utterance.start
        if 0 < left < duration <= left + TRIMMED_SECONDS:
            if duration - left > _ROUNDING_SECONDS:
                overshoots.append(duration - left)
            duration = left
    _, n_frames = segment_frames(utterance.source, info, utterance.start, duration)
    return replace(utterance, duration=round(n_frames / info.rate, 6))
