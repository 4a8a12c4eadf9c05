"""`asr-generate`: write text with a language model, one symbol after another."""

from __future__ import annotations

import argparse
import sys

from asr.cli.command import add_debug, run
from asr.lm.generation import generated
from asr.lm.stored import SUFFIXES


def main() -> None:
    """Entry point."""
    run(_main)


def _main() -> None:
    given = _parser().parse_args()
    from asr.experiment.language_models import load_language_model

    model = load_language_model(given.model)
    text = generated(model, given.prompt, given.length, given.temperature, given.seed)
    sys.stdout.write(given.prompt)
    if model.unit != "characters" and given.prompt and not given.prompt[-1].isspace():
        sys.stdout.write(" ")  # each word or label is written with a blank behind it
    for symbol in text:
        sys.stdout.write(symbol)
        sys.stdout.flush()
    sys.stdout.write("\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="asr-generate",
        description="Write text with a language model. Each symbol is drawn with the probability that the model gives"
        " it, to the power of 1 / temperature.",
        epilog='example: asr-generate runs/books/char_lstm/2026-01-01_12-00-00 --prompt "The " --temperature 0.8'
        " (of the shipped models english_single_words writes best: words, one a line; half of english_letters is flat,"
        " so it writes letters at random)",
    )
    endings = ", ".join(SUFFIXES)
    parser.add_argument(
        "model", metavar="MODEL", help=f"a run folder, a file ({endings}), or the name of a shipped model"
    )
    parser.add_argument("--prompt", metavar="TEXT", default="", help="the beginning of the text (default: none)")
    parser.add_argument("--length", metavar="N", type=int, default=400, help="symbols to write (default 400)")
    parser.add_argument(
        "--temperature",
        metavar="X",
        type=float,
        default=0.8,
        help="below 1: more probable text, 0: always the most probable symbol, above 1: wilder (default 0.8)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=1, help="the same seed gives the same text (default 1)"
    )
    add_debug(parser)
    return parser
