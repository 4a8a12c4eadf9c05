"""Shared parts of the commands: common options, error handling and exit statuses."""

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


class HelpFormatter(argparse.HelpFormatter):
    """A formatter for `--help` that wraps a text of one line, and keeps the line breaks of other texts."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        return "".join(indent + line for line in text.splitlines(keepends=True))


def add_debug(parser: argparse.ArgumentParser) -> None:
    """Add `--debug`, which every command has. It is for the help text: `run` removes it from the command line."""
    parser.add_argument(DEBUG, action="store_true", help="show the traceback of an error")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the positional argument `model`."""
    parser.add_argument(
        "model",
        help="a run folder, a checkpoint, a .safetensors bundle, an .onnx file, or a pretrained name: "
        + ", ".join(pretrained_names()),
    )


def add_plugin(parser: argparse.ArgumentParser) -> None:
    """Add `--plugin`, for commands that load a model."""
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE",
        help="a Python module of your own that the model needs (repeatable)",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add `--engine` and `--verbose`, for commands that recognise."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        help="the program that runs the network: numpy starts fastest; torch is faster for many files and supports"
        " cells of your own; onnx runs .onnx files; auto (default) picks an installed one that suits the work",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="report on standard error the engine and decoder that were chosen, the reason, and the speed",
    )


def run(command: Callable[[], None]) -> None:
    """Run a command, print its errors as messages without a traceback, and set the exit status.

    Exit statuses: 0 for success; 1 for an error that the user can correct; 130 after Ctrl-C; 141 if the reader of the
    output has ended, as in `| head`. Correctable errors are every AsrError and OSError, a missing package of an extra,
    and too little memory. `--debug` anywhere on the command line shows their traceback instead. Other exceptions are
    bugs and keep their traceback. Output is filtered by `asr.cli.streams`.

    Args:
        command: a function without arguments that reads `sys.argv`.
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
            reported = explained(error) if isinstance(error, ModuleNotFoundError) else error
            if debug or reported is None:
                raise
            fail(reported)
            _flush_or_discard()
            sys.exit(1)
        except Exception as error:
            if debug or not _is_out_of_memory(error):
                raise
            fail(_too_little_memory(error))
            _flush_or_discard()
            sys.exit(1)


def _is_out_of_memory(error: Exception) -> bool:
    """Return whether an error means too little memory; torch and onnxruntime say so in the message only."""
    return isinstance(error, MemoryError) or re.search(_NO_MEMORY, str(error)) is not None


def _too_little_memory(error: Exception) -> AsrError:
    size = re.search(r"allocate ([\d.]+ \w+)", str(error))
    amount = f" ({size[1]} in one piece)" if size else ""
    return AsrError(f"there is too little memory for this{amount}; end other programs, or give less at a time")


def _complete(command: Callable[[], None]) -> None:
    """Run a command and flush standard output, so that a full disk is noticed."""
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
    """Print each `DataWarning` as one line inside a `with` block; other warnings are shown as usual."""
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
