"""The lines that `--verbose` prints: the engine and decoder that were chosen, and the speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asr.audio.formats import SUFFIXES
from asr.cli.inputs import Input
from asr.errors import DataError

if TYPE_CHECKING:
    from asr.decoding.choice import DecoderChoice
    from asr.evaluation.result import Result
    from asr.recogniser.recogniser import Recogniser


def choice_lines(recogniser: Recogniser) -> list[str]:
    """Return a line on the engine and the reason for its choice, and a line on the decoder."""
    engine = recogniser.engine_choice
    return [f"engine {engine.name}: {engine.why}", _decoder(recogniser.decoder_choice)]


def evaluation_lines(result: Result, seconds: float) -> list[str]:
    """Return lines on the engine of each split, the decoder, and the speed.

    Args:
        result: the result of the evaluation.
        seconds: the time that it took, with reading the corpus and computing frames.
    """
    ran = [
        f"{name}: engine {split.engine.name}: {split.engine.why}"
        for name, split in result.splits.items()
        if split.engine is not None
    ]
    n = sum(split.utterances for split in result.splits.values())
    taken = max(seconds, 1e-9)
    return [*ran, _decoder(result.decoder), f"{n} utterances in {seconds:.2f} s, {n / taken:.0f} a second"]


def _decoder(decoder: DecoderChoice) -> str:
    return f"decoder {decoder.name}" + (f", tuned on {decoder.chosen_on}" if decoder.chosen_on else "")


def speed_line(inputs: Sequence[Input], seconds: float) -> str:
    """Return a line on the time to recognise some files; for recordings also as a multiple of real time."""
    taken = max(seconds, 1e-9)
    files = f"{len(inputs)} file{'s' if len(inputs) != 1 else ''} in {seconds:.2f} s"
    sound = sum(map(_seconds, inputs))
    return f"{files}: {sound:.1f} s of sound, {sound / taken:.0f} times real time" if sound else files


def _seconds(one: Input) -> float:
    """Return the length of a recording in seconds; 0 for ink, for a stream, and for an unreadable file."""
    if one.is_stream or one.path.suffix.lower() not in SUFFIXES:
        return 0.0
    from asr.audio import audio_info

    try:
        return audio_info(one.path).seconds
    except DataError:
        return 0.0
