"""What every command shares: its options, its streams, and how it ends."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from asr.cli.console import fail, warn
from asr.cli.streams import OutputClosed, discard, filtered_streams
from asr.engines.names import NAMES as ENGINES
from asr.errors import AsrError, DataWarning
from asr.extras import explained
from asr.recogniser.pretrained import pretrained_names

DEBUG = "--debug"
_NO_MEMORY = "can't allocate memory|CUDA out of memory|bad_alloc|bad allocation|Failed to allocate memory"


def add_debug(parser: argparse.ArgumentParser) -> None:
    """Add the option that every command has; `run` takes it off the command line."""
    parser.add_argument(DEBUG, action="store_true", help="show the traceback of an error")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model of commands that take one before their files."""
    parser.add_argument(
        "model",
        help="a run folder, a checkpoint, a .safetensors bundle, an .onnx file, or a pretrained name: "
        + ", ".join(pretrained_names()),
    )


def add_plugin(parser: argparse.ArgumentParser) -> None:
    """Add the option of commands that load a model."""
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE",
        help="a module of your own that the model needs (repeatable)",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands that recognise."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        help="what runs the network: numpy starts at once, torch is faster for many files and runs networks of your"
        " own, onnx runs .onnx files; auto (default): what suits the work and is installed",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="say on standard error which engine and decoder were chosen and why, and how fast it was",
    )


def run(command: Callable[[], None]) -> None:
    """Run a command; print an error that the user can mend as its sentence and end with status 1.

    A full disk, a folder that may not be written, a closed standard output and a package of an extra that is not
    installed are such errors, wherever they occur; so is too little memory.
    `--debug` anywhere on the command line shows the traceback instead. Ctrl-C ends with status 130, a reader of the
    output that has ended (`| head`) with status 141. See `asr.cli.streams` for what may be printed.
    """
    debug = DEBUG in sys.argv
    if debug:
        sys.argv.remove(DEBUG)
    with filtered_streams(), _data_warnings():
        try:
            _complete(command)
        except KeyboardInterrupt:
            sys.exit(130)
        except OutputClosed:
            discard(sys.stdout)
            sys.exit(141)
        except (AsrError, OSError, ModuleNotFoundError) as error:
            told = explained(error) if isinstance(error, ModuleNotFoundError) else error
            if debug or told is None:
                raise
            fail(told)
            _flush_or_discard()
            sys.exit(1)
        except Exception as error:
            if debug or not _is_of_memory(error):
                raise
            fail(_too_little_memory(error))
            _flush_or_discard()
            sys.exit(1)


def _is_of_memory(error: Exception) -> bool:
    """Whether it says that there is too little memory; torch and onnxruntime have no class of their own for that."""
    return isinstance(error, MemoryError) or re.search(_NO_MEMORY, str(error)) is not None


def _too_little_memory(error: Exception) -> AsrError:
    told = re.search(r"allocate ([\d.]+ \w+)", str(error))
    amount = f" ({told[1]} in one piece)" if told else ""
    return AsrError(f"there is too little memory for this{amount}; end other programs, or give less at a time")


def _complete(command: Callable[[], None]) -> None:
    """Run a command and write what is buffered, so that a full disk is noticed."""
    try:
        command()
    except SystemExit as end:
        if not end.code:  # `--help`
            sys.stdout.flush()
        raise
    sys.stdout.flush()


def _flush_or_discard() -> None:
    try:
        sys.stdout.flush()
    except (AsrError, OutputClosed):
        discard(sys.stdout)


@contextmanager
def _data_warnings() -> Iterator[None]:
    """Print each `DataWarning` as one line while the block runs; other warnings look as ever."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if not issubclass(category, DataWarning):
                usual(message, category, filename, lineno, file, line)
                return
            warn(str(message))

        warnings.showwarning = show
        yield
