"""What `--verbose` tells: how something was recognised, and how fast."""

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


def chosen(recogniser: Recogniser) -> list[str]:
    """The engine and the decoder, and why they were chosen, a line each."""
    engine = recogniser.engine_choice
    return [f"engine {engine.name}: {engine.why}", _decoder(recogniser.decoder_choice)]


def evaluated(result: Result, seconds: float) -> list[str]:
    """What evaluated the splits of a result, and how long it took with reading them and computing frames."""
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


def speed(inputs: Sequence[Input], seconds: float) -> str:
    """How long it took to recognise some files, and how often their sound would fit into that time."""
    taken = max(seconds, 1e-9)
    files = f"{len(inputs)} file{'s' if len(inputs) != 1 else ''} in {seconds:.2f} s"
    sound = sum(map(_seconds, inputs))
    return f"{files}: {sound:.1f} s of sound, {sound / taken:.0f} times real time" if sound else files


def _seconds(one: Input) -> float:
    """The length of a recording whose header can be read again."""
    if one.is_stream or one.path.suffix.lower() not in SUFFIXES:
        return 0.0
    from asr.audio import audio_info

    try:
        return audio_info(one.path).seconds
    except DataError:
        return 0.0
