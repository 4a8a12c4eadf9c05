"""The run folder: which configuration it belongs to, on which machine it ran, and what is in it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from asr.corpus.splits import write_corpus
from asr.corpus.utterance import Utterance
from asr.errors import AsrError, CheckpointError, ConfigError, DataError
from asr.experiment.provenance import Provenance, RunStart
from asr.experiment.run_config import RunConfig
from asr.files import obstacle
from asr.plain_yaml import load_plain_yaml
from asr.training.checkpoint import write_atomically, write_json

_LARGEST = 4 << 20  # bytes of a configuration or a record


class RunFolder:
    """Paths and records of one run.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()

    @property
    def config(self) -> Path:
        """The whole composed configuration."""
        return self.path / "config.yaml"

    @property
    def manifests(self) -> Path:
        """The utterances of the run, one manifest a split."""
        return self.path / "manifest"

    @property
    def environment(self) -> Path:
        """What the run was started with: command, versions, commit and machine."""
        return self.path / "environment.json"

    @property
    def result(self) -> Path:
        """Error rates of the finished run."""
        return self.path / "result.json"

    @property
    def started(self) -> bool:
        """Whether a run was begun here; its corpus is in `manifests` then."""
        return self.config.exists()

    def check(self, config: RunConfig) -> None:
        """Look whether a run can begin or go on here; nothing is written.

        Raises:
            ConfigError: the folder holds a run with another configuration, or something else, or cannot be written.
        """
        if why := obstacle(self.path):
            raise ConfigError(f"run_dir={self.path} {why}; give another folder")
        if self.started:
            self._compare(config)
        elif self.environment.exists():
            return  # a run that was killed while it began
        elif self.path.exists() and any(self.path.iterdir()):
            raise ConfigError(f"{self.path} is not empty and holds no run; give an empty or a new folder as run_dir=")

    def begin(self, config: RunConfig, splits: Mapping[str, Sequence[Utterance]], options: Sequence[str] = ()) -> None:
        """Write what the run starts from: environment, manifests, and last the configuration. For who is `alone`.

        Args:
            config: composed.
            splits: the utterances.
            options: in what the run departs from its recipe, as on a command line.

        Raises:
            DataError: the folder cannot be written.
        """
        write_json(self.environment, RunStart(Provenance.now(), config.training.seed, tuple(options)).to_dict())
        try:
            write_corpus(splits, self.manifests)
        except AsrError:
            self.environment.unlink()  # nothing was begun here
            raise
        text = yaml.safe_dump(config.to_dict(), sort_keys=False, allow_unicode=True)
        write_atomically(self.config, lambda file: file.write(text.encode()))

    def go_on(self) -> None:
        """Note that the run goes on, where that is with another commit or other versions than it began with."""
        start = self.read_start()
        later = start.went_on(Provenance.now())
        if later != start:
            write_json(self.environment, later.to_dict())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from beginning or training this run; the folder is made where it is not there.

        The lock ends with the process and with the loader's workers, which outlive one that was killed by seconds.

        Raises:
            ConfigError: another process is at work here.
            DataError: the folder cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"the run folder {self.path} cannot be made: {error.strerror}") from error
        if sys.platform == "win32":  # no such locks there
            yield
            return
        folder = os.open(self.path, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks
                self._lock(folder)
            yield
        finally:
            os.close(folder)

    def _lock(self, folder: int) -> None:
        """Of an open folder."""
        import fcntl

        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"{self.path} is being trained by another process; wait for it, or give another run_dir="
            ) from None

    def _compare(self, config: RunConfig) -> None:
        different = self.read_config().differences(config)
        if different:
            shown = ", ".join(f"{key} (was {was}, is {now})" for key, (was, now) in list(different.items())[:5])
            raise ConfigError(
                f"{self.path} holds a run with another configuration: {shown}; resume it with the options it was "
                "started with, or give another run_dir="
            )

    def read_start(self) -> RunStart:
        """Read how the run was started.

        Raises:
            CheckpointError: the record is not there, or damaged.
        """
        try:
            return RunStart.from_dict(json.loads(self._text(self.environment)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CheckpointError(
                f"{self.environment} does not say how the run was started: {_short(error)}; train in a new run folder"
            ) from error

    def read_config(self) -> RunConfig:
        """Read the configuration that the run was started with; nothing in it is interpolated.

        Raises:
            CheckpointError: there is none, or it is damaged.
        """
        if not self.config.is_file():
            raise CheckpointError(f"{self.path} is no run folder: it has no config.yaml")
        try:
            values = load_plain_yaml(self._text(self.config))
            if not isinstance(values, dict):
                raise ConfigError("it holds no options")
            return RunConfig.from_dict(values)
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.config} cannot be read: {_short(error)}") from error
        except ConfigError as error:
            raise CheckpointError(f"{self.config} is not the configuration of a run: {error}") from error

    def _text(self, path: Path) -> str:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"larger than {_LARGEST >> 20} MB")
        return path.read_text(encoding="utf-8")


def _short(error: Exception) -> str:
    """What is wrong with a file, in one short line."""
    return " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())[:200]
