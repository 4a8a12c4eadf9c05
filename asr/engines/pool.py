"""The engines of one network, each made when it is first needed and kept."""

from __future__ import annotations

from threading import Lock

from asr.engines.choice import MANY, choose_engine
from asr.engines.engine import Engine, EngineChoice, Network
from asr.errors import ConfigError

Chosen = tuple[Engine, EngineChoice]


class Engines:
    """Gives the engine for some work. Threads may share it.

    Args:
        network: what the engines run; None where `only` is all there is.
        name: the engine that the user asked for; None: the one that suits the work.
        only: runs whatever the work is.
    """

    def __init__(self, network: Network | None, name: str | None = None, only: Chosen | None = None) -> None:
        self.network, self._name, self._only = network, name, only
        self._chosen: dict[bool, Chosen] = {}
        self._lock = Lock()

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
