"""Optimisers: SGD with momentum (Graves 2013) and AdamW (Loshchilov and Hutter 2019)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from asr.config import check_values


@dataclass
class SgdConfig:
    """SGD with momentum. Graves 2013 used rate 1e-4 and momentum 0.9 on summed losses, with one utterance a step."""

    _target_: str = "asr.training.optimizers.sgd"
    lr: float = 1e-2  # peak learning rate; the loss is a mean over the items of a batch
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0


@dataclass
class AdamWConfig:
    """Adam with decoupled weight decay."""

    _target_: str = "asr.training.optimizers.adamw"
    lr: float = 3e-3  # peak learning rate
    beta1: float = 0.9
    beta2: float = 0.98
    weight_decay: float = 1e-2


def sgd(
    parameters: Iterable[nn.Parameter], lr: float, momentum: float, nesterov: bool, weight_decay: float
) -> torch.optim.Optimizer:
    """Build SGD with momentum, fused as in `adamw`."""
    _check(lr, weight_decay)
    return torch.optim.SGD(
        parameters, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay, fused=True
    )


def adamw(
    parameters: Iterable[nn.Parameter], lr: float, beta1: float, beta2: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Build AdamW, fused: one pass over the weights a step, on a CPU five times as fast as torch's default."""
    _check(lr, weight_decay)
    return torch.optim.AdamW(parameters, lr=lr, betas=(beta1, beta2), weight_decay=weight_decay, fused=True)


def _check(lr: float, weight_decay: float) -> None:
    conditions = {"lr": (0 < lr < math.inf, "above 0"), "weight_decay": (0 <= weight_decay < math.inf, "0 or more")}
    check_values({"lr": lr, "weight_decay": weight_decay}, conditions, "optimizer")
