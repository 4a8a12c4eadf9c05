"""The model card of a run: what its result says of the weights."""

from __future__ import annotations

from pathlib import Path

from asr.evaluation.result import Result, read_result
from asr.recogniser.card import Card


def card_of(model: str | Path) -> Card | None:
    """Make the card of a run folder that was evaluated; None for any other model.

    Raises:
        DataError: the result of the run is damaged.
    """
    run = Path(model).expanduser()
    path = run / "result.json"
    return card_from(read_result(path)) if (run / "checkpoints").is_dir() and path.is_file() else None


def card_from(result: Result) -> Card:
    """Write down what a result says of its weights: how they were made, and every error rate that was measured."""
    about = {
        "recipe": result.recipe,
        "seed": result.seed,
        "command": result.training.command,
        "commit": result.training.commit,
        "date": result.date,
        "train_seconds": result.training.seconds,
        "decoder": result.decoder.name,
        "scoring": result.scoring,
    } | ({} if result.training.finished else {"unfinished": True})
    return Card(about, {name: split.rates for name, split in result.splits.items()})
