"""Processor cores that this process may use, and how many threads it should begin."""

from __future__ import annotations

import os

_MOST = 1024


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def wanted_threads() -> int:
    """Return how many threads work may take: `OMP_NUM_THREADS`, or one for each core that this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if wanted.isascii() and wanted.isdigit() and int(wanted) > 0:
        return min(int(wanted), _MOST)
    return usable_cores()
