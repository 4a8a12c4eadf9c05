"""Join what a file holds to a recogniser: the parts that its header names, its statistics, its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from asr.engines.engine import Network
from asr.engines.pool import Engines
from asr.errors import AsrError, CheckpointError, MissingExtra, one_line
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.header import check_plugins, read_header
from asr.recogniser.parts import Parts, parts_of
from asr.recogniser.recogniser import Recogniser


def assemble(
    path: Path,
    header: object,
    statistics: Mapping[str, NDArray[Any]],
    weights: Mapping[str, NDArray[Any]],
    plugins: Sequence[str],
    engine: str,
) -> Recogniser:
    """Make the recogniser of a file that was read.

    Args:
        path: of the file, for messages.
        header: as `read_header` takes it.
        statistics: of the normaliser.
        weights: of the network, by name.
        plugins: modules of the user's that the configuration may name.
        engine: the engine to use; `auto`: the one that suits the work.

    Raises:
        CheckpointError: parts that do not fit each other, code outside this package and the plugins, or an engine that
            cannot run the network.
    """

    def engines(config: RecogniserConfig, parts: Parts) -> Engines:
        return Engines(Network(config.model, parts.n_features, len(config.inventory), weights, config.plugins), engine)

    return joined(path, header, statistics, plugins, engines)


def joined(
    path: Path,
    header: object,
    statistics: Mapping[str, NDArray[Any]],
    plugins: Sequence[str],
    engines: Callable[[RecogniserConfig, Parts], Engines],
) -> Recogniser:
    """Make the recogniser of a file whose network is run in a way of its own.

    Args:
        path: as of `assemble`.
        header: as of `assemble`.
        statistics: as of `assemble`.
        plugins: as of `assemble`.
        engines: makes what runs the network.

    Raises:
        CheckpointError: as `assemble`.
        MissingExtra: the engine needs a package that is not installed.
    """
    read = read_header(path, header)
    config = read.config
    check_plugins(path, config.plugins, (plugins,) if isinstance(plugins, str) else plugins)
    try:
        parts = parts_of(config)
        parts = replace(parts, normaliser=parts.normaliser.with_state(dict(statistics)))
        return Recogniser.of(config, parts, engines(config, parts), read.card)
    except MissingExtra:
        raise
    except AsrError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{path}: the model cannot be built: {one_line(error)}") from error
