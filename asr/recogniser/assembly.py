"""Join what a file holds to a recogniser: the parts that its header names, its statistics, its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from asr.engines.pool import Engines
from asr.engines.engine import Network
from asr.errors import AsrError, CheckpointError, one_line
from asr.recogniser.header import check_plugins, read_header
from asr.recogniser.parts import parts_of
from asr.recogniser.recogniser import Recogniser


def assemble(
    path: Path,
    header: object,
    statistics: Mapping[str, NDArray[Any]],
    weights: Mapping[str, NDArray[Any]],
    plugins: Sequence[str],
    engine: str | None,
) -> Recogniser:
    """Make the recogniser of a file that was read.

    Args:
        path: of the file, for messages.
        header: as `read_header` takes it.
        statistics: of the normaliser.
        weights: of the network, by name.
        plugins: modules of the user's that the configuration may name.
        engine: the engine to use; None: the one that suits the work.

    Raises:
        CheckpointError: parts that do not fit each other, code outside this package and the plugins, or an engine that
            cannot run the network.
    """
    read = read_header(path, header)
    config = read.config
    check_plugins(path, config.plugins, (plugins,) if isinstance(plugins, str) else plugins)
    try:
        parts = parts_of(config)
        parts = replace(parts, normaliser=parts.normaliser.with_state(dict(statistics)))
        network = Network(config.model, parts.n_features, len(config.inventory), weights, config.plugins)
        return Recogniser.of(config, parts, Engines(network, engine), read.card)
    except AsrError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"{path}: the model cannot be built: {one_line(error)}") from error
