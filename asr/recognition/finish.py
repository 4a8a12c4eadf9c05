"""The end of a run: decode dev and test once with the best weights, score, and write `result.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.features.cache import FrameCache
from asr.recognition.evaluate import decode, score, write_decoded
from asr.recognition.loading import best_of, load
from asr.recognition.recogniser import Recogniser
from asr.recognition.run_folder import RunFolder, environment, fingerprint
from asr.resources import user_cache
from asr.training.checkpoint import load_checkpoint, write_json
from data_prep.corpora import SPLITS

Progress = Callable[[str, int, int], None]


def evaluate_run(
    run: RunFolder, splits: Sequence[str], on_progress: Progress, plugins: Sequence[str] = ()
) -> dict[str, Any]:
    """Decode splits of a finished run with its best weights and write `decode/<split>/` and `result.json`.

    Args:
        run: its folder.
        splits: which to decode.
        on_progress: hears `(what, done, total)`.
        plugins: modules of the user's that the run may name. What its own files allow does not count: they may have
            been written by somebody else.

    Returns:
        The result, as it stands in `result.json`.
    """
    config = run.read_config()
    recogniser = load(best_of(run.path), plugins)
    rates = config["scoring"]["rates"]
    cache_dir = Path(config["cache_dir"] or user_cache() / "frames")
    data = {name: read_manifest(run.manifests / f"{name}.jsonl") for name in SPLITS}
    evaluated = {}
    for name in splits:
        evaluated[name] = _evaluate_split(
            recogniser, data[name], run.path / "decode" / name, rates, cache_dir, on_progress
        )
    result = _record(run, config, data) | {"splits": evaluated}
    write_json(run.result, result)
    return result


def _evaluate_split(
    recogniser: Recogniser,
    utterances: Sequence[Utterance],
    folder: Path,
    rates: Sequence[str],
    cache_dir: Path,
    on_progress: Progress,
) -> dict[str, Any]:
    what = f"decoding {folder.name}"
    cache = FrameCache.open(utterances, recogniser.extractor, cache_dir)
    if recogniser.normaliser.per == "speaker":  # over all that a speaker said in this split
        recogniser.normaliser.fit((one.speaker, cache.frames(i)) for i, one in enumerate(utterances))
    recognised = decode(recogniser, utterances, cache, lambda done, total: on_progress(what, done, total))
    write_decoded(folder, recognised, rates)
    result = {
        "utterances": len(utterances),
        "excluded": [],
        "rates": {name: rate.to_dict() for name, rate in score(recognised, rates).items()},
    }
    write_json(folder / "result.json", result)
    return result


def _record(run: RunFolder, config: dict[str, Any], data: dict[str, list[Utterance]]) -> dict[str, Any]:
    started = json.loads((run.path / "environment.json").read_text(encoding="utf-8"))
    state = load_checkpoint(run.path / "checkpoints" / "last.pt")["state"]
    now = environment()
    return {
        "recipe": config["recipe"],
        "seed": config["training"]["seed"],
        "command": started["command"],
        "commit": started["commit"],
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "train_seconds": round(state["train_seconds"], 1),
        "epochs": state["epoch"],
        "best_epoch": state["best_epoch"],
        "device": config["training"]["device"],
        "environment": {name: now[name] for name in ("python", "torch", "ctc_asr", "cores", "threads")},
        "data": {name: fingerprint(utterances) for name, utterances in data.items()},
        "decoder": config["decoder"] | {"chosen_on": "dev"},
    }
