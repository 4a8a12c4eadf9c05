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
    """Load a recogniser: a run folder, a checkpoint, a `.safetensors` bundle, an `.onnx` file, or a pretrained model.

    Args:
        model: the path, or the name of a pretrained model.
        plugins: modules of your own that its configuration may name.
        decoder: the decoder to use: its name, options as on a command line, or what you know of the words that are said
            (`asr.decoding.own_words.OwnWords`); None: the model's default.
        engine: what runs the network: `numpy`, `torch` or `onnx`; `auto`: what suits the work and is installed.

    Raises:
        asr.errors.CheckpointError: missing, damaged or naming code that is not allowed; or the engine cannot
            run the model.
        asr.errors.ConfigError: there is no such engine or decoder, or the decoder has no such option.
    """
    from pathlib import Path  # here: `import asr` waits for nothing that it does not need itself

    from asr.recogniser.loading import load as load_recogniser

    recogniser = load_recogniser(model, plugins, decoder, engine)
    if not Path(model).expanduser().is_dir():
        return recogniser
    from dataclasses import replace

    from asr.evaluation.cards import card_of  # a run tells its error rates in another file

    return replace(recogniser, card=card_of(model) or recogniser.card)
