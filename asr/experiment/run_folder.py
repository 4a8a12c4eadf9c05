"""Run folders: their paths, and the records of a run's configuration, data and environment."""

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

_LARGEST = 4 << 20  # bytes of a JSON record
_LARGEST_CONFIG = 1 << 17  # bytes of a configuration; YAML takes seconds to read more
_LONGEST = 60  # characters of an option's name in a message


S_ = TypeVar("S_")


class Settings(Protocol):
    """Interface of the configuration of a run."""

    @property
    def training(self) -> TrainingConfig:
        """Options of the training loop."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values."""
        ...

    @classmethod
    def from_dict(cls: type[S_], values: Mapping[str, Any]) -> S_:
        """Read the values that `to_dict` returned, or raise a ConfigError."""
        ...


S = TypeVar("S", bound=Settings)
D = TypeVar("D")


class AnyRunFolder(ABC, Generic[S, D]):
    """Paths and records of a run; S is the type of its configuration, D the type of its data.

    Args:
        path: the folder.
    """

    settings: type[S]
    """The class of the configuration."""
    data_names: Sequence[str]
    """The names of the files in the folder `data`."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.copied: list[Path] = []
        """Files that `write_data` has copied into the run folder itself."""

    @property
    def config(self) -> Path:
        """The path of the file with the whole configuration."""
        return self.path / "config.yaml"

    @property
    @abstractmethod
    def data(self) -> Path:
        """The folder with the data of the run, one file for each split."""

    @abstractmethod
    def write_data(self, config: S, data: D) -> None:
        """Write the data into the folder `data`, and copy files that the configuration names into the run folder."""

    @property
    def environment(self) -> Path:
        """The path of the record of the run's start: command, versions, commit and machine."""
        return self.path / "environment.json"

    @property
    def result(self) -> Path:
        """The path of the result file."""
        return self.path / "result.json"

    @property
    def started(self) -> bool:
        """Return whether a run was begun in this folder; if so, `data` contains its data."""
        return self.config.exists()

    def check(self, config: S) -> None:
        """Check that a run with this configuration can begin or be resumed in this folder, without writing to it.

        Raises:
            ConfigError: the folder contains a run with another configuration or other files, or cannot be written.
        """
        if why := obstacle(self.path):
            raise ConfigError(f"run_dir={self.path} {why}; give another folder")
        if self.started:
            self._compare(config)
        elif not self._can_begin():
            raise ConfigError(f"{self.path} is not empty and contains no run; give an empty or new folder as run_dir=")

    def _can_begin(self) -> bool:
        """Return whether the folder is missing, empty, or contains only files of an interrupted `begin`.

        `begin` writes `environment.json` first. Without this file, the folder may contain only temporary files of
        killed processes, and a folder `manifest` with such files, which earlier versions left behind.
        """
        with explained(self.path, done="read", kept=""):
            if not self.path.exists() or self._is_begun():
                return True
            inside = list(self.data.iterdir()) if self.data.is_dir() else []
            names = [one for one in self.path.iterdir() if one != self.data or not self.data.is_dir()]
        return all(is_leftover(one) for one in names + inside)

    def _is_begun(self) -> bool:
        """Return whether there is an `environment.json` that `begin` has written."""
        try:
            return "ctc_asr" in json.loads(self._text(self.environment))
        except (FileNotFoundError, ValueError, TypeError, RecursionError):
            return False

    def begin(self, config: S, data: D, options: Sequence[str] = ()) -> None:
        """Write the records of a new run: the environment, the data and, last, the configuration.

        The caller must hold the lock of `alone`. If the call is interrupted, it can be repeated.

        Args:
            config: the whole configuration.
            data: the data to train on.
            options: the command-line options that change the recipe.

        Raises:
            Problems: the data is invalid and cannot be written; the folder is left empty.
            DataError: the folder cannot be written; written files are removed again if possible.
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
        """Remove the files that `begin` has written.

        `environment.json` is the last one: if another file cannot be removed, it marks the folder as begun.
        """
        if not self.started:
            data = (self.data / name for name in self.data_names)
            for path in (*data, self.data, *self.copied, self.environment):
                remove(path)

    def record_resume(self) -> None:
        """Record that the run is resumed, if the commit or the versions have changed since its start."""
        start = self.read_start()
        later = start.with_changes(Provenance.now())
        if later != start:
            write_json(self.environment, later.to_dict())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold an exclusive lock on the run inside a `with` block; create the folder if it does not exist.

        The lock ends with the process and its loader workers, which may outlive a killed process by some seconds.

        Raises:
            ConfigError: another process holds the lock.
            DataError: the folder cannot be created.
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
            changes = ", ".join(
                f"{key[:_LONGEST]} (was {shown(was)}, is {shown(now)})"
                for key, (was, now) in list(different.items())[:5]
            )
            raise ConfigError(
                f"{self.path} contains a run with another configuration: {changes}; resume it with the options it was "
                "started with, or give another run_dir="
            )

    def read_start(self) -> RunStart:
        """Read the record of the run's start.

        Raises:
            CheckpointError: the record is missing or damaged.
        """
        try:
            return RunStart.from_dict(json.loads(self._text(self.environment)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise CheckpointError(
                f"{self.environment} is not the record of a run's start: {one_line(error)}; train in a new run folder"
            ) from error

    def read_config(self) -> S:
        """Read the configuration that the run was started with, without interpolation.

        Raises:
            CheckpointError: the file is missing or damaged.
        """
        if not self.config.is_file():
            raise CheckpointError(f"{self.path} is not a run folder: it has no config.yaml")
        try:
            values = load_plain_yaml(self._text(self.config, _LARGEST_CONFIG))
            if not isinstance(values, dict):
                raise ConfigError("it contains no options")
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
    """The folder of a run that trains a recogniser; it stores the utterances."""

    settings = RunConfig
    data_names = (*(f"{name}.jsonl" for name in SPLITS), SKIPPED_NAME)

    @property
    def data(self) -> Path:
        """The folder with a manifest for each split."""
        return self.path / "manifest"

    def write_data(self, config: RunConfig, data: Corpus) -> None:
        """Write the manifests, and copy the decoder's files into the run folder."""
        write_corpus(data.splits, self.data, data.skipped)
        saved_beside(config.decoder, self.path, self.copied.append)
