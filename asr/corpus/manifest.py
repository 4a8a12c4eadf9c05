"""Read and write manifests: files with one JSON object per line, one line per utterance.

    {"id": "FVMH0_SX206", "audio": "wav/sx206.wav", "duration": 2.99, "text": "when peeling ...", "labels": ["h#", "w"],
     "speaker": "FVMH0", "tags": {"dialect": "dr1"}}

A relative path is relative to the manifest's folder and must not lead out of it. Lines in NeMo's format
(`audio_filepath`, `offset`, `duration`, `text`) are accepted too. All faults of a manifest are reported together, each
with file and line.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from asr.config import nearest
from asr.corpus.named_files import file_problem, path_problem, quoted
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems
from asr.files import explained, make_folder, write_file

MAX_LINE_BYTES = 1 << 20
_KEYS = ("id", "audio", "ink", "start", "duration", "channel", "text", "labels", "speaker", "tags")

_TYPE_NAMES: Mapping[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


class _LineError(ValueError):
    """A fault of one line; the message has no file and line yet."""


def read_manifest(
    path: str | Path, *, check_sources: bool = True, problems: list[str] | None = None
) -> list[Utterance]:
    """Read the utterances of a manifest, in the order of its lines; blank lines are skipped.

    Args:
        path: the manifest.
        check_sources: whether the audio or ink file of each line must exist; False if only transcripts are needed.
        problems: if given, faults are appended to this list and faulty lines are left out, instead of raising
            `Problems`.

    Raises:
        DataError: the manifest itself cannot be read.
        Problems: lines are faulty or there is no utterance; lists all faults as `file:line: ...`.
    """
    path = Path(path)
    locate = _locator(path.parent, check_sources)
    utterances: list[Utterance] = []
    first_lines: dict[str, int] = {}
    nemo_stems: dict[str, int] = {}
    found: list[str] = []
    for number, raw in _lines(path):
        try:
            record = _parse(raw)
            if "audio_filepath" in record:
                record = _from_nemo(record, nemo_stems)
            utterance = _utterance(record, locate)
            if utterance.id in first_lines:
                raise _LineError(
                    f"id {quoted(utterance.id)} was already used in line {first_lines[utterance.id]}; make ids unique"
                )
        except _LineError as error:
            found.append(f"{path.name}:{number}: {error}")
            continue
        first_lines[utterance.id] = number
        utterances.append(utterance)
    if not utterances and not found:
        found.append(f"{path.name}: holds no utterance; expected one JSON object per line")
    if found and problems is None:
        raise Problems(found, what=str(path))
    if problems is not None:
        problems += found
    return utterances


def write_manifest(path: str | Path, utterances: Iterable[Utterance]) -> None:
    """Write a manifest; create its folder if needed, and replace an older manifest only when the new one is complete.

    Sources below the manifest's folder are written as relative paths, so that the folder can be moved. Other sources
    are written as absolute paths.

    Raises:
        Problems: `read_manifest` would refuse some utterances; nothing is written.
        DataError: the file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_manifest(f"{folder}/train.jsonl", [Utterance("u1", Path(folder, "wav/a.wav"), text="one")])
    ...     [again] = read_manifest(f"{folder}/train.jsonl", check_sources=False)
    >>> again.id, again.source.name, again.text
    ('u1', 'a.wav', 'one')
    """
    path = Path(path)
    content = manifest_content(path, utterances)
    make_folder(path.parent)
    write_file(path, content)


def manifest_content(path: Path, utterances: Iterable[Utterance]) -> bytes:
    """Return the bytes of a manifest, without writing it.

    Args:
        path: path that the manifest will have; relative sources are relative to its folder.
        utterances: the utterances, one per line.

    Raises:
        Problems: `read_manifest` would refuse some utterances; lists all faults.
        DataError: `path` is not a valid path.
    """
    with explained(path):
        folder = path.parent.resolve()
    lines: list[str] = []
    problems: list[str] = []
    seen: set[str] = set()
    for utterance in utterances:
        wrong = utterance_problems(utterance)
        if utterance.id in seen:
            wrong.append("the id is used twice; make ids unique")
        seen.add(utterance.id)
        problems += [f"'{utterance.id}': {problem}" for problem in wrong]
        if not wrong:
            line = json.dumps(_record(utterance, folder), ensure_ascii=False, allow_nan=False)
            if len(line.encode()) > MAX_LINE_BYTES:
                problems.append(f"'{utterance.id}': its line would be longer than {MAX_LINE_BYTES} bytes; split it")
            lines.append(line + "\n")
    if problems:
        raise Problems(problems, what=str(path))
    return "".join(lines).encode()


def utterance_problems(utterance: Utterance) -> list[str]:
    """Return why an utterance cannot be written to a manifest: one sentence per fault, without the id.

    >>> utterance_problems(Utterance("u1", Path("/data/a.wav"), text="one"))
    []
    >>> utterance_problems(Utterance("u1", Path("/data/a.wav"), channel=-1))
    ['channel is -1; expected 0 for the first channel']
    """
    found = [
        *_string_problems("id", utterance.id, words=False),
        *(_string_problems("speaker", utterance.speaker, words=True) if utterance.speaker is not None else ()),
        *(_encoding_problems("text", utterance.text) if utterance.text is not None else ()),
        *_encoding_problems("the path", str(utterance.source)),
    ]
    for label in utterance.labels or ():
        found += _string_problems("a label", label, words=False)
    for key, value in utterance.tags.items():
        found += [*_string_problems("a tag's name", key, words=True), *_encoding_problems(f"tag {quoted(key)}", value)]
    if utterance.start is not None and not (math.isfinite(utterance.start) and utterance.start >= 0):
        found.append(f"start is {utterance.start}; expected seconds, 0 or more")
    if utterance.duration is not None and not (math.isfinite(utterance.duration) and utterance.duration > 0):
        found.append(f"duration is {utterance.duration}; expected more than 0")
    if utterance.channel is not None and utterance.channel < 0:
        found.append(f"channel is {utterance.channel}; expected 0 for the first channel")
    return found


def _string_problems(name: str, value: str, *, words: bool) -> list[str]:
    """Check that a name is not empty and has no control characters and, unless `words`, no white space."""
    if not value.strip():
        return [f"{name} is empty"]
    if (not words and len(value.split()) > 1) or value != value.strip():
        return [f"{name} {quoted(value)} holds white space; replace it, for example by '_'"]
    if not value.isprintable():
        return [f"{name} {quoted(value)} holds a character that cannot be printed"]
    return _encoding_problems(name, value)


def _encoding_problems(name: str, value: str) -> list[str]:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        return [f"{name} holds U+{ord(value[error.start]):04X}, half of a surrogate pair; write the whole character"]
    return [f"{name} holds a NUL character"] if "\0" in value else []


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Iterate over the numbers and bytes of lines that are not blank; cut lines one byte after the limit."""
    reason = file_problem(path)
    if reason == "does not exist":
        raise DataError(f"there is no manifest {path}; asr-prepare writes one")
    if reason:
        raise DataError(f"{quoted(str(path), 200)[1:-1]} {reason}; expected a manifest (a .jsonl file)")
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if raw.strip():
                    yield number, raw
                while len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
                    raw = file.readline(MAX_LINE_BYTES + 1)
                    if not raw:
                        break
    except OSError as error:
        raise DataError(f"the manifest {path} cannot be read: {error.strerror}") from error


def _parse(raw: bytes) -> dict[str, Any]:
    """Parse one line; return its JSON object."""
    if len(raw.rstrip(b"\r\n")) > MAX_LINE_BYTES:
        raise _LineError(f"the line is longer than {MAX_LINE_BYTES} bytes; write one utterance per line")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _LineError(f"byte {error.start + 1} of the line is not UTF-8; save the manifest as UTF-8") from error
    try:
        record = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except _LineError:
        raise
    except (ValueError, RecursionError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply, or a number too long"
        raise _LineError(f"not JSON ({what}); expected one object per line, {{...}}") from error
    if not isinstance(record, dict):
        raise _LineError(f"expected a JSON object {{...}}, found {_type_name(record)}")
    return record


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise _LineError(f"the key {quoted(twice[0])} is there twice; remove one")
    return record


def _no_constant(name: str) -> float:
    raise _LineError(f"{name} is not a number; leave the key out if its value is not known")


def _type_name(value: Any) -> str:
    return "null" if value is None else _TYPE_NAMES[type(value)]


def _from_nemo(record: Mapping[str, Any], stems: dict[str, int]) -> dict[str, Any]:
    """Translate NeMo's keys. NeMo has no ids: the id is the file's stem, with a number if the stem is repeated."""
    source = record["audio_filepath"]
    if not isinstance(source, str) or not source.strip():
        raise _LineError("audio_filepath is not a path; write the path of a sound file")
    stem = "_".join(Path(source).stem.split()) or "audio"
    stems[stem] = stems.get(stem, 0) + 1
    ours: dict[str, Any] = {"id": stem if stems[stem] == 1 else f"{stem}-{stems[stem]}", "audio": source}
    renamed = {"offset": "start", "duration": "duration", "text": "text"}
    ours.update({renamed[key]: record[key] for key in renamed if record.get(key) is not None})
    rest = {key: value for key, value in record.items() if key not in renamed and key != "audio_filepath"}
    if isinstance(rest.get("speaker"), str | int):
        ours["speaker"] = str(rest.pop("speaker"))
    if isinstance(rest.get("id"), str):
        ours["id"] = rest.pop("id")
    # NeMo allows any value under other keys; a tag can only be a string.
    tags = {key: str(value) for key, value in rest.items() if isinstance(value, str | int | float)}
    return {**ours, "tags": tags} if tags else ours


def _utterance(record: Mapping[str, Any], locate: Callable[[str], Path]) -> Utterance:
    for key in record:
        if key not in _KEYS:
            raise _LineError(f"unknown key {quoted(key)}{nearest(key[:40], _KEYS)}; known keys: {', '.join(_KEYS)}")
    kinds = [kind for kind in ("audio", "ink") if kind in record]
    if len(kinds) != 1:
        have = "both 'audio' and 'ink'" if kinds else "neither 'audio' nor 'ink'"
        raise _LineError(f"has {have}; expected one of them with a path")
    if "id" not in record:
        raise _LineError("has no 'id'")
    labels = _typed(record, "labels", list, "a list of strings")
    if labels is not None and not all(isinstance(label, str) for label in labels):
        raise _LineError("labels holds something that is not a string; expected a list of strings")
    tags = _typed(record, "tags", dict, "an object") or {}
    if not all(isinstance(value, str) for value in tags.values()):
        raise _LineError("tags holds a value that is not a string; write it in quotes")
    utterance = Utterance(
        id=_typed(record, "id", str, "a string"),
        source=locate(_typed(record, kinds[0], str, "a path")),
        kind="audio" if kinds[0] == "audio" else "ink",
        start=_number(record, "start"),
        duration=_number(record, "duration"),
        channel=_typed(record, "channel", int, "a whole number"),
        text=_typed(record, "text", str, "a string"),
        labels=None if labels is None else tuple(labels),
        speaker=_typed(record, "speaker", str, "a string"),
        tags=tags,
    )
    if problems := utterance_problems(utterance):
        raise _LineError("; ".join(problems))
    return utterance


def _typed(record: Mapping[str, Any], key: str, kind: type, expected: str) -> Any:
    """Return the value of a key, or None if the key is absent; refuse null, which would hide missing data."""
    if key not in record:
        return None
    value = record[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _LineError(f"{key} is {_type_name(value)}; expected {expected}")
    return value


def _number(record: Mapping[str, Any], key: str) -> float | None:
    value = _typed(record, key, int | float, "a number")  # type: ignore[arg-type]
    try:
        return None if value is None else float(value)
    except OverflowError as error:
        raise _LineError(f"{key} is out of range") from error


def _locator(folder: Path, check: bool) -> Callable[[str], Path]:
    """Return a function that turns a path of the manifest into an absolute one; if `check`, the file must exist."""
    base = folder.absolute()
    real_base = folder.resolve()
    real_folder = cache(Path.resolve)  # resolve symbolic links once per folder, not once per utterance

    def locate(written: str) -> Path:
        if reason := path_problem(written):
            raise _LineError(f"the path {quoted(written)} {reason}")
        path = Path(written)
        if not path.is_absolute():
            path = Path(os.path.normpath(base / path))
            real = path.resolve() if path.is_symlink() else real_folder(path.parent) / path.name
            if not (path.is_relative_to(base) and real.is_relative_to(real_base)):
                raise _LineError(
                    f"the path {quoted(written)} leads out of the manifest's folder; write it as an absolute path"
                )
        if check and (reason := file_problem(path)):
            raise _LineError(f"{quoted(written)} {reason}; expected a file")
        return path

    return locate


def _record(utterance: Utterance, folder: Path) -> dict[str, Any]:
    source = utterance.source.absolute()
    real = source.resolve()
    written = real.relative_to(folder).as_posix() if real.is_relative_to(folder) else str(source)
    values = {
        "id": utterance.id,
        utterance.kind: written,
        "start": utterance.start,
        "duration": utterance.duration,
        "channel": utterance.channel,
        "text": utterance.text,
        "labels": None if utterance.labels is None else list(utterance.labels),
        "speaker": utterance.speaker,
        "tags": dict(utterance.tags) or None,
    }
    return {key: value for key, value in values.items() if value is not None}
