"""Cache the ink of a corpus in one compact file, so that later runs need not read the corpus again.

A cache consists of `NAME-HASH.inks` (see `asr.ink.store`) and an index `NAME-HASH.json`. HASH is a hash of the
identity: names, sizes and times of the corpus's files, the options, and the version of the reader. The index is written
last, so an interrupted run leaves no index.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from asr.corpus.faults import CorpusFaults
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems
from asr.files import STALE_SECONDS, make_folder, sweep, write_file
from asr.ink import Ink
from asr.ink.formats import CACHE_SUFFIX
from asr.ink.store import store_places, write_store
from asr.plain_values import PlainFields
from asr.resources import user_cache
from data_prep.roots import given_path

VERSION = 1
"""Version of the index; increase it when its format changes."""

Make = Callable[[list[str]], Iterable[tuple[Utterance, Ink]]]

_COLUMNS = ("id", "text", "speaker", "tags", "start", "points")


def stored(
    name: str,
    identity: PlainFields,
    make: Make,
    faults: CorpusFaults,
    folder: str = "",
) -> list[Utterance]:
    """Return the utterances of a corpus from its cache; make the cache if it is missing or damaged.

    Args:
        name: name of the corpus, for the file names.
        identity: everything that the ink depends on, as plain JSON; another identity has another cache.
        make: function that yields utterances with their ink, and appends faults to the list that it gets. Source, start
            and duration of the utterances are set here.
        faults: collects the faults, also when they come from the cache.
        folder: folder of the cache; empty for the user's cache folder.

    Returns:
        The utterances of `make`, with `source`, `start` (first point) and `duration` (number of points).

    Raises:
        DataError: the cache cannot be written, or `make` raises it.
    """
    place = given_path(folder, "cache") if folder else user_cache() / "ink"
    text = json.dumps({"version": VERSION, **identity}, sort_keys=True)
    stem = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    store, index = place / f"{stem}{CACHE_SUFFIX}", place / f"{stem}.json"
    found = _read_index(index, store, text)
    utterances, problems = _made(store, index, text, make) if found is None else found
    faults.sentences += problems
    return utterances


def _read_index(index: Path, store: Path, identity: str) -> tuple[list[Utterance], list[str]] | None:
    """Read the utterances and the faults; return None if the cache is missing or damaged."""
    try:
        record = json.loads(index.read_bytes())
        if record["identity"] != identity or record["store_bytes"] != store.stat().st_size:
            return None
        columns = [record[column] for column in _COLUMNS]
        if list(zip(record["start"], record["points"], strict=True)) != store_places(store):
            return None
        rows = list(zip(*columns, strict=True))
        problems = record.get("problems", [])  # an index of version 0.1 has none
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, DataError):
        return None
    if not isinstance(problems, list) or not all(isinstance(one, str) for one in problems):
        return None
    if not all(_is_row(*row[:4]) for row in rows):
        return None
    utterances = [
        Utterance(one, store, "ink", start=int(start), duration=int(points), text=text, speaker=speaker, tags=tags)
        for one, text, speaker, tags, start, points in rows
    ]
    return utterances, problems


def _is_row(name: Any, text: Any, speaker: Any, tags: Any) -> bool:
    """Return whether the values of an utterance have the right types."""
    return (
        isinstance(name, str)
        and isinstance(text, str | None)
        and isinstance(speaker, str | None)
        and isinstance(tags, dict)
        and all(isinstance(value, str) for value in tags.values())
    )


def _made(store: Path, index: Path, identity: str, make: Make) -> tuple[list[Utterance], list[str]]:
    utterances: list[Utterance] = []
    problems: list[str] = []

    def inks() -> Iterator[Ink]:
        for utterance, ink in make(problems):
            utterances.append(utterance)
            yield ink

    make_folder(store.parent)
    sweep(store.parent, older_than=STALE_SECONDS)
    places = _places(store, inks(), problems)
    made = [
        replace(utterance, kind="ink", source=store, start=start, duration=points)
        for utterance, (start, points) in zip(utterances, places, strict=True)
    ]
    columns = {
        "id": [one.id for one in made],
        "text": [one.text for one in made],
        "speaker": [one.speaker for one in made],
        "tags": [dict(one.tags) for one in made],
        "start": [start for start, _ in places],
        "points": [points for _, points in places],
        "problems": problems,
    }
    record = {"identity": identity, "store_bytes": store.stat().st_size, **columns}
    write_file(index, json.dumps(record).encode())
    return made, problems


def _places(store: Path, inks: Iterator[Ink], problems: list[str]) -> Sequence[tuple[int, int]]:
    """Write the store and return the places of the inks; without any ink, raise the faults, which say why."""
    first = next(inks, None)
    if first is None and problems:
        raise Problems(problems, what="the corpus, of which nothing is left")
    return write_store(store, inks if first is None else chain([first], inks))
