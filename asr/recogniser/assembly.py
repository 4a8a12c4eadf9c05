"""Build a recogniser from the contents of a file: header, statistics of the normaliser, weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from asr.config import Component
from asr.decoding.choice import Wish, decoder_for, named
from asr.decoding.files import found_beside
from asr.decoding.greedy import GreedyConfig
from asr.engines.engine import Network
from asr.engines.pool import Engines
from asr.errors import AsrError, CheckpointError, MissingExtra, one_line
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.header import check_plugins, read_header
from asr.recogniser.parts import Parts, parts_of
from asr.recogniser.recogniser import Recogniser

PLAIN = Component.of(GreedyConfig())
"""A placeholder decoder without options, until the wanted decoder takes its place."""


def assemble(
    path: Path,
    header: object,
    statistics: Mapping[str, NDArray[Any]],
    weights: Mapping[str, NDArray[Any]],
    plugins: Sequence[str],
    engine: str,
    decoder: Wish = None,
) -> Recogniser:
    """Build a recogniser from the contents of a file.

    Args:
        path: the file, for messages.
        header: the header, see `asr.recogniser.header.read_header`.
        statistics: the statistics of the normaliser.
        weights: the weights of the network, by name.
        plugins: modules of the user that the configuration may name.
        engine: the engine to use; `auto`: the one that suits the work.
        decoder: the decoder to use; None: the default that the file names.

    Raises:
        CheckpointError: parts do not fit each other, the header names code outside this package and the plugins, or the
            engine cannot run the network.
        ConfigError: the decoder or one of its options does not exist.
    """

    def engines(config: RecogniserConfig, parts: Parts) -> Engines:
        return Engines(Network(config.model, parts.n_features, len(config.inventory), weights, config.plugins), engine)

    return joined(path, header, statistics, plugins, engines, decoder)


def joined(
    path: Path,
    header: object,
    statistics: Mapping[str, NDArray[Any]],
    plugins: Sequence[str],
    engines: Callable[[RecogniserConfig, Parts], Engines],
    decoder: Wish = None,
) -> Recogniser:
    """Build a recogniser from the contents of a file, with engines that the caller makes.

    Args:
        path: see `assemble`.
        header: see `assemble`.
        statistics: see `assemble`.
        plugins: see `assemble`.
        engines: makes the engines that run the network.
        decoder: see `assemble`.

    Raises:
        CheckpointError, ConfigError: see `assemble`.
        MissingExtra: the engine requires a package that is not installed.
    """
    read = read_header(path, header)
    plugins = (plugins,) if isinstance(plugins, str) else plugins
    check_plugins(path, read.config.plugins, plugins)
    try:
        config = replace(read.config, decoder=found_beside(read.config.decoder, folder_of_files(path)))
        parts = parts_of(config, None if decoder is None else named(PLAIN))
        parts = replace(parts, normaliser=parts.normaliser.with_state(dict(statistics)))
        made = Recogniser.of(config, parts, engines(config, parts), read.card)
    except MissingExtra:
        raise
    except AsrError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{path}: the model cannot be built: {one_line(error)}") from error
    if decoder is None:
        return made
    return made.with_decoder(decoder_for(decoder, config.decoder_choice, (*config.plugins, *plugins)), plugins)


def folder_of_files(path: Path) -> Path:
    """Return the folder with the files of a model's decoder: that of the model or, for a checkpoint, the run folder."""
    return path.parent.parent if path.parent.name == "checkpoints" else path.parent
