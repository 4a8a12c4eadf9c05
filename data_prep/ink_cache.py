"""The ink of a corpus in one compact file, made once; after that a corpus starts from it at once.

Beside the file `NAME-HASH.inks` (see `asr.ink.store`) stands an index `NAME-HASH.json`. HASH is of the identity: what
was read (names, sizes and times of the corpus's files), how, and by which version of the reader. The index is written
last, so a killed run leaves nothing that looks complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.files import STALE_SECONDS, make_folder, sweep, write_file
from asr.ink import Ink
from asr.ink.store import SUFFIX, store_places, write_store
from asr.plain_values import PlainFields
from asr.resources import user_cache

VERSION = 1
"""Of the index: raised when its form changes."""

_COLUMNS = ("id", "text", "speaker", "tags", "start", "points")


def stored(
    name: str,
    identity: PlainFields,
    make: Callable[[], Iterable[tuple[Utterance, Ink]]],
    folder: str = "",
) -> list[Utterance]:
    """Take the utterances of a corpus from the cache, and make the cache if it is missing or damaged.

    Args:
        name: of the corpus, for the files.
        identity: plain JSON; other contents, another cache.
        make: gives utterances (their source, start and duration are filled in here) with their ink.
        folder: where the cache is; empty for one in the user's cache folder.

    Returns:
        The utterances of `make`, with `source`, `start` (first point) and `duration` (points).

    Raises:
        DataError: the cache cannot be written, or what `make` raises.
    """
    place = Path(folder).expanduser().resolve() if folder else user_cache() / "ink"
    text = json.dumps({"version": VERSION, **identity}, sort_keys=True)
    stem = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    store, index = place / f"{stem}{SUFFIX}", place / f"{stem}.json"
    found = _read_index(index, store, text)
    return _made(store, index, text, make) if found is None else found


def _read_index(index: Path, store: Path, identity: str) -> list[Utterance] | None:
    """Read the utterances; None if the cache is missing or damaged."""
    try:
        record = json.loads(index.read_bytes())
        if record["identity"] != identity or record["store_bytes"] != store.stat().st_size:
            return None
        columns = [record[column] for column in _COLUMNS]
        if list(zip(record["start"], record["points"], strict=True)) != store_places(store):
            return None
        rows = list(zip(*columns, strict=True))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, DataError):
        return None
    if not all(_is_row(*row[:4]) for row in rows):
        return None
    return [
        Utterance(one, store, "ink", start=int(start), duration=int(points), text=text, speaker=speaker, tags=tags)
        for one, text, speaker, tags, start, points in rows
    ]


def _is_row(name: Any, text: Any, speaker: Any, tags: Any) -> bool:
    """Whether the values of an utterance have their types."""
    return (
        isinstance(name, str)
        and isinstance(text, str | None)
        and isinstance(speaker, str | None)
        and isinstance(tags, dict)
        and all(isinstance(value, str) for value in tags.values())
    )


def _made(
    store: Path, index: Path, identity: str, make: Callable[[], Iterable[tuple[Utterance, Ink]]]
) -> list[Utterance]:
    utterances: list[Utterance] = []

    def inks() -> Iterator[Ink]:
        for utterance, ink in make():
            utterances.append(utterance)
            yield ink

    make_folder(store.parent)
    sweep(store.parent, older_than=STALE_SECONDS)
    places = write_store(store, inks())
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
    }
    record = {"identity": identity, "store_bytes": store.stat().st_size, **columns}
    write_file(index, json.dumps(record, ensure_ascii=False).encode())
    return made
