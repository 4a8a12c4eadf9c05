"""`asr-prepare`: read a corpus from disk, check it and write manifests."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from types import ModuleType

from asr.cli.command import HelpFormatter, add_debug, run
from asr.cli.console import say
from asr.cli.progress import Steps
from asr.corpus.characters import report, summary
from asr.corpus.faults import SKIPPED_NAME, Skipped
from asr.corpus.handling import Handling, take_handling
from asr.corpus.splits import Corpus, write_corpus
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError, listed
from asr.files import atomic_file, obstacle
from data_prep.corpora import load_corpus, load_reader, readers
from data_prep.roots import given_path, shown
from data_prep.written_options import parse_options

CHARACTERS_NAME = "characters.txt"
_SHOWN_SKIPPED = 5


def main() -> None:
    """Run `asr-prepare`."""
    run(_main)


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="asr-prepare",
        description="Read a corpus, check it, and write the manifests train.jsonl, dev.jsonl and test.jsonl.\n"
        "The checks: names and ids, transcripts, headers and lengths of recordings, and that no speaker is both in\n"
        "train and in another split. Samples are not read yet; asr-train reads them.",
        epilog="corpora: " + ", ".join(readers()) + "\noptions of a corpus: asr-prepare NAME --help\n"
        "options of every corpus: on_error=skip, noise=drop|keep, clean=unicode, out=FOLDER\n"
        "example: asr-prepare an4 root=/data/an4 out=manifest/an4",
        formatter_class=HelpFormatter,
        add_help=False,
    )
    parser.add_argument("name", nargs="?", help="the corpus: a name, or a module of your own listed in plugins=[...]")
    parser.add_argument(
        "options", nargs="*", metavar="option=value", help="options of the corpus, out=FOLDER, and plugins=[MODULE]"
    )
    parser.add_argument(
        "-h", "--help", action="store_true", help="show this help; after the name of a corpus, the options of it"
    )
    add_debug(parser)
    given, unknown = parser.parse_known_args()
    if unknown:
        raise ConfigError(_without_dashes(unknown[0], sys.argv))
    options = _parsed(given.options)
    plugins = options.pop("plugins", [])
    if not isinstance(plugins, list):
        raise ConfigError("plugins: expected a list of modules, such as plugins=[my.corpus]")
    if given.name is None:
        parser.print_help()
        return
    if given.help:
        print(_describe(given.name, load_reader(given.name, plugins)))
        return
    handling = take_handling(options)
    out = given_path(str(options.pop("out", None) or f"manifest/{given.name}"), "out")  # `out=` gives None
    if why := obstacle(out):  # checked before the corpus is read
        raise DataError(f"out={out} {why}; give another folder")
    with Steps() as steps:
        corpus = load_corpus(given.name, options, plugins, steps, handling)
    _write(corpus, out)


def _without_dashes(word: str, words: Sequence[str]) -> str:
    """Return the message for an option with dashes; it shows how to write the option instead."""
    name, equals, value = word.lstrip("-").partition("=")
    following = words[words.index(word) + 1 :] if word in words else []
    if not equals and following and "=" not in following[0] and not following[0].startswith("-"):
        value = following[0]
    return f"{word}: options of a corpus have no dashes; write {name.replace('-', '_')}={value or '...'}"


def _write(corpus: Corpus, out: Path) -> None:
    """Write the manifests and the report on characters, and print a summary."""
    paths = write_corpus(corpus.splits, out, corpus.skipped)
    utterances = [one for part in corpus.splits.values() for one in part]
    try:
        with atomic_file(out / CHARACTERS_NAME) as file:
            file.write(report(utterances).encode())
    except OSError as error:
        raise DataError(f"{out / CHARACTERS_NAME} cannot be written: {error.strerror}") from error
    lines = [f"{path}: {_contents(corpus.splits[name])}" for name, path in paths.items()]
    lines += corpus.notes
    lines += _left_out(corpus.skipped, out / SKIPPED_NAME)
    lines += summary(utterances, str(out / CHARACTERS_NAME))
    say(*lines)


def _left_out(skipped: Sequence[Skipped], path: Path) -> list[str]:
    """Return lines on the first skipped items and on the file that lists all of them."""
    if not skipped:
        return []
    sentences = [f"{one.place}: {one.reason}" if one.place else one.reason for one in skipped]
    return [f"{len(skipped)} left out, listed in {path}:", *listed(sentences[:_SHOWN_SKIPPED])]


def _contents(utterances: Sequence[Utterance]) -> str:
    """Return a one-line summary of a split: utterances, speakers, and hours or points."""
    people = {one.speaker for one in utterances if one.speaker is not None}
    amounts = [one.duration for one in utterances if one.duration is not None]
    ink = all(one.kind == "ink" for one in utterances)
    counts = f"{len(utterances)} utterances, {len(people)} {'writers' if ink else 'speakers'}"
    if len(amounts) < len(utterances):
        return counts
    return counts + (f", {sum(amounts):.0f} points" if ink else f", {sum(amounts) / 3600:.2f} h")


def _parsed(words: list[str]) -> dict[str, object]:
    for word in words:
        if shown(word) != word:
            raise ConfigError(f"{shown(word)}: the name is not UTF-8; rename it")
        if "=" not in word:
            hint = f"; did you mean root={word}?" if os.path.exists(word) else ""
            raise ConfigError(f"'{word}' is not option=value{hint}")
    return parse_options(words)


def _describe(name: str, reader: ModuleType) -> str:
    lines = [(reader.__doc__ or "").strip(), "", f"Options of `asr-prepare {name}`:"]
    for one in (*fields(reader.Config), *fields(Handling)):
        default = "" if one.default is MISSING or one.default in ("", None) else f" (default {one.default})"
        lines += textwrap.wrap(
            f"{one.name}=  {one.metadata.get('help', '')}{default}",
            110,
            initial_indent="  ",
            subsequent_indent="      ",
        )
    lines.append(f"  out=  folder for the manifests (default manifest/{name})")
    handling = ", ".join(f"{one.name}=" for one in fields(Handling))
    lines.append(f"In asr-train, put corpus. before root=, {handling}; write the other options as corpus.options.NAME=")
    return "\n".join(lines)
