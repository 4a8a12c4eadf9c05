"""Command-line options that choose a decoder: `--lm`, `--words`, `--only-words` and `--labels`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asr.cli.console import warn
from asr.errors import ConfigError

if TYPE_CHECKING:
    from asr.decoding.choice import DecoderChoice, Wish


def add_decoder(parser: argparse.ArgumentParser) -> None:
    """Add `--lm`, `--words`, `--only-words` and `--labels`."""
    parser.add_argument(
        "--lm",
        metavar="FILE",
        help="a language model of your own texts (.lm, .arpa or .arpa.gz; asr-lm builds one), or the name of one that"
        " comes with the package; short for decoder=beam decoder.lm=FILE decoder.lm_weight=0.75"
        " decoder.insertion_bonus=0.5; a model that has a language model already keeps its own weights",
    )
    parser.add_argument(
        "--words",
        metavar="FILE",
        help="words and names to expect, one a line, optionally followed by a tab and a frequency; other words are"
        " recognised too (a model of phonemes takes labels instead, such as `hh ah l ow`); short for decoder=beam"
        " decoder.boost=FILE",
    )
    parser.add_argument(
        "--only-words",
        metavar="FILE",
        help="recognise these words and no others; a model of phonemes needs each word with its pronunciation, such as"
        " `HELLO hh ah l ow`; short for decoder=lexicon decoder.lexicon=FILE decoder.word_lm_weight=0.25"
        " decoder.label_lm_weight=0.25 (the weights of frequencies and --lm); a model that has a lexicon already keeps"
        " its own weights",
    )
    parser.add_argument(
        "--labels",
        metavar="LABELS",
        help="allow these labels only, for example in a field of a form: labels of the model with spaces between them,"
        " such as '1 2 3 X'; a model of characters also accepts the classes digits, upper, lower, letters, symbols and"
        " space, such as 'digits . -'; short for decoder.labels=LABELS",
    )


def given_decoder(given: argparse.Namespace, options: Sequence[str]) -> Wish:
    """Return the decoder that the command line asks for; None for the model's own decoder.

    Args:
        given: the parsed options of `add_decoder`.
        options: the words `decoder=NAME` and `decoder.OPTION=VALUE`.

    Raises:
        ConfigError: both `--labels` and `decoder.labels=` are given.
    """
    if given.labels is not None:
        if any(option.startswith("decoder.labels=") for option in options):
            raise ConfigError("--labels and decoder.labels= exclude each other; give one of them")
        options = [*options, f"decoder.labels={json.dumps(given.labels)}"]
    if not (given.lm or given.words or given.only_words):
        return list(options) or None
    from asr.decoding.own_words import OwnWords

    return OwnWords(given.lm, given.words, given.only_words, tuple(options))


def warn_of_greedy(decoder: DecoderChoice, n_best: int | None) -> None:
    """Warn if the user asks for several texts, but greedy search is used, which finds only one."""
    from asr.decoding.greedy import GreedyConfig

    if (n_best or 1) > 1 and decoder.component.target == GreedyConfig()._target_:
        warn(f"--nbest {n_best}: greedy search finds only one text; use decoder=beam, --lm or --words")


def positive(text: str) -> int:
    """Convert a text to a whole number of at least 1.

    Raises:
        argparse.ArgumentTypeError: the text is no such number, or has more than nine digits.

    >>> positive("12")
    12
    """
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text[:20]}'; expected a whole number, 1 or more")
    return int(text)
