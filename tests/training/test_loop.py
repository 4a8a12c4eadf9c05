"""The loop: resuming changes nothing, bad numbers stop it, good weights stay."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from asr.errors import CheckpointError, ConfigError, TrainingError
from asr.training import loop
from asr.training.checkpoint import load_checkpoint
from asr.training.loop import Stopped, TrainingConfig
from asr.training.optimizers import AdamWConfig, SgdConfig, sgd
from asr.training.schedules import OneCycle, Plateau
from asr.training.task import DevResult, Loss, WeightedSum
from tests.training.toy import Silent, ToyExamples, ToyTask, trainer


class StopsAt(Silent):
    """Sends this process a signal after so many steps, as a batch system does."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.stop_at = steps

    def stepped(self, loss: float, size: int) -> None:
        super().stepped(loss, size)
        if self.steps == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("changes", [{}, {"plateau": True}, {"average_decay": 0.0, "weight_noise": 0.0}])
def test_a_run_stopped_after_any_step_ends_with_the_same_weights(tmp_path: Path, changes: dict[str, Any]) -> None:
    whole = trainer(tmp_path / "whole", **changes)
    whole.run()
    steps = whole.state.step
    assert steps > 12
    for stop_at in range(1, steps - 1, 3):
        folder = tmp_path / f"stopped{stop_at}"
        with pytest.raises(Stopped, match="signal 15"):
            trainer(folder, watcher=StopsAt(stop_at), **changes).run()
        again = trainer(folder, **changes)
        again.run()
        assert again.state.step == steps
        for name in ("last.pt", "best.pt"):
            one = load_checkpoint(tmp_path / "whole" / "checkpoints" / name)
            other = load_checkpoint(folder / "checkpoints" / name)
            for key, value in one["weights"].items():
                assert torch.equal(value, other["weights"][key]), (stop_at, name, key)
        assert rows(folder) == rows(tmp_path / "whole")


def rows(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if not k.startswith("train_")} for line in lines]


def test_an_epoch_sees_the_items_that_were_chosen_for_it(tmp_path: Path) -> None:
    class Sampled(ToyExamples):
        def chosen(self, epoch: int) -> list[int]:
            return [item for item in range(len(self.sizes)) if (item + epoch) % 3 == 0]

    task = ToyTask()
    task.examples = examples = Sampled()
    trainer(tmp_path, task).run()
    everything = tuple(range(len(examples.sizes)))  # dev, in these tests
    for epoch in range(4):
        seen = [item for at, items in examples.loaded for item in items if at == epoch and items != everything]
        assert sorted(seen) == examples.chosen(epoch)


def test_tensorboard_gets_the_rows_too(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer(tmp_path, epochs=2, tensorboard=True).run()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    losses = [event.value for event in events.Scalars("epoch/loss")]
    assert losses == pytest.approx([row["loss"] for row in rows(tmp_path)])


def test_rows_after_the_last_checkpoint_are_dropped_when_resuming(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=2).run()
    complete = rows(tmp_path)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "epoch", "step": 9999, "loss": 1}\n{"kind": "ep')  # what a kill leaves behind
    trainer(tmp_path, epochs=2).run()
    assert rows(tmp_path) == complete


def test_a_row_of_an_epoch_that_ends_twice_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the row of an epoch and its last checkpoint, with a checkpoint after its last step."""
    whole = trainer(tmp_path / "whole", epochs=2, checkpoint_seconds=-1.0)
    whole.run()
    killed = trainer(tmp_path / "killed", epochs=2, checkpoint_seconds=-1.0)
    save = killed._save

    def save_within_epochs() -> None:
        if killed.state.position == 0:
            raise KeyboardInterrupt
        save()

    monkeypatch.setattr(killed, "_save", save_within_epochs)
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    assert len(rows(tmp_path / "killed")) == 1
    trainer(tmp_path / "killed", epochs=2).run()
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")


def test_a_signal_while_dev_is_decoded_stops_the_run_behind_the_epoch(tmp_path: Path) -> None:
    class Signalled(ToyTask):
        def evaluate_dev(self) -> DevResult:
            os.kill(os.getpid(), signal.SIGINT)
            return super().evaluate_dev()

    run = trainer(tmp_path, Signalled(), epochs=1)
    with pytest.raises(Stopped, match="stopped by signal 2 ") as stopped:
        run.run()
    assert stopped.value.signal == signal.SIGINT
    assert load_checkpoint(run.last)["state"]["epoch"] == 1
    assert len(rows(tmp_path)) == 1


def test_a_run_in_another_thread_needs_no_signals(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(trainer(tmp_path, epochs=1).run).result().epoch == 1


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("epochs", 0, "1 or more"),
        ("frame_budget", 0, "1 or more"),
        ("max_utterances", 0, "1 or more"),
        ("clip_norm", 0.0, "above 0"),
        ("weight_noise", -0.1, "0 or more"),
        ("average_decay", 1.0, "0 to below 1"),
        ("workers", -1, "0 to 1024"),
        ("threads", -2, "0 to 1024"),
        ("patience", -1, "0 or more"),
    ],
)
def test_an_option_out_of_its_range_is_named(field: str, value: float, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"^{field}={value}; expected {expected}"):
        TrainingConfig(**{field: value})


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^device=cdua; expected a device that can be used here, .* \(.*\)$"):
        TrainingConfig(device="cdua")


def test_the_average_of_the_weights_is_what_dev_sees_and_best_keeps(tmp_path: Path) -> None:
    task = ToyTask()
    run = trainer(tmp_path, task, epochs=3)
    run.run()
    best = load_checkpoint(run.best)
    assert not torch.equal(best["weights"]["1.weight"], load_checkpoint(run.last)["weights"]["1.weight"])
    task.model.load_state_dict(best["weights"])
    task.model.eval()
    assert task.evaluate_dev().error == pytest.approx(run.state.best_error, abs=1e-7)


def test_a_loss_that_is_not_finite_names_the_utterance_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=1).run()
    before = (tmp_path / "checkpoints" / "last.pt").read_bytes()
    with pytest.raises(TrainingError, match=r"epoch 1.* the loss is not finite for the sequences u7;"):
        trainer(tmp_path, ToyTask(bad_id="u7"), epochs=2).run()
    assert (tmp_path / "checkpoints" / "last.pt").read_bytes() == before


def test_a_gradient_that_is_not_finite_names_the_batch(tmp_path: Path) -> None:
    class Exploding(ToyTask):
        def loss(self, batch: Any) -> Loss:
            losses = super().loss(batch).per_item
            return Loss(losses + torch.sqrt(self.model[1].weight.sum() * 0), {})

    with pytest.raises(TrainingError, match=r"the gradient is not finite for the sequences u\d+, u\d+"):
        trainer(tmp_path, Exploding(), weight_noise=0.0).run()


def test_early_stopping_waits_as_long_as_told(tmp_path: Path) -> None:
    class Worse(ToyTask):
        def evaluate_dev(self) -> DevResult:
            self.dev_errors.append(0.0)
            return DevResult(float(len(self.dev_errors)), "error", "worse")

    run = trainer(tmp_path, Worse(), epochs=50, patience=3)
    run.run()
    assert (run.state.epoch, run.state.best_epoch) == (4, 0)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=1).run()
    other = ToyTask()
    other.model = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(4, 5))
    with pytest.raises(CheckpointError, match="does not fit this run's configuration"):
        trainer(tmp_path, other, epochs=2).run()


def test_a_hint_of_the_task_is_passed_on_with_its_step_and_survives_resuming(tmp_path: Path) -> None:
    watcher = StopsAt(15)
    with pytest.raises(Stopped):
        trainer(tmp_path, watcher=watcher).run()
    assert watcher.said[0] == "step 10: 10 steps"
    watcher = Silent()
    trainer(tmp_path, watcher=watcher).run()
    assert watcher.said[0] == "step 20: 20 steps"


def test_a_checkpoint_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer(tmp_path, epochs=1).run()
    read: list[Path] = []
    monkeypatch.setattr(loop, "load_checkpoint", lambda path: read.append(path) or load_checkpoint(path))
    again = trainer(tmp_path, epochs=2)
    assert again.resume()
    again.run()
    assert read == [again.last]


def test_an_epoch_logs_weighted_means(tmp_path: Path) -> None:
    class Counting(ToyTask):
        def loss(self, batch: Any) -> Loss:
            return Loss(
                super().loss(batch).per_item,
                {"ids": WeightedSum(len(batch.ids), 1), "vectors": WeightedSum.of(2.0, batch.size)},
            )

        def describe(self, logged: Mapping[str, float]) -> str:
            return f"{logged['ids']:.1f} ids"

    watcher = Silent()
    trainer(tmp_path, Counting(), watcher, epochs=1).run()
    row = watcher.rows[0]
    assert row.logged == {"ids": pytest.approx(23 / watcher.steps), "vectors": pytest.approx(2.0)}
    assert row.text == f"{23 / watcher.steps:.1f} ids"
    assert list(rows(tmp_path)[0]) == [
        "kind", "step", "epoch", "loss", "ids", "vectors", "gradient_norm", "learning_rate", "dev_error", "best",
    ]  # fmt: skip


def test_noise_is_taken_off_the_weights_exactly() -> None:
    from asr.training.weights import weight_noise

    model = torch.nn.Linear(3, 2)
    before = [parameter.clone() for parameter in model.parameters()]
    with weight_noise(model, 0.1):
        assert not torch.equal(model.weight, before[0])
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), before, strict=True))


def test_the_average_equals_a_plain_recursion() -> None:
    from asr.training.weights import RunningAverage

    model = torch.nn.Linear(1, 1, bias=False)
    average = RunningAverage(model, decay=0.5)
    expected = float(model.weight.detach())
    for step, value in enumerate([3.0, -1.0, 2.0, 8.0], start=1):
        model.weight.data.fill_(value)
        average.update(model)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    assert float(average.weights["weight"]) == pytest.approx(expected)


def test_one_cycle_rises_to_the_peak_and_falls() -> None:
    schedule = OneCycle(warmup=0.25, start=0.1, end=0.02)
    assert schedule.factor(0.0) == pytest.approx(0.1)
    assert schedule.factor(0.125) == pytest.approx(0.55)
    assert schedule.factor(0.25) == pytest.approx(1.0)
    assert schedule.factor(0.625) == pytest.approx(0.51)
    assert schedule.factor(1.0) == pytest.approx(0.02)


def test_plateau_halves_after_the_patience_and_keeps_its_memory() -> None:
    schedule = Plateau(warmup=0.0, decay=0.5, patience=2, floor=0.2)
    levels = []
    for error in (5.0, 4.0, 4.0, 4.5, 3.0, 3.0, 3.0, 3.0, 3.0):
        schedule.after_dev(error)
        restored = Plateau(warmup=0.0, decay=0.5, patience=2, floor=0.2)
        restored.load_state_dict(schedule.state_dict())
        schedule = restored
        levels.append(schedule.factor(0.5))
    assert levels == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2]


def test_optimizers_take_every_field_of_their_configuration() -> None:
    from dataclasses import asdict

    from asr.config import Component, build

    for config in (SgdConfig(), AdamWConfig()):
        built = build(Component.of(asdict(config)), (), parameters=torch.nn.Linear(1, 1).parameters())
        assert built.param_groups[0]["lr"] == config.lr
    assert sgd([torch.nn.Parameter(torch.ones(1))], 0.1, 0.9, True, 0.0).defaults["nesterov"] is True
