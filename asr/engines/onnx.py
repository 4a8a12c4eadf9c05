"""Run an exported `.onnx` file with onnxruntime, without torch, with float32 or int8 weights.

A network with int8 weights reads the utterances of a batch one by one, because its operator rounds all frames of a call
on one scale, and the result for an utterance must not depend on others. A batch would take 0.8 of the time.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import weakref
from typing import Any

import numpy as np

from asr.cores import wanted_threads
from asr.engines.engine import FloatArray, IntArray, check_batch
from asr.engines.onnx_file import OnnxFile
from asr.errors import CheckpointError, DataError, one_line
from asr.extras import require


class OnnxEngine:
    """A network that onnxruntime runs. Threads may share it.

    A process that was forked by `multiprocessing` creates its own session. One that was forked by a bare `os.fork`
    works too, but may hang when it ends, because onnxruntime waits for threads that only exist in the parent. In that
    case load the file after the fork, or end the child with `os._exit`, as `multiprocessing` does.

    Args:
        file: the checked content of an exported file.

    Raises:
        MissingExtra: the package onnxruntime is not installed.
        CheckpointError: onnxruntime refuses the file.
    """

    name = "onnx"

    def __init__(self, file: OnnxFile) -> None:
        self._file = file
        self._session: Any = _session(file.content)
        _engines.add(self)

    @property
    def time_reduction(self) -> int:
        """The number of input frames for each output frame."""
        return self._file.time_reduction

    @property
    def n_features(self) -> int:
        """F, the size of a frame."""
        return self._file.n_features

    @property
    def n_labels(self) -> int:
        """L, the number of labels with the blank."""
        return self._file.n_labels

    @property
    def digest(self) -> str:
        """The SHA-256 of the file in hexadecimal, which identifies the weights."""
        return hashlib.sha256(self._file.content).hexdigest()

    def posteriors(self, frames: FloatArray, lengths: IntArray) -> tuple[FloatArray, IntArray]:
        """Compute the log posteriors of a batch, see `Engine.posteriors`.

        Raises:
            DataError: onnxruntime fails, for example because memory runs out or the file is damaged.
        """
        check_batch(frames, lengths, self.n_features)
        return self._run_each(frames, lengths) if self._file.int8 else self._run(frames, lengths)

    def _run_each(self, frames: FloatArray, lengths: IntArray) -> tuple[FloatArray, IntArray]:
        """Run the utterances one by one; frames beyond an utterance's length get a uniform distribution."""
        found = [
            self._run(one[None, :length], lengths[at : at + 1])[0][0]
            for at, (one, length) in enumerate(zip(frames, lengths, strict=True))
        ]
        shape = (len(frames), -(-frames.shape[1] // self.time_reduction), self.n_labels)
        log_probs = np.full(shape, -np.log(self.n_labels), dtype=np.float32)
        for row, one in zip(log_probs, found, strict=True):
            row[: len(one)] = one
        return log_probs, -(-lengths // self.time_reduction)

    def _run(self, frames: FloatArray, lengths: IntArray) -> tuple[FloatArray, IntArray]:
        reduction = self.time_reduction
        shape = (len(frames), -(-frames.shape[1] // reduction), self.n_labels)
        try:
            given = {"frames": np.ascontiguousarray(frames), "lengths": lengths}
            log_probs, out_lengths = self._own_session().run(["log_probs", "out_lengths"], given)
        except Exception as error:  # onnxruntime's errors have no common class but Exception
            raise DataError(f"onnxruntime cannot run the network: {one_line(error)}") from error
        if log_probs.shape != shape or not np.array_equal(out_lengths, -(-lengths // reduction)):
            raise DataError(
                f"the network returned {log_probs.shape} log posteriors; expected {shape}; the .onnx file was not"
                " written by asr-export: export the model again"
            )
        return log_probs, out_lengths

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle the file only; the process that unpickles it creates a new session."""
        return type(self), (self._file,)

    def _own_session(self) -> Any:
        session = self._session
        if session is None:  # after a fork
            self._session = session = _session(self._file.content)
        return session

    def _leave_session(self) -> None:
        """Give up a session from before a fork without freeing it, because freeing it waits for lost threads."""
        session, self._session = self._session, None
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))


_engines: weakref.WeakSet[OnnxEngine] = weakref.WeakSet()


def _leave_sessions() -> None:
    for engine in list(_engines):
        engine._leave_session()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_leave_sessions)  # the threads of a session are not in the child


def _session(content: bytes) -> Any:
    require("onnxruntime", what="reading an .onnx file")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = wanted_threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads sleep
    options.log_severity_level = 4  # errors are raised as exceptions
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common class but Exception
        raise CheckpointError(f"onnxruntime refuses the network: {one_line(error)}") from error
