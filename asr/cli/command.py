"""What every command shares: how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from asr.errors import AsrError

DEBUG = "--debug"


def run(command: Callable[[], None]) -> None:
    """Run a command; an error that the user can mend is printed as its sentence and ends with status 1.

    `--debug` anywhere on the command line shows the traceback instead. Ctrl-C ends with status 130.
    """
    debug = DEBUG in sys.argv
    if debug:
        sys.argv.remove(DEBUG)
    try:
        command()
    except AsrError as error:
        if debug:
            raise
        from asr.cli.progress import fail

        fail(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `asr-transcribe ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
