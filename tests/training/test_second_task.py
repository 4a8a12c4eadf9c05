"""The loop trains a language model as it trains a recogniser: learned, logged, displayed, resumed, explained."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
import torch

from asr.cli.progress import TrainingDisplay
from asr.errors import TrainingError
from asr.training.checkpoint import load_checkpoint
from asr.training.loop import Stopped
from asr.training.task import Loss
from tests.training.language_model import LanguageTask, Sentences
from tests.training.test_loop import StopsAt, rows
from tests.training.toy import Silent, trainer

BATCHES = {"frame_budget": 120, "epochs": 6}  # characters


def test_it_learns_and_logs_under_its_own_names(tmp_path: Path) -> None:
    watcher = Silent()
    trainer(tmp_path, LanguageTask(), watcher, **BATCHES).run()
    errors = [row.dev.error for row in watcher.rows]
    assert errors[0] > 2 * errors[-1] > 2
    assert watcher.said[0] == re.match(r"step \d+: 1\d\d\d characters read", watcher.said[0]).group()  # type: ignore[union-attr]
    row = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[0])
    assert list(row) == [
        "kind", "step", "epoch", "loss", "bits", "gradient_norm", "learning_rate", "dev_perplexity", "dev_nats",
        "train_seconds", "best",
    ]  # fmt: skip
    assert row["dev_perplexity"] == pytest.approx(math.exp(row["dev_nats"]))
    assert load_checkpoint(tmp_path / "checkpoints" / "best.pt")["bundle"] == {"alphabet": list(" emnosu")}


@pytest.mark.parametrize("workers", [0, 2])
def test_it_resumes_to_the_same_bits(tmp_path: Path, workers: int) -> None:
    whole = trainer(tmp_path / "whole", LanguageTask(), **BATCHES)
    whole.run()
    for step in (3, 17):
        with pytest.raises(Stopped):
            trainer(tmp_path / "stopped", LanguageTask(), StopsAt(step), workers=workers, **BATCHES).run()
    again = trainer(tmp_path / "stopped", LanguageTask(), **BATCHES)
    again.run()
    assert again.task.state_dict() == whole.task.state_dict()
    assert rows(tmp_path / "stopped") == rows(tmp_path / "whole")
    for name in ("last.pt", "best.pt"):
        one, other = (load_checkpoint(run.last.with_name(name))["weights"] for run in (whole, again))
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_it_is_displayed_in_its_own_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    display = TrainingDisplay()
    with display.shown():
        trainer(tmp_path, LanguageTask(), display, **{**BATCHES, "epochs": 2}).run()  # type: ignore[arg-type]
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("epoch")]
    number = r"\d+\.\d\d"
    for epoch, line in enumerate(lines, start=1):
        pattern = rf"epoch   {epoch}/2  loss +{number}  {number} bits  dev perplexity {number} \*  [\d,]+ characters/s"
        assert re.match(pattern, line), line
    assert len(lines) == 2


def test_its_items_are_named_in_errors(tmp_path: Path) -> None:
    class Broken(LanguageTask):
        def loss(self, batch: Sentences) -> Loss:
            found = super().loss(batch)
            return Loss(
                torch.where(torch.tensor([one == "line7" for one in batch.ids]), math.inf, found.per_item), found.logged
            )

    with pytest.raises(TrainingError, match=r"not finite for the sentences line7; .*check these sentences"):
        trainer(tmp_path, Broken(), **BATCHES).run()
