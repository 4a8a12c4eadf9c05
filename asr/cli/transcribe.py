"""`asr-transcribe`: recordings or ink in, text out."""

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
from asr.cli.account import chosen, speed
from asr.cli.command import add_debug, add_engine, add_model, add_plugin, run
from asr.cli.console import fail, say, warn
from asr.cli.decoders import add_decoder, given_decoder, positive, warn_of_greedy
from asr.cli.inputs import Input, gather, parted
from asr.cli.progress import Steps
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
_SUBTITLES = ("srt", "vtt")  # formats
_PICTURES = ("html", "svg")


def main() -> None:
    """Entry point."""
    run(_main)


def _main() -> None:
    given = _parser().parse_intermixed_args()  # options of the decoder may stand among the files
    paths, options = parted(given.items)
    if not paths:
        raise ConfigError("no file is named; give recordings or ink behind the model, see asr-transcribe --help")
    began = time.monotonic()
    from asr.recogniser.loading import load  # here, where Ctrl-C ends the command without a traceback

    recogniser = load(given.model, given.plugin, given_decoder(given, options), given.engine or AUTO)
    loaded = time.monotonic()
    if given.format in ("ctm", *_SUBTITLES) and recogniser.reads_ink:
        raise ConfigError(f"--format {given.format} is for recordings: it holds times; take text, json or trn for ink")
    if given.format in _PICTURES and not recogniser.reads_ink:
        raise ConfigError(
            f"--format {given.format} is for ink: it shows strokes; take text, json or ctm for recordings"
        )
    if given.flip != FLIPS[0] and not recogniser.reads_ink:
        raise ConfigError(f"--flip {given.flip} is for ink; leave it out, this model reads recordings")
    _check_nbest(given)
    warn_of_greedy(recogniser.decoder_choice, given.nbest)
    inputs = _inputs(given, paths, recogniser)
    names = _names(given, inputs)
    recogniser = _rounded(recogniser, len(inputs)) if given.bfloat16 else recogniser.for_many(len(inputs))
    if given.verbose:
        say(f"loaded in {loaded - began:.2f} s", *chosen(recogniser))
    if given.one_speaker:
        recogniser = _having_heard(recogniser, inputs, given.channel)
    _write(recogniser, inputs, names, given)
    if given.verbose:
        say(speed(inputs, time.monotonic() - loaded))


def _check_nbest(given: argparse.Namespace) -> None:
    if given.format not in ("text", "json"):
        for name, formats in (("nbest", "--format text and json"), ("scores", "--format text")):
            if getattr(given, name):
                raise ConfigError(f"--{name} is for {formats}; {given.format} holds the best text alone")
    elif given.format == "json" and given.scores:
        raise ConfigError("--scores is for --format text; json has the parts of the score always, leave --scores out")


def _rounded(recogniser: Recogniser, n_files: int) -> Recogniser:
    """The recogniser in bfloat16, where this machine has such products; else the one for so many files."""
    try:
        return recogniser.prepared(bfloat16=True)
    except ConfigError as error:
        say(f"--bfloat16 changes nothing: {error}")
        return recogniser.for_many(n_files)


def _having_heard(recogniser: Recogniser, inputs: Sequence[Input], channel: int | None) -> Recogniser:
    """The recogniser that has heard all recordings of the speaker, but for those that cannot be read."""
    with Steps() as on_progress:

        def paths() -> Iterator[Path]:
            for number, one in enumerate(inputs):
                on_progress("listening", number, len(inputs))
                yield one.path

        return recogniser.listen(_SPEAKER, paths(), channel, on_error=lambda error: None)


def _inputs(given: argparse.Namespace, paths: Sequence[Path], recogniser: Recogniser) -> list[Input]:
    """The files that the command line names."""
    inputs, told = gather(paths, recogniser.reads_ink)
    if told:
        say(*told)
    if given.format in _SUBTITLES and len(inputs) > 1:
        raise ConfigError(
            f"--format {given.format} writes the subtitles of one recording, and {len(inputs)} are named; give one at a"
            " time"
        )
    if given.format == "svg" and len(inputs) > 1:
        raise ConfigError(
            f"--format svg writes the picture of one file, and {len(inputs)} are named; give one at a time, or take"
            " html"
        )
    if given.one_speaker and any(one.is_stream for one in inputs):
        raise ConfigError("--one-speaker reads every recording twice, which a pipe does not allow; give files")
    return inputs


def _names(given: argparse.Namespace, inputs: Sequence[Input]) -> list[str]:
    """Return the name of each file in ctm and trn; empty names in other formats, where a file may be given twice."""
    if given.format not in ("ctm", "trn"):
        return [""] * len(inputs)
    from asr.recogniser.formats import names_of

    return names_of([one.called for one in inputs], [one.root for one in inputs])


def _write(recogniser: Recogniser, inputs: Sequence[Input], names: Sequence[str], given: argparse.Namespace) -> None:
    """Recognise all files and print what was found; the errors of single files go to standard error."""
    failed: list[DataError] = []
    several = len(inputs) > 1
    shown = not (several and sys.stdout.isatty())  # the texts of several files show themselves how far it is
    with Steps() if shown else nullcontext(_silent) as on_progress:
        found = _found(recogniser, inputs, given, on_progress)
        read = _read(inputs, names, found, given.channel or 0, failed, on_progress, given.flip)
        lines = _lines(read, given, recogniser.inventory.unit, named=several or inputs[0].root is not None)
        if several:
            _print(lines)
        whole = list(lines)
    _print(whole)  # of a single recording, when its bar is gone
    if failed:
        raise AsrError(f"{len(failed)} of {len(inputs)} files could not be transcribed; see above")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _silent(what: str, done: int, total: int) -> None:
    """Show no progress."""


def _read(
    inputs: Sequence[Input],
    names: Sequence[str],
    results: Iterable[Found | DataError],
    channel: int,
    failed: list[DataError],
    on_progress: Progress,
    flip: str,
) -> Iterator[Transcribed]:
    """Yield the result of each file that could be read; report the other files and add them to `failed`."""
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
    """Say which pages were read the other way up."""
    numbers = [str(page.sheet.number) for page in found.pages if page.flipped]
    if numbers:
        pages = (
            f"page {numbers[0]}"
            if len(numbers) == 1
            else f"pages {', '.join(numbers[:9])}" + " ..." * (len(numbers) > 9)
        )
        warn(
            f"{one.path}: read {pages} upside down, because the ink looks as if y grew the other way; --flip no reads"
            " all pages as they are, --flip yes turns all"
        )


def _transcribed(file: str, name: str, found: Found, channel: int) -> Transcribed:
    """Return the result of a file: its pages, or the hypotheses of a recording."""
    from asr.recogniser.formats import Transcribed

    if isinstance(found, list):
        return Transcribed(file, name, found[0], channel, found)
    return Transcribed(file, name, found, channel)


def _found(
    recogniser: Recogniser, inputs: Sequence[Input], given: argparse.Namespace, on_progress: Progress
) -> Iterator[Found | DataError]:
    """Recognise each file; return its hypotheses or its pages, or why it could not be read."""
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
    """Yield the lines of a picture of each file, or of a page for a browser with the pictures of all."""
    from asr.decoding.hypothesis import Hypothesis
    from asr.recogniser.page_picture import html_lines, svg_lines

    documents = ((one.file, one.found) for one in files if not isinstance(one.found, Hypothesis))
    if name == "html":
        return html_lines(documents)
    return chain.from_iterable(svg_lines(document, file) for file, document in documents)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-transcribe",
        description="Recognise recordings, or pages of ink, with a trained model.",
        epilog="examples:\n"
        "  asr-transcribe an4 recording.flac --format json\n"
        "  asr-transcribe an4 recordings/ --format trn > hyp.trn\n"
        "  asr-transcribe an4 recording.flac decoder=greedy --engine numpy --verbose\n"
        "  asr-transcribe an4 recording.flac --words names.txt --nbest 5\n"
        "  ffmpeg -i film.mkv -f wav - | asr-transcribe an4 -",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model(parser)
    parser.add_argument(
        "items",
        nargs="+",
        metavar="file | option=value",
        help=f"recordings: {SOUND_FORMATS}; for a model of pen strokes {INK_FORMATS}; of a folder all files with such"
        " names, in its folders too; - or /dev/stdin for standard input. decoder=NAME and decoder.OPTION=VALUE choose"
        " another decoder than the model's own (a file of such a name is written ./decoder=NAME)",
    )
    parser.add_argument(
        "--format",
        choices=("ctm", "html", "json", "srt", "svg", "text", "trn", "vtt"),
        default="text",
        help="text (default; behind the file's name and a tab where there are several files or a folder), json (one"
        " object a line and file: labels and words with confidences and times in seconds; of ink indices of points"
        " instead of times, each line and word with its page, strokes and box, and marks that are no writing:"
        " docs/transcripts.md), ctm (one line a word) and trn (one line a file; words, or labels of a model of"
        " phonemes), as NIST's tools read them: files are called by their names without the ending, and those in a"
        " folder by their place in it, such as ann-1 for ann/1.wav; srt and vtt: subtitles of one recording; svg and"
        " html: a picture of the pages with lines, words and marks in colours, and the text",
    )
    parser.add_argument(
        "--one-speaker",
        action="store_true",
        help="the recordings are of one person: models with a normaliser per speaker (an4) read them better together",
    )
    parser.add_argument(
        "--flip",
        choices=FLIPS,
        default=FLIPS[0],
        help="turn pages of ink upside down, for files whose y grows the other way: auto (default) turns those that"
        " look and read better so, and says it",
    )
    parser.add_argument("--channel", type=int, help="which channel of recordings with several, from 0")
    parser.add_argument(
        "--bfloat16",
        action="store_true",
        help="multiply in bfloat16, where the processor can: less exact, and few texts change; for large networks",
    )
    add_decoder(parser)
    parser.add_argument(
        "--nbest",
        type=positive,
        metavar="N",
        help="print the N best texts: as text a line each with rank, score and text; as json `alternatives` with their"
        " scores and the parts of them",
    )
    parser.add_argument(
        "--scores",
        action="store_true",
        help="print rank, score and the parts of the score (acoustic, language model, insertion, boost of expected"
        " words) before each text; json has them always",
    )
    add_engine(parser)
    add_plugin(parser)
    add_debug(parser)
    return parser
