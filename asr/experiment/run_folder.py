"""The run folder: which configuration it belongs to, on which machine it ran, and what is in it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from asr.corpus.splits import write_corpus
from asr.corpus.utterance import Utterance
from asr.errors import AsrError, CheckpointError, ConfigError, DataError
from asr.files import obstacle
from asr.resources import user_cache
from asr.saved_targets import with_current_targets
from asr.training.checkpoint import write_atomically, write_json
from asr.version import __version__

HARMLESS = ("cache_dir", "training.workers", "training.checkpoint_seconds", "training.tensorboard")
"""Options on which no result depends: they may change when a run is resumed."""

_READ = ("training", "scoring", "decoder")
_TOLD = ("command", "commit", "python", "torch", "ctc_asr", "platform", "cores", "threads")


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

    def check(self, config: Mapping[str, Any]) -> None:
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

    def begin(
        self, config: Mapping[str, Any], splits: Mapping[str, Sequence[Utterance]], options: Sequence[str] = ()
    ) -> None:
        """Write what the run starts from: environment, manifests, and last the configuration. For who is `alone`.

        Args:
            config: composed.
            splits: the utterances.
            options: in what the run departs from its recipe, as on a command line.

        Raises:
            DataError: the folder cannot be written.
        """
        from omegaconf import OmegaConf

        write_json(self.environment, environment() | {"seed": config["training"]["seed"], "options": list(options)})
        try:
            write_corpus(splits, self.manifests)
        except AsrError:
            self.environment.unlink()  # nothing was begun here
            raise
        text = OmegaConf.to_yaml(OmegaConf.create(dict(config)))
        write_atomically(self.config, lambda file: file.write(text.encode()))

    def go_on(self) -> None:
        """Note that the run goes on, where that is with another commit or other versions than it began with."""
        told, now = self.read_environment(), environment()
        changed = {name: now[name] for name in _TOLD if name != "command" and now[name] != told[name]}
        if changed and changed not in told["later"]:
            write_json(self.environment, told | {"later": [*told["later"], changed]})

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

    def _compare(self, config: Mapping[str, Any]) -> None:
        different = differing(self.read_config(), config)
        if different:
            shown = ", ".join(f"{key} (was {was}, is {now})" for key, (was, now) in list(different.items())[:5])
            raise ConfigError(
                f"{self.path} holds a run with another configuration: {shown}; resume it with the options it was "
                "started with, or give another run_dir="
            )

    def read_environment(self) -> dict[str, Any]:
        """What `begin` wrote of the environment; in `later`, what was different each time the run went on.

        Raises:
            CheckpointError: it is not there, or damaged.
        """
        try:
            told: dict[str, Any] = json.loads(self.environment.read_text(encoding="utf-8"))
            return {"later": [], "options": []} | told | {name: told[name] for name in _TOLD}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{self.environment} does not tell how the run was started: {error!r}") from error

    def read_config(self) -> dict[str, Any]:
        """The configuration that the run was started with."""
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException
        from yaml import YAMLError

        if not self.config.is_file():
            raise CheckpointError(f"{self.path} is no run folder: it has no config.yaml")
        try:
            loaded = OmegaConf.to_container(OmegaConf.load(self.config), resolve=True)
        except (YAMLError, OmegaConfBaseException, OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{self.config} cannot be read: {error}") from error
        if not isinstance(loaded, dict) or any(not isinstance(loaded.get(part), dict) for part in _READ):
            raise CheckpointError(f"{self.config} is not the configuration of a run; it needs {', '.join(_READ)}")
        return {str(key): with_current_targets(value) for key, value in loaded.items()}


def frames_folder(config: Mapping[str, Any]) -> Path:
    """Where computed frames are kept: `cache_dir`, or a folder in the user's cache."""
    return Path(config["cache_dir"]).expanduser() if config["cache_dir"] else user_cache() / "frames"


def differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The options in which two configurations differ, without those on which no result depends: both values of each."""
    old, new = _flat(before), _flat(now)
    keys = sorted((old.keys() | new.keys()) - set(HARMLESS))
    return {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}


def _flat(node: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(node, Mapping):
        return {key: value for name, one in node.items() for key, value in _flat(one, f"{prefix}{name}.").items()}
    return {prefix[:-1]: list(node) if isinstance(node, tuple) else node}


def fingerprint(utterances: Sequence[Utterance]) -> dict[str, Any]:
    """How many utterances, and a SHA-256 over ids, speakers and transcripts: the same wherever the files lie."""
    lines = "".join(
        json.dumps([one.id, one.speaker, one.text, one.labels], ensure_ascii=False) + "\n" for one in utterances
    )
    return {"utterances": len(utterances), "sha256": hashlib.sha256(lines.encode()).hexdigest()}


def environment() -> dict[str, Any]:
    """Command, versions, commit and machine."""
    return {
        "command": shlex.join([Path(sys.argv[0]).name, *(word for word in sys.argv[1:] if not _says_where(word))]),
        "commit": commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ctc_asr": __version__,
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def _says_where(word: str) -> bool:
    """Whether a word of the command line only says where things are kept: no result depends on it."""
    return word.startswith(("run_dir=", "cache_dir="))


def commit() -> str:
    """The commit of the checkout that this package runs from, `+` behind it when files were changed; or unknown."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():  # installed somewhere: a repository around it is not ours
        return "unknown"

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
