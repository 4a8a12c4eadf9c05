"""`asr-transcribe`: recognise recordings or ink and print the text."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from asr.audio.formats import FORMATS as SOUND_FORMATS
from asr.cli.command import HelpFormatter, add_debug, add_engine, add_model, add_plugin, run
from asr.cli.console import fail, say, warn
from asr.cli.decoders import add_decoder, given_decoder, positive, warn_of_greedy
from asr.cli.inputs import Input, files_and_options, gather
from asr.cli.progress import Steps
from asr.cli.verbose import choice_lines, speed_line
from asr.engines.names import AUTO, MANY
from asr.errors import AsrError, ConfigError, DataError
from asr.ink.formats import FORMATS as INK_FORMATS
from asr.recogniser.flip import FLIPS

if TYPE_CHECKING:
    from asr.corpus.inventory import Unit
    from asr.decoding.hypothesis import Hypothesis
    from asr.ink.sheets import Sheet
    from asr.recogniser.document import Document
    from asr.recogniser.formats import Transcribed
    from asr.recogniser.recogniser import Recogniser

    Found = list[Hypothesis] | Document
    Progress = Callable[[str, int, int], None]

_SPEAKER = "the speaker"
_SUBTITLES = ("srt", "vtt")  # formats of subtitles
_PICTURES = ("html", "svg")  # formats of pictures; of recordings, svg only


def main() -> None:
    """Run `asr-transcribe`."""
    run(_main)


def _main() -> None:
    given = _parser().parse_intermixed_args()  # options of the decoder may stand among the files
    paths, options = files_and_options(given.items)
    if not paths:
        raise ConfigError("no file is given; give recordings or ink after the model, see asr-transcribe --help")
    began = time.monotonic()
    from asr.recogniser.loading import load  # imported inside `run`, which handles Ctrl-C

    recogniser = load(given.model, given.plugin, given_decoder(given, options), given.engine or AUTO)
    loaded = time.monotonic()
    if given.format in ("ctm", *_SUBTITLES) and recogniser.reads_ink:
        raise ConfigError(
            f"--format {given.format} is for recordings, because it needs times; use text, json or trn for ink"
        )
    if given.format == "html" and not recogniser.reads_ink:
        raise ConfigError(
            "--format html is for ink, because it shows strokes; use svg, text, json or ctm for recordings"
        )
    if given.flip != FLIPS[0] and not recogniser.reads_ink:
        raise ConfigError(f"--flip {given.flip} is for ink, but this model reads recordings; leave --flip out")
    _check_nbest(given)
    warn_of_greedy(recogniser.decoder_choice, given.nbest)
    inputs = _inputs(given, paths, recogniser)
    names = _names(given, inputs)
    recogniser = _in_bfloat16(recogniser, len(inputs)) if given.bfloat16 else recogniser.for_many(len(inputs))
    if given.verbose:
        say(f"loaded in {loaded - began:.2f} s", *choice_lines(recogniser))
    if given.one_speaker:
        recogniser = _adapted_to_speaker(recogniser, inputs, given.channel)
    if given.format == "svg" and not recogniser.reads_ink:
        _draw(recogniser, inputs[0], given)
    else:
        _write(recogniser, inputs, names, given)
    if given.verbose:
        say(speed_line(inputs, time.monotonic() - loaded))


def _check_nbest(given: argparse.Namespace) -> None:
    if given.format not in ("text", "json"):
        for name, formats in (("nbest", "--format text and json"), ("scores", "--format text")):
            if getattr(given, name):
                raise ConfigError(f"--{name} is for {formats}; --format {given.format} contains only the best text")
    elif given.format == "json" and given.scores:
        raise ConfigError("--scores is for --format text; json always has the parts of the score: leave --scores out")


def _in_bfloat16(recogniser: Recogniser, n_files: int) -> Recogniser:
    """Return the recogniser in bfloat16; if this machine does not support it, print a note and use float32."""
    try:
        return recogniser.prepared(bfloat16=True)
    except ConfigError as error:
        say(f"--bfloat16 has no effect: {error}")
        return recogniser.for_many(n_files)


def _adapted_to_speaker(recogniser: Recogniser, inputs: Sequence[Input], channel: int | None) -> Recogniser:
    """Return the recogniser adapted to the speaker of all readable recordings."""
    with Steps() as on_progress:

        def paths() -> Iterator[Path]:
            for number, one in enumerate(inputs):
                on_progress("listening", number, len(inputs))
                yield one.path

        return recogniser.listen(_SPEAKER, paths(), channel, on_error=lambda error: None)


def _inputs(given: argparse.Namespace, paths: Sequence[Path], recogniser: Recogniser) -> list[Input]:
    """Return the input files; raise a ConfigError if an option does not allow them."""
    inputs, notes = gather(paths, recogniser.reads_ink)
    if notes:
        say(*notes)
    if given.format in _SUBTITLES and len(inputs) > 1:
        raise ConfigError(
            f"--format {given.format} writes the subtitles of one recording, but {len(inputs)} are given; give one at a"
            " time"
        )
    if given.format == "svg" and len(inputs) > 1:
        raise ConfigError(
            f"--format svg writes the picture of one file, but {len(inputs)} are given; give one at a time"
            + (", or use --format html" if recogniser.reads_ink else "")
        )
    if given.one_speaker and any(one.is_stream for one in inputs):
        raise ConfigError("--one-speaker reads every recording twice, but a pipe can be read only once; give files")
    return inputs


def _names(given: argparse.Namespace, inputs: Sequence[Input]) -> list[str]:
    """Return a distinct name for each file in ctm and trn; empty names in other formats, which do not need them."""
    if given.format not in ("ctm", "trn"):
        return [""] * len(inputs)
    from asr.recogniser.formats import names_of

    return names_of([one.display_path for one in inputs], [one.root for one in inputs])


def _write(recogniser: Recogniser, inputs: Sequence[Input], names: Sequence[str], given: argparse.Namespace) -> None:
    """Recognise all files and print the results; print the errors of single files on standard error and continue."""
    failed: list[DataError] = []
    several = len(inputs) > 1
    draws = not (several and sys.stdout.isatty())  # on a terminal, the texts of several files show the progress
    with Steps() if draws else nullcontext(_silent) as on_progress:
        found = _found(recogniser, inputs, given, on_progress)
        read = _read(inputs, names, found, given.channel or 0, failed, on_progress, given.flip)
        lines = _lines(read, given, recogniser.inventory.unit, named=several or inputs[0].root is not None)
        if several:
            _print(lines)
        remaining = list(lines)
    _print(remaining)  # the lines of a single file, after its progress bar is removed
    if failed:
        raise AsrError(f"{len(failed)} of {len(inputs)} files could not be transcribed; see above")


def _draw(recogniser: Recogniser, one: Input, given: argparse.Namespace) -> None:
    """Print the picture of a recording."""
    from asr.recogniser.recording_picture import recognised_recording, recording_lines

    recognised = recognised_recording(recogniser, one.source(), given.channel, _SPEAKER if given.one_speaker else None)
    _print(recording_lines(recognised, one.display_path.name))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _silent(what: str, done: int, total: int) -> None:
    """Do nothing, instead of showing progress."""


def _read(
    inputs: Sequence[Input],
    names: Sequence[str],
    results: Iterable[Found | DataError],
    channel: int,
    failed: list[DataError],
    on_progress: Progress,
    flip: str,
) -> Iterator[Transcribed]:
    """Yield the result of each file that could be read; print the errors of the others and add them to `failed`."""
    for number, (one, name, found) in enumerate(zip(inputs, names, results, strict=True)):
        if len(inputs) > 1:
            on_progress("transcribing", number + 1, len(inputs))
        if isinstance(found, DataError) and str(one.path) not in str(found):
            found = DataError(f"{one.path}: {found}")
        if not isinstance(found, DataError):
            if flip == FLIPS[0] and not isinstance(found, list):
                _warn_of_flipped(one, found)
            yield _transcribed(str(one.path), name, found, channel)
        elif len(inputs) == 1:
            raise found
        else:
            failed.append(found)
            fail(found)


def _warn_of_flipped(one: Input, found: Document) -> None:
    """Warn about pages that were turned upside down."""
    numbers = [str(page.sheet.number) for page in found.pages if page.flipped]
    if numbers:
        pages = (
            f"page {numbers[0]}"
            if len(numbers) == 1
            else f"pages {', '.join(numbers[:9])}" + " ..." * (len(numbers) > 9)
        )
        warn(
            f"{one.path}: turned {pages} upside down, because y seems to grow the other way; use --flip no to turn no"
            " page, or --flip yes to turn all pages"
        )


def _transcribed(file: str, name: str, found: Found, channel: int) -> Transcribed:
    """Return the result of a file for output: the pages of ink, or the hypotheses of a recording."""
    from asr.recogniser.formats import Transcribed

    if isinstance(found, list):
        return Transcribed(file, name, found[0], channel, found)
    return Transcribed(file, name, found, channel)


def _found(
    recogniser: Recogniser, inputs: Sequence[Input], given: argparse.Namespace, on_progress: Progress
) -> Iterator[Found | DataError]:
    """Recognise each file; yield its hypotheses or its pages, or the error if it could not be read."""
    batched, n_best = len(inputs) >= MANY, given.nbest or 1
    if recogniser.reads_ink:
        from asr.recogniser.document import transcribe_documents

        return transcribe_documents(recogniser, map(_sheets, inputs), batched, n_best, given.flip)
    from asr.recogniser.batching import transcribe_each

    speaker = _SPEAKER if given.one_speaker else None
    return transcribe_each(
        recogniser, (one.source() for one in inputs), given.channel, speaker, batched=batched,
        on_progress=lambda done, total: on_progress("seconds of a recording", int(done), math.ceil(total)),
        n_best=n_best,
    )  # fmt: skip


def _sheets(one: Input) -> Sequence[Sheet] | DataError:
    from asr.recogniser.sources import sheets_of

    try:
        return sheets_of(one.source())
    except DataError as error:
        return error


def _lines(files: Iterator[Transcribed], given: argparse.Namespace, unit: Unit, named: bool) -> Iterator[str]:
    """Yield the lines to print for all files."""
    from asr.recogniser import formats, subtitles

    name = given.format
    if name in _SUBTITLES:
        lines_of = {"srt": subtitles.srt_lines, "vtt": subtitles.vtt_lines}[name]
        return chain.from_iterable(lines_of(one.hypotheses[0]) for one in files)
    if name in _PICTURES:
        return _pictures(files, name)
    if name == "trn":
        return formats.trn_lines(files, unit)
    if name == "json":
        return map(partial(formats.json_line, alternatives=bool(given.nbest)), files)
    if name == "ctm":
        return chain.from_iterable(map(formats.ctm_lines, files))
    if given.nbest or given.scores:
        return chain.from_iterable(formats.n_best_lines(one, named, given.scores) for one in files)
    return chain.from_iterable(formats.text_lines(one, named) for one in files)


def _pictures(files: Iterator[Transcribed], name: str) -> Iterator[str]:
    """Yield the lines of an SVG picture for each file, or of one HTML page with the pictures of all files."""
    from asr.decoding.hypothesis import Hypothesis
    from asr.recogniser.page_picture import html_lines, svg_lines

    documents = ((one.file, one.found) for one in files if not isinstance(one.found, Hypothesis))
    if name == "html":
        return html_lines(documents)
    return chain.from_iterable(svg_lines(document, file) for file, document in documents)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-transcribe",
        description="Recognise recordings or pages of ink with a trained model, and print the text.",
        epilog="examples:\n"
        "  asr-transcribe an4 recording.flac --format json\n"
        "  asr-transcribe an4 recordings/ --format trn > hyp.trn\n"
        "  asr-transcribe an4 recording.flac decoder=greedy --engine numpy --verbose\n"
        "  asr-transcribe an4 recording.flac --words names.txt --nbest 5\n"
        "  ffmpeg -i film.mkv -f wav - | asr-transcribe an4 -",
        formatter_class=HelpFormatter,
    )
    add_model(parser)
    parser.add_argument(
        "items",
        nargs="+",
        metavar="file | option=value",
        help=f"recordings: {SOUND_FORMATS}; for a model of pen strokes ink: {INK_FORMATS}; a folder stands for all such"
        " files in it and its subfolders; - or /dev/stdin is standard input. decoder=NAME and decoder.OPTION=VALUE"
        " replace the model's own decoder (write ./decoder=NAME for a file of such a name)",
    )
    parser.add_argument(
        "--format",
        choices=("ctm", "html", "json", "srt", "svg", "text", "trn", "vtt"),
        default="text",
        help="text (default): the text, after the file's name and a tab if there are several files or a folder; json:"
        " an object on one line for each file, with words, labels, confidences and times, or for ink points, strokes"
        " and boxes (docs/transcripts.md); ctm: a line for each word, and trn: a line for each file, as NIST's tools"
        " read them, with names such as ann-1 for ann/1.wav in a folder; srt and vtt: subtitles of one recording; svg:"
        " a picture of a recording with its words, waveform and posteriors, or of pages of ink with lines, words and"
        " marks in colours, and the text; html: pages of ink of several files",
    )
    parser.add_argument(
        "--one-speaker",
        action="store_true",
        help="adapt to the speaker of all recordings, which must be of one person: improves the accuracy of models that"
        " normalise by speaker, such as an4",
    )
    parser.add_argument(
        "--flip",
        choices=FLIPS,
        default=FLIPS[0],
        help="turn pages of ink upside down, for files whose y grows the other way: auto (default) turns the pages that"
        " look and read better so, with a warning",
    )
    parser.add_argument(
        "--channel", type=int, metavar="N", help="the channel to use of recordings with several, counted from 0"
    )
    parser.add_argument(
        "--bfloat16",
        action="store_true",
        help="multiply in bfloat16 if the processor supports it: faster for large networks, slightly less exact",
    )
    add_decoder(parser)
    parser.add_argument(
        "--nbest",
        type=positive,
        metavar="N",
        help="print the N best texts: in text, a line for each with rank, score and text; in json, `alternatives` with"
        " their scores and the parts of the scores",
    )
    parser.add_argument(
        "--scores",
        action="store_true",
        help="print the rank, the score and the parts of the score (acoustic, language model, insertion, boost of"
        " expected words) before each text; json always has them",
    )
    add_engine(parser)
    add_plugin(parser)
    add_debug(parser)
    return parser
