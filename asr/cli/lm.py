"""`asr-lm`: build n-gram language models from texts, convert and prune them, and measure their perplexity."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.command import HelpFormatter, add_debug, run
from asr.errors import ConfigError

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory
    from asr.lm.model import LanguageModel, Unit
    from asr.lm.ngram import NgramModel

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_UNITS = ("characters", "labels", "words")
_MODEL = "a .lm, .arpa or .arpa.gz file, or the name of a model that comes with the package"
_UNIT_OF_ARPA = "the symbols of an ARPA file that does not state them"


def main() -> None:
    """Run `asr-lm`."""
    run(_main)


def _main() -> None:
    given, others = _parser().parse_known_args()
    if "positional_out" in given:
        others = _resolve_out(given, others)
    if others:
        given.parser.error(f"unrecognized arguments: {' '.join(others)}")  # with the usage of the subcommand
    given.action(given)


def _resolve_out(given: argparse.Namespace, others: list[str]) -> list[str]:
    """Set `given.out` to the file to write, given after the model or with `--out`; return the words still unread."""
    if given.positional_out is None and given.out is None and len(others) == 1 and not others[0].startswith("-"):
        given.positional_out, others = Path(others[0]), []  # after options, where argparse does not find it
    if (given.positional_out is None) == (given.out is None) and not others:
        given.parser.error("give the file to write once: OUT after the model, or --out OUT")
    given.out = given.out or given.positional_out
    return others


def _add_out(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("positional_out", nargs="?", type=Path, metavar="out", help=text)
    parser.add_argument("--out", type=Path, metavar="FILE", help="another way to give the file to write, as in build")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-lm",
        description="Build, convert, prune and measure n-gram language models. Use a model in decoding with the option"
        " --lm FILE of asr-transcribe, asr-evaluate and asr-tune.",
        epilog="examples:\n"
        "  asr-lm build notes.txt --order 6 --out mine.lm\n"
        "  asr-lm perplexity mine.lm letters.txt\n"
        "  asr-lm build --help",
        formatter_class=HelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_add_build, _add_convert, _add_prune, _add_perplexity):
        command = add(commands)
        command.set_defaults(parser=command)
        add_debug(command)
    return parser


def _add(commands: _Commands, name: str, summary: str, text: str, examples: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=text,
        epilog=f"examples:\n{examples}",
        formatter_class=HelpFormatter,
    )


def _add_build(commands: _Commands) -> argparse.ArgumentParser:
    parser = _add(
        commands,
        "build",
        "estimate a model from texts, and mix it with other models",
        "Estimate an n-gram model by interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999).",
        "  asr-lm build notes.txt letters.txt.gz --out mine.lm\n"
        "  asr-lm build manifest/train.jsonl --unit words --order 3 --out words.arpa.gz\n"
        "  asr-lm build --words names.txt --out names.lm\n"
        "  asr-lm build train.jsonl --mix english_letters --held-out dev.jsonl --keep 500000 --out both.lm",
    )
    parser.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help="a text with one sentence in each line, plain or .gz; a manifest (.jsonl); or - for standard input",
    )
    parser.add_argument(
        "--words",
        action="append",
        default=[],
        metavar="FILE",
        help="a word list: one word in each line, optionally with a tab and its frequency; each word counts as a"
        " sentence (repeatable)",
    )
    parser.add_argument(
        "--counts", metavar="FILE", help="n-gram counts: in each line the symbols of an n-gram, a tab, and its count"
    )
    _add_unit(parser, "the symbols of the model (default: characters)")
    parser.add_argument(
        "--order", type=int, metavar="N", help="length of the longest n-grams (default: 6; for labels and words 3)"
    )
    _add_single_words(parser)
    parser.add_argument(
        "--vocabulary",
        metavar="FILE",
        help="a file with one symbol in each line: only these get a probability, all others count as unknown",
    )
    parser.add_argument(
        "--labels-of",
        metavar="MODEL",
        help="use the labels of this recogniser as the vocabulary, and map labels of manifests to its labels",
    )
    parser.add_argument("--mix", action="append", default=[], metavar="MODEL", help=f"mix with {_MODEL} (repeatable)")
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        type=float,
        metavar="SHARE",
        help="weight of the model of each --mix, 0 to 1 (repeatable; default: chosen on the text of --held-out)",
    )
    _add_pruning(parser)
    _add_measuring(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .lm, .arpa or .arpa.gz file")
    parser.set_defaults(action=_build)
    return parser


def _add_convert(commands: _Commands) -> argparse.ArgumentParser:
    parser = _add(
        commands,
        "convert",
        "write a model in another file format",
        "Write a model in another file format: ARPA, which other programs read too, or .lm, which loads fastest.",
        "  asr-lm convert other.arpa.gz mine.lm\n  asr-lm convert mine.lm small.lm --quantise --held-out dev.txt",
    )
    parser.add_argument("model", help=_MODEL)
    _add_out(parser, "the file to write; its suffix (.lm, .arpa or .arpa.gz) chooses the format")
    _add_unit(parser, _UNIT_OF_ARPA)
    _add_single_words(parser)
    _add_measuring(parser)
    parser.set_defaults(action=_convert)
    return parser


def _add_prune(commands: _Commands) -> argparse.ArgumentParser:
    parser = _add(
        commands,
        "prune",
        "make a model smaller",
        "Remove the n-grams that change the predictions of a model least (Stolcke 1998).",
        "  asr-lm prune large.lm small.lm --keep 1000000 --held-out dev.txt",
    )
    parser.add_argument("model", help=_MODEL)
    _add_out(parser, "the .lm, .arpa or .arpa.gz file to write")
    _add_unit(parser, _UNIT_OF_ARPA)
    _add_single_words(parser)
    _add_pruning(parser)
    _add_measuring(parser)
    parser.set_defaults(action=_prune)
    return parser


def _add_perplexity(commands: _Commands) -> argparse.ArgumentParser:
    parser = _add(
        commands,
        "perplexity",
        "measure how well a model predicts texts",
        "Report the perplexity of texts, the bits per character, and the percentage of symbols that the model does not"
        " know. Unknown symbols are left out of both measures.",
        "  asr-lm perplexity mine.lm dev.txt test.jsonl",
    )
    parser.add_argument("model", help=_MODEL)
    parser.add_argument(
        "texts", nargs="+", metavar="TEXT", help="a text, plain or .gz; a manifest (.jsonl); or - for standard input"
    )
    _add_unit(parser, _UNIT_OF_ARPA)
    _add_single_words(parser)
    parser.set_defaults(action=_perplexity)
    return parser


def _add_unit(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--unit", choices=_UNITS, help=text)


def _add_single_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--single-words",
        action="store_true",
        help="treat each word of the texts as a sentence: for recognisers that read one word at a time",
    )


def _add_pruning(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prune",
        type=float,
        metavar="SHARE",
        help="remove n-grams whose removal raises the perplexity by less than this fraction, such as 1e-8",
    )
    parser.add_argument("--keep", type=int, metavar="N", help="remove n-grams until N are left")


def _add_measuring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quantise", action="store_true", help="store each number in 8 bits: about two bytes per n-gram (.lm files)"
    )
    parser.add_argument(
        "--held-out",
        action="append",
        default=[],
        metavar="TEXT",
        help="report the perplexity of this text, which must not be a part of the other texts (repeatable)",
    )


def _build(given: argparse.Namespace) -> None:
    from asr.cli.progress import Steps
    from asr.lm.building import Sources, estimated, held_out_text, mixture, smaller
    from asr.lm.stored import check_name

    check_name(given.out, given.quantise)
    unit: Unit | None = given.unit
    mixed = [_loaded(name, unit) for name in given.mix]
    vocabulary, inventory = _vocabulary(given.vocabulary), _inventory(given.labels_of)
    if vocabulary and inventory:
        raise ConfigError("--vocabulary and --labels-of exclude each other; give one of them")
    unit = unit or (mixed[0].unit if mixed else inventory.unit if inventory else "characters")
    sources = Sources(given.texts, given.words, given.counts, unit, given.single_words, vocabulary, inventory)
    if not sources and len(mixed) < 2:
        raise ConfigError("there is nothing to build from; give a TEXT, --words or --counts (see asr-lm build --help)")
    if given.weight and not mixed:
        raise ConfigError("--weight is the weight of a model of --mix; give --mix MODEL, or leave --weight out")
    held_out = held_out_text(given.held_out, unit, given.single_words, inventory)
    with Steps() as steps:
        named: dict[str, NgramModel] = {}
        if sources:
            named["built"] = estimated(sources, given.order, steps)
        named |= dict(zip(given.mix, mixed, strict=True))
        model = next(iter(named.values()))
        if len(named) > 1:
            model, weights = mixture(list(named.values()), given.weight, held_out)
            named = {
                f"{name}, weight {one:.3f}": part for (name, part), one in zip(named.items(), weights, strict=True)
            }
            named["mixed"] = model
        before, model = len(model.trie), smaller(model, given.prune, given.keep, steps)
        if len(model.trie) < before:
            named["pruned"] = model
    _finish(named, model, held_out, given)


def _convert(given: argparse.Namespace) -> None:
    from asr.lm.building import held_out_text
    from asr.lm.stored import check_name

    check_name(given.out, given.quantise)
    model = _loaded(given.model, given.unit)
    held_out = held_out_text(given.held_out, model.unit, given.single_words)
    _finish({given.model: model}, model, held_out, given)


def _prune(given: argparse.Namespace) -> None:
    from asr.cli.progress import Steps
    from asr.lm.building import held_out_text, smaller
    from asr.lm.stored import check_name

    check_name(given.out, given.quantise)
    if given.prune is None and given.keep is None:
        raise ConfigError("the amount to prune is missing; give --prune SHARE or --keep N")
    model = _loaded(given.model, given.unit)
    held_out = held_out_text(given.held_out, model.unit, given.single_words)
    with Steps() as steps:
        pruned = smaller(model, given.prune, given.keep, steps)
    _finish({given.model: model, "pruned": pruned}, pruned, held_out, given)


def _perplexity(given: argparse.Namespace) -> None:
    from asr.cli.progress import Steps
    from asr.lm.building import held_out_text

    model = _any_loaded(given.model, given.unit)
    rows = []
    with Steps() as steps:
        for number, path in enumerate(given.texts):
            steps("measuring", number, len(given.texts))
            rows.append([path, *_figures(model, held_out_text([path], model.unit, given.single_words))])
        steps("measuring", len(given.texts), len(given.texts))
    _print(["text", *_FIGURES], rows)


def _finish(
    named: dict[str, NgramModel], model: NgramModel, held_out: Sequence[str], given: argparse.Namespace
) -> None:
    """Save a model, and report its perplexity and that of its parts on the held-out text.

    Args:
        named: the model and the models that it was made from, by the names for the table.
        model: the model to save.
        held_out: the sentences of the held-out text; without any, no perplexity is reported.
        given: the parsed command line.
    """
    from asr.cli.console import say
    from asr.lm.stored import save_model

    save_model(given.out, model, given.quantise)
    sizes = " + ".join(f"{one:,}" for one in _sizes(model))
    say(f"wrote {given.out}: {len(model.trie) - 1:,} n-grams ({sizes}), {given.out.stat().st_size / 1e6:.2f} MB")
    if not held_out:
        if given.quantise:
            say("the effect of 8 bits on the perplexity was not measured; to measure it, add --held-out TEXT")
        return
    if given.quantise:
        named = named | {"8 bits": _loaded(str(given.out), None)}
    rows = [[name, f"{len(one.trie) - 1:,}", *_figures(one, held_out)] for name, one in named.items()]
    _print(["model", "n-grams", *_FIGURES], rows)


_FIGURES = ("sentences", "symbols", "unknown %", "perplexity", "bits/character")


def _figures(model: LanguageModel, text: Sequence[str]) -> list[str]:
    from asr.lm.ngram import NgramModel
    from asr.lm.perplexity import measure_perplexity
    from asr.lm.recurrent import RecurrentModel
    from asr.lm.recurrent_perplexity import measure_recurrent_perplexity

    if isinstance(model, RecurrentModel):
        found = measure_recurrent_perplexity(model, text)
    else:
        assert isinstance(model, NgramModel)
        found = measure_perplexity(model, text)
    bits = found.bits_per_character
    return [
        f"{found.sentences:,}",
        f"{found.symbols:,}",
        f"{100 * found.unknown_share:.2f}",
        f"{found.perplexity:.4g}",
        "-" if bits is None else f"{bits:.4f}",
    ]


def _print(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from asr.cli.tables import print_table
    from asr.report.tables import TextTable

    print_table(TextTable(headings, 1, [rows]))


def _sizes(model: NgramModel) -> list[int]:
    return [high - low for low, high in pairwise(model.trie.levels[1:])]


def _loaded(name: str, unit: Unit | None) -> NgramModel:
    from asr.lm.ngram import NgramModel

    model = _any_loaded(name, unit)
    if not isinstance(model, NgramModel):
        raise ConfigError(f"{name} is not an n-gram model; asr-lm can only measure the perplexity of other models")
    return model


def _any_loaded(name: str, unit: Unit | None) -> LanguageModel:
    from asr.lm.stored import load_model

    model = load_model(name, unit)
    if unit is not None and model.unit != unit:
        raise ConfigError(f"{name} is a model of {model.unit}, not of {unit}; use another model or another --unit")
    return model


def _vocabulary(file: str | None) -> Sequence[str]:
    """Read the symbols of a closed vocabulary; return an empty sequence for an open one."""
    if file is None:
        return ()
    from asr.lm.texts import read_symbols

    return read_symbols(file)


def _inventory(recogniser: str | None) -> Inventory | None:
    """Return the labels of a recogniser; None if none is given."""
    if recogniser is None:
        return None
    from asr.recogniser.loading import load

    return load(recogniser, decoder="greedy").inventory  # files of its own decoder may be missing
