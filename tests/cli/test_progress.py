"""The display of a training run says what the task says."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from asr.cli import progress
from asr.cli.progress import TrainingDisplay
from asr.training.task import DevResult, Units
from asr.training.watching import EpochRow, EpochStart

ROW = EpochRow(
    epoch=1, loss=12.345, logged={"blank_share": 0.4312}, gradient_norm=1.0, learning_rate=0.01,
    dev=DevResult(0.3121, "per_39", "per 39 31.2 %"), train_seconds=61.7, best=True, text="blank  43.1 %",
)  # fmt: skip
START = EpochStart(epoch=1, epochs=20, n_batches=4, position=1, units=Units("utterances", "frames"))


def shown(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> str:
    """Return what the display of one epoch prints."""
    paper = io.StringIO()
    console = Console(file=paper, force_terminal=terminal, width=120, highlight=False, markup=False)
    monkeypatch.setattr(progress, "console", console)
    display = TrainingDisplay()
    with display.shown():
        display.epoch_started(START)
        display.stepped(12.0, 500)
        display.epoch_ended(ROW)
        display.stepped(10.0, 500)
        display.say("a [hint] of the task")
        display._progress.refresh()
    return paper.getvalue()


def test_a_line_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, terminal=False).splitlines()
    assert re.fullmatch(
        r"epoch   2/20  loss   12\.35  blank  43\.1 %  dev per 39 31\.2 % \*  [\d,]+ frames/s  62 s", lines[0]
    )
    assert lines[1:] == ["a [hint] of the task"]


def test_a_bar_for_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = shown(monkeypatch, terminal=True)
    assert "epoch 2/20" in bar
    assert "7/80" in bar  # of 20 epochs of 4 batches: one epoch, one batch before and two now
    assert re.search(r"loss 11\.80  dev per 39 31\.2 %  [\d,]+ frames/s", bar)
