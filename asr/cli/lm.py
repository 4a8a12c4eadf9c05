"""`asr-lm`: build n-gram language models from texts, convert and prune them, and measure how well they predict."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from asr.cli.command import add_debug, run
from asr.errors import ConfigError

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory
    from asr.lm.model import LanguageModel, Unit
    from asr.lm.ngram import NgramModel

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_UNITS = ("characters", "labels", "words")
_MODEL = "a .lm, .arpa or .arpa.gz file, or the name of a model that comes with the package"


def main() -> None:
    """Entry point."""
    run(_main)


def _main() -> None:
    given, others = _parser().parse_known_args()
    if "place" in given:
        others = _with_place(given, others)
    if others:
        given.parser.error(f"unrecognized arguments: {' '.join(others)}")  # with the usage of the command
    given.action(given)


def _with_place(given: argparse.Namespace, others: list[str]) -> list[str]:
    """Settle the file to write, which stands behind the model or behind `--out`; return the words still not read."""
    if given.place is None and given.out is None and len(others) == 1 and not others[0].startswith("-"):
        given.place, others = Path(others[0]), []  # behind options: argparse looks for it beside the model only
    if (given.place is None) == (given.out is None) and not others:
        given.parser.error("say once which file to write: OUT behind the model, or --out OUT")
    given.out = given.out or given.place
    return others


def _add_place(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("place", nargs="?", type=Path, metavar="out", help=text)
    parser.add_argument("--out", type=Path, metavar="FILE", help="the same, as for build")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-lm",
        description="Build, convert, prune and measure n-gram language models. Decoders combine them with the network"
        " when you give, for example, --lm mine.lm",
        epilog="examples:\n"
        "  asr-lm build notes.txt --order 6 --out mine.lm\n"
        "  asr-lm perplexity mine.lm letters.txt\n"
        "  asr-lm build --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_build(commands: _Commands) -> argparse.ArgumentParser:
    parser = _add(
        commands,
        "build",
        "estimate a model from texts, and mix it with others",
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
        help="a text with a sentence a line, plain or .gz, - for standard input, or a manifest (.jsonl)",
    )
    parser.add_argument(
        "--words",
        action="append",
        default=[],
        metavar="FILE",
        help="a word list: a word a line, with its frequency behind a tab or without; each word is a sentence"
        " (repeatable)",
    )
    parser.add_argument("--counts", metavar="FILE", help="counts of n-grams: symbols, a tab, and the count a line")
    _add_unit(parser, "what the symbols are (default: characters)")
    parser.add_argument(
        "--order", type=int, metavar="N", help="length of the longest n-grams (default: 6; of labels and words 3)"
    )
    _add_single_words(parser)
    parser.add_argument(
        "--vocabulary",
        metavar="FILE",
        help="a file with a symbol a line: each gets a probability, and all others count as unknown",
    )
    parser.add_argument(
        "--labels-of",
        metavar="MODEL",
        help="use the labels of this recogniser as the vocabulary, and fold labels of manifests as it does",
    )
    parser.add_argument("--mix", action="append", default=[], metavar="MODEL", help=f"mix with {_MODEL} (repeatable)")
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        type=float,
        metavar="SHARE",
        help="share of the model of each --mix in the mixture, 0 to 1 (repeatable); without it, chosen on --held-out",
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
        "write a model in another form",
        "Write a model as another kind of file: ARPA, which all programs read, or .lm, which loads at once.",
        "  asr-lm convert other.arpa.gz mine.lm\n  asr-lm convert mine.lm small.lm --quantise --held-out dev.txt",
    )
    parser.add_argument("model", help=_MODEL)
    _add_place(parser, "the file to write; its suffix chooses the format")
    _add_unit(parser, "what the symbols of an ARPA file are, where it does not say so")
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
    _add_place(parser, "a .lm, .arpa or .arpa.gz file to write")
    _add_unit(parser, "what the symbols of an ARPA file are, where it does not say so")
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
        "Report the perplexity of texts, the bits per character, and the share of words that the model does not know."
        " Unknown words are left out of both measures.",
        "  asr-lm perplexity mine.lm dev.txt test.jsonl",
    )
    parser.add_argument("model", help=_MODEL)
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="a text, plain or .gz, -, or a manifest (.jsonl)")
    _add_unit(parser, "what the symbols of an ARPA file are, where it does not say so")
    _add_single_words(parser)
    parser.set_defaults(action=_perplexity)
    return parser


def _add_unit(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--unit", choices=_UNITS, help=text)


def _add_single_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--single-words",
        action="store_true",
        help="take each word of the texts for a sentence of its own: for models that recognise one word at a time",
    )


def _add_pruning(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prune",
        type=float,
        metavar="SHARE",
        help="remove n-grams whose removal raises the perplexity by less than this share, such as 1e-8",
    )
    parser.add_argument("--keep", type=int, metavar="N", help="remove n-grams until N are left")


def _add_measuring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quantise", action="store_true", help="keep each number in 8 bits: about two bytes an n-gram (.lm files)"
    )
    parser.add_argument(
        "--held-out",
        action="append",
        default=[],
        metavar="TEXT",
        help="report the perplexity of this text, which nothing was estimated from (repeatable)",
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
        raise ConfigError("--vocabulary and --labels-of are two vocabularies; give one")
    unit = unit or (mixed[0].unit if mixed else inventory.unit if inventory else "characters")
    sources = Sources(given.texts, given.words, given.counts, unit, given.single_words, vocabulary, inventory)
    if not sources and len(mixed) < 2:
        raise ConfigError("there is nothing to build from; give a TEXT, --words or --counts (see asr-lm build --help)")
    if given.weight and not mixed:
        raise ConfigError("--weight is the share of a model of --mix; give --mix MODEL, or leave --weight out")
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
        raise ConfigError("how far to prune is not known; give --prune SHARE or --keep N")
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
    """Save a model, and report the perplexity of it and of what it was made of."""
    from asr.cli.console import say
    from asr.lm.stored import save_model

    save_model(given.out, model, given.quantise)
    sizes = " + ".join(f"{one:,}" for one in _sizes(model))
    say(f"wrote {given.out}: {len(model.trie) - 1:,} n-grams ({sizes}), {given.out.stat().st_size / 1e6:.2f} MB")
    if not held_out:
        if given.quantise:
            say("how much 8 bits change the perplexity was not measured: add --held-out TEXT to the command")
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
        raise ConfigError(f"{name} is not an n-gram model; asr-lm only measures the perplexity of other models")
    return model


def _any_loaded(name: str, unit: Unit | None) -> LanguageModel:
    from asr.lm.stored import load_model

    model = load_model(name, unit)
    if unit is not None and model.unit != unit:
        raise ConfigError(f"{name} is a model of {model.unit}, not of {unit}; give another, or another --unit")
    return model


def _vocabulary(file: str | None) -> Sequence[str]:
    """Read the symbols of a closed vocabulary; none where it is open."""
    if file is None:
        return ()
    from asr.lm.texts import read_symbols

    return read_symbols(file)


def _inventory(recogniser: str | None) -> Inventory | None:
    """Load the labels of a recogniser."""
    if recogniser is None:
        return None
    from asr.recogniser.loading import load

    return load(recogniser, decoder="greedy").inventory  # its own may want files that are lost
