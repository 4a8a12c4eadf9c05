"""What every command shares: how it ends."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable

from asr.errors import AsrError

DEBUG = "--debug"


def add_debug(parser: argparse.ArgumentParser) -> None:
    """The option of every command; `run` takes it off the command line."""
    parser.add_argument(DEBUG, action="store_true", help="show the traceback of an error")


def add_plugin(parser: argparse.ArgumentParser) -> None:
    """The option of commands that load a model."""
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE",
        help="a module of your own that the model needs (repeatable)",
    )


def run(command: Callable[[], None]) -> None:
    """Run a command; an error that the user can mend is printed as its sentence and ends with status 1.

    A full disk or a folder that may not be written is such an error, wherever it is met. `--debug` anywhere on the
    command line shows the traceback instead. Ctrl-C ends with status 130.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not be text that a terminal can show
    debug = DEBUG in sys.argv
    if debug:
        sys.argv.remove(DEBUG)
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `asr-transcribe ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (AsrError, OSError) as error:
        if debug:
            raise
        from asr.cli.progress import fail

        fail(str(error) if isinstance(error, AsrError) else f"{error}; {DEBUG} shows where")
        sys.exit(1)
