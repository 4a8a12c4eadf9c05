"""Sequence recognition with deep bidirectional LSTMs and CTC: speech and online handwriting.

>>> import asr
>>> asr.load("an4").transcribe("recording.flac").text  # doctest: +SKIP
'ENTER SIX TWO'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asr.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asr.decoding.choice import Wish
    from asr.recogniser.recogniser import Recogniser

__all__ = ["__version__", "load"]


def load(
    model: str | Path,
    plugins: Sequence[str] = (),
    decoder: Wish = None,
    engine: str = "auto",
) -> Recogniser:
    """Load a recogniser from a run folder, a checkpoint, a `.safetensors` bundle or an `.onnx` file, or by name.

    Args:
        model: a path, or the name of a pretrained model. A run folder takes precedence over a model's name.
        plugins: your own modules whose classes the model's configuration may name.
        decoder: the decoder to use: its name, options as on a command line, or the words that you expect
            (`asr.decoding.own_words.OwnWords`); None uses the model's default.
        engine: the program that runs the network: `numpy`, `torch` or `onnx`; `auto` picks an installed one that suits
            the work.

    Raises:
        asr.errors.CheckpointError: the model is missing, damaged, or names code that is not allowed; or the engine
            does not support it.
        asr.errors.ConfigError: the engine or decoder does not exist, or the decoder has no such option.
    """
    from pathlib import Path  # imported here to keep `import asr` fast

    from asr.recogniser.loading import load as load_recogniser

    recogniser = load_recogniser(model, plugins, decoder, engine)
    if not Path(model).expanduser().is_dir():
        return recogniser
    from dataclasses import replace

    from asr.evaluation.cards import card_of  # a run folder keeps its error rates in a file of its own

    return replace(recogniser, card=card_of(model) or recogniser.card)
