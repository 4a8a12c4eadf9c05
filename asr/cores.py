"""The number of processor cores that this process may use, and the number of threads to start."""

from __future__ import annotations

import os

_MOST = 1024  # threads


def usable_cores() -> int:
    """Return the number of cores that this process may use; fewer than the machine has where it is restricted."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def wanted_threads() -> int:
    """Return the number of threads to use: `OMP_NUM_THREADS` if it is set (at most 1024), else `usable_cores()`."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if wanted.isascii() and wanted.isdigit() and int(wanted) > 0:
        return min(int(wanted), _MOST)
    return usable_cores()
