"""Evaluate a run: decode splits with its best weights, compute error rates, and write the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asr.corpus.faults import read_skipped
from asr.corpus.manifest import read_manifest
from asr.corpus.seen import tag_seen
from asr.corpus.splits import SPLITS
from asr.corpus.utterance import Utterance
from asr.decoding.choice import Wish
from asr.engines.names import AUTO
from asr.errors import CheckpointError, ConfigError, DataError, one_line
from asr.evaluation.model import default_rates, today, weights_checksum
from asr.evaluation.recognised import Compared
from asr.evaluation.result import Result, Training, decoder_suffix, read_result, write_result
from asr.evaluation.split import Progress, check_tag, evaluate_split, excluded
from asr.experiment.provenance import commit, fingerprint
from asr.experiment.run_config import RunConfig
from asr.experiment.run_folder import RunFolder
from asr.files import obstacle
from asr.recogniser.assembly import PLAIN
from asr.recogniser.checkpoints import recogniser_of
from asr.recogniser.loading import best_of
from asr.recogniser.saved_decoder import with_decoder_of
from asr.training.checkpoint import load_checkpoint
from asr.training.loop import is_finished
from asr.training.state import State


def evaluate_run(
    run: RunFolder,
    splits: Sequence[str],
    on_progress: Progress,
    plugins: Sequence[str] = (),
    by: str | None = None,
    decoder: Wish = None,
    engine: str = AUTO,
    n_best: int = 1,
) -> Result:
    """Decode splits of a run with its best weights, and write `decode/<split>/` and `result.json`.

    With any decoder but greedy search, the names are `decode/<split>-<decoder>/` and `result-<decoder>.json`.

    Args:
        run: the run folder.
        splits: the splits to decode.
        on_progress: a function called with `(what, done, total)`.
        plugins: the user's modules that the run may name. The files of the run itself cannot allow any, because a
            stranger may have written them.
        by: a tag of the utterances, or `speaker`, or `seen` (whether the training split contains the transcript); the
            result then also has the rates for each value of the tag.
        decoder: the decoder to use; None for the one that `asr-tune` saved in the run folder, else the run's own.
        engine: the engine to use; `auto` chooses one that suits the work.
        n_best: see `asr.evaluation.split.evaluate_split`.

    Returns:
        The result for these splits. The file keeps other splits of an earlier evaluation if it had the same weights and
        decoder.

    Raises:
        ConfigError: no utterance has the tag, or there is no such decoder.
        DataError: a manifest or one of its files cannot be read, or the run folder cannot be written.
    """
    config = run.read_config()
    best = load_checkpoint(best_of(run.path))  # before last.pt, which may be newer if the run is still training
    recogniser = recogniser_of(best, best_of(run.path), plugins, engine, PLAIN)
    recogniser = with_decoder_of(run.path, recogniser, decoder, plugins)
    suffix = decoder_suffix(recogniser.decoder_choice.name)
    data = {name: read_manifest(run.data / f"{name}.jsonl", check_sources=name in splits) for name in SPLITS}
    tagged = tag_seen(data)
    if by is not None:
        check_tag(by, (utterance for name in splits for utterance in tagged[name]))
    folders = {name: run.path / "decode" / f"{name}{suffix}" for name in splits}
    check_place(run, list(folders.values()))
    left_out = read_skipped(run.data)
    inventory, unit = recogniser.inventory, Compared.of(recogniser.inventory, recogniser.decoder).unit
    rates = config.scoring.rates if unit == inventory.unit else default_rates(inventory, unit)
    evaluated = {
        name: evaluate_split(
            recogniser, tagged[name], rates, config.frames_folder, on_progress,
            name=name, folder=folders[name], by=by, excluded=excluded(left_out, name), n_best=n_best,
        )
        for name in splits
    }  # fmt: skip
    result = Result(
        recipe=config.recipe,
        seed=config.training.seed,
        options=run.read_start().options,
        decoder=recogniser.decoder_choice.reported(),
        splits=evaluated,
        training=_training(run, config, data, best),
        weights=weights_checksum(recogniser),
        evaluation_commit=commit(),
        date=today(),
    )
    path = run.path / f"result{suffix}.json"
    write_result(path, _with_earlier_splits(result, path))
    return result


def check_place(run: RunFolder, folders: Sequence[Path]) -> None:
    """Check that results can be written into a run folder; called before decoding.

    Args:
        run: the run folder.
        folders: the folders for the decoded splits.

    Raises:
        DataError: a folder cannot be written.
    """
    for folder in (run.path, *folders):
        if why := obstacle(folder):
            raise DataError(
                f"{folder} {why}, but the result must be written there; copy the run folder to a place of your own and"
                " evaluate the copy"
            )


def _with_earlier_splits(result: Result, path: Path) -> Result:
    """Add the other splits from the result file of an earlier evaluation, if it had the same weights and decoder."""
    try:
        together = result.with_splits_of(read_result(path))
    except DataError:
        return result
    return together.in_order(SPLITS)


def _training(
    run: RunFolder, config: RunConfig, data: Mapping[str, Sequence[Utterance]], best: Mapping[str, Any]
) -> Training:
    """Return the record of the training; its environment is that of the training, not of this evaluation."""
    start, last = run.read_start(), run.path / "checkpoints" / "last.pt"
    (now, counted), (then, _) = _state(load_checkpoint(last), last), _state(best, best_of(run.path))
    return Training(
        command=start.provenance.command,
        commit=start.provenance.commit,
        resumed_with=start.later,
        seconds=round(now.train_seconds, 1),
        cpu_seconds=round(now.train_cpu_seconds, 1) if counted else None,
        epochs=now.epoch,
        best_epoch=then.best_epoch,
        finished=is_finished(config.training.epochs, config.training.patience, now.epoch, now.epochs_since_best),
        device=config.training.device,
        environment=start.provenance.environment,
        data={name: fingerprint(utterances) for name, utterances in data.items()},
    )


def _state(saved: Mapping[str, Any], path: Path) -> tuple[State, bool]:
    """Return the state of a run from a checkpoint, and whether it contains CPU seconds (older ones do not).

    Raises:
        CheckpointError: the checkpoint is damaged.
    """
    try:
        return State.from_saved(saved["state"]), "train_cpu_seconds" in saved["state"]
    except (ConfigError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} has no valid training state: {one_line(error)}; train again") from error
