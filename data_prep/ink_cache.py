"""The ink of a corpus in one compact file, made once; after that a corpus starts from it at once.

Beside the file `NAME-HASH.inks` (see `asr.ink.store`) stands an index `NAME-HASH.json`. HASH is of the identity: what
was read (names, sizes and times of the corpus's files), how, and by which version of the reader. The index is written
last, so a killed run leaves nothing that looks complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from asr.corpus.faults import Faults
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems
from asr.files import STALE_SECONDS, atomic_file, sweep
from asr.ink import Ink
from asr.ink.store import SUFFIX, write_store
from asr.resources import user_cache
from data_prep.roots import given_path

VERSION = 1
"""Of the index: raised when its form changes."""

Make = Callable[[list[str]], Iterable[tuple[Utterance, Ink]]]

_COLUMNS = ("id", "text", "speaker", "tags", "start", "points")


def stored(
    name: str,
    identity: Mapping[str, Any],
    make: Make,
    faults: Faults,
    folder: str = "",
) -> list[Utterance]:
    """Utterances whose ink stands in the cache, made now where it does not.

    Args:
        name: of the corpus, for the files.
        identity: plain JSON; other contents, another cache.
        make: gives utterances (their source, start and duration are filled in here) with their ink, and adds what is
            wrong to the list that it is given.
        faults: hears of that, now and whenever the cache is read.
        folder: where the cache is; empty for one in the user's cache folder.

    Returns:
        As `make` gives them, with `source`, `start` (first point) and `duration` (points).

    Raises:
        DataError: the cache cannot be written, or what `make` raises.
    """
    place = given_path(folder, "cache") if folder else user_cache() / "ink"
    text = json.dumps({"version": VERSION, **identity}, sort_keys=True)
    stem = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    store, index = place / f"{stem}{SUFFIX}", place / f"{stem}.json"
    found = _read_index(index, store, text)
    utterances, problems = _made(store, index, text, make) if found is None else found
    faults.sentences += problems
    return utterances


def _read_index(index: Path, store: Path, identity: str) -> tuple[list[Utterance], list[str]] | None:
    """Utterances and problems; None where there is no cache, or one that is not whole."""
    try:
        record = json.loads(index.read_bytes())
        if record["identity"] != identity or record["store_bytes"] != store.stat().st_size:
            return None
        columns = [record[column] for column in _COLUMNS]
        utterances = [_stored(store, *values) for values in zip(*columns, strict=True)]
        problems = record.get("problems", [])  # an index of version 0.1 has none
        return (utterances, problems) if all(isinstance(one, str) for one in problems) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _stored(store: Path, name: Any, text: Any, speaker: Any, tags: Any, start: Any, points: Any) -> Utterance:
    """One utterance of an index; ValueError where its values are none that `_made` writes."""
    words = [name, "" if text is None else text, "" if speaker is None else speaker, *tags.keys(), *tags.values()]
    numbers = (start, points)
    if not all(isinstance(word, str) for word in words) or not all(type(one) is int for one in numbers):
        raise ValueError("no index of ours")
    if not all(0 <= one < 1 << 62 for one in numbers):
        raise ValueError("places that no file has")
    return Utterance(name, store, "ink", start=start, duration=points, text=text, speaker=speaker, tags=tags)


def _made(store: Path, index: Path, identity: str, make: Make) -> tuple[list[Utterance], list[str]]:
    utterances: list[Utterance] = []
    problems: list[str] = []

    def inks() -> Iterator[Ink]:
        for utterance, ink in make(problems):
            utterances.append(utterance)
            yield ink

    try:
        store.parent.mkdir(parents=True, exist_ok=True)
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
        with atomic_file(index) as file:
            file.write(json.dumps(record).encode())
    except OSError as error:
        raise DataError(f"the ink cache cannot be written to {store.parent}: {error.strerror or error}") from error
    return made, problems


def _places(store: Path, inks: Iterator[Ink], problems: list[str]) -> Sequence[tuple[int, int]]:
    """Write the store; where there is nothing to write the problems say why."""
    first = next(inks, None)
    if first is None and problems:
        raise Problems(problems, what="the corpus, of which nothing is left")
    return write_store(store, inks if first is None else chain([first], inks))
