"""Evaluate any model (a run, a bundle, a pretrained model) on any utterances (a manifest, a corpus)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from asr.corpus.inventory import Inventory, Unit
from asr.corpus.phonemes import fold
from asr.corpus.splits import Corpus
from asr.engines.onnx import OnnxEngine
from asr.errors import ConfigError
from asr.evaluation.recognised import Compared
from asr.evaluation.result import Result, Training
from asr.evaluation.split import Progress, check_tag, evaluate_split, excluded
from asr.recogniser.recogniser import Recogniser
from asr.scoring.named_rates import RATES, check_labels, check_rates


def evaluate_model(
    recogniser: Recogniser,
    corpus: Corpus,
    rates: Sequence[str],
    cache_dir: Path,
    on_progress: Progress,
    *,
    name: str,
    by: str | None = None,
    n_best: int = 1,
    options: Sequence[str] = (),
) -> Result:
    """Decode and score the splits of a corpus with a model.

    Args:
        recogniser: the model, with its decoder.
        corpus: the utterances of each split, and those that were left out.
        rates: names in `asr.scoring.named_rates.RATES`; empty: the usual ones, see `default_rates`.
        cache_dir: the folder in which computed frames are kept.
        on_progress: called with `(what, done, total)`.
        name: the name of the model in the result, if its card names no recipe.
        by: a tag of the utterances, or `speaker`: also report the rates for each of its values.
        n_best: see `evaluate_split`.
        options: the options of the corpus that say which utterances these are, for the result and its file name.

    Raises:
        ConfigError: a rate does not fit the inventory, or no utterance has the tag.
        DataError: a transcript is missing, or a source cannot be read.
    """
    inventory, unit = recogniser.inventory, Compared.of(recogniser.inventory, recogniser.decoder).unit
    chosen = list(rates) or default_rates(inventory, unit)
    check_rates(chosen, unit)
    check_labels(chosen, inventory.labels[1:], unit, fold)  # fail before anything is decoded
    if by is not None:
        check_tag(by, (utterance for utterances in corpus.splits.values() for utterance in utterances))
    about = recogniser.card.about
    return Result(
        recipe=str(about.get("recipe") or name),
        seed=seed if isinstance(seed := about.get("seed"), int) else None,
        options=tuple(options),
        decoder=recogniser.decoder_choice.reported(),
        splits={
            split: evaluate_split(
                recogniser, utterances, chosen, cache_dir, on_progress,
                name=split, by=by, excluded=excluded(corpus.skipped, split), n_best=n_best,
            )
            for split, utterances in corpus.splits.items()
        },
        training=Training(command=str(about.get("command") or ""), commit=str(about.get("commit") or "")),
        weights=weights_checksum(recogniser),
        date=today(),
    )  # fmt: skip


def default_rates(inventory: Inventory, unit: Unit) -> list[str]:
    """Return the names of the rates that are reported if none are asked for.

    Args:
        inventory: the labels of the model.
        unit: the unit in which outputs are compared, see `asr.evaluation.recognised.Compared`.

    >>> default_rates(Inventory(("<blank>", "a", "b"), unit="characters"), "characters")
    ['cer', 'wer', 'ser']
    """
    if unit == "characters":
        return ["cer", "wer", "ser"]
    return [*(name for name, rate in RATES.items() if rate.fold is not None and _folds(name, inventory)), "per", "ser"]


def _folds(rate: str, inventory: Inventory) -> bool:
    """Return whether the folding table of a rate has all labels of an inventory."""
    try:
        check_labels([rate], inventory.labels[1:], inventory.unit, fold)
    except ConfigError:
        return False
    return True


def weights_checksum(recogniser: Recogniser) -> str:
    """Compute a checksum of the names, shapes and values of the network's weights and of the normaliser's statistics.

    For an ONNX file, which does not hold the weights as they were trained, it is the checksum of the file.

    Returns:
        The first 32 hexadecimal digits of a sha256; empty if the engine does not expose its weights.
    """
    network, digest = recogniser.engines.network, hashlib.sha256()
    if network is None:
        return recogniser.engine.digest[:32] if isinstance(recogniser.engine, OnnxEngine) else ""
    for arrays in (network.weights, recogniser.normaliser.state_dict()):
        for name, values in sorted(arrays.items()):
            digest.update(f"{name} {values.shape} torch.{values.dtype}\n".encode())  # the same text as in version 0.1
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:32]


def today() -> str:
    """Return the date in UTC, `YYYY-MM-DD`."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d")
