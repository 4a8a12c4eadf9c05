"""`asr-prepare`: a corpus on disk in, manifests out."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from asr.cli.command import add_debug, run
from asr.cli.progress import Steps, console
from asr.errors import ConfigError, DataError
from asr.files import obstacle

if TYPE_CHECKING:
    from asr.corpus.utterance import Utterance


def main() -> None:
    """Entry point."""
    run(_main)


def _main() -> None:
    from asr.corpus.splits import write_corpus
    from data_prep.corpora import load_reader, read_corpus, readers

    parser = argparse.ArgumentParser(
        prog="asr-prepare",
        description="Read a corpus, check it, and write train.jsonl, dev.jsonl and test.jsonl.\n"
        "Checked are names and ids, transcripts, headers and lengths of recordings, and that no speaker is in train\n"
        "and in another split; the samples themselves are first read by asr-train.",
        epilog="corpora: " + ", ".join(readers()) + "\noptions of one: asr-prepare NAME --help\n"
        "example: asr-prepare an4 root=/data/an4 out=manifest/an4",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("name", nargs="?", help="the corpus, or a module of your own named in plugins=[...]")
    parser.add_argument(
        "options", nargs="*", metavar="option=value", help="options of the corpus; out=FOLDER, plugins=[...]"
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this, or the options of a corpus")
    add_debug(parser)
    given = parser.parse_args()
    options = _parsed(given.options)
    plugins = options.pop("plugins", [])
    if not isinstance(plugins, list):
        raise ConfigError("plugins is a list of modules: plugins=[my.corpus]")
    if given.name is None:
        parser.print_help()
        return
    if given.help:
        print(_describe(given.name, load_reader(given.name, plugins)))
        return
    out = Path(str(options.pop("out", None) or f"manifest/{given.name}")).expanduser()  # `out=` gives None
    if why := obstacle(out):  # before a corpus is read for it
        raise DataError(f"out={out} {why}; give another folder")
    with Steps() as steps:
        splits = read_corpus(given.name, options, plugins, steps)
    for name, path in write_corpus(splits, out).items():
        console.print(f"{path}: {_contents(splits[name])}", soft_wrap=True)


def _contents(utterances: Sequence[Utterance]) -> str:
    """How much a split holds, in one line."""
    people = {one.speaker for one in utterances if one.speaker is not None}
    amounts = [one.duration for one in utterances if one.duration is not None]
    ink = all(one.kind == "ink" for one in utterances)
    told = f"{len(utterances)} utterances, {len(people)} {'writers' if ink else 'speakers'}"
    if len(amounts) < len(utterances):
        return told
    return told + (f", {sum(amounts):.0f} points" if ink else f", {sum(amounts) / 3600:.2f} h")


def _parsed(words: list[str]) -> dict[str, object]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    from data_prep.roots import shown

    for word in words:
        if shown(word) != word:
            raise ConfigError(f"{shown(word)}: the name is not UTF-8; rename it")
        if "=" not in word:
            raise ConfigError(f"'{word}' is not option=value")
    try:
        values = OmegaConf.to_container(OmegaConf.from_dotlist(words))
    except (OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(f"cannot read the options {words}: {error}") from error
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def _describe(name: str, reader: ModuleType) -> str:
    lines = [(reader.__doc__ or "").strip(), "", f"Options of `asr-prepare {name}`:"]
    for one in fields(reader.Config):
        default = "" if one.default is MISSING or one.default in ("", None) else f" (default {one.default})"
        lines += textwrap.wrap(
            f"{one.name}=  {one.metadata.get('help', '')}{default}",
            110,
            initial_indent="  ",
            subsequent_indent="      ",
        )
    lines.append(f"  out=  folder for the manifests (default manifest/{name})")
    lines.append("In asr-train root= is corpus.root=, and any other option but out= is corpus.options.NAME=")
    return "\n".join(lines)
