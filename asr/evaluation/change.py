"""Measure how storing or running a model in another way changes its error rates and its texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.corpus.phonemes import fold
from asr.corpus.utterance import Utterance
from asr.evaluation.model import default_rates
from asr.evaluation.recognised import Compared, Recognised
from asr.evaluation.split import Progress, decode, listen, people_of
from asr.recogniser.recogniser import Recogniser
from asr.scoring.named_rates import check_labels
from asr.scoring.rates import Rate
from asr.scoring.utterances import rates_of


@dataclass(frozen=True)
class Change:
    """The results of two recognisers on the same utterances.

    Attributes:
        utterances: how many utterances there are.
        different: how many of them the two recognise differently.
        before: the error rates of the first recogniser, by name.
        after: the error rates of the second.
    """

    utterances: int
    different: int
    before: Mapping[str, Rate]
    after: Mapping[str, Rate]


def measure_change(
    before: Recogniser,
    after: Recogniser,
    utterances: Sequence[Utterance],
    cache_dir: Path,
    on_progress: Progress,
) -> Change:
    """Recognise utterances with two recognisers, and compare the results.

    Args:
        before: the original model.
        after: the same model, stored or run in another way, with the same features and labels.
        utterances: at least one utterance, with transcripts.
        cache_dir: the folder in which computed frames are kept.
        on_progress: called with `(what, done, total)`.

    Raises:
        DataError: a transcript is missing, or a source cannot be read.
        ConfigError: the rates do not fit the labels of the model.
    """
    inventory, unit = before.inventory, Compared.of(before.inventory, before.decoder).unit
    rates = default_rates(inventory, unit)
    check_labels(rates, inventory.labels[1:], unit, fold)
    found = [
        _recognised(name, one, utterances, cache_dir, on_progress)
        for name, one in (("the model", before), ("the file", after))
    ]
    different = sum(one.found != other.found for one, other in zip(*found, strict=True))
    people = people_of(utterances)
    scored = [rates_of([one.score(rates) for one in recognised], people) for recognised in found]
    return Change(len(utterances), different, *scored)


def _recognised(
    name: str, recogniser: Recogniser, utterances: Sequence[Utterance], cache_dir: Path, on_progress: Progress
) -> list[Recognised]:
    cache, heard = listen(
        recogniser.for_many(len(utterances)),
        utterances,
        cache_dir,
        lambda done, total: on_progress("frames", done, total),
    )
    return decode(heard, utterances, cache, lambda done, total: on_progress(f"decoding with {name}", done, total))
