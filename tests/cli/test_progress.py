"""The display of a training run says what the task says."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time

import pytest

from asr.cli import console, progress
from asr.cli.console import say
from asr.cli.progress import Steps, TrainingDisplay
from asr.cli.terminal import Terminal
from asr.training.task import DevResult, Units
from asr.training.watching import EpochRow, EpochStart

ROW = EpochRow(
    epoch=1, loss=12.345, logged={"blank_share": 0.4312}, gradient_norm=1.0, learning_rate=0.01,
    dev=DevResult(0.3121, "per_39", "per 39 31.2 %"), train_seconds=61.7, best=True, text="blank  43.1 %",
)  # fmt: skip
START = EpochStart(epoch=1, epochs=20, n_batches=4, position=1, units=Units("utterances", "frames"))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What commands draw on a terminal."""
    drawn = io.StringIO()
    of_test = Terminal(file=drawn, force_terminal=True, width=120, highlight=False, markup=False)
    monkeypatch.setattr("asr.cli.terminal.terminal", of_test)
    for module in (console, progress):
        monkeypatch.setattr(module, "on_terminal", lambda: True)
    return drawn


def train() -> None:
    """Show one epoch."""
    display = TrainingDisplay()
    with display.shown():
        display.epoch_started(START)
        display.stepped(12.0, 500)
        display.epoch_ended(ROW)
        display.stepped(10.0, 500)
        display.say("a [hint] of the task")
        if display._progress is not None:
            display._progress.refresh()


def test_a_line_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    train()
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"epoch   2/20  loss   12\.35  blank  43\.1 %  dev per 39 31\.2 % \*  [\d,]+ frames/s  62 s", lines[0]
    )
    assert lines[1:] == ["a [hint] of the task"]


def test_a_bar_for_the_whole_run(screen: io.StringIO) -> None:
    train()
    bar = screen.getvalue()
    assert "epoch 2/20" in bar
    assert "7/80" in bar  # of 20 epochs of 4 batches: one epoch, one batch before and two now
    assert re.search(r"loss 11\.80  dev per 39 31\.2 %  [\d,]+ frames/s", bar)
    assert "a [hint] of the task" in bar


def work(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some work, half of which takes so long."""
    with Steps() as steps:
        steps("frames", 1, 4)
        began = time.monotonic()
        monkeypatch.setattr(progress.time, "monotonic", lambda: began + seconds)
        steps("frames", 2, 4)
        steps("decoding", 1, 7)
        say("a note")


@pytest.mark.parametrize(("seconds", "bars"), [(1.5, False), (2.5, True)])
def test_work_has_a_bar_after_two_seconds(
    screen: io.StringIO, monkeypatch: pytest.MonkeyPatch, seconds: float, bars: bool
) -> None:
    work(seconds, monkeypatch)
    for bar in ("frames", "2/4", "decoding", "1/7"):
        assert (bar in screen.getvalue()) is bars
    assert "a note" in screen.getvalue()


def test_where_nobody_looks_there_is_no_progress(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    work(100.0, monkeypatch)
    assert capsys.readouterr().err == "a note\n"


def test_rich_is_imported_for_a_terminal_alone() -> None:
    code = (
        "import sys\n"
        "from asr.cli.console import fail, say, warn\n"
        "from asr.cli.progress import Steps\n"
        "from asr.errors import Problems\n"
        "say('a', 'b'); warn('c'); fail(Problems(['d'], 'e'))\n"
        "with Steps() as steps: steps('f', 1, 2)\n"
        "assert 'rich' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == "a\nb\nwarning: c\nerror: 1 problem in e:\n  d\n"
