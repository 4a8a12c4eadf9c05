"""Cross-validation: several runs of one recipe, each tested on what another one trained on, as one result."""

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
    """Evaluate each run, and add up their errors.

    Args:
        runs: the folds; alike in everything but their corpus, with no utterance of a split in two of them.
        splits, on_progress, plugins, decoder, engine: see `evaluate_run`.

    Returns:
        The rates over all folds, with their number and their training times summed. Nothing of it is written; each
        run's own result is.

    Raises:
        ConfigError: the runs are no folds of one experiment.
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
        splits={split: _together(runs, split, suffix) for split in splits},
        training=_trainings([result.training for result in results]),
        weights="",
        folds=len(runs),
    )


def _check(runs: Sequence[RunFolder], splits: Sequence[str]) -> None:
    """Raise a ConfigError where these are no folds, before anything is decoded."""
    first, commit = runs[0].read_config(), runs[0].read_start().provenance.commit
    seen: dict[tuple[str, str], RunFolder] = {}
    for run in runs:
        groups = {key.partition(".")[0] for key in differences(first, run.read_config())} - {"corpus"}
        if groups:
            raise ConfigError(
                f"{run.path}: another {', '.join(sorted(groups))} than {runs[0].path}; several runs are evaluated"
                " together as folds of one experiment, which differ in their corpus alone"
            )
        if run.read_start().provenance.commit != commit:
            raise ConfigError(f"{run.path}: trained by another commit than {runs[0].path}; train all folds with one")
        for split in splits:
            for utterance in read_manifest(run.data / f"{split}.jsonl"):
                if seen.setdefault((split, utterance.id), run) is not run:
                    raise ConfigError(
                        f"{run.path}: the utterance {utterance.id} is in {split} of another run too; give folds that"
                        f" differ in {split}, or choose others with --split"
                    )


def _together(runs: Sequence[RunFolder], split: str, suffix: str) -> SplitResult:
    """Pool what all runs made of a split, from the rows of their utterances."""
    scores = [
        score for run in runs for score in read_scores(run.path / "decode" / f"{split}{suffix}" / "utterances.jsonl")
    ]
    people = people_of(read_manifest(runs[0].data / f"{split}.jsonl"))
    return SplitResult(len(scores), rates_of(scores, people))


def _trainings(trainings: Sequence[Training]) -> Training:
    """Pool how the weights of several runs were made; what belongs to one run alone is left out."""
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
