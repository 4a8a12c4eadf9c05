"""What is wrong with a corpus: collected while it is read, then raised together, or left out and listed.

`skipped.jsonl` beside the manifests lists what a corpus was read without, one object a line:

    {"place": "theo-3", "split": "dev", "reason": "the transcript is empty; write what is said, or leave it out"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from asr.errors import DataError, Problems

SKIPPED_NAME = "skipped.jsonl"
_HINT = "on_error=skip leaves out what is wrong and lists it; asr-train: corpus.on_error=skip"
_MOST_BYTES = 1 << 28  # of skipped.jsonl: more than a million lines


@dataclass(frozen=True)
class Skipped:
    """Something that a corpus was read without.

    Attributes:
        place: the id of an utterance, or a file and line; empty where the reason says it.
        reason: one sentence.
        split: train, dev or test; empty where that is not known.
    """

    place: str
    reason: str
    split: str = ""


class CorpusFaults:
    """Collects what is wrong with a corpus.

    Attributes:
        sentences: what readers found in files and lines, one sentence each; the reader does not give the
            utterances that they are about.
        notes: what was mended, and is worth knowing.

    Args:
        collect: whether `settle` leaves it to the caller to raise or to list what was found.
    """

    def __init__(self, collect: bool = False) -> None:
        self.sentences: list[str] = []
        self.notes: list[str] = []
        self._placed: list[tuple[str, str]] = []  # sentence, split
        self._accepted: list[str] = []
        self._collect = collect
        self._what = ""

    def leave_out(self, utterance_id: str, split: str, reason: str) -> None:
        """Note that an utterance is left out, and why."""
        self.place([f"'{utterance_id}': {reason}"], split)

    def place(self, sentences: Iterable[str], split: str) -> None:
        """Note what is wrong within a split."""
        self._placed += [(sentence, split) for sentence in sentences]

    def accept(self, sentences: Iterable[str]) -> None:
        """Take what an option of the reader left out: it is listed, and never raised."""
        self._accepted += sentences

    def settle(self, what: str) -> None:
        """Raise what was found so far, unless it is collected for the caller.

        Args:
            what: what was read, for the headline.

        Raises:
            Problems: everything that was found.
        """
        self._what = what
        if not self._collect:
            self.raise_all(what)

    def raise_all(self, what: str) -> None:
        """Raise everything that was found, if anything was.

        Raises:
            Problems: what was found; the headline names the corpus as `settle` heard it, or else `what`.
        """
        found = [*self.sentences, *(sentence for sentence, _ in self._placed)]
        if found:
            raise Problems(found, what=f"{self._what or what} ({_HINT})")

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Everything that was found, as what the corpus was read without."""
        elsewhere = [(sentence, "") for sentence in (*self._accepted, *self.sentences)]
        return tuple(_skipped_for(sentence, split) for sentence, split in (*elsewhere, *self._placed))


def _skipped_for(sentence: str, split: str) -> Skipped:
    place, colon, reason = sentence.partition(": ")
    return Skipped(place.strip("'"), reason, split) if colon else Skipped("", sentence, split)


def skipped_content(skipped: Iterable[Skipped]) -> bytes:
    """Return the content of `skipped.jsonl`."""
    lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in skipped]
    return "".join(lines).encode("utf-8", "backslashreplace")


def read_skipped(folder: str | Path) -> list[Skipped]:
    """What the manifests in a folder were made without; empty where they hold all of their corpus.

    Raises:
        DataError: the list is there and cannot be read.
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
            f"{path} is no list of left out utterances that can be read; asr-prepare writes a new one"
        ) from error


def _skipped(record: object) -> Skipped:
    names = ("place", "reason", "split")
    if not isinstance(record, dict) or not all(isinstance(record.get(name), str) for name in names):
        raise ValueError("no entry of the list")
    return Skipped(*(record[name] for name in names))
