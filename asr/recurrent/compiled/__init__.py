"""Optional kernels for CPUs, compiled by numba at their first use. Tests compare them with the other paths.

- `kinds`: the cells that have a kernel.
- `sequence`: a layer with gradients; `prepared`: a layer for recognition only.
- `layer_*`: the time loops of a layer; `matrices`: its products.
- `fields`, `jobs`, `team`: the jobs that threads take, the compiled functions that do them, and the threads.
- `lstm`, `gru`, `layernorm`, `attention`: the compiled loops; `products`, `pointwise`, `instructions`: their parts.

Modules other than `kinds` are only imported when they are needed: numba and the kernels take a second or two to load,
and some seconds to compile at the first use on a machine.
"""

from __future__ import annotations

import platform
from functools import cache
from importlib.util import find_spec

OLDEST_NUMBA = (0, 62)  # the first version whose LLVM has untyped pointers, which `instructions` needs


@cache
def available() -> bool:
    """Return whether kernels can run here: they need numba, not disabled, and a processor with fused multiply-add."""
    if find_spec("numba") is None:
        return False
    import numba
    from llvmlite import binding

    new_enough = tuple(int(part) for part in numba.__version__.split(".")[:2]) >= OLDEST_NUMBA
    on_arm = platform.machine() in ("aarch64", "arm64")
    return new_enough and not numba.config.DISABLE_JIT and (on_arm or bool(binding.get_host_cpu_features().get("fma")))
