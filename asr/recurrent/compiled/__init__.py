"""Kernels for CPUs, compiled by numba at their first use: optional, equal to the other paths in tests.

`kinds` says which cells have one; `sequence` is a layer as autograd sees it, `layer_*` its time loops and `matrices`
its products; `team` and `jobs` bring them to the processor's cores; `lstm`, `gru`, `layernorm` and `attention` are
what is compiled of the loops, `products` and `instructions` of the products. Nothing but `kinds` is imported before it
is needed: numba and the kernels take a second or two to load, and some seconds to compile at the very first use on a
machine.
"""

from __future__ import annotations

import platform
from functools import cache
from importlib.util import find_spec

OLDEST_NUMBA = (0, 62)  # the first whose LLVM has untyped pointers, as `instructions` writes them


@cache
def available() -> bool:
    """Whether kernels can run here: numba is installed and switched on, on a processor with fused multiply-add."""
    if find_spec("numba") is None:
        return False
    import numba
    from llvmlite import binding

    new_enough = tuple(int(part) for part in numba.__version__.split(".")[:2]) >= OLDEST_NUMBA
    on_arm = platform.machine() in ("aarch64", "arm64")
    return new_enough and not numba.config.DISABLE_JIT and (on_arm or bool(binding.get_host_cpu_features().get("fma")))


_asked_for = False


def load() -> None:
    """Have single utterances recognised by kernels too, which pays from about twenty of them on.

    Without this call they are left to oneDNN, whatever ran before: what is computed for an utterance does not depend on
    the others.
    """
    global _asked_for
    _asked_for = available()


def asked_for() -> bool:
    """Whether `load` was called, and could do it."""
    return _asked_for
