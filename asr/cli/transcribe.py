"""`asr-transcribe`: recordings or ink in, text out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.command import add_debug, add_plugin, run
from asr.cli.console import fail, write_line
from asr.errors import AsrError, ConfigError, DataError
from asr.printable import printable_json

if TYPE_CHECKING:
    from asr.decoding.hypothesis import Hypothesis, Span
    from asr.recogniser.recogniser import Recogniser

_SPEAKER = "the speaker"
_MANY = 100  # files, from which on loading the compiled kernels pays


def main() -> None:
    """Entry point."""
    run(_main)


def _main() -> None:
    given = _parser().parse_args()
    if given.format == "ctm":
        _check_names(given.files)
    from asr.recogniser.loading import load  # torch: only once the arguments are known to be right

    recogniser = load(given.model, plugins=given.plugin)
    rounded = given.bfloat16 and recogniser.prepare(bfloat16=True)
    if given.bfloat16 and not rounded:
        print("--bfloat16 changes nothing: this machine has no such products for this network", file=sys.stderr)
    if not rounded and len(given.files) >= _MANY:
        recogniser.prepare()
    if given.one_speaker:  # a file that cannot be read is told of below
        recogniser.listen(_SPEAKER, given.files, given.channel, on_error=lambda error: None)
    failed = []
    for path in given.files:
        try:
            lines = list(_read(recogniser, path, given))
        except DataError as error:  # the other files are still transcribed
            if len(given.files) == 1:
                raise
            failed.append(str(error))
            fail(error)
            continue
        name = [str(path)] if len(given.files) > 1 and given.format == "text" else []
        for line in lines:
            write_line(*name, line)
    if failed:
        raise AsrError(f"{len(failed)} of {len(given.files)} files could not be transcribed; see above")


def _read(recogniser: Recogniser, path: Path, given: argparse.Namespace) -> Iterator[str]:
    """What is printed of one file."""
    if not recogniser.reads_ink:
        speaker = _SPEAKER if given.one_speaker else None
        yield from FORMATS[given.format](path, recogniser.transcribe(path, given.channel, speaker), given.channel or 0)
        return
    from asr.ink.reading import read_ink
    from asr.recogniser.page import transcribe_page

    if given.format == "ctm":
        raise ConfigError("--format ctm is for recordings: it holds times; take text or json for ink")
    page = transcribe_page(recogniser, read_ink(path))
    if given.format == "text":
        yield from (line.hypothesis.text for line in page)
    else:
        rows = [{"strokes": line.strokes, **_found(line.hypothesis)} for line in page]
        yield printable_json({"file": str(path), "lines": rows})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-transcribe",
        description="Recognise recordings, or pages of ink, with a trained model.",
        epilog="example: asr-transcribe an4 recording.flac --format json",
    )
    parser.add_argument(
        "model",
        help="a run folder, a checkpoint, a .safetensors bundle, or a pretrained name: an4, english_phones, "
        "quickstart, quickstart_pen, unipen, unipen_words",
    )
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="file",
        help="WAV, FLAC, OGG, Opus, MP3, NIST SPHERE; for a model of pen strokes InkML, IAM-OnDB XML, .xopp, SVG, "
        "JSON, UNIPEN",
    )
    parser.add_argument(
        "--format",
        choices=sorted(FORMATS),
        default="text",
        help="text (default; behind the name where there are several files), json (one object a file: labels and "
        "words with confidences and times in seconds; of ink each line with its strokes, and indices of points instead "
        "of times), ctm (one line a word, as NIST tools read it)",
    )
    parser.add_argument(
        "--one-speaker",
        action="store_true",
        help="the recordings are of one person: models with a normaliser per speaker (an4) read them better together",
    )
    parser.add_argument("--channel", type=int, help="which channel of recordings with several, from 0")
    parser.add_argument(
        "--bfloat16",
        action="store_true",
        help="multiply in bfloat16, where the processor can: less exact, and few texts change; for large networks",
    )
    add_plugin(parser)
    add_debug(parser)
    return parser


def _text(path: Path, hypothesis: Hypothesis, channel: int) -> Iterator[str]:
    yield hypothesis.text


def _json(path: Path, hypothesis: Hypothesis, channel: int) -> Iterator[str]:
    yield printable_json({"file": str(path), **_found(hypothesis)})


def _found(hypothesis: Hypothesis) -> dict[str, object]:
    return {
        "text": hypothesis.text,
        "log_probability": round(hypothesis.log_probability, 4),
        "words": [_span(one, "word") for one in hypothesis.words],
        "labels": [_span(one, "label") for one in hypothesis.spans],
    }


def _span(span: Span, name: str) -> dict[str, object]:
    return {
        name: span.label,
        "start": round(span.start, 4),
        "end": round(span.end, 4),
        "confidence": round(span.confidence, 4),
    }


def _ctm(path: Path, hypothesis: Hypothesis, channel: int) -> Iterator[str]:
    """CTM counts channels from 1."""
    name = _ctm_name(path)
    for one in hypothesis.words:
        yield f"{name} {channel + 1} {one.start:.3f} {one.end - one.start:.3f} {one.label} {one.confidence:.4f}"


def _ctm_name(path: Path) -> str:
    return "_".join(path.stem.split())


def _check_names(paths: Iterable[Path]) -> None:
    """CTM tells recordings apart by these names alone."""
    first: dict[str, Path] = {}
    for path in paths:
        name = _ctm_name(path)
        if name in first:
            raise ConfigError(
                f"{first[name]} and {path} would both be called {name} in ctm; rename one, or transcribe them apart"
            )
        first[name] = path


FORMATS: dict[str, Callable[[Path, Hypothesis, int], Iterator[str]]] = {"text": _text, "json": _json, "ctm": _ctm}
