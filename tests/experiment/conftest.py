"""What the tests of runs share: the configuration of a small one."""

from __future__ import annotations

from pathlib import Path

from asr.experiment.run_config import RunConfig
from tests.composing import compose
from tests.tones import small_run


def quiet(what: str, done: int, total: int) -> None:
    """A progress callback that shows nothing."""


def compose_small(root: Path, **changes: str) -> RunConfig:
    """The configuration of a small run."""
    return compose(small_run(root, **changes))
