"""Run the commands in tests: in this process, which takes no time, or in a process of their own, as a user does."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from asr.errors import MissingExtra
from tests.skipping import TOLD, WITH_TORCH


@dataclass(frozen=True)
class Ended:
    """How a command ended: its status, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def command(name: str, *arguments: str, cwd: Path, **variables: str) -> Ended:
    """Run `asr-<name>` in this process, from a directory, and put back what it changed in the process.

    Args:
        name: the command without `asr-`.
        arguments: what stands behind it on the command line.
        cwd: the directory.
        variables: environment variables on top of the present ones; Python's own, such as PYTHONPATH, come too late
            for this process, so take `process` for them.
    """
    importlib.import_module("asr.cli.terminal")  # rich reads COLUMNS at this import: let no test decide it for others
    main = importlib.import_module(f"asr.cli.{name}").main
    with pytest.MonkeyPatch.context() as patch, _as_before():
        patch.chdir(cwd)
        patch.setattr("sys.argv", [f"asr-{name}", *arguments])
        for variable, value in ({"COLUMNS": "120"} | variables).items():
            patch.setenv(variable, value)
        out, err = _stream(), _stream()
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.stderr", err)
        status = _status(main)
        ended = Ended(status, _text(out), _text(err))
    _see_what_is_missing(status, ended.stderr)
    return ended


def process(name: str, *arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `asr-<name>` in a process of its own, without needing its script on the path."""
    ended = subprocess.run(
        program(name, *arguments), cwd=cwd, capture_output=True, text=True, env=surroundings(**variables), timeout=300
    )
    _see_what_is_missing(ended.returncode, ended.stderr)
    return ended


def _see_what_is_missing(status: int, stderr: str) -> None:
    """Let the test be skipped where a command misses PyTorch."""
    if status and not WITH_TORCH and TOLD.search(stderr):
        raise MissingExtra(stderr)


def program(name: str, *arguments: str) -> list[str]:
    """The words that start `asr-<name>` in a process of its own."""
    code = f"import sys; sys.argv[0] = 'asr-{name}'; from asr.cli.{name} import main; main()"
    return [sys.executable, "-c", code, *arguments]


def surroundings(**variables: str) -> dict[str, str]:
    """The environment of a command in a process of its own."""
    return os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "120"} | variables


def _status(main: Callable[[], None]) -> int:
    """Call a command's entry point, and end as the interpreter would."""
    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            raise  # there is none here: the test is skipped
        traceback.print_exc()
        return 1
    return 0


def _stream() -> io.TextIOWrapper:
    """A standard stream that is no terminal."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined]  # a BytesIO


@contextlib.contextmanager
def _as_before() -> Iterator[None]:
    """Put back the state of the process that commands change, since they own theirs."""
    environment, path = dict(os.environ), list(sys.path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    threads = _threads()
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = _show_warning
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(environment)
            sys.path[:] = path
            root.handlers[:] = handlers
            root.setLevel(level)
            _forget_hydra()
            if threads is not None and threads != _threads():
                sys.modules["torch"].set_num_threads(threads)


def _threads() -> int | None:
    """How many threads PyTorch uses; None where it is not imported."""
    torch = sys.modules.get("torch")
    return None if torch is None else int(torch.get_num_threads())


def _forget_hydra() -> None:
    if "hydra" in sys.modules:
        from hydra.core.global_hydra import GlobalHydra

        GlobalHydra.instance().clear()


def _show_warning(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
    """Print a warning where Python does, instead of handing it to pytest."""
    print(warnings.formatwarning(message, category, filename, lineno), end="", file=sys.stderr)
