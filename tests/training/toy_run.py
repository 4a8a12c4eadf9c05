"""A toy run as a process of its own, for tests that send signals: `python -m tests.training.toy_run FOLDER WORKERS`.

Prints the ids of its worker processes after its first step. Ends with 128 and the signal's number, as `asr-train`.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from asr.training.batches import Batch
from asr.training.loop import Stopped
from tests.training.toy import Silent, ToyExamples, ToyTask, trainer


class SlowExamples(ToyExamples):
    """Each batch takes long enough to be met by a signal."""

    def load_batch(self, indices: Sequence[int], epoch: int) -> Batch:
        time.sleep(0.02)
        return super().load_batch(indices, epoch)


class Telling(Silent):
    """Prints the ids of the worker processes once."""

    def stepped(self, loss: float, size: int) -> None:
        super().stepped(loss, size)
        if self.steps == 1:
            print(*(one.pid for one in multiprocessing.active_children()), flush=True)


def main() -> None:
    """Run to the end or to a signal."""
    task = ToyTask()
    task.examples = SlowExamples()
    try:
        trainer(Path(sys.argv[1]), task, Telling(), workers=int(sys.argv[2]), epochs=8).run()
    except Stopped as stopped:
        sys.exit(128 + stopped.signal)


if __name__ == "__main__":
    main()
