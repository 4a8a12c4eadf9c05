"""Open every recording of a corpus once, for its length and for what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from asr.audio.reading import AudioInfo, audio_info, check_channel, segment_frames
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems

Progress = Callable[[str, int, int], None]


def with_durations(
    splits: Mapping[str, Sequence[Utterance]], what: str, on_progress: Progress | None = None
) -> dict[str, list[Utterance]]:
    """The same utterances with their duration in seconds, read from the headers; ink is passed through.

    Raises:
        Problems: every recording that is missing, empty, truncated, no audio, of several channels with none chosen, or
            shorter than its segment.
    """
    headers: dict[Path, AudioInfo | DataError] = {}
    total = sum(len(utterances) for utterances in splits.values())
    done = 0
    problems: list[str] = []
    measured: dict[str, list[Utterance]] = {}
    for split, utterances in splits.items():
        measured[split] = []
        for utterance in utterances:
            try:
                measured[split].append(_measured(utterance, headers))
            except DataError as error:
                problems.append(f"'{utterance.id}': {error}")
            done += 1
            if on_progress is not None:
                on_progress("reading headers", done, total)
    if problems:
        raise Problems(problems, what=what)
    return measured


def recording_problems(utterances: Iterable[Utterance], on_progress: Progress | None = None) -> list[str]:
    """What `with_durations` finds wrong, for a reader that has other problems to report with it."""
    try:
        with_durations({"": list(utterances)}, what="the recordings", on_progress=on_progress)
    except Problems as error:
        return list(error.problems)
    return []


def _measured(utterance: Utterance, headers: dict[Path, AudioInfo | DataError]) -> Utterance:
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
    _, n_frames = segment_frames(utterance.source, info, utterance.start, duration)
    return replace(utterance, duration=round(n_frames / info.rate, 6))
