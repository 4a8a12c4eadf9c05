"""Compute the frames of a list of utterances once, and keep them in a file.

`<name>.npy` holds the frames of all utterances in order, (sum of T, F) float32; `<name>.json` has the number of rows of
each utterance. The name is a hash over the extractor's settings, the speeds, the segments and the *contents* of the
source files. If any of these changes, another file is used, so a cache is never stale.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.cores import usable_cores
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems
from asr.features.extractor import FrameExtractor
from asr.features.parts import Pace, Part, part_of
from asr.features.workers import Crew, can_be_sent
from asr.files import STALE_SECONDS, atomic_file, make_folder, sweep, write_file
from asr.stored_rows import StoredRows

Progress = Callable[[int, int], None]
_FORMAT = 2  # version of the file format and of the extractors' results; increase it when either changes
_HEADER_BYTES = 128
_INDEX_BYTES, _LENGTH_BYTES = 1 << 20, 24  # largest size of an index: the first, plus the second for each length
_WORTH_A_WORKER = 2.0  # seconds of computing per worker; starting a process takes about half a second


class FrameCache:
    """The frames of a list of utterances, by index; created by `FrameCache.open`.

    Attributes:
        utterances: the utterances, in order.
        extractor: the extractor that computed the frames.
        speeds: the available speeds.
        path: the file with the frames.
    """

    def __init__(
        self,
        path: Path,
        utterances: Sequence[Utterance],
        extractor: FrameExtractor,
        speeds: tuple[float, ...],
        lengths: NDArray[np.int64],
    ) -> None:
        self.path, self.utterances, self.extractor, self.speeds = path, tuple(utterances), extractor, speeds
        self._lengths = lengths  # (utterances, speeds)
        self._starts = np.concatenate([[0], np.cumsum(lengths.ravel())])
        self._rows = StoredRows(path, "<f4", (int(self._starts[-1]), extractor.dim), _HEADER_BYTES)

    @classmethod
    def open(
        cls,
        utterances: Sequence[Utterance],
        extractor: FrameExtractor,
        folder: str | os.PathLike[str],
        speeds: Sequence[float] = (1.0,),
        on_progress: Progress | None = None,
        workers: int | None = None,
    ) -> FrameCache:
        """Open the cache of these utterances; compute it if it does not exist.

        Args:
            utterances: at least one.
            extractor: computes the frames; with workers > 1 it must be picklable and not defined in the main module.
            folder: folder of the caches; created if it is missing.
            speeds: speeds at which every utterance is computed.
            on_progress: called now and then with (utterances done, all utterances) while frames are computed.
            workers: number of processes, which changes only the time needed. None: use this process, and other
                processes on the other cores if that is quicker. A worker does not run the main module.

        Raises:
            Problems: source files cannot be read; lists all of them. Nothing is written.
            DataError: there are no utterances, the folder cannot be written, or a worker has ended too early.
        """
        if not utterances:
            raise DataError("there are no utterances to compute frames of; is the manifest empty?")
        folder, speeds = Path(folder), tuple(float(speed) for speed in speeds)
        path = folder / f"{_name(utterances, extractor, speeds)}.npy"
        lengths = _lengths_of_complete(path, len(utterances), len(speeds), extractor.dim)
        if lengths is None:
            _check_sources(utterances, extractor)
            lengths = _build(path, utterances, extractor, speeds, on_progress, workers)
        return cls(path, utterances, extractor, speeds, lengths)

    def __len__(self) -> int:
        return len(self.utterances)

    def frames(self, index: int, speed: float = 1.0) -> NDArray[np.float32]:
        """Return the frames of an utterance, (T, F) float32, read-only.

        Raises:
            DataError: the file was truncated after it was opened.
        """
        cell = self._cell(index, speed)
        return self._rows.read(int(self._starts[cell]), int(self._starts[cell + 1]))

    def by_speaker(self) -> Iterator[tuple[str | None, NDArray[np.float32]]]:
        """Iterate over pairs (speaker, frames (T, F)) of all utterances, as `Normaliser.fitted` accepts them."""
        return ((utterance.speaker, self.frames(i)) for i, utterance in enumerate(self.utterances))

    def n_frames(self, index: int, speed: float = 1.0) -> int:
        """Return the number of frames of an utterance, without reading the file."""
        self._cell(index, speed)
        return int(self._lengths[index, self.speeds.index(speed)])

    def _cell(self, index: int, speed: float) -> int:
        if not 0 <= index < len(self.utterances):
            raise IndexError(f"utterance {index} of {len(self.utterances)}")
        if speed not in self.speeds:
            raise ValueError(f"speed {speed} is not in this cache; it was opened with speeds={self.speeds}")
        return index * len(self.speeds) + self.speeds.index(speed)


def _name(utterances: Sequence[Utterance], extractor: FrameExtractor, speeds: tuple[float, ...]) -> str:
    """Return a hash over everything that the frames depend on.

    Raises:
        Problems: sources cannot be read.
    """
    digests = dict[Path, str]()
    whole = hashlib.sha256(json.dumps([_FORMAT, extractor.settings(), speeds], sort_keys=True).encode())
    for utterance in utterances:
        if utterance.source not in digests:
            try:
                digests[utterance.source] = _digest(utterance.source)
            except (OSError, ValueError):  # ValueError: a NUL in the path
                _check_sources(utterances, extractor)  # raises an error that lists all faulty sources
                raise
        part = [digests[utterance.source], utterance.start, utterance.duration, utterance.channel]
        whole.update(json.dumps(part).encode())
    return whole.hexdigest()[:32]


def _check_sources(utterances: Sequence[Utterance], extractor: FrameExtractor) -> None:
    """Check the headers of all sources before frames are computed.

    Raises:
        Problems: sources cannot be read; lists all of them.
    """
    problems = []
    for utterance in utterances:
        try:
            extractor.check(utterance)
        except DataError as error:
            problems.append(f"{utterance.id}: {error}")
    if problems:
        raise Problems(problems, "the source files")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    if not path.is_file():  # a FIFO would block
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _lengths_of_complete(path: Path, n_utterances: int, n_speeds: int, dim: int) -> NDArray[np.int64] | None:
    """Return the numbers of frames, (utterances, speeds), of a complete cache; None if it is missing or damaged."""
    index = path.with_suffix(".json")
    try:
        if index.stat().st_size > _INDEX_BYTES + _LENGTH_BYTES * n_utterances * n_speeds:
            return None
        rows = json.loads(index.read_bytes())["frames"]
        n_frames, rest = divmod(path.stat().st_size - _HEADER_BYTES, dim * 4)
        lengths = [n for row in rows for n in row]
        shapes = {len(row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if len(rows) != n_utterances or shapes != {n_speeds} or rest:
        return None
    if not all(type(n) is int and n >= 1 for n in lengths) or sum(lengths) != n_frames:
        return None
    return np.array(lengths, dtype=np.int64).reshape(n_utterances, n_speeds)


def _build(
    path: Path,
    utterances: Sequence[Utterance],
    extractor: FrameExtractor,
    speeds: tuple[float, ...],
    on_progress: Progress | None,
    workers: int | None,
) -> NDArray[np.int64]:
    """Compute all frames and write them to `path` and its index; both files appear only when they are complete."""
    problems: list[str] = []
    lengths: list[NDArray[np.int64]] = []
    done = 0
    make_folder(path.parent)
    sweep(path.parent, STALE_SECONDS)
    with atomic_file(path) as file, closing(_parts(utterances, extractor, speeds, workers)) as parts:
        file.write(_npy_header(0, extractor.dim))
        for part in parts:
            problems += part.problems
            if not problems:
                lengths.append(part.lengths)
                file.write(part.frames.data)
            done += part.n_utterances
            if on_progress is not None:
                on_progress(done, len(utterances))
        if problems:
            raise Problems(problems, "the source files")
        file.seek(0)
        counts = np.concatenate(lengths)
        file.write(_npy_header(int(counts.sum()), extractor.dim))
    index = {"format": _FORMAT, "settings": extractor.settings(), "speeds": speeds, "frames": counts.tolist()}
    write_file(path.with_suffix(".json"), json.dumps(index).encode())  # last, because it marks the frames as complete
    return counts


def _parts(
    utterances: Sequence[Utterance], extractor: FrameExtractor, speeds: tuple[float, ...], workers: int | None
) -> Generator[Part, None, None]:
    """Yield the frames of all utterances in their order.

    With workers=None this process begins and measures its speed. If the rest would take long enough, worker processes
    take over.
    """
    pace, done = Pace(), 0
    n_workers = 1 if workers is None else min(workers, len(utterances))
    while n_workers <= 1 and done < len(utterances):
        part = part_of(utterances[done : done + pace.size], extractor, speeds)
        pace.learn(part)
        yield part
        if workers is None and done > 0:  # not the first part, whose time includes the import of modules
            left = len(utterances) - done - part.n_utterances
            n_workers = _worth_starting(left * part.seconds / part.n_utterances, extractor)
        done += part.n_utterances
    if done < len(utterances):
        with Crew(utterances[done:], extractor, speeds, n_workers, pace) as crew:
            yield from crew.parts()


def _worth_starting(seconds: float, extractor: FrameExtractor) -> int:
    """Return how many workers to start for work that takes one process this many seconds; 1 for none."""
    wanted = min(usable_cores(), int(seconds / _WORTH_A_WORKER))
    if wanted < 2 or multiprocessing.parent_process() is not None:  # inside a worker, the other cores are in use
        return 1
    return wanted if can_be_sent(extractor) else 1


def _npy_header(rows: int, columns: int) -> bytes:
    """Return a header of NumPy's .npy format 1.0 of fixed size, so that the number of rows can be written last."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    room = _HEADER_BYTES - 10
    return b"\x93NUMPY\x01\x00" + room.to_bytes(2, "little") + text.ljust(room - 1).encode("ascii") + b"\n"
