"""Read and write `decoder.json` of a run folder: a decoder that was chosen after training and is used from then on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from asr.config import Component
from asr.decoding.choice import DecoderChoice, Wish, decoder_for, named
from asr.decoding.files import found_beside, saved_beside
from asr.errors import CheckpointError, ConfigError, one_line
from asr.files import write_json
from asr.recogniser.config import split_name
from asr.recogniser.recogniser import Recogniser

NAME = "decoder.json"
_FORMAT = "ctc-asr-decoder-1"
_LARGEST = 4 << 20  # bytes


def save_decoder(run: Path, choice: DecoderChoice, on_copy: Callable[[Path], object] | None = None) -> Path:
    """Write a decoder into a run folder, and copy the files that it needs there.

    Args:
        run: the run folder.
        choice: the decoder.
        on_copy: called with the path of each copied file, see `asr.decoding.files.saved_beside`.

    Returns:
        The path of `decoder.json`.

    Raises:
        DataError: a file cannot be read or written; an existing file is left as it was.
    """
    path, component = run / NAME, saved_beside(choice.component, run, on_copy)
    write_json(path, {"format": _FORMAT, "decoder": component.to_node(), "chosen_on": choice.chosen_on})
    return path


def saved_decoder(run: Path) -> DecoderChoice | None:
    """Read the decoder that was saved in a run folder; None if there is none.

    Raises:
        CheckpointError: the file is damaged, or names files outside the folder.
    """
    path = run / NAME
    try:
        if not path.is_file():
            return None
        if (size := path.stat().st_size) > _LARGEST:
            raise CheckpointError(f"{path} has {size} bytes; expected a saved decoder of at most {_LARGEST}")
        return _read(json.loads(path.read_text(encoding="utf-8")), run)
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not a saved decoder: {one_line(error)}") from error
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _read(values: Any, run: Path) -> DecoderChoice:
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise ValueError(f"expected the format {_FORMAT}; write it with asr-tune")
    component = found_beside(Component.of(values.get("decoder")), run)
    return named(component.completed(), split_name(values.get("chosen_on")))


def with_decoder_of(run: Path, recogniser: Recogniser, wish: Wish, plugins: Sequence[str] = ()) -> Recogniser:
    """Return the recogniser of a run folder with the decoder that is saved there, or with the one that a user asks for.

    Args:
        run: the run folder.
        recogniser: the recogniser of its checkpoint.
        wish: the requested decoder; options without a name change the saved decoder, and None keeps it.
        plugins: modules of the user that may hold the decoder.

    Raises:
        CheckpointError: the saved decoder is damaged, or cannot be built.
        ConfigError: the decoder or one of its options does not exist.
    """
    saved = saved_decoder(run)
    default = saved or recogniser.config.decoder_choice
    recogniser = replace(recogniser, config=recogniser.config.with_decoder(default))
    if wish is not None:
        return recogniser.with_decoder(decoder_for(wish, default, (*recogniser.config.plugins, *plugins)), plugins)
    try:
        return recogniser.with_decoder(default, plugins)
    except ConfigError as error:
        raise CheckpointError(f"{run / NAME if saved else run}: {error}") from error
