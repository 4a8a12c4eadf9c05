"""`asr-generate`: write text with a language model, one symbol after another."""

from __future__ import annotations

import argparse
import sys

from asr.cli.command import HelpFormatter, add_debug, run
from asr.lm.generation import generated
from asr.lm.stored import SUFFIXES


def main() -> None:
    """Run `asr-generate`."""
    run(_main)


def _main() -> None:
    given = _parser().parse_args()
    from asr.experiment.language_models import load_language_model

    model = load_language_model(given.model)
    text = generated(model, given.prompt, given.length, given.temperature, given.seed)
    sys.stdout.write(given.prompt)
    if model.unit != "characters" and given.prompt and not given.prompt[-1].isspace():
        sys.stdout.write(" ")  # a model of words or labels writes a space after each symbol
    for symbol in text:
        sys.stdout.write(symbol)
        sys.stdout.flush()
    sys.stdout.write("\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-generate",
        description="Write text with a language model. Each symbol is drawn at random, with the model's probability to"
        " the power of 1 / temperature.",
        epilog="examples:\n"
        '  asr-generate runs/books/char_lstm/2026-01-01_12-00-00 --prompt "The " --temperature 0.8\n'
        "  asr-generate english_single_words   # the best of the models that come with the package: one word a line",
        formatter_class=HelpFormatter,
    )
    endings = ", ".join(SUFFIXES)
    parser.add_argument(
        "model", help=f"a run folder, a file ({endings}), or the name of a model that comes with the package"
    )
    parser.add_argument("--prompt", metavar="TEXT", default="", help="the beginning of the text (default: none)")
    parser.add_argument(
        "--length", metavar="N", type=int, default=400, help="the number of symbols to write (default 400)"
    )
    parser.add_argument(
        "--temperature",
        metavar="X",
        type=float,
        default=0.8,
        help="below 1: more probable text; 0: always the most probable symbol; above 1: more random text (default 0.8)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=1, help="random seed; the same seed gives the same text (default 1)"
    )
    add_debug(parser)
    return parser
