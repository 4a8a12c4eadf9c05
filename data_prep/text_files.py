"""Text files of corpora: read with a limit, line by line where bytes are wrong."""

from __future__ import annotations

import codecs
from pathlib import Path

from asr.corpus.named_files import file_problem

TABLE_BYTES = 1 << 29  # a line an utterance, of the largest corpora there are
TRANSCRIPT_BYTES = 1 << 20  # of one utterance: what a line of a manifest may hold


def read_text(path: Path, name: str, problems: list[str], most_bytes: int = TABLE_BYTES) -> str | None:
    """A file in UTF-8; byte order marks at the beginning of lines are taken away.

    Args:
        path: of the file.
        name: how messages call it.
        problems: hears of a file that cannot be read, and of each line that is not UTF-8; such a line is empty then.
        most_bytes: a larger file is refused.

    Returns:
        The text; None where the file cannot be read.
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
