"""Make the model card of a run from its result."""

from __future__ import annotations

from pathlib import Path

from asr.evaluation.result import Result, decoder_suffix, read_result
from asr.recogniser.card import Card
from asr.recogniser.saved_decoder import saved_decoder


def card_of(model: str | Path) -> Card | None:
    """Make the card of an evaluated run folder; None for any other model.

    If `asr-tune` saved a decoder in the folder and the run was evaluated with it, the card has those error rates.

    Raises:
        DataError: the result of the run is damaged.
        CheckpointError: the saved decoder is damaged.
    """
    run = Path(model).expanduser()
    if not (run / "checkpoints").is_dir():
        return None
    path = run / "result.json"
    if (tuned := saved_decoder(run)) is not None:
        with_it = run / f"result{decoder_suffix(tuned.name)}.json"
        path = with_it if with_it.is_file() else path
    return card_from(read_result(path)) if path.is_file() else None


def card_from(result: Result) -> Card:
    """Make a card from a result: how the weights were trained, and every error rate that was measured."""
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
