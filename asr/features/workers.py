"""Processes that compute frames beside this one.

Each is a new Python that imports the extractor and what it needs, not the main module: so no script has to be guarded
against being run again, and what the script imported is not imported twice. Tasks go to its standard input and parts
come from its standard output, both pickled. A process whose input ends, for this one is gone, ends, too.
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
_TASKS = 2  # that a worker has: one that it computes and one that waits, so that it never does
_AHEAD = 4  # parts for each worker that may wait for an earlier one to be written
_PATIENCE = 5.0  # seconds from the end of a process's output to its own end
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # workers share the cores, not threads
_FEWER = "nothing was written; try again with one process (workers=1)"


@dataclass(frozen=True)
class _Failure:
    """An error in a worker that this process raises as if it had computed the part itself."""

    error: Exception


Answer = Part | _Failure | None  # None: there will be no more
Task = tuple[int, Sequence[Utterance]]


def can_be_sent(extractor: FrameExtractor) -> bool:
    """Whether another process can make the same extractor: it can be pickled, and is not of the main module."""
    if type(extractor).__module__ == "__main__" or not sys.executable or getattr(sys, "frozen", False):
        return False
    try:
        pickle.dumps(extractor)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


class Crew:
    """Processes that compute the frames of utterances; a context manager, at whose end none of them is left.

    Args:
        utterances: whose frames.
        extractor: gives the frames; it must be picklable and not of the main module.
        speeds: every utterance is computed at these.
        workers: processes.
        pace: how large parts are at first.

    Raises:
        DataError: the extractor cannot be sent, or a process cannot be started.
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
                f"{type(extractor).__name__} cannot be sent to other processes; define it in a module of its own whose "
                "objects can be pickled, or compute frames in one process (workers=1)"
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
            DataError: a process was lost.
            Exception: what the extractor raised in a process.
        """
        done: dict[int, Part] = {}  # parts that came before an earlier one
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
        """End the processes at once."""
        for worker in self._workers:
            worker.end()

    def _hand_out(self) -> None:
        """Give every process work to do and work to go on with."""
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
        """Wait for a part: its number, and the part."""
        which, place, answer = self._answers.get()
        if answer is None:
            raise DataError(f"a process that computes frames was lost ({self._workers[which].why()}); {_FEWER}")
        if isinstance(answer, _Failure):
            raise answer.error
        self._workers[which].n_tasks -= 1
        self._pace.learn(answer)
        return place, answer


class _Worker:
    """One process, and the thread that waits for what it sends."""

    def __init__(self, number: int, answers: SimpleQueue[tuple[int, int, Answer]]) -> None:
        self.n_tasks = 0
        command = [sys.executable, "-c", _BEGIN, *sys.path]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**os.environ, **dict.fromkeys(_THREADS, "1")},
                start_new_session=True,  # Ctrl-C reaches this process alone, which ends the others
            )  # fmt: skip
        except OSError as error:
            raise DataError(f"a process that computes frames cannot start ({one_line(error)}); {_FEWER}") from error
        self._thread = threading.Thread(target=_listen, args=(self._process.stdout, number, answers), daemon=True)
        self._thread.start()

    def send(self, message: object) -> None:
        """Send a task, or the extractor; to a process that has ended nothing, for its thread reports that."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            pickle.dump(message, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()

    def why(self) -> str:
        """Return how the process ended."""
        try:
            status = self._process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            return "it sends what cannot be read"
        return f"killed by signal {-status}, perhaps for want of memory" if status < 0 else f"exit status {status}"

    def end(self) -> None:
        """End the process at once, and the thread."""
        self._process.kill()
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was not sent cannot be sent any more
                pipe.close()
        self._process.wait()


def _listen(pipe: IO[bytes], number: int, answers: SimpleQueue[tuple[int, int, Answer]]) -> None:
    """Pass on what a process sends; a None when it ends."""
    while True:
        try:
            place, answer = pickle.load(pipe)
        except Exception:  # it has ended, perhaps in the middle of a part; or unpickling raised whatever it may
            answers.put((number, -1, None))
            return
        answers.put((number, place, answer))


def serve() -> None:
    """Compute parts for the process that started this one, until its pipe ends."""
    tasks, answers = _private_pipes()
    try:
        extractor, speeds = pickle.load(tasks)
    except Exception as error:  # whatever importing the extractor's module raises
        _answer(answers, -1, _Failure(_travelling(error)))
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
    except Exception as error:  # a bug of an extractor: raised in the process that waits
        return _Failure(_travelling(error))


def _private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Take standard input and output for tasks and answers; whoever else reads and prints gets nothing and stderr."""
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return tasks, answers


def _answer(pipe: IO[bytes], place: int, answer: Any) -> None:
    try:
        pickle.dump((place, answer), pipe, protocol=pickle.HIGHEST_PROTOCOL)
        pipe.flush()
    except BrokenPipeError:  # nobody waits any more
        os._exit(0)


def _travelling(error: Exception) -> Exception:
    """Return the error, or its text where another process could not make it."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        kind = DataError if isinstance(error, AsrError) else RuntimeError
        return kind(f"{type(error).__name__}: {error}")
    return error
