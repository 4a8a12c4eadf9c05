"""How commands print and end, whatever their output is connected to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ESCAPES = "\x1b[31mred\x1b[m \x9b2J \u202e"
BODY = """
import argparse, os, sys, warnings
from asr.cli.command import run
from asr.cli.console import fail, say, write_line
from asr.errors import AsrError, ConfigError, DataError, DataWarning, Problems
foreign = os.environ.get("FOREIGN", "")
def main():
    {body}
run(main)
"""


PRINTING = ["print('text')", "write_line('text')", "argparse.ArgumentParser().parse_args(['-h'])"]


def shell(body: str, redirection: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with this body, as the shell connects it."""
    code = BODY.format(body=body)
    line = f"'{sys.executable}' -c \"$CODE\" {redirection}"
    return subprocess.run(
        ["bash", "-c", f"{line}; exit $?" if "|" not in line else f"{line}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        env=os.environ | {"CODE": code, "PYTHONUNBUFFERED": ""} | variables,
        timeout=60,
    )


@pytest.mark.parametrize(
    "body",
    [
        "print(foreign)",
        "print(foreign, file=sys.stderr)",
        "write_line(foreign, foreign)",
        "say(foreign)",
        "say('text', foreign)",
        "from asr.cli.terminal import terminal; terminal.print(foreign)",
        "from asr.cli.terminal import terminal; from rich.text import Text; terminal.print(Text(foreign))",
        "warnings.warn(foreign, DataWarning)",
        "warnings.warn(foreign)",
        "raise DataError(foreign)",
        "raise Problems([foreign], foreign)",
        "open('/nowhere/' + foreign)",
        "argparse.ArgumentParser().parse_args([foreign])",
        "argparse.ArgumentParser(description=foreign).print_help()",
    ],
)
def test_no_outlet_sends_an_escape_sequence(body: str) -> None:
    done = shell(body, FOREIGN=ESCAPES)
    printed = done.stdout + done.stderr
    assert r"\x1b[31mred" in printed
    assert not set("\x1b\x9b\u202e") & set(printed)
    seen = shell(body, FOREIGN=ESCAPES, FORCE_COLOR="1", TERM="xterm", COLUMNS="100")
    assert r"\x1b[31mred" in seen.stdout + seen.stderr
    for foreign in ("\x1b[31m", "\x9b", "\u202e"):  # a terminal gets sequences of our own
        assert foreign not in seen.stdout + seen.stderr


def test_a_name_forges_no_line() -> None:
    name = "x\nerror: all is lost"
    assert shell("write_line(foreign, 'text')", FOREIGN=name).stdout == "x\\nerror: all is lost\ttext\n"
    for body in (
        "raise DataError(foreign)",
        "raise Problems([foreign], foreign)",
        "warnings.warn(foreign, DataWarning)",
    ):
        assert not any(line.startswith("error: all") for line in shell(body, FOREIGN=name).stderr.splitlines())


def test_a_warning_about_data_is_one_line() -> None:
    done = shell("warnings.warn('a.wav: trimmed', DataWarning)")
    assert (done.stderr, done.returncode) == ("warning: a.wav: trimmed\n", 0)


def test_a_bar_shows_what_it_is_of_with_escapes() -> None:
    done = shell(
        "from asr.cli import progress\n"
        "    progress._PATIENCE = 0\n"
        "    with progress.Steps() as steps:\n"
        "        steps(foreign, 1, 2)\n"
        "        steps._progress.refresh()\n",
        FOREIGN="[b]\x1b]0;title\x07",
        TERM="xterm",
        FORCE_COLOR="1",
        COLUMNS="100",
    )
    assert r"[b]\x1b]0;title\x07" in done.stderr
    assert "\x1b]0;" not in done.stderr


@pytest.mark.parametrize("redirection", [">&-", "> /dev/full"])
@pytest.mark.parametrize(
    "body", ["print('text')", "write_line('text')", "argparse.ArgumentParser().parse_args(['-h'])"]
)
def test_output_that_cannot_be_written_is_an_error(body: str, redirection: str) -> None:
    if "full" in redirection and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = shell(body, redirection)
    assert done.returncode == 1
    assert done.stderr.startswith("error: standard output cannot be written: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_command_that_prints_nothing_needs_no_output() -> None:
    assert shell("pass", ">&-").returncode == 0


def test_an_error_is_reported_although_the_output_is_full() -> None:
    done = shell("print('text'); raise DataError('the data')", "> /dev/full")
    assert (done.returncode, done.stderr) == (1, "error: the data\n")


@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full"])
def test_without_standard_error_a_command_does_its_work(redirection: str) -> None:
    done = shell("say('progress'); print('note', file=sys.stderr); write_line('text')", redirection)
    assert (done.returncode, done.stdout) == (0, "text\n")
    assert shell("raise DataError('x')", redirection).returncode == 1


def test_closed_descriptors_are_not_given_to_files(tmp_path: Path) -> None:
    body = f"file = open({str(tmp_path / 'data')!r}, 'w'); print(file.fileno() > 2); os.write(2, b'noise')"
    assert shell(body, "2>&-").stdout == "True\n"
    assert (tmp_path / "data").read_text() == ""


def test_a_reader_that_has_ended_is_no_error() -> None:
    done = shell("[write_line('x' * 1000) for _ in range(1000)]", "| head -n 1 > /dev/null")
    assert (done.returncode, done.stderr) == (141, "")


def test_an_encoding_that_lacks_a_character() -> None:
    assert shell("write_line('東京')", PYTHONIOENCODING="ascii:strict").stdout == "\\u6771\\u4eac\n"


def test_errors_of_the_system_name_the_file_and_the_reason() -> None:
    done = shell("open('/nowhere/file')")
    assert (done.returncode, done.stderr) == (
        1,
        "error: /nowhere/file: No such file or directory; --debug shows where\n",
    )
