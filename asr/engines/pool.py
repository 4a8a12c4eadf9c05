"""The engines of one network, each created when it is first needed and then kept."""

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
    """The engines of a network, chosen by the number of utterances. Threads may share this object.

    Args:
        network: the network to run; None if `only` is the only way to run it.
        name: the engine that the user chose; `auto` chooses by the number of utterances.
        only: an engine to use for any number of utterances, with the reason; None to choose.

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
        """Pickle the arguments only; the process that unpickles them creates its own engines."""
        return type(self), (self.network, self._name, self._only)

    def for_work(self, utterances: int) -> Chosen:
        """Return the fastest engine for a number of utterances, and the reason for the choice.

        Raises:
            ConfigError: no engine supports the network.
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
        """Return engines that only use torch with prepared kernels, see `RecurrentStack.prepare`.

        Args:
            bfloat16: whether to round the factors of products to bfloat16.

        Raises:
            ConfigError: torch is not installed, or there are no such kernels for this network on this machine.
        """
        if self.network is None:
            raise ConfigError("the engine of this model has no kernels to prepare; load a bundle or a run folder")
        if self._name not in (AUTO, "torch"):
            raise ConfigError(f"the engine {self._name} has no kernels to prepare; use the engine torch or auto")
        require("torch", what="a prepared recogniser")
        from asr.engines.torch import TorchEngine

        engine = TorchEngine.of(self.network, bfloat16=bfloat16, prepare=True)
        if not engine.prepared:
            products = "bfloat16 products" if bfloat16 else "compiled kernels"
            raise ConfigError(f"this machine has no {products} for this network; recognise without them")
        why = f"it was prepared{' in bfloat16' if bfloat16 else ''}"
        return Engines(self.network, only=(engine, EngineChoice(engine.name, why)))

    def _shared(self, chosen: Chosen) -> Chosen:
        """Return an existing numpy engine instead of a second one; it is the same for any number of utterances."""
        for engine, choice in self._chosen.values():
            if choice.name == chosen[1].name == "numpy":
                return engine, chosen[1]
        return chosen


def _unlock() -> None:
    """Create new locks in a forked process, where the thread that held a lock does not exist."""
    for engines in _all:
        engines._lock = Lock()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_unlock)
