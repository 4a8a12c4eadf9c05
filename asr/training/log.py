"""Write metrics as JSON lines and for TensorBoard; when a run resumes, drop rows after its checkpoint."""

from __future__ import annotations

import io
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr.errors import DataError
from asr.files import append, explained, make_folder, write_file

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event


class MetricsLog:
    """A log that appends rows to `metrics.jsonl` and to `tensorboard/` of a run folder.

    If `metrics.jsonl` cannot be written, the run stops. If TensorBoard's files cannot be written, it continues without.

    Args:
        folder: the run folder.
        done_steps: the step of the checkpoint; rows of later steps, from a killed run, are dropped.
        tensorboard: whether to write event files for TensorBoard too.
        say: a function for a message to the user; called once if the event files cannot be written.

    Raises:
        DataError: the rows cannot be written.
    """

    def __init__(self, folder: Path, done_steps: int, tensorboard: bool, say: Callable[[str], None]) -> None:
        self._path = folder / "metrics.jsonl"
        self._say = say
        self._events: _Events | None = None
        _keep_rows(self._path, done_steps)
        if tensorboard:
            try:
                self._events = _Events(folder / "tensorboard", done_steps)
            except DataError as error:
                self._stop_events(error)

    def write(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Append one row; numbers go to TensorBoard under `kind/name`."""
        append(self._path, (json.dumps({"kind": kind, "step": step, **values}) + "\n").encode())
        if self._events is not None:
            try:
                self._events.write(kind, step, values)
            except DataError as error:
                self._stop_events(error)

    def _stop_events(self, error: DataError) -> None:
        self._events = None
        self._say(f"training continues without TensorBoard's files: {error}")


class _Events:
    """An event file of TensorBoard.

    TensorBoard's own writer is not used: it writes in a thread, which ends with a traceback if the disk is full.
    """

    def __init__(self, folder: Path, done_steps: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        make_folder(folder)
        self._path = folder / f"events.out.tfevents.{time.time_ns() // 1000:016d}.{socket.gethostname()}.{os.getpid()}"
        start = SessionLog(status=SessionLog.START)  # makes TensorBoard drop events of this and later steps
        self._add(Event(wall_time=time.time(), file_version="brain.Event:2"))
        self._add(Event(wall_time=time.time(), step=done_steps + 1, session_log=start))

    def write(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        numbers = {name: float(value) for name, value in values.items() if isinstance(value, (int, float))}
        summary = Summary(
            value=[Summary.Value(tag=f"{kind}/{name}", simple_value=one) for name, one in numbers.items()]
        )
        self._add(Event(wall_time=time.time(), step=step, summary=summary))

    def _add(self, event: Event) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        record = io.BytesIO()
        RecordWriter(record).write(event.SerializeToString())
        append(self._path, record.getvalue())


def _keep_rows(path: Path, done_steps: int) -> None:
    """Drop the rows of later steps, and incomplete lines that a killed process has left."""
    with explained(path, done="read", kept=""):
        if not path.exists():
            return
        lines = path.read_bytes().split(b"\n")
    kept = [line + b"\n" for line in lines if (step := _step_of(line)) is not None and step <= done_steps]
    write_file(path, b"".join(kept))


def _step_of(line: bytes) -> int | None:
    """Return the step of a row; None if the line is not a valid row."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    step = row.get("step") if isinstance(row, dict) else None
    return step if isinstance(step, int) and not isinstance(step, bool) else None
