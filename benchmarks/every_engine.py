"""Recognisers that differ only in the engine that runs their network; shared by the other benchmarks."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import asr
from asr.config import Component
from asr.engines.engine import Engine, EngineChoice, Network
from asr.engines.pool import Engines
from asr.engines.torch import TorchEngine
from asr.errors import ConfigError
from asr.recogniser.onnx_export import export_onnx
from asr.recogniser.recogniser import Recogniser

NUMPY, TORCH, PREPARED, BFLOAT16, ONNX, EAGER = (
    "numpy", "torch", "torch, prepared", "torch, prepared in bfloat16", "onnxruntime", "torch eager (`nn.LSTM`)",
)  # fmt: skip


class EagerLstm:
    """`torch.nn.LSTM` with the weights of a network of LSTM cells, batches packed; an `Engine`."""

    name = "torch"
    time_reduction = 1

    def __init__(self, network: Network) -> None:
        weights = {name: torch.from_numpy(np.array(values)) for name, values in network.weights.items()}
        hidden = weights["layers.0.forward_cell.weight_hh"].shape[1]
        n_layers = sum(name.endswith("forward_cell.weight_hh") for name in weights)
        self.lstm = nn.LSTM(network.n_features, hidden, n_layers, bidirectional=True, batch_first=True)
        self.lstm.load_state_dict(_of_torch(weights, n_layers))
        self.output = nn.Linear(2 * hidden, network.n_labels)
        self.output.load_state_dict({name: weights[f"output.{name}"] for name in ("weight", "bias")})

    @torch.no_grad()
    def posteriors(
        self, frames: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Compute the log posteriors of a padded batch, see `Engine.posteriors`."""
        values = torch.from_numpy(frames)
        if len(frames) == 1:
            hidden = self.lstm(values)[0]
        else:
            packed = pack_padded_sequence(values, torch.from_numpy(lengths), batch_first=True, enforce_sorted=False)
            hidden = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]
        return self.output(hidden).log_softmax(dim=-1).numpy(), lengths


def _of_torch(weights: Mapping[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """Return the weights by their names in `nn.LSTM`, whose two biases add up to our one."""
    named: dict[str, Tensor] = {}
    for layer in range(n_layers):
        for cell, suffix in (("forward_cell", ""), ("backward_cell", "_reverse")):
            of, to = f"layers.{layer}.{cell}.", f"_l{layer}{suffix}"
            named |= {f"{name}{to}": weights[f"{of}{name}"] for name in ("weight_ih", "weight_hh")}
            named |= {f"bias_ih{to}": weights[f"{of}bias"], f"bias_hh{to}": torch.zeros_like(weights[f"{of}bias"])}
    return named


def every_engine(model: str, eager: bool = True) -> dict[str, Recogniser]:
    """Return the same model with each available engine; with bfloat16 only if the processor supports its products."""
    network = network_of(model)
    found = {NUMPY: asr.load(model, engine="numpy"), TORCH: asr.load(model, engine="torch")}
    found[PREPARED] = found[TORCH].prepared()
    try:
        found[BFLOAT16] = found[TORCH].prepared(bfloat16=True)
    except ConfigError as error:
        print(f"without bfloat16: {error}")
    found[ONNX] = _exported(found[NUMPY])
    if eager:
        found[EAGER] = with_engine(found[TORCH], EagerLstm(network))
    return found


def network_of(model: str) -> Network:
    """Return the network of a bundle or a run."""
    network = asr.load(model).engines.network
    assert network is not None
    return network


def with_engine(recogniser: Recogniser, engine: Engine) -> Recogniser:
    """Return the same recogniser with one engine for all inputs."""
    choice = EngineChoice(engine.name, "it is measured")
    return replace(recogniser, engine=engine, engine_choice=choice, engines=Engines(None, only=(engine, choice)))


def _exported(recogniser: Recogniser) -> Recogniser:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_onnx(recogniser, path)
        return asr.load(path)


def random_network(n_layers: int, hidden: int, n_features: int, n_labels: int) -> Network:
    """Return a bidirectional LSTM with random weights."""
    component = Component.of({"_target_": "asr.recurrent.stack.RecurrentStack", "hidden": hidden, "layers": n_layers})
    torch.manual_seed(0)
    from asr.recurrent.stack import RecurrentStack

    stack = RecurrentStack(n_features, n_labels, hidden=hidden, layers=n_layers)
    return Network(component, n_features, n_labels, {name: one.numpy() for name, one in stack.state_dict().items()})


def engines_of(network: Network) -> dict[str, Engine]:
    """Return the engines that need no file, and `nn.LSTM`."""
    from asr.engines.numpy import NumpyEngine

    return {
        NUMPY: NumpyEngine(network),
        TORCH: TorchEngine.of(network),
        PREPARED: TorchEngine.of(network, prepare=True),
        EAGER: EagerLstm(network),
    }
