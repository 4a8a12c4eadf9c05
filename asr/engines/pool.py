"""The engines of one network, each made when it is first needed and kept."""

from __future__ import annotations

import os
from threading import Lock
from weakref import WeakSet

from asr.engines.choice import check_engine, choose_engine
from asr.engines.engine import Engine, EngineChoice, Network
from asr.engines.names import AUTO, MANY
from asr.errors import ConfigError
from asr.extras import require

Chosen = tuple[Engine, EngineChoice]
_all: WeakSet[Engines] = WeakSet()


class Engines:
    """Gives the engine for some work. Threads may share it.

    Args:
        network: what the engines run; None where `only` is all there is.
        name: the engine that the user asked for; `auto`: the one that suits the work.
        only: runs whatever the work is.

    Raises:
        ConfigError: there is no such engine.
    """

    def __init__(self, network: Network | None, name: str = AUTO, only: Chosen | None = None) -> None:
        check_engine(name)
        self.network, self._name, self._only = network, name, only
        self._chosen: dict[bool, Chosen] = {}
        self._lock = Lock()
        _all.add(self)

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Let a process that gets a copy choose and make its engines itself."""
        return type(self), (self.network, self._name, self._only)

    def for_work(self, utterances: int) -> Chosen:
        """Return the engine that recognises so many utterances soonest, and why.

        Raises:
            ConfigError: no engine can run the network.
        """
        if self._only is not None:
            return self._only
        assert self.network is not None
        many = utterances >= MANY
        with self._lock:
            if many not in self._chosen:
                self._chosen[many] = self._shared(choose_engine(self.network, self._name, utterances))
            return self._chosen[many]

    def prepared(self, bfloat16: bool = False) -> Engines:
        """Return engines of which only torch's prepared kernels run, see `RecurrentStack.prepare`.

        Raises:
            ConfigError: torch is not installed, or has no such kernels for this network on this machine.
        """
        if self.network is None:
            raise ConfigError("this model has one engine, and no kernels to prepare; load a bundle or a run folder")
        if self._name not in (AUTO, "torch"):
            raise ConfigError(f"the engine {self._name} has no kernels to prepare; leave it out, or name torch")
        require("torch", what="a prepared recogniser")
        from asr.engines.torch import TorchEngine

        engine = TorchEngine.of(self.network, bfloat16=bfloat16, prepare=True)
        if not engine.prepared:
            products = "bfloat16 products" if bfloat16 else "compiled kernels"
            raise ConfigError(f"this machine has no {products} for this network; recognise without them")
        why = f"it was prepared{' in bfloat16' if bfloat16 else ''}"
        return Engines(self.network, only=(engine, EngineChoice(engine.name, why)))

    def _shared(self, chosen: Chosen) -> Chosen:
        """Keep one engine of numpy: it is the same for any work, while torch's is prepared for much."""
        for engine, choice in self._chosen.values():
            if choice.name == chosen[1].name == "numpy":
                return engine, chosen[1]
        return chosen


def _unlock() -> None:
    """Begin with open locks in a forked process: the thread that held one does not go on there."""
    for engines in _all:
        engines._lock = Lock()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_unlock)
