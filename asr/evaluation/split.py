"""Decode a split, measure its error rates, and write the transcripts for sclite and for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from asr.config import nearest
from asr.corpus.faults import Skipped
from asr.corpus.seen import SEEN
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.evaluation.calibration import calibration_errors
from asr.evaluation.recognised import Compared, Recognised
from asr.evaluation.result import SplitResult
from asr.features.cache import FrameCache
from asr.files import make_folder, write_file
from asr.plain_values import record
from asr.recogniser.batching import recognise_all
from asr.recogniser.recogniser import Recogniser
from asr.scoring.rates import Rate
from asr.scoring.trn import transcript_of, trn_unit, write_trn
from asr.scoring.utterances import UtteranceScore, rates_of

ORACLE = "oracle"
"""The key of `SplitResult.by` for the rates of the best choice among several hypotheses."""

Progress = Callable[[str, int, int], None]
"""A callback that is called with `(what, done, total)`."""


def listen(
    recogniser: Recogniser,
    utterances: Sequence[Utterance],
    cache_dir: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[FrameCache, Recogniser]:
    """Compute the frames of a split, and adapt the normaliser to all utterances of each speaker.

    Args:
        recogniser: the recogniser.
        utterances: the utterances of the split.
        cache_dir: the folder in which computed frames are kept.
        on_progress: called with `(done, total)`.

    Returns:
        The frames, and the recogniser with the adapted normaliser.
    """
    cache = FrameCache.open(utterances, recogniser.extractor, cache_dir, on_progress=on_progress)
    return cache, replace(recogniser, normaliser=recogniser.normaliser.having_heard(cache.by_speaker()))


def decode(
    recogniser: Recogniser,
    utterances: Sequence[Utterance],
    cache: FrameCache,
    on_progress: Callable[[int, int], None] | None = None,
    n_best: int = 1,
) -> list[Recognised]:
    """Recognise utterances in batches of similar length; return the results in the order of the utterances.

    Args:
        recogniser: a recogniser from `listen`.
        utterances: the utterances.
        cache: the frames from `listen`.
        on_progress: called with `(done, total)`.
        n_best: the most hypotheses for each utterance.
    """
    sizes = [recogniser.stacking.out_length(cache.n_frames(i)) for i in range(len(utterances))]
    found = recognise_all(
        recogniser,
        sizes,
        lambda i: recogniser.frames(cache.frames(i), utterances[i].speaker),
        on_progress=on_progress,
        n_best=n_best,
    )
    compared = Compared.of(recogniser.inventory, recogniser.decoder)
    return [compared(utterance, best) for utterance, best in zip(utterances, found, strict=True)]


def evaluate_split(
    recogniser: Recogniser,
    utterances: Sequence[Utterance],
    rates: Sequence[str],
    cache_dir: Path,
    on_progress: Progress,
    *,
    name: str = "test",
    folder: Path | None = None,
    by: str | None = None,
    excluded: Sequence[str] = (),
    n_best: int = 1,
) -> SplitResult:
    """Decode and score the utterances of one split.

    Args:
        recogniser: the model, with its decoder.
        utterances: at least one utterance, with transcripts.
        rates: names in `asr.scoring.named_rates.RATES`; the first is shown in alignments.
        cache_dir: the folder in which computed frames are kept.
        on_progress: called while frames are computed and while they are decoded.
        name: the name of the split, for the progress display.
        folder: the folder for `ref.trn`, `hyp.trn` and `utterances.jsonl`; None: they are not written.
        by: a tag of the utterances, or `speaker`: also report the rates for each of its values.
        excluded: the utterances that were left out: id, colon, reason.
        n_best: if above 1, also report the rates of the best choice among so many hypotheses of each utterance.

    Raises:
        DataError: a transcript is missing, a source cannot be read, or a file cannot be written.
    """
    cache, recogniser = listen(
        recogniser.for_many(len(utterances)), utterances, cache_dir,
        lambda done, total: on_progress(f"frames of {name}", done, total),
    )  # fmt: skip
    recognised = decode(
        recogniser, utterances, cache, lambda done, total: on_progress(f"decoding {name}", done, total), n_best
    )
    scores = [one.score(rates) for one in recognised]
    if folder is not None:
        write_decoded(folder, recognised, scores)
    people = people_of(utterances)
    groups = {} if by is None else {by: _groups(by, utterances, scores, people)}
    if n_best > 1:
        best = rates_of([one.best_score(rates) for one in recognised], people)
        groups[ORACLE] = {f"best of {n_best}": best}
    rates_of_all, errors = rates_of(scores, people), calibration_errors(recognised, people)
    return SplitResult(len(utterances), rates_of_all, tuple(excluded), groups, recogniser.engine_choice, errors)


def excluded(skipped: Iterable[Skipped], split: str) -> list[str]:
    """List what was left out of a split, as `id: reason`; entries without a split are listed for every split."""
    return [f"{one.place}: {one.reason}" if one.place else one.reason for one in skipped if one.split in (split, "")]


def people_of(utterances: Iterable[Utterance]) -> str:
    """Return the word for the people: "writers" if an utterance is ink, otherwise "speakers"."""
    return "writers" if any(one.kind == "ink" for one in utterances) else "speakers"


def _groups(
    tag: str, utterances: Sequence[Utterance], scores: Sequence[UtteranceScore], people: str
) -> dict[str, dict[str, Rate]]:
    """Return the rates for each value of a tag; utterances without the tag are the value "", at the end."""
    groups: dict[str, list[UtteranceScore]] = {}
    for utterance, score in zip(utterances, scores, strict=True):
        groups.setdefault(_tags(utterance).get(tag, ""), []).append(score)
    return {value: rates_of(groups[value], people) for value in sorted(groups, key=lambda value: (not value, value))}


def check_tag(tag: str, utterances: Iterable[Utterance]) -> None:
    """Raise a ConfigError if no utterance has the tag."""
    known = {name for one in utterances for name in _tags(one)}
    if tag not in known:
        if tag == SEEN:
            raise ConfigError(
                f"the tag '{tag}' requires a training split beside the utterances, and there is none; give a folder of"
                " manifests with train.jsonl instead of a single manifest"
            )
        there = f"expected one of {', '.join(sorted(known))}" if known else "they have no tags"
        raise ConfigError(f"no utterance has the tag '{tag}'{nearest(tag, known)}; {there}")


def _tags(utterance: Utterance) -> dict[str, str]:
    speaker = {} if utterance.speaker is None else {"speaker": utterance.speaker}
    return {**utterance.tags, **speaker}


def write_decoded(folder: Path, recognised: Sequence[Recognised], scores: Sequence[UtteranceScore]) -> None:
    """Write the transcripts of a split into a folder.

    `ref.trn` and `hyp.trn` have words, or labels if these are compared. `utterances.jsonl` has one row per utterance:
    reference, hypothesis, error counts under every rate, and the alignment under the first.

    Args:
        folder: the folder, which is made if necessary.
        recognised: the utterances, at least one.
        scores: the score of each utterance.

    Raises:
        DataError: a file cannot be written.
    """
    make_folder(folder)
    unit = trn_unit(recognised[0].unit)
    for name, labels in (("ref", [one.reference for one in recognised]), ("hyp", [one.found for one in recognised])):
        transcripts = [
            transcript_of(one.utterance.id, said, one.unit, one.utterance.speaker)
            for one, said in zip(recognised, labels, strict=True)
        ]
        write_trn(folder / f"{name}.trn", transcripts, unit)
    rows = "".join(json.dumps(score.to_dict(), ensure_ascii=False) + "\n" for score in scores)
    write_file(folder / "utterances.jsonl", rows.encode())


def read_scores(path: Path) -> list[UtteranceScore]:
    """Read the file `utterances.jsonl` that `write_decoded` wrote.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # texts may hold other line separators
        scores = [UtteranceScore.from_dict(record(json.loads(line))) for line in lines if line]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path} cannot be read ({error!r:.100}); evaluate the run again") from error
    if len({tuple(score.counts) for score in scores}) > 1:
        raise DataError(f"{path} has rows with different error rates; evaluate the run again")
    return scores
