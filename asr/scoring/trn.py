"""Read and write NIST transcript files (`.trn`), which sclite reads: one `the words (speaker-utterance)` per line.

    sclite -s -D -i spu_id -r ref.trn trn -h hyp.trn trn      (-s: case counts; -D: `(uh)` may be left out)

The files of this package begin with a comment, which sclite ignores:

    ;; unit: words; escapes: %XX

- *unit*: whether tokens are `words` or `labels`. Models of characters write words, which sclite counts and from which
  characters can be counted as well; models of whole labels (phonemes) write labels.
- *escapes*: special characters in words and ids are percent-encoded, as in a web address: `%28` for `(` (see
  `asr.scoring.trn_words.escaped`).

Files of other tools have no such line: their unit is unknown, and `%28` is read literally. `asr.scoring.trn_words`
describes optional words and alternatives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asr.errors import DataError, Problems, one_line
from asr.files import write_file
from asr.scoring.lattice import Lattice
from asr.scoring.trn_words import escaped, unescaped, words_of
from asr.text import normalise_text

TrnUnit = Literal["words", "labels"]

_UNITS: dict[str, TrnUnit] = {"words": "words", "labels": "labels"}
_HEADER = re.compile(r";;\s*unit:\s*(?P<unit>[^\s;]+)\s*(?P<escapes>;\s*escapes:\s*%XX\s*)?")
_LINE = re.compile(r"(?P<words>.*)\((?P<name>[^()\s]+)\)")


@dataclass(frozen=True)
class Transcript:
    """A line of a transcript file.

    Attributes:
        id: the id of the utterance.
        tokens: words or labels, none for an empty utterance; a lattice if a file that was read has optional words or
            alternatives, which cannot be written.
        speaker: the speaker; None if unknown, which is written as `(-utterance)`.
    """

    id: str
    tokens: tuple[str, ...] | Lattice
    speaker: str | None = None


@dataclass(frozen=True)
class TrnFile:
    """The contents of a transcript file.

    Attributes:
        path: the file.
        unit: the unit of the tokens; None if the file does not name it.
        lines: the transcripts by the text in parentheses, literally, by which lines of two files are matched.
    """

    path: Path
    unit: TrnUnit | None
    lines: Mapping[str, Transcript]


def transcript_of(
    id_: str, symbols: Sequence[str], inventory_unit: Literal["characters", "labels"], speaker: str | None = None
) -> Transcript:
    """Make the transcript of an utterance: words if the symbols are characters, otherwise the labels.

    >>> transcript_of("u1", tuple("to be"), "characters").tokens
    ('to', 'be')
    """
    return Transcript(id_, tokens_of(symbols, inventory_unit), speaker)


def tokens_of(symbols: Sequence[str], inventory_unit: Literal["characters", "labels"]) -> tuple[str, ...]:
    """Return the words that characters spell, or labels unchanged.

    >>> tokens_of("to be", "characters")
    ('to', 'be')
    """
    return tuple(normalise_text("".join(symbols)).split() if inventory_unit == "characters" else symbols)


def trn_unit(inventory_unit: Literal["characters", "labels"]) -> TrnUnit:
    """Return the unit of the tokens that `transcript_of` makes for an inventory of this unit."""
    return "words" if inventory_unit == "characters" else "labels"


def trn_header(unit: TrnUnit) -> str:
    """Return the first line of a file of this package.

    >>> trn_header("words")
    ';; unit: words; escapes: %XX\\n'
    """
    return f";; unit: {unit}; escapes: %XX\n"


def trn_line(name: str, tokens: Iterable[str]) -> str:
    """Return a line of a file of this package.

    Args:
        name: the text in parentheses, by which lines of two files are matched, usually `speaker-utterance`.
        tokens: words or labels.

    >>> trn_line("anna-1", ["two", "(cats)"])
    'two %28cats%29 (anna-1)\\n'
    """
    return f"{' '.join(map(escaped, tokens))} ({escaped(name)})\n"


def write_trn(path: str | Path, transcripts: Iterable[Transcript], unit: TrnUnit) -> None:
    """Write a transcript file; an existing file is replaced only when the new one is complete.

    Raises:
        Problems: ids are empty or repeated, labels or speakers are empty, or transcripts have alternatives.
        DataError: the file cannot be written.
    """
    path, listed = Path(path), list(transcripts)
    problems = [problem for each in listed for problem in _problems(each)]
    problems += _twice([each.id for each in listed])
    if problems:
        raise Problems(problems, path.name)
    try:
        content = "".join([trn_header(unit), *map(_line, listed)]).encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{path} cannot be written: {error}") from error
    write_file(path, content)


def read_trn(path: str | Path) -> TrnFile:
    """Read a transcript file of this package or of another tool.

    As in sclite, the speaker is the part of the name in parentheses before the first hyphen or, without a hyphen,
    before the first underscore. The id is the part after the hyphen or, without a hyphen, the whole name. Empty lines,
    lines that begin with `;;` or `**`, and a byte order mark at the beginning of a line are ignored.

    Raises:
        Problems: lines do not end with a name in parentheses or have malformed alternatives, names are repeated, or the
            file has two units.
        DataError: the file is missing, not UTF-8, or has no utterance.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_trn(Path(folder, "ref.trn"), [Transcript("1", ("two", "cats"), "anna")], "words")
    ...     read_trn(Path(folder, "ref.trn")).lines
    {'anna-1': Transcript(id='1', tokens=('two', 'cats'), speaker='anna')}
    """
    path = Path(path)
    try:
        lines = [line.removeprefix("\ufeff") for line in path.read_text(encoding="utf-8").split("\n")]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a transcript file: {one_line(error)}") from error
    headers = [found for line in lines if (found := _HEADER.fullmatch(line.strip()))]
    escapes = any(found["escapes"] for found in headers)
    units = list(dict.fromkeys(found["unit"] for found in headers))
    problems = [] if len(units) < 2 else [f"{path.name} has {' and '.join(units)}; expected one unit in a file"]
    problems += [f"{path.name}: the unit is '{unit}'; expected words or labels" for unit in units if unit not in _UNITS]
    names: list[str] = []
    read: list[Transcript] = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith((";;", "**")):
            try:
                name, transcript = _read_line(line.strip(), escapes)
            except ValueError as error:
                problems.append(f"{path.name}:{number}: {error}")
            else:
                names.append(name)
                read.append(transcript)
    problems += _twice(names)
    if problems:
        raise Problems(problems, path.name)
    if not names:
        raise DataError(f"{path} has no utterance; expected words and then (speaker-utterance) on each line")
    return TrnFile(path, _UNITS[units[0]] if units else None, dict(zip(names, read, strict=True)))


def _read_line(line: str, escapes: bool) -> tuple[str, Transcript]:
    """Return the name in parentheses and the transcript of a line."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError("expected words and then, at the end, (speaker-utterance)")
    name = found["name"]
    speaker, mark, _ = name.partition("-" if "-" in name else "_")
    id_ = name.partition("-")[2] or name
    if escapes:
        id_, speaker = unescaped(id_), unescaped(speaker)
    return name, Transcript(id_, words_of(found["words"], escapes), speaker if mark and speaker else None)


def _line(transcript: Transcript) -> str:
    words = " ".join(map(escaped, transcript.tokens)) if isinstance(transcript.tokens, tuple) else ""
    speaker = escaped(transcript.speaker or "").replace("-", "%2D")  # the speaker ends at the first hyphen
    return f"{words} ({speaker}-{escaped(transcript.id)})\n"


def _problems(transcript: Transcript) -> list[str]:
    problems = []
    if not transcript.id:
        problems.append("an utterance has an empty id")
    if transcript.speaker == "":
        problems.append(f"'{transcript.id}' has an empty speaker; give None for an unknown one")
    if isinstance(transcript.tokens, Lattice):
        problems.append(f"'{transcript.id}' has alternatives or optional words; only plain words can be written")
    elif "" in transcript.tokens:
        problems.append(f"'{transcript.id}': label {transcript.tokens.index('') + 1} is empty")
    return problems


def _twice(ids: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    repeated = [id_ for id_ in ids if id_ in seen or seen.add(id_)]  # type: ignore[func-returns-value]
    return [f"utterance '{id_}' occurs more than once; give each its own id" for id_ in dict.fromkeys(repeated)]
