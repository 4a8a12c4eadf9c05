"""Sequence recognition with deep bidirectional LSTMs and CTC: speech and online handwriting.

>>> import asr
>>> asr.load("an4").transcribe("recording.flac").text  # doctest: +SKIP
'ENTER SIX TWO'
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asr.version import __version__

if TYPE_CHECKING:
    from asr.recogniser.recogniser import Recogniser

__all__ = ["__version__", "load"]


def load(model: str | Path, plugins: Sequence[str] = ()) -> Recogniser:
    """Load a recogniser: a run folder, a checkpoint, a `.safetensors` bundle, or the name of a pretrained one.

    Args:
        model: where it is, or its name.
        plugins: modules of your own that its configuration may name.

    Raises:
        asr.errors.CheckpointError: nothing there, damaged, or naming code that is not allowed.
    """
    from asr.recogniser.loading import load as load_recogniser

    return load_recogniser(model, plugins)
