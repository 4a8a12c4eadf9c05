"""IAM-OnDB: lines of English text written on a whiteboard, 221 writers (M. Liwicki, H. Bunke, ICDAR 2005).

Licence: free for non-commercial research after registration; not to be redistributed.
Get it: https://fki.tic.heia-fr.ch/databases/iam-on-line-handwriting-database; unpack `lineStrokes-all.tar.gz` and
`ascii-all.tar.gz` into one folder, and put the lists of a task into it or into `task1/`: `trainset.txt`,
`testset_v.txt`, `testset_t.txt` and `testset_f.txt`. To know the writers, also unpack `original-xml-all.tar.gz`
(`original/`).

Splits: those of the task. `trainset` is train, `testset_v` (first validation set) is dev, `testset_f` is test. The
second validation set `testset_t`, on which Graves et al. 2009 chose the weight of their language model, is not used
unless `second=dev` or `second=train`. Task 1 has 5364 lines in train, 1438 in dev, 3859 in test and 1518 in the second
validation set.

The k-th line of a form is `lineStrokes/a01/a01-000/a01-000u-0k.xml`; its text is the k-th line after `CSR:` in
`ascii/a01/a01-000/a01-000u.txt`. Some lines of the release have no transcript or no strokes; `skip_bad=true` leaves
these out, as `on_error=skip` does for any corpus.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asr.corpus.faults import CorpusFaults
from asr.corpus.named_files import file_problem
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError, DataWarning
from asr.ink import Ink
from asr.ink.reading import read_ink
from asr.plain_values import PlainFields
from data_prep.ink_cache import stored
from data_prep.recordings import Progress
from data_prep.roots import find_root, given_path

VERSION = 1
"""Version of this reader; increase it when the same release gives other utterances."""

LISTS = {"train": "trainset.txt", "dev": "testset_v.txt", "second": "testset_t.txt", "test": "testset_f.txt"}

_SECOND = ("unused", "dev", "train")
_FORM = re.compile(r"([a-z]\d\d)-(\d{3})[a-z]?")
_WRITER = re.compile(rb'writerID="([^"<>&\s]{1,40})"')
_MAX_TEXT_BYTES = 1 << 20
_HEAD_BYTES = 1 << 14  # the part of an original file that names the writer


@dataclass(frozen=True)
class Config:
    """Options of `asr-prepare iam_ondb`."""

    root: str = field(default="", metadata={"help": "folder with lineStrokes/ and ascii/, or a folder above it"})
    lists: str = field(
        default="", metadata={"help": "folder with trainset.txt and so on; empty for root or root/task1"}
    )
    second: str = field(default="unused", metadata={"help": "use of the second validation set: unused, dev or train"})
    skip_bad: bool = field(default=False, metadata={"help": "leave out lines without a transcript or without strokes"})
    cache: str = field(default="", metadata={"help": "folder of the ink cache; empty for the user's cache folder"})


@dataclass(frozen=True)
class Line:
    """A line of a form: its list, id, file of strokes, transcript and writer."""

    part: str
    id: str
    strokes: Path
    text: str
    writer: str | None


def prepare(
    config: Config, on_progress: Progress | None = None, faults: CorpusFaults | None = None
) -> dict[str, list[Utterance]]:
    """Read the corpus as utterances of ink, by split.

    Raises:
        ConfigError: `second` has an unknown value.
        DataError: the corpus or its lists are missing.
        Problems: lists, strokes and transcripts do not match; lists all faults.
    """
    if config.second not in _SECOND:
        raise ConfigError(f"second={config.second}: expected {', '.join(_SECOND)}")
    root = find_root(
        config.root,
        lambda folder: (folder / "lineStrokes").is_dir() and (folder / "ascii").is_dir(),
        expected="lineStrokes/ and ascii/",
        remedy="Register at https://fki.tic.heia-fr.ch/databases/iam-on-line-handwriting-database to get it",
    )
    faults = faults or CorpusFaults()
    found = CorpusFaults(collect=True)
    lines = _lines(root, _lists_folder(root, config.lists), found.sentences)
    if not lines:
        found.raise_all(_what(root))
    identity: PlainFields = {
        "corpus": "iam_ondb",
        "reader": VERSION,
        "lines": [[one.part, one.id, one.text, one.writer, *_changed(one.strokes)] for one in lines],
    }
    utterances = stored(
        "iam-ondb", identity, lambda problems: _read(lines, problems, on_progress), found, folder=config.cache
    )
    if config.skip_bad:
        faults.accept(found.sentences)
    else:
        faults.sentences += found.sentences
    faults.settle(_what(root))
    splits: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    for utterance in utterances:
        part = utterance.tags["part"]
        part = config.second if part == "second" else part
        if part in splits:
            splits[part].append(utterance)
    return splits


def _what(root: Path) -> str:
    return f"IAM-OnDB in {root}"


def _lists_folder(root: Path, given: str) -> Path:
    folders = [given_path(given, "lists")] if given else [root, root / "task1"]
    for folder in folders:
        if all((folder / name).is_file() for name in LISTS.values()):
            return folder
    raise DataError(
        f"there are no lists of a task in {' or '.join(map(str, folders))}; expected {', '.join(LISTS.values())};"
        " download them from the site of the data"
    )


def _changed(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    return status.st_size, status.st_mtime_ns


def _lines(root: Path, lists: Path, problems: list[str]) -> list[Line]:
    """Return all lines of all forms of the four lists."""
    lines: list[Line] = []
    first: dict[str, str] = {}
    for part, name in LISTS.items():
        for number, written in enumerate(_text(lists / name, problems), start=1):
            form = written.strip()
            where = f"{name}:{number}"
            if not form:
                continue
            if _FORM.fullmatch(form) is None:
                problems.append(f"{where}: {form[:40]!r} is not a form; expected one per line, such as a01-000u")
            elif form in first:
                problems.append(f"{where}: the form {form} is already in {first[form]}; remove one of them")
            else:
                first[form] = where
                lines += _form(root, form, part, problems)
    return lines


def _form(root: Path, form: str, part: str, problems: list[str]) -> Iterator[Line]:
    """Yield the lines of a form that have strokes and a transcript."""
    folder = Path(form[:3], form[:7])
    transcripts = root / "ascii" / folder / f"{form}.txt"
    texts = _transcripts(transcripts, root, problems)
    paths = sorted((root / "lineStrokes" / folder).glob(f"{form}-[0-9][0-9].xml"))
    if not paths:
        problems.append(f"{form}: there are no strokes lineStrokes/{folder.as_posix()}/{form}-01.xml")
    writer = _writer(root / "original" / folder / f"strokes{form[7:] or 'z'}.xml")
    for path in paths:
        number = int(path.stem[-2:])
        if texts and not 1 <= number <= len(texts):
            problems.append(
                f"{path.stem}: has no transcript: {transcripts.relative_to(root)} has {len(texts)} lines after CSR:"
            )
        elif texts:
            yield Line(part, path.stem, path, texts[number - 1], writer)


def _transcripts(path: Path, root: Path, problems: list[str]) -> list[str]:
    """Return the lines of text after `CSR:`; an empty list if there is a problem."""
    lines = _text(path, problems, root)
    marks = [number for number, line in enumerate(lines) if line.strip() == "CSR:"]
    texts = [" ".join(line.split()) for line in lines[marks[0] + 1 :] if line.strip()] if marks else []
    if lines and not texts:
        problems.append(f"{path.relative_to(root)}: holds no transcript; expected lines of text after a line 'CSR:'")
    return texts


def _text(path: Path, problems: list[str], root: Path | None = None) -> list[str]:
    name = path.name if root is None else str(path.relative_to(root))
    if reason := file_problem(path):
        problems.append(f"{name}: {reason}; expected a text file")
        return []
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_TEXT_BYTES + 1)
    except OSError as error:
        problems.append(f"{name}: cannot be read: {error.strerror}")
        return []
    if len(content) > _MAX_TEXT_BYTES:
        problems.append(f"{name}: more than {_MAX_TEXT_BYTES} bytes; expected a short text")
        return []
    return content.decode("latin-1").splitlines()


def _writer(path: Path) -> str | None:
    """Return the number of the writer from the form's original file; None if there is no such file."""
    try:
        with path.open("rb") as file:
            found = _WRITER.search(file.read(_HEAD_BYTES))
    except OSError:
        return None
    return None if found is None else found[1].decode("latin-1")


def _read(lines: Sequence[Line], problems: list[str], on_progress: Progress | None) -> Iterator[tuple[Utterance, Ink]]:
    for done, line in enumerate(lines, start=1):
        try:
            with warnings.catch_warnings():  # a line that lacks a stroke does not match its text
                warnings.simplefilter("error", DataWarning)
                ink = read_ink(line.strokes)
        except (DataError, DataWarning) as error:
            problems.append(str(error))
        else:
            yield Utterance(line.id, Path(), "ink", text=line.text, speaker=line.writer, tags={"part": line.part}), ink
        if on_progress is not None:
            on_progress("reading IAM-OnDB", done, len(lines))
