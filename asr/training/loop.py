"""The training loop: epochs of steps, checkpoints, early stopping, resuming. It does not know what is trained."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol

import torch

from asr.config import check_values
from asr.errors import CheckpointError, ConfigError, TrainingError
from asr.files import make_folder, sweep
from asr.seeds import derive_seed
from asr.training.batches import epoch_batches, load_batches
from asr.training.checkpoint import load_checkpoint, save_checkpoint
from asr.training.log import MetricsLog
from asr.training.schedules import Schedule
from asr.training.task import B, DevResult, Task
from asr.training.weights import RunningAverage, weight_noise

BLANK_HINT_STEPS = 400
BLANK_HINT = (
    "the model still emits nothing but blanks; this phase is normal at first and ends with a sudden fall of the loss. "
    "If it lasts, raise the learning rate or the number of epochs, or check that transcripts match their recordings"
)


@dataclass
class TrainingConfig:
    """How long, how large, how noisy."""

    seed: int = 1
    epochs: int = 20
    frame_budget: int = 8000  # frames in a batch, padding included
    max_utterances: int = 32  # utterances in a batch
    clip_norm: float = 5.0  # gradients with a larger Euclidean norm are scaled down to it
    weight_noise: float = 0.0  # standard deviation of gaussian noise on the weights (Graves 2013: 0.075)
    weight_noise_from: int = 0  # epochs without the noise first (Graves 2013 trains to the best point without it)
    average_decay: float = 0.0  # running average of the weights, used on dev and kept as best; 0 turns it off
    patience: int = 0  # stop after so many epochs without a new best dev error; 0 never stops early
    checkpoint_seconds: float = 60.0  # `last.pt` at least this often
    workers: int = 0  # processes that prepare batches; no result depends on it
    threads: int = 0  # CPU threads; 0 leaves torch's own choice
    device: str = "cpu"
    tensorboard: bool = True

    def __post_init__(self) -> None:
        """Raise a ConfigError at the first field that cannot be, before anything is computed."""
        conditions = {
            "epochs": (self.epochs >= 1, "1 or more"),
            "frame_budget": (self.frame_budget >= 1, "1 or more"),
            "max_utterances": (self.max_utterances >= 1, "1 or more"),
            "clip_norm": (self.clip_norm > 0, "above 0; .inf clips nothing"),
            "weight_noise": (0 <= self.weight_noise < math.inf, "0 or more"),
            "average_decay": (0 <= self.average_decay < 1, "0 to below 1"),
            "patience": (self.patience >= 0, "0 or more"),
            "workers": (self.workers >= 0, "0 or more"),
            "threads": (self.threads >= 0, "0 or more"),
        }
        check_values(vars(self), conditions, "training")
        _check_device(self.device)


def _check_device(name: str) -> None:
    """Put one number there: whatever is wrong with the device shows now."""
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch was built without it
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(f"training.device={name} cannot be used here: {reason}; training.device=cpu can") from error


@dataclass
class State:
    """Where a run stands; saved with every checkpoint."""

    epoch: int = 0
    position: int = 0  # batches of this epoch that are done
    step: int = 0
    best_error: float = math.inf
    best_epoch: int = -1
    epochs_since_best: int = 0
    blank_steps: int = 0  # steps in a row whose best path was nothing but blanks
    train_seconds: float = 0.0
    train_cpu_seconds: float = 0.0  # of all threads: what the wall clock would hide on a machine shared with others
    sums: dict[str, float] = field(default_factory=dict)  # of this epoch so far


class Watcher(Protocol):
    """Somebody who looks at a run: the progress display."""

    def epoch_started(self, epoch: int, epochs: int, n_batches: int, position: int) -> None: ...

    def stepped(self, loss: float, frames: int) -> None: ...

    def epoch_ended(self, row: dict[str, Any]) -> None: ...

    def say(self, message: str) -> None: ...


class _Stopwatch:
    """Seconds on the wall and on the processor since it was looked at."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def add_to(self, state: State) -> None:
        before = self._wall, self._cpu
        self.restart()
        state.train_seconds += self._wall - before[0]
        state.train_cpu_seconds += self._cpu - before[1]


class Stopped(Exception):  # noqa: N818  (no error: what was asked for)
    """The run was asked to stop (SIGTERM, Ctrl-C) and has written its checkpoint.

    Attributes:
        signal: the number of the signal that asked for it.
    """

    def __init__(self, signal: int, step: int) -> None:
        super().__init__(f"stopped by signal {signal} after step {step}")
        self.signal = signal


class Trainer(Generic[B]):
    """Train a task in a run folder, from the beginning or from where `checkpoints/last.pt` stands.

    The weights after any number of interruptions equal those of an uninterrupted run, bit for bit on a CPU with the
    same number of threads: each epoch's batches, the augmentation and the noise of each step are functions of the
    seed and the place, and everything else is in the checkpoint.
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
        """Train to the end.

        Raises:
            Stopped: a signal came; the checkpoint is written.
            TrainingError: a loss or gradient was not finite.
            DataError: a checkpoint or the metrics could not be written.
        """
        sweep(self.last.parent)
        self.resume()
        # within an epoch no row of this step can be right: it belongs to the end that the epoch will have again
        done_steps = self.state.step - (self.state.position > 0)
        log = MetricsLog(self.folder, done_steps, self.config.tensorboard, self.watcher.say)
        self._saved_at = time.monotonic()
        with self._signals():
            while not self.finished:
                self._epoch(log)
                self._heed_signal()
        return self.state

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or enough of them without a new best dev error."""
        config, state = self.config, self.state
        return is_finished(config.epochs, config.patience, state.epoch, state.epochs_since_best)

    def _heed_signal(self) -> None:
        if self._stop_signal is not None:
            if self.state.position > 0:  # at the end of an epoch it is saved already
                self._save()
            raise Stopped(self._stop_signal, self.state.step)

    def _epoch(self, log: MetricsLog) -> None:
        config, state = self.config, self.state
        sizes = self.task.examples.sizes
        batches = epoch_batches(sizes, config.frame_budget, config.max_utterances, config.seed, state.epoch)
        self.watcher.epoch_started(state.epoch, config.epochs, len(batches), state.position)
        self.task.model.train()
        clock = _Stopwatch()
        for batch in load_batches(self.task.examples, batches[state.position :], state.epoch, config.workers):
            self._step(batch.to(config.device), len(batches))
            clock.add_to(state)
            self._heed_signal()
            if time.monotonic() - self._saved_at > config.checkpoint_seconds:
                self._save()
                clock.restart()
        self._finish_epoch(log, len(batches), clock)

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
            mean = loss.per_utterance.mean()
            _check_finite(loss.per_utterance, batch.utt_ids, state)
            mean.backward()  # type: ignore[no-untyped-call]
        norm = float(torch.nn.utils.clip_grad_norm_(self.task.model.parameters(), config.clip_norm))
        if not math.isfinite(norm):
            raise _non_finite("gradient", batch.utt_ids, state)
        self.optimizer.step()
        if self._average is not None:
            self._average.update(self.task.model)
        state.step += 1
        state.position += 1
        self._account(float(loss.per_utterance.detach().sum()), batch, loss.shares.get("blank", 0.0), norm)

    def _account(self, loss_sum: float, batch: B, blank: float, norm: float) -> None:
        state = self.state
        added = {
            "loss": loss_sum,
            "utterances": len(batch.utt_ids),
            "frames": batch.n_frames,
            "blank_frames": blank * batch.n_frames,
            "norm": norm,
        }
        for name, value in added.items():
            state.sums[name] = state.sums.get(name, 0.0) + value
        state.blank_steps = state.blank_steps + 1 if blank == 1.0 else 0
        if state.blank_steps and state.blank_steps % BLANK_HINT_STEPS == 0:
            self.watcher.say(f"step {state.step}: {BLANK_HINT}")
        self.watcher.stepped(loss_sum / len(batch.utt_ids), batch.n_frames)

    def _finish_epoch(self, log: MetricsLog, n_batches: int, clock: _Stopwatch) -> None:
        state = self.state
        dev = self._dev()
        self.schedule.after_dev(dev.error)
        clock.add_to(state)
        sums = state.sums
        row: dict[str, Any] = {
            "epoch": state.epoch,
            "loss": sums["loss"] / sums["utterances"],
            "blank_share": sums["blank_frames"] / sums["frames"],
            "gradient_norm": sums["norm"] / n_batches,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            f"dev_{dev.name}": dev.error,
            **{f"dev_{name}": value for name, value in dev.details.items()},
            "train_seconds": round(state.train_seconds, 2),
            "best": dev.error < state.best_error,
        }
        if not math.isfinite(dev.error):
            raise TrainingError(f"the dev error of epoch {state.epoch} is {dev.error}; the best checkpoint is kept")
        if dev.error < state.best_error:
            state.best_error, state.best_epoch, state.epochs_since_best = dev.error, state.epoch, 0
            with self._averaged():
                save_checkpoint(self.best, {**self._weights(), "state": asdict(state)})
        else:
            state.epochs_since_best += 1
        log.write("epoch", state.step, row)
        state.epoch, state.position, state.sums = state.epoch + 1, 0, {}
        self._save()
        self.watcher.epoch_ended(row)

    def _dev(self) -> DevResult:
        self.task.model.eval()
        with self._averaged(), torch.no_grad():
            return self.task.evaluate_dev()

    def _averaged(self) -> Any:
        return self._average.applied(self.task.model) if self._average is not None else nullcontext()

    def _weights(self) -> dict[str, Any]:
        return {"bundle": self.task.bundle(), "weights": self.task.model.state_dict()}

    def _save(self) -> None:
        save_checkpoint(
            self.last,
            {
                **self._weights(),
                "state": asdict(self.state),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "average": self._average.state_dict() if self._average is not None else None,
            },
        )
        self._saved_at = time.monotonic()

    def resume(self) -> bool:
        """Go to where the last checkpoint stands; False where there is none.

        Raises:
            CheckpointError: it is damaged, or of another configuration.
        """
        if not self.last.exists():
            return False
        saved = load_checkpoint(self.last)
        try:
            self.task.model.load_state_dict(saved["weights"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.schedule.load_state_dict(saved["schedule"])
            self.state = State(**saved["state"])
            if self._average is not None:
                self._average.load_state_dict(saved["average"])
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"{self.last} does not fit this run's configuration ({error}); start in a new run folder"
            ) from error
        return True

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Finish the step, write the checkpoint, then stop, when asked by SIGTERM or Ctrl-C."""
        if threading.current_thread() is not threading.main_thread():  # only there can Python catch signals
            yield
            return

        def note(number: int, frame: object) -> None:
            if self._stop_signal is not None:  # asked twice: at once
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
    """Whether `done` epochs are all, or the last `since_best` brought nothing: `patience` of them, 0 for never."""
    return done >= epochs or 0 < patience <= since_best


def _check_finite(losses: torch.Tensor, utt_ids: tuple[str, ...], state: State) -> None:
    bad = [utt_id for utt_id, loss in zip(utt_ids, losses.tolist(), strict=True) if not math.isfinite(loss)]
    if bad:
        raise _non_finite("loss", tuple(bad), state)


def _non_finite(what: str, utt_ids: tuple[str, ...], state: State) -> TrainingError:
    return TrainingError(
        f"epoch {state.epoch}, step {state.step}: the {what} is not finite for the utterances {', '.join(utt_ids)}; "
        "the last good checkpoint is kept; look at these recordings, or start anew with a lower optimizer.lr"
    )
