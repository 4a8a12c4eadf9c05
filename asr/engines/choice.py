"""Choose the engine that runs a network: by the work that there is, or by its name."""

from __future__ import annotations

from asr.config import check_values, one_of
from asr.engines.engine import Engine, EngineChoice, Network
from asr.engines.layers import why_not
from asr.engines.names import AUTO, MANY, NAMES
from asr.engines.numpy import NumpyEngine
from asr.errors import ConfigError
from asr.extras import installed, require


def check_engine(name: str) -> None:
    """Raise a ConfigError where there is no engine of this name."""
    check_values({"engine": name}, {"engine": one_of(name, NAMES)})


def choose_engine(network: Network, name: str = AUTO, utterances: int = 1) -> tuple[Engine, EngineChoice]:
    """Choose an engine and build it, which takes a copy of the weights.

    Args:
        network: what it runs.
        name: of the engine; `auto`: numpy for a few utterances, torch for many and for what numpy does not have.
        utterances: about how many it will run.

    Raises:
        MissingExtra: the engine needs a package that is not installed.
        ConfigError: there is no such engine, it cannot run this network, or the network refuses an option.
        CheckpointError: weights that do not fit the network.
    """
    check_engine(name)
    reason = why_not(network)
    choice = _by_work(reason, utterances) if name == AUTO else EngineChoice(name, "it was asked for")
    if choice.name == "onnx":
        others = "torch" if reason else "numpy or torch"
        raise ConfigError(
            f"the engine onnx runs .onnx files only, and this model is none; the engine {others} can run it"
        )
    if choice.name == "numpy" and not reason:
        return NumpyEngine(network), choice
    _check_torch(reason, choice.name)
    from asr.engines.torch import TorchEngine

    return TorchEngine.of(network, prepare=utterances >= MANY), choice


def _by_work(reason: str, utterances: int) -> EngineChoice:
    """Choose for a network that numpy does not have for a reason, or has."""
    if reason:
        return EngineChoice("torch", f"{reason}, which the engine numpy does not have")
    if utterances < MANY:
        return EngineChoice("numpy", f"it starts at once, and there are fewer than {MANY} utterances")
    if not installed("torch"):
        return EngineChoice("numpy", "torch, which is faster for many utterances, is not installed")
    return EngineChoice("torch", f"it is the fastest for {MANY} utterances or more")


def _check_torch(reason: str, wanted: str) -> None:
    """Raise an error where torch is not installed, or numpy is wanted, which does not have the network."""
    if wanted == "numpy":
        told = f"the engine numpy cannot run this model: {reason}; the engine torch"
        require("torch", what=f"{told}, which can,")
        raise ConfigError(f"{told} can")
    only = f"the only one for this model: {reason}" if reason else "the engine numpy can run this model, too"
    require("torch", what=f"the engine torch ({only})")
