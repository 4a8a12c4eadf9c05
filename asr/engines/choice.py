"""Choose the engine that runs a network, by its name or by the number of utterances."""

from __future__ import annotations

from asr.config import check_values, one_of
from asr.engines.engine import Engine, EngineChoice, Network
from asr.engines.layers import why_not
from asr.engines.names import AUTO, MANY, NAMES
from asr.engines.numpy import NumpyEngine
from asr.errors import ConfigError
from asr.extras import installed, require


def check_engine(name: str) -> None:
    """Raise a ConfigError if there is no engine of this name."""
    check_values({"engine": name}, {"engine": one_of(name, NAMES)})


def choose_engine(network: Network, name: str = AUTO, utterances: int = 1) -> tuple[Engine, EngineChoice]:
    """Choose an engine and build it; the engine copies the weights.

    Args:
        network: the network to run.
        name: the name of the engine. `auto` chooses numpy for a few utterances, and torch for many utterances or for a
            network that numpy does not support.
        utterances: the approximate number of utterances to run.

    Returns:
        The engine, and its name with the reason for the choice.

    Raises:
        MissingExtra: the engine needs a package that is not installed.
        ConfigError: there is no such engine, it does not support this network, or the network refuses an option.
        CheckpointError: the weights do not fit the network.
    """
    check_engine(name)
    reason = why_not(network)
    choice = _by_work(reason, utterances) if name == AUTO else EngineChoice(name, "chosen by the user")
    if choice.name == "onnx":
        others = "torch" if reason else "numpy or torch"
        raise ConfigError(f"the engine onnx only runs .onnx files, but this model is none; use the engine {others}")
    if choice.name == "numpy" and not reason:
        return NumpyEngine(network), choice
    _check_torch(reason, choice.name)
    from asr.engines.torch import TorchEngine

    return TorchEngine.of(network, prepare=utterances >= MANY), choice


def _by_work(reason: str, utterances: int) -> EngineChoice:
    """Choose an engine; `reason` states why numpy does not support the network, and is empty if it does."""
    if reason:
        return EngineChoice("torch", f"{reason}, which the engine numpy does not support")
    if utterances < MANY:
        return EngineChoice("numpy", f"it starts fastest, and there are fewer than {MANY} utterances")
    if not installed("torch"):
        return EngineChoice("numpy", "torch, which is faster for many utterances, is not installed")
    return EngineChoice("torch", f"it is the fastest for {MANY} utterances or more")


def _check_torch(reason: str, wanted: str) -> None:
    """Raise an error if torch is not installed, or if the user wants numpy, which does not support the network."""
    if wanted == "numpy":
        message = f"the engine numpy does not support this model: {reason}; use the engine torch"
        require("torch", what=f"{message}, which")
        raise ConfigError(message)
    only = f"the only one for this model: {reason}" if reason else "the engine numpy can also run this model"
    require("torch", what=f"the engine torch ({only})")
