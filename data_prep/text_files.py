"""Read text files of corpora with a limit of size; report every line that is not UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path

from asr.corpus.named_files import file_problem

TABLE_BYTES = 1 << 29  # largest table with one line per utterance
TRANSCRIPT_BYTES = 1 << 20  # largest transcript of one utterance, as in a manifest


def read_text(path: Path, name: str, problems: list[str], most_bytes: int = TABLE_BYTES) -> str | None:
    """Read a file in UTF-8; remove byte order marks at the beginnings of lines.

    Args:
        path: the file.
        name: name of the file in messages.
        problems: gets a sentence if the file cannot be read, and one for each line that is not UTF-8.
        most_bytes: largest accepted size.

    Returns:
        The text, with empty lines in place of those that are not UTF-8; None if the file cannot be read.
    """
    content = _content(path, name, problems, most_bytes)
    if content is None:
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = _line_by_line(content, name, problems)
    return text.removeprefix("\ufeff").replace("\n\ufeff", "\n")


def _content(path: Path, name: str, problems: list[str], most_bytes: int) -> bytes | None:
    if reason := file_problem(path):
        problems.append(f"{name}: {reason}; expected a text file")
        return None
    try:
        with path.open("rb") as file:
            content = file.read(min(most_bytes, path.stat().st_size) + 1)
    except OSError as error:
        problems.append(f"{name}: cannot be read: {error.strerror}")
        return None
    if len(content) > most_bytes:
        problems.append(f"{name}: is larger than {most_bytes >> 20} MiB; expected a text file")
        return None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        problems.append(f"{name}: is UTF-16; save it as UTF-8")
        return None
    return content


def _line_by_line(content: bytes, name: str, problems: list[str]) -> str:
    lines = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            problems.append(f"{name}:{number}: byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8")
            lines.append("")
    return "\n".join(lines)
