"""Metrics as JSON lines and TensorBoard, cut back to the checkpoint when a run resumes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class MetricsLog:
    """Append rows to `metrics.jsonl` and to `tensorboard/` of a run folder.

    Args:
        folder: the run folder.
        done_steps: rows of later steps, left by a run that was killed after its last checkpoint, are dropped.
        tensorboard: write event files too.
    """

    def __init__(self, folder: Path, done_steps: int, tensorboard: bool) -> None:
        self._path = folder / "metrics.jsonl"
        _keep_rows(self._path, done_steps)
        self._file = open(self._path, "a", encoding="utf-8")  # noqa: SIM115  (open as long as the run)
        self._writer: SummaryWriter | None = None
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=done_steps + 1)

    def write(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Append one row; numbers go to TensorBoard under `kind/name`."""
        self._file.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")
        self._file.flush()
        if self._writer is not None:
            for name, value in values.items():
                if isinstance(value, (int, float)):
                    self._writer.add_scalar(f"{kind}/{name}", value, step)

    def close(self) -> None:
        """Flush and close both."""
        self._file.close()
        if self._writer is not None:
            self._writer.close()


def _keep_rows(path: Path, done_steps: int) -> None:
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:  # the line that a kill cut in two
            continue
        if row["step"] <= done_steps:
            kept.append(line + "\n")
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(kept), encoding="utf-8")
    os.replace(temporary, path)
