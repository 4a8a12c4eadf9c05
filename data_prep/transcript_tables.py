"""Read tables of transcripts with one recording per line, in the forms of several tools.

The first line names the columns. These are used, under any of these names:

| column | names |
|---|---|
| path | path, file_name, filename, file, audio, wav, audio_filepath |
| text | text, transcription, transcript, sentence, normalized_text |
| id | id, utterance_id |
| speaker | speaker, speaker_id, client_id |
| split | split: train, dev (valid, validation) or test |
| start, duration | start, offset; duration: seconds |

Other columns are ignored. If the first line names neither path nor text, the table has no line of names; its columns
are then path, text and, optionally, the text as it is read aloud, which is used instead of the text (LJSpeech). Columns
are separated by commas, semicolons, tabs or vertical bars.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from asr.config import nearest
from asr.corpus.faults import CorpusFaults
from asr.corpus.named_files import below, file_problem, path_problem, quoted
from asr.corpus.splits import SPLITS
from asr.corpus.utterance import Utterance
from asr.errors import Problems
from data_prep.text_files import read_text

SOUND_FOLDERS = ("", "wavs", "wav", "clips", "audio")
"""Folders, relative to a table, in which its recordings are searched: LJSpeech has `wavs`, Common Voice `clips`."""

_NAMES = {
    "path": ("path", "file_name", "filename", "file", "audio", "wav", "audio_filepath"),
    "text": ("text", "transcription", "transcript", "sentence", "normalized_text"),
    "id": ("id", "utterance_id"),
    "speaker": ("speaker", "speaker_id", "client_id"),
    "split": ("split",),
    "start": ("start", "offset"),
    "duration": ("duration",),
}
_SPLIT_NAMES = {**{name: name for name in SPLITS}, "valid": "dev", "validation": "dev"}
_HEADLESS = ("path", "text", "spoken")
_SHOWN_COLUMNS = 12
_FIRST_LINE_BYTES = 1 << 16


def read_transcript_table(
    path: Path, suffixes: Sequence[str], faults: CorpusFaults, split: str = ""
) -> Iterator[tuple[str, Utterance]]:
    """Read a table of transcripts.

    Args:
        path: the table; recordings are below its folder.
        suffixes: suffixes of sound files, for tables that leave them out.
        faults: collects faulty lines, and a note about columns that are ignored.
        split: the split of all lines, if the table has no column `split`.

    Yields:
        The split and the utterance of each line.

    Raises:
        Problems: the file is not a table of transcripts.
    """
    problems: list[str] = []
    content = read_text(path, path.name, problems)
    if content is None:
        raise Problems(problems, what=str(path))
    faults.sentences += problems
    rows = _rows(content, path)
    columns, rows = _columns(rows, path, faults)
    finder = _Finder(path.parent, suffixes)
    for number, values in rows:
        where = f"{path.name}:{number}"
        if len(values) != len(columns):
            shown = ", ".join(column for column in columns[:_SHOWN_COLUMNS] if column)
            faults.sentences.append(f"{where}: expected {len(columns)} columns ({shown}), got {len(values)}")
            continue
        try:
            yield _row({name: value for name, value in zip(columns, values, strict=True) if name}, finder, split)
        except ValueError as error:
            faults.sentences.append(f"{where}: {error}")


def is_transcript_table(path: Path) -> bool:
    """Return whether the first line of a file looks like a table of transcripts (`metadata.csv` may be anything)."""
    if file_problem(path):
        return False
    try:
        with path.open("rb") as file:
            first = file.readline(_FIRST_LINE_BYTES).decode("utf-8-sig", "replace").strip()
    except OSError:
        return True  # reading it later reports the error
    fields = first.split(_delimiter(first, path))
    return {"path", "text"} <= {_column(one.strip(' "')) for one in fields} or ("|" in first and len(fields) in (2, 3))


Rows = Iterator[tuple[int, list[str]]]


def _rows(content: str, path: Path) -> Rows:
    """Yield line number and fields of each line that is not blank."""
    first = content.partition("\n")[0]
    delimiter = _delimiter(first, path)
    reader = csv.reader(
        io.StringIO(content, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if delimiter in "\t|" else csv.QUOTE_MINIMAL,  # tabs and bars never occur in fields
        strict=True,
    )
    try:
        for values in reader:
            if values:
                yield reader.line_num, values
    except csv.Error as error:
        sentence = f"{path.name}:{reader.line_num}: cannot be read as a table: {error}"
        raise Problems([sentence], what=str(path)) from error


def _delimiter(first: str, path: Path) -> str:
    """Find the delimiter of a table from its first line."""
    if path.suffix.lower() == ".tsv" or "\t" in first:
        return "\t"
    counts = {mark: first.count(mark) for mark in ",;|"}
    named = [mark for mark in counts if {"path", "text"} <= {_column(one.strip(' "')) for one in first.split(mark)}]
    return named[0] if named else max(counts, key=lambda mark: (mark == "|" and counts[mark] > 0, counts[mark]))


def _column(written: str) -> str:
    """Return the column for a name in the first line; "" if the name is unknown."""
    name = written.strip().lower()
    return next((column for column, names in _NAMES.items() if name in names), "")


def _columns(rows: Rows, path: Path, faults: CorpusFaults) -> tuple[list[str], Rows]:
    """Return the column of each field ('' if it is ignored), and the rows of recordings."""
    number, first = next(rows, (1, []))
    found = [_column(written) for written in first]
    if not {"path", "text"} & set(found) and not _misspelt(first, found) and len(first) in (2, 3):
        return list(_HEADLESS[: len(first)]), _before((number, first), rows)
    if wrong := [*_misspelt(first, found), *_missing(found)]:
        raise Problems([f"{path.name}:{number}: {one}" for one in wrong], what=str(path))
    used = [column if column and _is_best(at, first, found) else "" for at, column in enumerate(found)]
    if unread := [written for written, column in zip(first, used, strict=True) if not column]:
        faults.notes.append(f"{path.name}: these columns are ignored: {', '.join(unread[:_SHOWN_COLUMNS])}"[:200])
    return used, rows


def _is_best(at: int, first: Sequence[str], found: Sequence[str]) -> bool:
    """Return whether a field is the one to use of all fields for the same column: the first in `_NAMES`."""
    names = _NAMES[found[at]]
    ranks = [(names.index(written.strip().lower()), i) for i, written in enumerate(first) if found[i] == found[at]]
    return min(ranks)[1] == at


def _before(row: tuple[int, list[str]], rows: Rows) -> Rows:
    yield row
    yield from rows


def _misspelt(first: Sequence[str], found: Sequence[str]) -> list[str]:
    """Return a sentence for each unknown name that resembles the name of a column which the table lacks."""
    lacking = [column for column in _NAMES if column not in found]
    wrong = []
    for written, column in zip(first, found, strict=True):
        name = written.strip().lower()[:40]
        if not column and (close := difflib.get_close_matches(name, lacking, n=1, cutoff=0.75)):
            wrong.append(f"unknown column {quoted(written, 40)}; did you mean '{close[0]}'?")
    return wrong


def _missing(found: Sequence[str]) -> list[str]:
    return [
        f"has no column '{column}' (or {', '.join(_NAMES[column][1:])}); the first line names the columns"
        for column in ("path", "text")
        if column not in found
    ]


class _Finder:
    """Finder of the recordings that a table names."""

    def __init__(self, folder: Path, suffixes: Sequence[str]) -> None:
        self._folder = folder.resolve()
        self._suffixes = suffixes
        self._first = ""  # folder of the last recording, which is searched first

    def find(self, written: str) -> Path:
        """Return the file; raise a ValueError if it does not exist or is outside the table's folder."""
        if reason := path_problem(written):
            raise ValueError(f"the path {quoted(written)} {reason}")
        if below(written, self._folder) is None:
            raise ValueError(f"the path {quoted(written)} leads out of {self._folder}; write it as an absolute path")
        for place in sorted(SOUND_FOLDERS, key=lambda place: place != self._first):
            for suffix in self._endings(written):
                path = below(os.path.join(place, written + suffix), self._folder)
                if path is not None and not file_problem(path):
                    self._first = place
                    return path
        reason = file_problem(below(written, self._folder) or self._folder)
        if reason == "does not exist":
            raise ValueError(f"there is no file {quoted(written)} in {self._folder}")
        raise ValueError(f"{quoted(written)} {reason}; expected a sound file")

    def _endings(self, written: str) -> Sequence[str]:
        return ("",) if written.lower().endswith(tuple(self._suffixes)) else ("", *self._suffixes)


def _row(row: Mapping[str, str], finder: _Finder, split: str) -> tuple[str, Utterance]:
    written = row["path"].strip()
    path = finder.find(written)
    if "split" in row:
        named = row["split"].strip()
        if named.lower() not in _SPLIT_NAMES:
            expected = f"expected train, dev or test{nearest(named[:40], SPLITS)}"
            raise ValueError(f"the split is {quoted(named)}; {expected}")
        split = _SPLIT_NAMES[named.lower()]
    text = " ".join((row.get("spoken", "").strip() or row["text"]).split())
    if not text:
        raise ValueError("the text is empty; write what is said, or remove the line")
    inner = Path(written)
    parts = inner.relative_to(inner.anchor).parts
    stem = inner.stem if written.lower().endswith(path.suffix.lower()) else inner.name
    in_folder = len(parts) > 1 and not inner.is_absolute() and "speaker" not in row
    return split, Utterance(
        id=name_of(row.get("id", "")) or "-".join(name_of(part) for part in (*parts[:-1], stem)),
        source=path,
        start=_seconds(row, "start"),
        duration=_seconds(row, "duration"),
        text=text,
        speaker=name_of(row.get("speaker", "")) or (name_of(parts[0]) if in_folder else None),
    )


def name_of(text: str) -> str:
    """Replace white space in a name by underscores.

    >>> name_of(" Anna  Maria ")
    'Anna_Maria'
    """
    return "_".join(text.split())


def _seconds(row: Mapping[str, str], column: str) -> float | None:
    written = row.get(column, "").strip()
    try:
        value = float(written) if written else None
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{column} is {quoted(written)}; expected seconds")
    return value
