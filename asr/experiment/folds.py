"""Cross-validation: evaluate several runs of one recipe, each tested on different data, as one result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from asr.corpus.manifest import read_manifest
from asr.decoding.choice import Wish
from asr.engines.names import AUTO
from asr.errors import ConfigError
from asr.evaluation.result import Result, SplitResult, Training, decoder_suffix
from asr.evaluation.split import Progress, people_of, read_scores
from asr.experiment.run_evaluation import check_place, evaluate_run
from asr.experiment.run_folder import RunFolder
from asr.experiment.settings import differences
from asr.scoring.utterances import rates_of


def evaluate_folds(
    runs: Sequence[RunFolder],
    splits: Sequence[str],
    on_progress: Progress,
    plugins: Sequence[str] = (),
    decoder: Wish = None,
    engine: str = AUTO,
) -> Result:
    """Evaluate each run, and sum their error counts.

    Args:
        runs: the folds. Their configurations differ only in the corpus, and no utterance of a split is in two of them.
        splits, on_progress, plugins, decoder, engine: see `evaluate_run`.

    Returns:
        The error rates over all folds, with the number of folds and the sum of their training times. The function
        writes the result of each run into its folder, but not this one.

    Raises:
        ConfigError: the runs are not folds of one experiment.
        DataError: see `evaluate_run`.
    """
    _check(runs, splits)
    for run in runs:
        check_place(run, [run.path / "decode" / name for name in splits])
    results = [evaluate_run(run, splits, on_progress, plugins, decoder=decoder, engine=engine) for run in runs]
    shared = [one for one in results[0].options if all(one in result.options for result in results)]
    suffix = decoder_suffix(results[0].decoder.name)
    return replace(
        results[0],
        options=tuple(shared),
        splits={split: _pooled(runs, split, suffix) for split in splits},
        training=_trainings([result.training for result in results]),
        weights="",
        folds=len(runs),
    )


def _check(runs: Sequence[RunFolder], splits: Sequence[str]) -> None:
    """Raise a ConfigError if the runs are not folds of one experiment; called before decoding."""
    first, commit = runs[0].read_config(), runs[0].read_start().provenance.commit
    seen: dict[tuple[str, str], RunFolder] = {}
    for run in runs:
        groups = {key.partition(".")[0] for key in differences(first, run.read_config())} - {"corpus"}
        if groups:
            raise ConfigError(
                f"{run.path}: differs from {runs[0].path} in {', '.join(sorted(groups))}; several runs are evaluated"
                " as folds of one experiment, which may differ only in their corpus"
            )
        if run.read_start().provenance.commit != commit:
            raise ConfigError(
                f"{run.path}: was trained with another commit than {runs[0].path}; train all folds with one commit"
            )
        for split in splits:
            for utterance in read_manifest(run.data / f"{split}.jsonl"):
                if seen.setdefault((split, utterance.id), run) is not run:
                    raise ConfigError(
                        f"{run.path}: the utterance {utterance.id} is in {split} of another run too; give folds that"
                        f" share no utterance of {split}, or choose another split with --split"
                    )


def _pooled(runs: Sequence[RunFolder], split: str, suffix: str) -> SplitResult:
    """Pool the scores of all runs on a split, from the files with a row for each utterance."""
    scores = [
        score for run in runs for score in read_scores(run.path / "decode" / f"{split}{suffix}" / "utterances.jsonl")
    ]
    people = people_of(read_manifest(runs[0].data / f"{split}.jsonl"))
    return SplitResult(len(scores), rates_of(scores, people))


def _trainings(trainings: Sequence[Training]) -> Training:
    """Combine the training records of several runs; leave out fields that only make sense for a single run."""
    first = trainings[0]
    return Training(
        command=first.command,
        commit=first.commit,
        seconds=_summed([one.seconds for one in trainings]),
        cpu_seconds=_summed([one.cpu_seconds for one in trainings]),
        finished=all(one.finished for one in trainings),
        device=first.device,
        environment=first.environment,
    )


def _summed(seconds: Sequence[float | None]) -> float | None:
    known = [one for one in seconds if one is not None]
    return round(sum(known), 1) if len(known) == len(seconds) else None
