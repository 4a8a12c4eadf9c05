"""`asr-align`: find the times of the words and labels of known transcripts in recordings or ink."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO

from asr.audio.formats import FORMATS as SOUND_FORMATS
from asr.cli.command import HelpFormatter, add_debug, add_engine, add_model, add_plugin, run
from asr.cli.console import fail, say, warn
from asr.cli.inputs import Input, gather
from asr.cli.progress import Steps
from asr.cli.verbose import choice_lines
from asr.corpus.utterance import Utterance
from asr.engines.names import AUTO
from asr.errors import AsrError, ConfigError, DataError
from asr.ink.formats import FORMATS as INK_FORMATS

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory
    from asr.decoding.hypothesis import Hypothesis
    from asr.decoding.lexicon_file import Lexicon
    from asr.recogniser.alignment_transcript import Transcript
    from asr.recogniser.recogniser import Recogniser

SUFFIXES = {
    "textgrid": ".TextGrid",
    "eaf": ".eaf",
    "audacity": ".labels.txt",
    "srt": ".srt",
    "ctm": ".ctm",
    "json": ".json",
    "svg": ".svg",
}
"""File suffix of each output format."""

_JOINABLE = ("ctm", "json")  # formats in which one file can hold several recordings
_TRANSCRIPT_BYTES = 1 << 24
_WARNED = 5  # words of a file that a warning names
_SHOWN = 40  # characters of a word that a warning shows


@dataclass(frozen=True)
class Job:
    """One recording or ink file to align, or one utterance of a manifest.

    Attributes:
        shown: the name for messages: a path, or the utterance's id.
        input: the file; for an utterance of a manifest, the file that contains it.
        utterance: the utterance of a manifest; None for a file.
    """

    shown: str
    input: Input
    utterance: Utterance | None = None

    def source(self) -> Path | BinaryIO | Utterance:
        """Return the object to pass to a recogniser."""
        return self.utterance or self.input.source()


def main() -> None:
    """Run `asr-align`."""
    run(_main)


def _main() -> None:
    given = _parser().parse_args()
    from asr.recogniser.loading import load  # imported inside `run`, which handles Ctrl-C

    # aligning needs no decoder; files of the model's own decoder may be missing
    recogniser = load(given.model, given.plugin, "greedy", given.engine or AUTO)
    name = given.format or ("json" if recogniser.reads_ink else "textgrid")
    if recogniser.reads_ink and name not in ("json", "svg"):
        raise ConfigError(f"--format {name} is for recordings, because it needs times; use json or svg for ink")
    lexicon = _lexicon(given.lexicon, recogniser)
    jobs = _jobs(given, recogniser.reads_ink)
    if given.text is not None and len(jobs) > 1:
        raise ConfigError(f"--text is the transcript of one file, but {len(jobs)} are given; see asr-align --help")
    if given.out is None and len(jobs) > 1 and name not in _JOINABLE:
        raise ConfigError(
            f"--format {name} writes a file for each of the {len(jobs)} recordings; give a folder for them with --out"
        )
    if name == "svg" and any(job.input.is_stream for job in jobs):
        raise ConfigError("--format svg reads the file twice, but a pipe can be read only once; give a file")
    names = _names(jobs)
    recogniser = recogniser.for_many(len(jobs))
    if given.verbose:
        say(choice_lines(recogniser)[0])
    _align_all(recogniser, jobs, names, given, name, lexicon)


def _align_all(
    recogniser: Recogniser,
    jobs: Sequence[Job],
    names: Sequence[str],
    given: argparse.Namespace,
    format_name: str,
    lexicon: Lexicon | None,
) -> None:
    """Align all jobs and write the results; print the errors of single files on standard error and continue."""
    failed = 0
    with Steps() as on_progress:
        for number, (job, name) in enumerate(zip(jobs, names, strict=True)):
            if len(jobs) > 1:
                on_progress("aligning", number, len(jobs))
            try:
                found = _aligned(recogniser, job, given, lexicon)
                lines = list(_lines(recogniser, job, name, found, format_name, given.channel, lexicon is not None))
            except DataError as error:
                if len(jobs) == 1:
                    raise
                failed += 1
                fail(error)
                continue
            _warn_of_doubtful(recogniser, job, found)
            _write(lines, None if given.out is None else given.out / f"{name}{SUFFIXES[format_name]}")
    if failed:
        raise AsrError(f"{failed} of {len(jobs)} files could not be aligned; see above")


def _aligned(recogniser: Recogniser, job: Job, given: argparse.Namespace, lexicon: Lexicon | None) -> Hypothesis:
    from asr.recogniser.alignment import align_transcript, spelled_utterance
    from asr.recogniser.alignment_transcript import pronounced

    inventory, utterance = recogniser.inventory, job.utterance
    if lexicon is not None:
        transcript = pronounced(inventory, lexicon, _words(job, given.text), job.shown)
    elif given.text is None and utterance is not None:
        transcript = spelled_utterance(inventory, utterance)
    else:
        transcript = _spelled(inventory, _words(job, given.text), job.shown)
    return align_transcript(recogniser, job.source(), transcript, given.channel)


def _spelled(inventory: Inventory, text: str, name: str) -> Transcript:
    """Split a transcript into labels; for a model of phonemes, an error also suggests `--lexicon`."""
    from asr.recogniser.alignment import spelled

    try:
        return spelled(inventory, text, name)
    except DataError as error:
        if inventory.unit == "labels" and text.strip():
            raise DataError(f"{error}; to align words, give a pronouncing dictionary with --lexicon") from error
        raise


def _words(job: Job, text: str | None) -> str:
    """Return the text of a job: from the command line, its manifest, or the file beside it."""
    if text is not None:
        return text
    if job.utterance is None:
        return _text_beside(job.input)
    if job.utterance.text is None:
        raise DataError(f"'{job.utterance.id}': the manifest has no text for it; --lexicon needs a text of words")
    return job.utterance.text


def _lexicon(path: Path | None, recogniser: Recogniser) -> Lexicon | None:
    if path is None:
        return None
    if recogniser.inventory.unit != "labels":
        raise ConfigError("--lexicon is for a model of phonemes; this model spells words itself: leave --lexicon out")
    from asr.decoding.lexicon_file import read_lexicon

    return read_lexicon(path, recogniser.inventory)


def _text_beside(one: Input) -> str:
    """Return the content of the transcript file beside a recording.

    Raises:
        DataError: the file does not exist, is too long, or is not UTF-8.
    """
    path = one.path.with_suffix(".txt")
    if one.is_stream or path == one.path or not path.is_file():
        where = "" if one.is_stream else f", or write it into {path.name} in the same folder"
        raise DataError(f"{one.path}: has no transcript; give it with --text{where}")
    with path.open("rb") as file:
        raw = file.read(_TRANSCRIPT_BYTES + 1)
    if len(raw) > _TRANSCRIPT_BYTES:
        raise DataError(f"{path}: is longer than {_TRANSCRIPT_BYTES >> 20} MiB; expected the transcript of one file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8; save the transcript as UTF-8") from error


def _warn_of_doubtful(recogniser: Recogniser, job: Job, found: Hypothesis) -> None:
    from asr.recogniser.alignment import doubtful_words

    words = doubtful_words(found, recogniser.inventory)
    if not words:
        return
    unit = "" if recogniser.reads_ink else " s"
    named = ", ".join(
        f"'{word.label[:_SHOWN]}' at {word.start:.{0 if recogniser.reads_ink else 2}f}{unit}"
        for word in words[:_WARNED]
    )
    more = f" and {len(words) - _WARNED} more" if len(words) > _WARNED else ""
    done = "written" if recogniser.reads_ink else "said"
    warn(f"{job.shown}: words that were probably not {done} there: {named}{more}")


def _jobs(given: argparse.Namespace, reads_ink: bool) -> list[Job]:
    """Return all files and utterances to align."""
    from asr.corpus.manifest import read_manifest

    jobs: list[Job] = []
    files = [path for path in given.files if path.suffix.lower() != ".jsonl"]
    for path in given.files:
        if path.suffix.lower() == ".jsonl":
            jobs += [Job(one.id, Input(one.source), one) for one in read_manifest(path)]
    if files:
        inputs, notes = gather(files, reads_ink)
        if notes and given.verbose:
            say(*notes)
        jobs += [Job(str(one.path), one) for one in inputs]
    return jobs


def _names(jobs: Sequence[Job]) -> list[str]:
    """Return the names of the output files, without suffixes."""
    from asr.recogniser.formats import names_of

    paths = [PurePath(f"{job.utterance.id}.id") if job.utterance else job.input.display_path for job in jobs]
    return names_of(paths, [None if job.utterance else job.input.root for job in jobs])


def _lines(
    recogniser: Recogniser,
    job: Job,
    name: str,
    found: Hypothesis,
    format_name: str,
    channel: int | None,
    has_lexicon: bool,
) -> Iterator[str]:
    """Return the lines of one output file in a format.

    Raises:
        DataError: the recording or ink is too long for a picture.
    """
    if format_name == "svg":
        return _picture(recogniser, job, found, channel)
    from asr.recogniser import alignment_formats as formats
    from asr.recogniser.formats import Transcribed, ctm_lines, json_line
    from asr.recogniser.subtitles import srt_lines

    tiers = formats.tiers_of(found, has_lexicon or recogniser.inventory.unit == "characters")
    one = Transcribed(job.shown, name, found, channel or 0)
    path = job.input.path
    written: dict[str, Callable[[], Iterator[str]]] = {
        "textgrid": lambda: formats.textgrid_lines(tiers, _seconds(job)),
        "eaf": lambda: formats.eaf_lines(tiers, path.absolute().as_uri(), path.suffix),
        "audacity": lambda: formats.audacity_lines(tiers[0].spans),
        "srt": lambda: srt_lines(found),
        "ctm": lambda: ctm_lines(one),
        "json": lambda: iter([json_line(one)]),
    }
    return written[format_name]()


def _picture(recogniser: Recogniser, job: Job, found: Hypothesis, channel: int | None) -> Iterator[str]:
    """Return the lines of the picture of one file."""
    if recogniser.reads_ink:
        from asr.recogniser.alignment import aligned_ink
        from asr.recogniser.letters_picture import letter_lines

        return letter_lines(found, aligned_ink(job.source()), job.shown)
    from asr.recogniser.recording_picture import recognised_recording, recording_lines

    return recording_lines(recognised_recording(recogniser, job.source(), channel), job.shown, found)


def _seconds(job: Job) -> float:
    """Return the length of the recording in seconds; 0 for a stream, which cannot be read twice."""
    from asr.audio import audio_info

    return 0.0 if job.input.is_stream else audio_info(job.input.path).seconds


def _write(lines: Sequence[str], path: Path | None) -> None:
    """Write lines to a file, or to standard output."""
    if path is None:
        for line in lines:
            print(line, flush=True)
        return
    from asr.files import make_folder, write_file

    make_folder(path.parent)
    write_file(path, "".join(line + "\n" for line in lines).encode())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-align",
        description="Align recordings or ink with known transcripts: find the time, or the points of the pen, of each"
        " word and label.",
        epilog="examples:\n"
        '  asr-align an4 recording.flac --text "TWELVE NINETEEN" > recording.TextGrid\n'
        "  asr-align an4 recordings/ --format eaf --out aligned   # with recordings/ann/1.txt beside 1.wav\n"
        "  asr-align an4 manifest/test.jsonl --format ctm > test.ctm\n"
        '  asr-align english_phones hello.wav --text "hh ah l ow" --format audacity\n'
        '  asr-align english_phones hello.wav --text "hello" --lexicon cmudict.txt\n'
        '  asr-align unipen word.inkml --text "hello"',
        formatter_class=HelpFormatter,
    )
    add_model(parser)
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="file",
        help=f"recordings: {SOUND_FORMATS}; for a model of pen strokes ink: {INK_FORMATS}, with one word or line in a"
        " file; a folder stands for all such files in it and its subfolders; a .jsonl file is a manifest with"
        " transcripts; - is standard input",
    )
    parser.add_argument(
        "--text",
        help="the transcript of a single file: words, or for a model of phonemes its labels with spaces between them;"
        " without --text, the transcript of 1.wav is 1.txt in the same folder",
    )
    parser.add_argument(
        "--lexicon",
        type=Path,
        metavar="FILE",
        help="a pronouncing dictionary for a model of phonemes, with a line like `HELLO HH AH L OW` for each word; the"
        " transcripts are then words, and the output has their times",
    )
    parser.add_argument(
        "--format",
        choices=sorted(SUFFIXES),
        help="textgrid (default for recordings): for Praat; eaf: for ELAN; audacity: a label track of the words; srt:"
        " subtitles; ctm: one line for each word, as NIST's tools read it; json (default for ink): labels and words"
        " with confidences, and with times in seconds or indices of points; svg: a picture of a recording with its"
        " words, waveform and posteriors, or of ink with each letter in its colour",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write a file for each recording into this folder")
    parser.add_argument(
        "--channel", type=int, metavar="N", help="the channel to use of recordings with several, counted from 0"
    )
    add_engine(parser)
    add_plugin(parser)
    add_debug(parser)
    return parser
