"""The run folder: which configuration it belongs to, on which machine it ran, and what is in it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import yaml

from asr.config import shown
from asr.corpus.faults import SKIPPED_NAME
from asr.corpus.splits import SPLITS, Corpus, write_corpus
from asr.decoding.files import saved_beside
from asr.errors import CheckpointError, ConfigError, one_line
from asr.experiment.provenance import Provenance, RunStart
from asr.experiment.run_config import RunConfig
from asr.experiment.settings import differences
from asr.files import (
    explained,
    is_leftover,
    locked,
    make_folder,
    obstacle,
    remove,
    sweep,
    write_file,
    write_json,
)
from asr.plain_yaml import load_plain_yaml
from asr.training.loop import TrainingConfig

_LARGEST = 4 << 20  # bytes of a record
_LARGEST_CONFIG = 1 << 17  # bytes of a configuration; YAML takes seconds to read more
_LONGEST = 60  # characters of an option's name in a message


S_ = TypeVar("S_")


class Settings(Protocol):
    """The configuration of a run of any sort."""

    @property
    def training(self) -> TrainingConfig:
        """Options of the loop."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return its plain values."""
        ...

    @classmethod
    def from_dict(cls: type[S_], values: Mapping[str, Any]) -> S_:
        """Read the values that `to_dict` returned, or raise a ConfigError."""
        ...


S = TypeVar("S", bound=Settings)
D = TypeVar("D")


class AnyRunFolder(ABC, Generic[S, D]):
    """Paths and records of one run; S is its configuration and D the data that it keeps.

    Args:
        path: the folder.
    """

    settings: type[S]
    """The class of its configuration."""
    data_names: Sequence[str]
    """The names of the files in `data`."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.copied: list[Path] = []
        """Files in the folder itself that `write_data` has copied there from elsewhere."""

    @property
    def config(self) -> Path:
        """The whole composed configuration."""
        return self.path / "config.yaml"

    @property
    @abstractmethod
    def data(self) -> Path:
        """The folder of the data of the run, a file a split."""

    @abstractmethod
    def write_data(self, config: S, data: D) -> None:
        """Write the files of `data`, and those that the configuration names."""

    @property
    def environment(self) -> Path:
        """The environment of the start of the run: command, versions, commit and machine."""
        return self.path / "environment.json"

    @property
    def result(self) -> Path:
        """Error rates of the finished run."""
        return self.path / "result.json"

    @property
    def started(self) -> bool:
        """Whether a run was begun here; if so, `data` holds its data."""
        return self.config.exists()

    def check(self, config: S) -> None:
        """See whether a run can begin or go on here. Write nothing.

        Raises:
            ConfigError: the folder holds a run with another configuration, or something else, or cannot be written.
        """
        if why := obstacle(self.path):
            raise ConfigError(f"run_dir={self.path} {why}; give another folder")
        if self.started:
            self._compare(config)
        elif not self._can_begin():
            raise ConfigError(f"{self.path} is not empty and holds no run; give an empty or a new folder as run_dir=")

    def _can_begin(self) -> bool:
        """Whether nothing is in the folder but what an interrupted `begin` has left.

        `begin` writes `environment.json` before anything else. Without it, only leftovers of killed processes may be
        there, and a folder `manifest` with nothing but such leftovers in it (earlier versions left one).
        """
        with explained(self.path, done="read", kept=""):
            if not self.path.exists() or self._is_begun():
                return True
            inside = list(self.data.iterdir()) if self.data.is_dir() else []
            names = [one for one in self.path.iterdir() if one != self.data or not self.data.is_dir()]
        return all(is_leftover(one) for one in names + inside)

    def _is_begun(self) -> bool:
        """Whether `environment.json` is there and was made by `begin`."""
        try:
            return "ctc_asr" in json.loads(self._text(self.environment))
        except (FileNotFoundError, ValueError, TypeError, RecursionError):
            return False

    def begin(self, config: S, data: D, options: Sequence[str] = ()) -> None:
        """Write what the run starts from: environment, data and, last, the configuration.

        The caller holds the lock of `alone`. Interrupted at any point, the same call begins anew.

        Args:
            config: composed.
            data: what it trains on.
            options: the options in which the run differs from its recipe, as on a command line.

        Raises:
            Problems: the data cannot be written, such as utterances as manifests; nothing is left in the folder.
            DataError: the folder cannot be written; nothing is left in it, where that is possible.
        """
        try:
            for folder in (self.path, self.data):
                sweep(folder)
            write_json(self.environment, RunStart(Provenance.now(), config.training.seed, tuple(options)).to_dict())
            self.write_data(config, data)
            text = yaml.safe_dump(config.to_dict(), sort_keys=False, allow_unicode=True)
            write_file(self.config, text.encode())
        except BaseException:
            self._undo_begin()
            raise

    def _undo_begin(self) -> None:
        """Remove what `begin` has made; `environment.json` last, so that what cannot be removed is known as begun."""
        if not self.started:
            data = (self.data / name for name in self.data_names)
            for path in (*data, self.data, *self.copied, self.environment):
                remove(path)

    def go_on(self) -> None:
        """Note that the run goes on, where that is with another commit or other versions than it began with."""
        start = self.read_start()
        later = start.went_on(Provenance.now())
        if later != start:
            write_json(self.environment, later.to_dict())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from beginning or training this run; make the folder if it is missing.

        The lock ends with the process and with the loader's workers, which outlive one that was killed by seconds.

        Raises:
            ConfigError: another process is at work here.
            DataError: the folder cannot be made.
        """
        make_folder(self.path)
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.path, wait=False))
            except BlockingIOError:
                raise ConfigError(
                    f"{self.path} is being trained by another process; wait for it, or give another run_dir="
                ) from None
            yield

    def _compare(self, config: S) -> None:
        different = differences(self.read_config(), config)
        if different:
            told = ", ".join(
                f"{key[:_LONGEST]} (was {shown(was)}, is {shown(now)})"
                for key, (was, now) in list(different.items())[:5]
            )
            raise ConfigError(
                f"{self.path} holds a run with another configuration: {told}; resume it with the options it was "
                "started with, or give another run_dir="
            )

    def read_start(self) -> RunStart:
        """Read how the run was started.

        Raises:
            CheckpointError: the record is not there, or damaged.
        """
        try:
            return RunStart.from_dict(json.loads(self._text(self.environment)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise CheckpointError(
                f"{self.environment} does not say how the run was started: {one_line(error)}; train in a new run folder"
            ) from error

    def read_config(self) -> S:
        """Read the configuration that the run was started with; nothing in it is interpolated.

        Raises:
            CheckpointError: there is none, or it is damaged.
        """
        if not self.config.is_file():
            raise CheckpointError(f"{self.path} is no run folder: it has no config.yaml")
        try:
            values = load_plain_yaml(self._text(self.config, _LARGEST_CONFIG))
            if not isinstance(values, dict):
                raise ConfigError("it holds no options")
            return self.settings.from_dict(values)
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.config} cannot be read: {one_line(error)}") from error
        except ConfigError as error:
            raise CheckpointError(f"{self.config} is not the configuration of a run: {error}") from error

    def _text(self, path: Path, largest: int = _LARGEST) -> str:
        if (size := path.stat().st_size) > largest:
            raise ValueError(f"it has {size} bytes; expected at most {largest}")
        return path.read_text(encoding="utf-8")


class RunFolder(AnyRunFolder[RunConfig, Corpus]):
    """The folder of a run that trains a recogniser; it keeps the utterances."""

    settings = RunConfig
    data_names = (*(f"{name}.jsonl" for name in SPLITS), SKIPPED_NAME)

    @property
    def data(self) -> Path:
        """The utterances of the run, one manifest a split."""
        return self.path / "manifest"

    def write_data(self, config: RunConfig, data: Corpus) -> None:
        """Write the manifests, and the files of the decoder."""
        write_corpus(data.splits, self.data, data.skipped)
        saved_beside(config.decoder, self.path, self.copied.append)
