"""Choose the engine that runs a network: by the work that there is, or by its name."""

from __future__ import annotations

from importlib.util import find_spec

from asr.config import check_values, one_of
from asr.engines.engine import Engine, EngineChoice, Network
from asr.engines.numpy import NumpyEngine

MANY = 100
"""Utterances from which on it pays to load torch and the compiled kernels, and to recognise them in batches."""

NAMES = ("auto", "numpy", "torch", "onnx")


def choose_engine(network: Network, name: str | None = None, utterances: int = 1) -> tuple[Engine, EngineChoice]:
    """Choose an engine and build it.

    Args:
        network: what it runs.
        name: of the engine; None or `auto`: by the work.
        utterances: about how many it will run.

    Raises:
        ConfigError: there is no such engine, it cannot run this network, or needs a package that is not installed.
        CheckpointError: weights that do not fit the network.
    """
    check_values({"engine": name}, {"engine": one_of(name or "auto", NAMES)})
    if name != "torch" and not (name != "numpy" and utterances >= MANY and find_spec("torch")):
        return NumpyEngine(network), EngineChoice("numpy", "there are few utterances")
    from asr.engines.torch import TorchEngine

    return TorchEngine.of(network, prepare=utterances >= MANY), EngineChoice("torch", "there are many utterances")
