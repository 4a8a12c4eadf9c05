"""The training loop for any task: epochs of steps, checkpoints, early stopping and resuming."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import torch

from asr.config import check_values
from asr.errors import AsrError, CheckpointError, TrainingError, one_line
from asr.files import make_folder, sweep
from asr.seeds import derive_seed
from asr.training.batches import epoch_batches
from asr.training.checkpoint import load_checkpoint, save_checkpoint
from asr.training.log import MetricsLog
from asr.training.schedules import Schedule
from asr.training.state import EpochSums, State, Stopwatch
from asr.training.task import B, DevResult, Loss, OrderedExamples, SampledExamples, SavedValue, Task
from asr.training.watching import EpochRow, EpochStart, Watcher
from asr.training.weights import RunningAverage, weight_noise
from asr.training.workers import load_batches


@dataclass
class TrainingConfig:
    """Options of the training loop."""

    seed: int = 1
    epochs: int = 20
    frame_budget: int = 8000  # largest size of a batch with padding, in frames or the task's own unit
    max_utterances: int = 32  # largest number of utterances, or other items of the task, in a batch
    clip_norm: float = 5.0  # gradients with a larger Euclidean norm are scaled down to it
    weight_noise: float = 0.0  # standard deviation of gaussian noise on the weights (Graves 2013: 0.075)
    weight_noise_from: int = 0  # first epoch with noise (Graves 2013 first trains to the best point without it)
    average_decay: float = 0.0  # decay of the running average of the weights, used for dev and `best.pt`; 0: no average
    patience: int = 0  # stop after this number of epochs without a new best dev error; 0: never stop early
    checkpoint_seconds: float = 60.0  # longest time between two writes of `last.pt`
    workers: int = 0  # processes that prepare batches; they affect the speed, not the result
    threads: int = 0  # CPU threads; 0: torch chooses
    device: str = "cpu"
    tensorboard: bool = True

    def __post_init__(self) -> None:
        """Raise a ConfigError that lists every field with an invalid value."""
        conditions = {
            "epochs": (self.epochs >= 1, "1 or more"),
            "frame_budget": (self.frame_budget >= 1, "1 or more"),
            "max_utterances": (self.max_utterances >= 1, "1 or more"),
            "clip_norm": (self.clip_norm > 0, "above 0; .inf clips nothing"),
            "weight_noise": (0 <= self.weight_noise < math.inf, "0 or more"),
            "average_decay": (0 <= self.average_decay < 1, "0 to below 1"),
            "weight_noise_from": (self.weight_noise_from >= 0, "0 or more epochs"),
            "patience": (self.patience >= 0, "0 or more"),
            "checkpoint_seconds": (not math.isnan(self.checkpoint_seconds), "a number"),
            "workers": (0 <= self.workers <= 1024, "0 to 1024"),
            "threads": (0 <= self.threads <= 1024, "0 to 1024"),
            "device": _on_device(self.device),
        }
        check_values(vars(self), conditions)


def _on_device(name: str) -> tuple[bool, str]:
    """Return the condition for `check_values` that torch can store a tensor on the device."""
    expected = "a device that can be used here, such as cpu"
    try:
        return bool(torch.zeros(1, device=name).tolist() == [0.0]), expected
    except (RuntimeError, AssertionError, TypeError) as error:  # AssertionError: torch was built without the device
        return False, f"{expected} ({one_line(error)[:100]})"


class Stopped(Exception):  # noqa: N818  (a requested end is no error)
    """A signal (SIGTERM, Ctrl-C) stopped the run after it wrote its checkpoint.

    Attributes:
        signal: the number of the signal.
    """

    def __init__(self, signal: int, step: int) -> None:
        super().__init__(f"stopped by signal {signal} after step {step}")
        self.signal = signal


class Trainer(Generic[B]):
    """The training of a task in a run folder, from the beginning or from `checkpoints/last.pt`.

    After any number of interruptions, the weights equal those of an uninterrupted run, bit for bit on a CPU with the
    same number of threads. Batches, augmentation and noise depend only on the seed, the epoch and the position;
    everything else is in the checkpoint.

    Args:
        task: the data, the loss and the dev metric.
        config: the options of the loop.
        optimizer: the optimiser of the task's model; its learning rates are the peak rates of the schedule.
        schedule: the learning-rate schedule.
        folder: the run folder; checkpoints and metrics are written into it.
        watcher: the observer to report progress to.
    """

    def __init__(
        self,
        task: Task[B],
        config: TrainingConfig,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        folder: Path,
        watcher: Watcher,
    ) -> None:
        self.task, self.config, self.optimizer, self.schedule, self.watcher = task, config, optimizer, schedule, watcher
        self.folder = folder
        self.state = State()
        self._peak_lr = [group["lr"] for group in optimizer.param_groups]
        self._average = RunningAverage(task.model, config.average_decay) if config.average_decay > 0 else None
        self._saved_at = 0.0
        self._resumed: bool | None = None
        self._stop_signal: int | None = None
        make_folder(folder / "checkpoints")

    @property
    def last(self) -> Path:
        """The checkpoint to resume from."""
        return self.folder / "checkpoints" / "last.pt"

    @property
    def best(self) -> Path:
        """The weights of the epoch with the lowest dev error."""
        return self.folder / "checkpoints" / "best.pt"

    def run(self) -> State:
        """Train until the run is finished, starting from the last checkpoint if there is one.

        Returns:
            The final state.

        Raises:
            Stopped: a signal stopped the run; the checkpoint is written.
            TrainingError: a loss, gradient or dev error was not finite, or a worker process was lost.
            DataError: a checkpoint or the metrics could not be written.
            CheckpointError: the checkpoint to resume from is damaged, or belongs to another configuration.
        """
        sweep(self.last.parent)
        self.resume()
        # A checkpoint within an epoch may be older than the row of that epoch, which the resumed run writes again.
        done_steps = self.state.step - (self.state.position > 0)
        log = MetricsLog(self.folder, done_steps, self.config.tensorboard, self.watcher.say)
        self._saved_at = time.monotonic()
        with self._signals():
            while not self.finished:
                self._epoch(log)
                self._stop_if_signalled()
        return self.state

    @property
    def finished(self) -> bool:
        """Return whether the run is over: all epochs are done, or `patience` epochs brought no new best dev error."""
        config, state = self.config, self.state
        return is_finished(config.epochs, config.patience, state.epoch, state.epochs_since_best)

    def _stop_if_signalled(self) -> None:
        if self._stop_signal is not None:
            if self.state.position > 0:  # the end of an epoch writes a checkpoint anyway
                self._save()
            raise Stopped(self._stop_signal, self.state.step)

    def _epoch(self, log: MetricsLog) -> None:
        config, state = self.config, self.state
        batches = self._batches()
        self.watcher.epoch_started(
            EpochStart(state.epoch, config.epochs, len(batches), state.position, self.task.units)
        )
        self.task.model.train()
        clock = Stopwatch()
        left = load_batches(self.task.examples, batches[state.position :], state.epoch, config.workers)
        with closing(left):
            for batch in left:
                self._step(batch.to(config.device), len(batches))
                clock.add_to(state)
                self._stop_if_signalled()
                if time.monotonic() - self._saved_at > config.checkpoint_seconds:
                    self._save()
                    clock.restart()
        self._finish_epoch(log, len(batches), clock)

    def _batches(self) -> list[list[int]]:
        """Return the batches of the current epoch, as indices of the examples."""
        config, epoch, examples = self.config, self.state.epoch, self.task.examples
        if isinstance(examples, OrderedExamples):
            return examples.batches(epoch)
        chosen = examples.chosen(epoch) if isinstance(examples, SampledExamples) else range(len(examples.sizes))
        sizes = [examples.sizes[item] for item in chosen]
        batches = epoch_batches(sizes, config.frame_budget, config.max_utterances, config.seed, epoch)
        return [[chosen[place] for place in batch] for batch in batches]

    def _step(self, batch: B, n_batches: int) -> None:
        config, state = self.config, self.state
        progress = (state.epoch + state.position / n_batches) / config.epochs
        factor = self.schedule.factor(progress)
        for group, peak in zip(self.optimizer.param_groups, self._peak_lr, strict=True):
            group["lr"] = peak * factor
        torch.manual_seed(derive_seed(config.seed, "step", state.epoch, state.position))
        noisy = config.weight_noise if state.epoch >= config.weight_noise_from else 0.0
        self.optimizer.zero_grad(set_to_none=True)
        with weight_noise(self.task.model, noisy):
            loss = self.task.loss(batch)
            self._check_finite(loss.per_item, batch.ids)
            loss.per_item.mean().backward()  # type: ignore[no-untyped-call]
        norm = float(torch.nn.utils.clip_grad_norm_(self.task.model.parameters(), config.clip_norm))
        if not math.isfinite(norm):
            raise self._non_finite("gradient", batch.ids)
        self.optimizer.step()
        if self._average is not None:
            self._average.update(self.task.model)
        state.step += 1
        state.position += 1
        self._report_step(loss, batch, norm)

    def _report_step(self, loss: Loss, batch: B, norm: float) -> None:
        items, loss_sum = len(batch.ids), float(loss.per_item.detach().sum())
        self.state.sums.add(loss, loss_sum, items, norm)
        if hint := self.task.after_step(loss):
            self.watcher.say(f"step {self.state.step}: {hint}")
        self.watcher.stepped(loss_sum / items, batch.size)

    def _finish_epoch(self, log: MetricsLog, n_batches: int, clock: Stopwatch) -> None:
        state = self.state
        dev = self._dev()
        self.schedule.after_dev(dev.error)
        clock.add_to(state)
        row = self._row(dev, n_batches)
        if not math.isfinite(dev.error):
            raise TrainingError(
                f"the dev error of epoch {state.epoch} is {dev.error}; expected a finite number; the best checkpoint "
                "is kept; check the dev set, or begin a new run with a lower optimizer.lr"
            )
        if row.best:
            state.best_error, state.best_epoch, state.epochs_since_best = dev.error, state.epoch, 0
            with self._averaged():
                save_checkpoint(self.best, {**self._weights(), "state": state.saved()})
        else:
            state.epochs_since_best += 1
        log.write("epoch", state.step, row.values())
        state.epoch, state.position, state.sums = state.epoch + 1, 0, EpochSums()
        self._save()
        self.watcher.epoch_ended(row)

    def _row(self, dev: DevResult, n_batches: int) -> EpochRow:
        state, sums = self.state, self.state.sums
        return EpochRow(
            epoch=state.epoch,
            loss=sums.loss / sums.items,
            logged=sums.means,
            gradient_norm=sums.gradient_norm / n_batches,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            dev=dev,
            train_seconds=state.train_seconds,
            best=dev.error < state.best_error,
            text=self.task.describe(sums.means),
        )

    def _dev(self) -> DevResult:
        self.task.model.eval()
        with self._averaged(), torch.no_grad():
            return self.task.evaluate_dev()

    def _averaged(self) -> AbstractContextManager[None]:
        return self._average.applied(self.task.model) if self._average is not None else nullcontext()

    def _weights(self) -> Mapping[str, SavedValue]:
        return {"bundle": self.task.bundle(), "weights": self.task.model.state_dict()}

    def _save(self) -> None:
        save_checkpoint(
            self.last,
            {
                **self._weights(),
                "state": self.state.saved(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "task": self.task.state_dict(),
                "average": self._average.state_dict() if self._average is not None else None,
            },
        )
        self._saved_at = time.monotonic()

    def resume(self) -> bool:
        """Restore the last checkpoint, if there is one, at the first call; return whether there is one.

        Raises:
            CheckpointError: the checkpoint is damaged, or belongs to another configuration.
        """
        if self._resumed is None:
            self._resumed = self.last.exists()
            if self._resumed:
                self._restore(load_checkpoint(self.last))
        return self._resumed

    def _restore(self, saved: Mapping[str, Any]) -> None:
        try:
            self.task.model.load_state_dict(saved["weights"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.schedule.load_state_dict(saved["schedule"])
            self.state = State.from_saved(saved["state"])
            if "task" in saved:
                self.task.load_state_dict(saved["task"])
            if self._average is not None:
                self._average.load_state_dict(saved["average"])
        except (AsrError, LookupError, AttributeError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise CheckpointError(
                f"{self.last} does not fit this run's configuration ({one_line(error)}); start in a new run folder"
            ) from error

    def _check_finite(self, losses: torch.Tensor, ids: tuple[str, ...]) -> None:
        bad = [one for one, loss in zip(ids, losses.tolist(), strict=True) if not math.isfinite(loss)]
        if bad:
            raise self._non_finite("loss", tuple(bad))

    def _non_finite(self, what: str, ids: tuple[str, ...]) -> TrainingError:
        state, items = self.state, self.task.units.items
        return TrainingError(
            f"epoch {state.epoch}, step {state.step}: the {what} is not finite for the {items} {', '.join(ids)}; the "
            f"last good checkpoint is kept; check these {items}, or begin a new run with a lower optimizer.lr"
        )

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn SIGTERM and Ctrl-C into a request to stop after the current step, inside a `with` block."""
        if threading.current_thread() is not threading.main_thread():  # Python delivers signals to the main thread only
            yield
            return

        def note(number: int, frame: object) -> None:
            if self._stop_signal is not None:  # the second request
                raise KeyboardInterrupt
            self._stop_signal = number
            self.watcher.say("stopping after this step; a second signal stops at once")

        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def is_finished(epochs: int, patience: int, done: int, since_best: int) -> bool:
    """Return whether a run is over.

    Args:
        epochs: the number of epochs of the whole run.
        patience: the number of epochs without a new best dev error after which to stop; 0: never stop early.
        done: the number of epochs that are done.
        since_best: the number of epochs since the one with the best dev error.

    >>> is_finished(epochs=50, patience=5, done=20, since_best=5), is_finished(50, 0, 20, 19)
    (True, False)
    """
    return done >= epochs or 0 < patience <= since_best
