"""Metrics as JSON lines and TensorBoard, cut back to the checkpoint when a run resumes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr.errors import TrainingError
from asr.training.checkpoint import write_atomically

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class MetricsLog:
    """Append rows to `metrics.jsonl` and to `tensorboard/` of a run folder.

    Args:
        folder: the run folder.
        done_steps: rows of later steps, left by a run that was killed after its last checkpoint, are dropped.
        tensorboard: write event files too.

    Raises:
        TrainingError: the rows cannot be written.
    """

    def __init__(self, folder: Path, done_steps: int, tensorboard: bool) -> None:
        self._path = folder / "metrics.jsonl"
        _keep_rows(self._path, done_steps)
        self._writer: SummaryWriter | None = None
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=done_steps + 1)

    def write(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Append one row; numbers go to TensorBoard under `kind/name`."""
        try:
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")
            if self._writer is not None:
                for name, value in values.items():
                    if isinstance(value, (int, float)):
                        self._writer.add_scalar(f"{kind}/{name}", value, step)
        except OSError as error:
            raise TrainingError(
                f"cannot write the metrics into {self._path.parent}: {error}; free some space, then resume the run"
            ) from error

    def close(self) -> None:
        """Write what TensorBoard still holds back."""
        if self._writer is not None:
            with suppress(OSError):  # a full disk was reported by `write`
                self._writer.close()


def _keep_rows(path: Path, done_steps: int) -> None:
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:  # the line that a kill cut in two
            continue
        if row["step"] <= done_steps:
            kept.append(line + "\n")
    write_atomically(path, lambda file: file.write("".join(kept).encode()))
