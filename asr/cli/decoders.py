"""The options of commands that decode: the user's own words and language model beside `decoder=NAME`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asr.decoding.choice import Wish


def add_decoder(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which texts are to be expected."""
    parser.add_argument(
        "--lm",
        metavar="FILE",
        help="a language model of your own texts (.lm, .arpa or .arpa.gz; asr-lm makes one), or the name of one that"
        " comes with the package; short for decoder=beam decoder.lm=FILE",
    )
    parser.add_argument(
        "--words",
        metavar="FILE",
        help="words and names that are expected, one a line, with or without a tab and a frequency; others are"
        " recognised too; short for decoder=beam decoder.boost=FILE",
    )
    parser.add_argument(
        "--only-words",
        metavar="FILE",
        help="recognise these words and no others; short for decoder=lexicon decoder.lexicon=FILE",
    )


def given_decoder(given: argparse.Namespace, options: Sequence[str]) -> Wish:
    """Return the decoder that the command line asks for; None where it asks for none.

    Args:
        given: with the options of `add_decoder`.
        options: `decoder=NAME` and `decoder.OPTION=VALUE`.
    """
    if not (given.lm or given.words or given.only_words):
        return list(options) or None
    from asr.decoding.own_words import OwnWords

    return OwnWords(given.lm, given.words, given.only_words, tuple(options))


def positive(text: str) -> int:
    """Read a whole number of at least 1.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text[:20]}'; expected a whole number, 1 or more")
    return int(text)
