"""The end of a run: decode dev and test once with the best weights, score, and write `result.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from asr.corpus.manifest import read_manifest
from asr.corpus.splits import SPLITS
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.evaluation.split import check_tag, decode, listen, score, score_by, write_decoded
from asr.experiment.run_folder import RunFolder, commit, fingerprint, frames_folder
from asr.files import obstacle
from asr.recogniser.loading import best_of, load
from asr.recogniser.recogniser import Recogniser
from asr.scoring.rates import Rate
from asr.training.checkpoint import load_checkpoint, write_json
from asr.training.loop import is_finished

Progress = Callable[[str, int, int], None]


def evaluate_run(
    run: RunFolder, splits: Sequence[str], on_progress: Progress, plugins: Sequence[str] = (), by: str | None = None
) -> dict[str, Any]:
    """Decode splits of a finished run with its best weights and write `decode/<split>/` and `result.json`.

    Args:
        run: its folder.
        splits: which to decode.
        on_progress: hears `(what, done, total)`.
        plugins: modules of the user's that the run may name. What its own files allow does not count: they may have
            been written by somebody else.
        by: a tag of the utterances, or `speaker`: rates of each of its values as well, under `by` in the result.

    Returns:
        The result of these splits. `result.json` also keeps what an earlier evaluation of the same weights said of
        other splits.

    Raises:
        ConfigError: no utterance has the tag.
        DataError: a manifest or one of its files cannot be read, or the run folder cannot be written.
    """
    config = run.read_config()
    recogniser = load(best_of(run.path), plugins)
    rates, frames = config["scoring"]["rates"], frames_folder(config)
    data = {name: read_manifest(run.manifests / f"{name}.jsonl", check_sources=name in splits) for name in SPLITS}
    if by is not None:
        check_tag(by, (utterance for name in splits for utterance in data[name]))
    check_place(run, splits)
    record = _record(run, config, data)
    evaluated = {
        name: _evaluate_split(recogniser, data[name], run.path / "decode" / name, rates, frames, on_progress, by)
        for name in splits
    }
    together = _splits_before(run, record) | evaluated
    write_json(run.result, record | {"splits": {name: together[name] for name in SPLITS if name in together}})
    return record | {"splits": evaluated}


def check_place(run: RunFolder, splits: Sequence[str]) -> None:
    """See that the results of these splits can be written, before anything is decoded.

    Raises:
        DataError: they cannot.
    """
    for folder in (run.path, *(run.path / "decode" / name for name in splits)):
        if why := obstacle(folder):
            raise DataError(
                f"{folder} {why}, and the result belongs there; copy the run folder to a place of your own and evaluate"
                " the copy"
            )


def _splits_before(run: RunFolder, record: Mapping[str, Any]) -> dict[str, Any]:
    """The splits in the `result.json` that is there, where it tells of the same weights and code."""
    try:
        before = json.loads(run.result.read_text(encoding="utf-8"))
        same = all(before[key] == record[key] for key in ("epochs", "best_epoch", "commit", "evaluation_commit"))
        return dict(before["splits"]) if same else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _evaluate_split(
    recogniser: Recogniser,
    utterances: Sequence[Utterance],
    folder: Path,
    rates: Sequence[str],
    cache_dir: Path,
    on_progress: Progress,
    by: str | None,
) -> dict[str, Any]:
    what, before = f"decoding {folder.name}", f"frames of {folder.name}"
    cache = listen(recogniser, utterances, cache_dir, lambda done, total: on_progress(before, done, total))
    recognised = decode(recogniser, utterances, cache, lambda done, total: on_progress(what, done, total))
    write_decoded(folder, recognised, rates)
    result = {"utterances": len(utterances), "excluded": [], "rates": _written(score(recognised, rates))}
    if by is not None:
        groups = score_by(by, recognised, rates)
        result["by"] = {by: {value: _written(found) for value, found in groups.items()}}
    write_json(folder / "result.json", result)
    return result


def _written(rates: Mapping[str, Rate]) -> dict[str, Any]:
    return {name: rate.to_dict() for name, rate in rates.items()}


def _record(run: RunFolder, config: Mapping[str, Any], data: Mapping[str, Sequence[Utterance]]) -> dict[str, Any]:
    """What is told of a run beside its rates. The environment is that of the training, not of this evaluation."""
    started = run.read_environment()
    best = load_checkpoint(best_of(run.path))["state"]  # first: in a run that goes on, it may be newer than the last
    state, training = load_checkpoint(run.path / "checkpoints" / "last.pt")["state"], config["training"]
    finished = is_finished(training["epochs"], training["patience"], state["epoch"], state["epochs_since_best"])
    return {
        "recipe": config["recipe"],
        "seed": training["seed"],
        "options": started["options"],
        "command": started["command"],
        "commit": started["commit"],
        **({"resumed_with": started["later"]} if started["later"] else {}),
        "evaluation_commit": commit(),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "train_seconds": round(state["train_seconds"], 1),
        "train_cpu_seconds": round(state["train_cpu_seconds"], 1) if "train_cpu_seconds" in state else None,
        "epochs": state["epoch"],
        "best_epoch": best["best_epoch"],
        **({} if finished else {"unfinished": True}),
        "device": training["device"],
        "environment": {name: started[name] for name in ("python", "torch", "ctc_asr", "cores", "threads")},
        "data": {name: fingerprint(utterances) for name, utterances in data.items()},
        "decoder": config["decoder"] | {"chosen_on": "dev"},
    }
