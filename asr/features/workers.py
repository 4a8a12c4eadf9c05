"""Compute frames in worker processes.

Each worker is a new Python process that imports the extractor but not the main module, so scripts need no
`if __name__ == "__main__"` guard. Tasks are pickled to its standard input, and parts come back pickled on its standard
output. A worker ends when its standard input is closed, which also happens if this process dies.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from queue import SimpleQueue
from typing import IO, Any

from asr.corpus.utterance import Utterance
from asr.errors import AsrError, DataError, one_line
from asr.features.extractor import FrameExtractor
from asr.features.parts import Pace, Part, part_of

_BEGIN = "import sys; sys.path[:] = sys.argv[1:]; from asr.features.workers import serve; serve()"
_TASKS = 2  # per worker: one in progress and one waiting, so that the worker is never idle
_AHEAD = 4  # parts per worker that may be finished before an earlier part is
_PATIENCE = 5.0  # seconds between the end of a worker's output and the end of the worker
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # workers share the cores, not threads
_FEWER = "nothing was written; try again with one process (workers=1)"


@dataclass(frozen=True)
class _Failure:
    """An error of the extractor in a worker, which this process raises again."""

    error: Exception


Answer = Part | _Failure | None  # None: the worker has ended
Task = tuple[int, Sequence[Utterance]]


def can_be_sent(extractor: FrameExtractor) -> bool:
    """Return whether an extractor can be sent to workers: it can be pickled and is not defined in the main module."""
    if type(extractor).__module__ == "__main__" or not sys.executable or getattr(sys, "frozen", False):
        return False
    try:
        pickle.dumps(extractor)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


class Crew:
    """A group of workers that compute the frames of utterances; a context manager that ends all of them on exit.

    Args:
        utterances: the utterances.
        extractor: computes the frames; it must be picklable and not defined in the main module.
        speeds: speeds at which every utterance is computed.
        workers: number of processes.
        pace: gives the size of the first parts.

    Raises:
        DataError: the extractor cannot be sent to other processes, or a process cannot be started.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        extractor: FrameExtractor,
        speeds: Sequence[float],
        workers: int,
        pace: Pace | None = None,
    ) -> None:
        if not can_be_sent(extractor):
            raise DataError(
                f"{type(extractor).__name__} cannot be sent to other processes; define it in a module of its own and "
                "make its objects picklable, or compute frames in one process (workers=1)"
            )
        self._utterances, self._pace = utterances, pace or Pace()
        self._begun = self._next = self._written = 0  # utterances handed out; parts handed out, parts given
        self._answers: SimpleQueue[tuple[int, int, Answer]] = SimpleQueue()
        self._workers: list[_Worker] = []
        try:
            for number in range(workers):
                self._workers.append(_Worker(number, self._answers))
                self._workers[-1].send((extractor, tuple(speeds)))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parts(self) -> Iterator[Part]:
        """Yield the frames of all utterances, in their order.

        Raises:
            DataError: a process has ended too early.
            Exception: the extractor raised it in a process.
        """
        done: dict[int, Part] = {}  # finished parts that wait for an earlier one
        for number in count():
            self._hand_out()
            if number == self._next:
                return
            while number not in done:
                place, part = self._receive()
                done[place] = part
                self._hand_out()
            self._written += 1
            yield done.pop(number)

    def close(self) -> None:
        """Kill the processes."""
        for worker in self._workers:
            worker.end()

    def _hand_out(self) -> None:
        """Send tasks until every process has enough."""
        room = self._written + _AHEAD * len(self._workers)
        while self._begun < len(self._utterances) and self._next < room:
            worker = min(self._workers, key=lambda one: one.n_tasks)
            if worker.n_tasks >= _TASKS:
                return
            stretch = self._utterances[self._begun : self._begun + self._pace.size]
            worker.send((self._next, stretch))
            worker.n_tasks += 1
            self._begun, self._next = self._begun + len(stretch), self._next + 1

    def _receive(self) -> tuple[int, Part]:
        """Wait for a part; return its number and the part."""
        which, place, answer = self._answers.get()
        if answer is None:
            raise DataError(f"a process that computes frames was lost ({self._workers[which].why()}); {_FEWER}")
        if isinstance(answer, _Failure):
            raise answer.error
        self._workers[which].n_tasks -= 1
        self._pace.learn(answer)
        return place, answer


class _Worker:
    """One process, and the thread that receives its answers."""

    def __init__(self, number: int, answers: SimpleQueue[tuple[int, int, Answer]]) -> None:
        self.n_tasks = 0
        command = [sys.executable, "-c", _BEGIN, *sys.path]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**os.environ, **dict.fromkeys(_THREADS, "1")},
                start_new_session=True,  # Ctrl-C goes to this process only, which ends the workers
            )  # fmt: skip
        except OSError as error:
            raise DataError(f"a process that computes frames cannot start ({one_line(error)}); {_FEWER}") from error
        self._thread = threading.Thread(target=_listen, args=(self._process.stdout, number, answers), daemon=True)
        self._thread.start()

    def send(self, message: object) -> None:
        """Send a task or the extractor; do nothing if the process has ended, which its thread reports."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            pickle.dump(message, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()

    def why(self) -> str:
        """Return why the process ended, for an error message."""
        try:
            status = self._process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            return "its answer cannot be read"
        return f"killed by signal {-status}, perhaps out of memory" if status < 0 else f"exit status {status}"

    def end(self) -> None:
        """Kill the process, and wait for it and its thread."""
        self._process.kill()
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):  # flushing unsent data fails
                pipe.close()
        self._process.wait()


def _listen(pipe: IO[bytes], number: int, answers: SimpleQueue[tuple[int, int, Answer]]) -> None:
    """Put the answers of a process into the queue, and None when it ends."""
    while True:
        try:
            place, answer = pickle.load(pipe)
        except Exception:  # the process has ended, or its answer cannot be unpickled
            answers.put((number, -1, None))
            return
        answers.put((number, place, answer))


def serve() -> None:
    """Compute parts for the process that started this worker, until its pipe is closed."""
    tasks, answers = _private_pipes()
    try:
        extractor, speeds = pickle.load(tasks)
    except Exception as error:  # importing the extractor's module may raise anything
        _answer(answers, -1, _Failure(_picklable(error)))
        return
    while True:
        try:
            place, utterances = pickle.load(tasks)
        except EOFError:
            return
        _answer(answers, place, _attempt(utterances, extractor, speeds))


def _attempt(utterances: Sequence[Utterance], extractor: FrameExtractor, speeds: Sequence[float]) -> Part | _Failure:
    try:
        return part_of(utterances, extractor, speeds)
    except Exception as error:  # a bug of the extractor is raised again in the main process
        return _Failure(_picklable(error))


def _private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Reserve standard input and output for tasks and answers; other code reads nothing and prints to stderr."""
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return tasks, answers


def _answer(pipe: IO[bytes], place: int, answer: Any) -> None:
    try:
        pickle.dump((place, answer), pipe, protocol=pickle.HIGHEST_PROTOCOL)
        pipe.flush()
    except BrokenPipeError:  # the main process has ended
        os._exit(0)


def _picklable(error: Exception) -> Exception:
    """Return the error, or one of a plain type with its text if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        kind = DataError if isinstance(error, AsrError) else RuntimeError
        return kind(f"{type(error).__name__}: {error}")
    return error
