"""Collect the faults of a corpus while it is read; then raise all of them, or leave the faulty items out and list them.

The file `skipped.jsonl` beside the manifests lists everything that was left out, one JSON object per line:

    {"place": "theo-3", "reason": "the transcript is empty; write what is said", "split": "dev"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from asr.errors import DataError, Problems

SKIPPED_NAME = "skipped.jsonl"
_HINT = "on_error=skip leaves out faulty items and lists them; asr-train: corpus.on_error=skip"
_MOST_BYTES = 1 << 28  # of skipped.jsonl: more than a million lines


@dataclass(frozen=True)
class Skipped:
    """An utterance, file or line that was left out of a corpus.

    Attributes:
        place: the id of the utterance, or file and line; empty if `reason` names the place.
        reason: one sentence.
        split: train, dev or test; empty if it is not known.
    """

    place: str
    reason: str
    split: str = ""


class CorpusFaults:
    """Collector of the faults of a corpus.

    Attributes:
        sentences: faults in files and lines, one sentence each. Readers append to it, and leave out the utterances
            concerned.
        notes: one sentence for each fault that was repaired.

    Args:
        collect: if true, `settle` does not raise; the caller decides whether to raise or to list the faults.
    """

    def __init__(self, collect: bool = False) -> None:
        self.sentences: list[str] = []
        self.notes: list[str] = []
        self._placed: list[tuple[str, str]] = []  # sentence, split
        self._accepted: list[str] = []
        self._collect = collect
        self._what = ""

    def leave_out(self, utterance_id: str, split: str, reason: str) -> None:
        """Record that an utterance is left out, and the reason."""
        self.place([f"'{utterance_id}': {reason}"], split)

    def place(self, sentences: Iterable[str], split: str) -> None:
        """Record faults within one split."""
        self._placed += [(sentence, split) for sentence in sentences]

    def accept(self, sentences: Iterable[str]) -> None:
        """Record what an option of the reader left out on purpose: it is listed, but never raised."""
        self._accepted += sentences

    def settle(self, what: str) -> None:
        """Raise all faults recorded so far, unless `collect` is set.

        Args:
            what: name of the corpus, for the headline.

        Raises:
            Problems: at least one fault was recorded; lists all of them.
        """
        self._what = what
        if not self._collect:
            self.raise_all(what)

    def raise_all(self, what: str) -> None:
        """Raise all recorded faults, even if `collect` is set.

        Args:
            what: name of the corpus, for the headline; the name given to `settle` takes precedence.

        Raises:
            Problems: at least one fault was recorded; lists all of them.
        """
        found = [*self.sentences, *(sentence for sentence, _ in self._placed)]
        if found:
            raise Problems(found, what=f"{self._what or what} ({_HINT})")

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """All recorded faults, as items that were left out."""
        elsewhere = [(sentence, "") for sentence in (*self._accepted, *self.sentences)]
        return tuple(_skipped_for(sentence, split) for sentence, split in (*elsewhere, *self._placed))


def _skipped_for(sentence: str, split: str) -> Skipped:
    place, colon, reason = sentence.partition(": ")
    return Skipped(place.strip("'"), reason, split) if colon else Skipped("", sentence, split)


def skipped_content(skipped: Iterable[Skipped]) -> bytes:
    """Return the bytes of a `skipped.jsonl` that lists these items.

    >>> skipped_content([Skipped("theo-3", "the transcript is empty", "dev")]).decode()
    '{"place": "theo-3", "reason": "the transcript is empty", "split": "dev"}\\n'
    """
    lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in skipped]
    return "".join(lines).encode("utf-8", "backslashreplace")


def read_skipped(folder: str | Path) -> list[Skipped]:
    """Read `skipped.jsonl` from a folder of manifests; return an empty list if there is no such file.

    Raises:
        DataError: the file cannot be read or is not such a list.
    """
    path = Path(folder) / SKIPPED_NAME
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError("it is too long")
        return [_skipped(json.loads(line)) for line in content.splitlines() if line.strip()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{path} cannot be read as a list of skipped utterances; run asr-prepare again to write a new one"
        ) from error


def _skipped(record: object) -> Skipped:
    names = ("place", "reason", "split")
    if not isinstance(record, dict) or not all(isinstance(record.get(name), str) for name in names):
        raise ValueError("not an entry of the list")
    return Skipped(*(record[name] for name in names))
