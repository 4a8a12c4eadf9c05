"""A decoder with weights and a file, small enough to be seen right: greedy search on posteriors that it shifts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.config import Component
from asr.corpus.inventory import Inventory
from asr.decoding.choice import DECODERS
from asr.decoding.greedy import GreedyDecoder, GreedySearch
from asr.decoding.marks import FILE, weight
from asr.errors import ConfigError

_MODULE = "asr.made_up_for_a_test"


@dataclass
class ToyConfig:
    """Options of `ToyWeighted`."""

    blank_bonus: float = field(default=0.0, metadata=weight(1.0))
    model: str | None = field(default=None, metadata=FILE)
    model_weight: float = field(default=1.0, metadata=weight(0.5, needs="model", least=0.0))
    inner: Component | None = None
    calibration: list[float] = field(default_factory=list)
    _target_: str = f"{_MODULE}.ToyWeighted"


class ToyWeighted:
    """Adds a bonus to the blank, and `model_weight` times what the file says to the first label behind it."""

    def __init__(
        self,
        inventory: Inventory,
        blank_bonus: float = 0.0,
        model: str | None = None,
        model_weight: float = 1.0,
        inner: Component | None = None,
        calibration: list[float] | None = None,
    ) -> None:
        self.inventory = inventory
        self.shift = np.zeros(len(inventory), dtype=np.float32)
        self.shift[inventory.blank] = blank_bonus
        if model is not None:
            try:
                self.shift[min(1, len(inventory) - 1)] += model_weight * float(Path(model).read_text())
            except OSError as error:
                raise ConfigError(f"model={model}: {error.strerror}") from error

    def begin(self, frame_seconds: float, offset: float = 0.0) -> _Shifted:
        return _Shifted(self, GreedyDecoder(self.inventory).begin(frame_seconds, offset))


class _Shifted(GreedySearch):
    def __init__(self, toy: ToyWeighted, inner: GreedySearch) -> None:
        self.__dict__.update(inner.__dict__)
        self._toy = toy

    def step(self, log_probs: NDArray[np.float32]) -> None:
        super().step(log_probs + self._toy.shift)


@contextmanager
def toy_decoder() -> Iterator[None]:
    """Let this package have a decoder `toy` while the block runs."""
    module = ModuleType(_MODULE)
    module.ToyConfig, module.ToyWeighted = ToyConfig, ToyWeighted  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, _MODULE, module)
        patch.setitem(DECODERS, "toy", ToyConfig)
        yield


def toy(**options: object) -> Component:
    """The toy decoder as a component."""
    return Component.of(ToyConfig()).with_options(**options)
