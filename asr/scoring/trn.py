"""NIST transcript files (`.trn`), one utterance a line: `the words (speaker-utterance)`; sclite reads them.

    sclite -s -i spu_id -r ref.trn trn -h hyp.trn trn        (-s: case counts, as it does here)

sclite gives a meaning of its own to some characters: `{ a / b }` are alternatives, `(word)` may be left out, `@` is
nothing, `word:x` loses its end, `\\` escapes, `word*` loses its star, lines that begin with `;;` or `**` are skipped.
Such characters, white space within a label, a byte order mark and the percent sign itself are written as in a web
address, `%28` for `(`.
Equal labels stay equal and different ones different, so the counts are the same, and `read_trn` gives back exactly what
was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from asr.errors import DataError, Problems
from asr.files import atomic_file

_SPECIAL = re.compile(r"[\s\x00-\x20\x7f%(){}@;:\\*\ufeff]")
_LINE = re.compile(r"(?P<words>.*)\((?P<name>[^()\s]+)\)")


@dataclass(frozen=True)
class Transcript:
    """A line of a transcript file.

    Attributes:
        id: of the utterance.
        tokens: words or labels; none for an empty utterance.
        speaker: None where it is not known; the id then stands alone behind its hyphen, `(-utterance)`.
    """

    id: str
    tokens: tuple[str, ...]
    speaker: str | None = None


def write_trn(path: str | Path, transcripts: Iterable[Transcript]) -> None:
    """Write a transcript file; it appears under its name when it is complete.

    Raises:
        Problems: ids that are empty or come twice, empty labels or speakers.
        DataError: the file cannot be written.
    """
    path, listed = Path(path), list(transcripts)
    problems = [problem for each in listed for problem in _problems(each)]
    problems += _twice([each.id for each in listed])
    if problems:
        raise Problems(problems, path.name)
    try:
        content = "".join(_line(each) for each in listed).encode()
        with atomic_file(path) as file:
            file.write(content)
    except (OSError, UnicodeEncodeError) as error:
        raise DataError(f"{path} cannot be written: {error}") from error


def read_trn(path: str | Path) -> list[Transcript]:
    """Read a transcript file, ours (exactly what was written) or another tool's.

    As sclite does, a speaker is what stands before the first hyphen of the name in parentheses, or before the first
    underscore of one without a hyphen. The id is what follows the hyphen, and the whole name where there is none, or
    where ids that follow hyphens are not unique in the file. Empty lines, lines that begin with `;;` and a byte order
    mark before a line are skipped.

    Raises:
        Problems: all lines that do not end with a name in parentheses or that hold alternatives `{ / }`; names that
            come twice.
        DataError: the file is missing, not UTF-8 or without any utterance.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a transcript file: {error}") from error
    names: list[str] = []
    words: list[tuple[str, ...]] = []
    problems: list[str] = []
    for number, raw in enumerate(lines, start=1):
        line = raw.removeprefix("\ufeff")  # Windows editors begin a file with it
        if not line.strip() or line.startswith(";;"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            problems.append(f"{path.name}:{number}: expected words and then, at the end, (speaker-utterance)")
        elif "{" in line:
            problems.append(f"{path.name}:{number}: alternatives {{ / }} cannot be scored; choose one of them")
        else:
            names.append(found["name"])
            words.append(tuple(unquote(word) for word in found["words"].split()))
    problems += _twice([unquote(name) for name in names])
    if problems:
        raise Problems(problems, path.name)
    if not names:
        raise DataError(f"{path} holds no utterance; expected words and then (speaker-utterance) on each line")
    return [Transcript(id_, tokens, speaker) for (id_, speaker), tokens in zip(_ids(names), words, strict=True)]


def _ids(names: Sequence[str]) -> list[tuple[str, str | None]]:
    """Id and speaker of each name."""
    behind = [name.partition("-")[2] or name for name in names]
    ids = behind if len(set(behind)) == len(behind) else names
    found = []
    for name, id_ in zip(names, ids, strict=True):
        speaker, mark, _ = name.partition("-" if "-" in name else "_")
        found.append((unquote(id_), unquote(speaker) if mark and speaker else None))
    return found


def _line(transcript: Transcript) -> str:
    words = " ".join(map(_escape, transcript.tokens))
    speaker = _escape(transcript.speaker or "").replace("-", "%2D")  # sclite takes what stands before the first hyphen
    return f"{words} ({speaker}-{_escape(transcript.id)})\n"


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def _problems(transcript: Transcript) -> list[str]:
    problems = []
    if not transcript.id:
        problems.append("an utterance has an empty id")
    if transcript.speaker == "":
        problems.append(f"'{transcript.id}' has an empty speaker; expected None where it is not known")
    if "" in transcript.tokens:
        problems.append(f"'{transcript.id}': label {transcript.tokens.index('') + 1} is empty")
    return problems


def _twice(ids: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    repeated = [id_ for id_ in ids if id_ in seen or seen.add(id_)]  # type: ignore[func-returns-value]
    return [f"utterance '{id_}' comes more than once" for id_ in dict.fromkeys(repeated)]
