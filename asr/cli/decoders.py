"""The options of commands that decode: the user's own words and language model beside `decoder=NAME`."""

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
    """Add the options that say which texts are to be expected."""
    parser.add_argument(
        "--lm",
        metavar="FILE",
        help="a language model of your own texts (.lm, .arpa or .arpa.gz; asr-lm makes one), or the name of one that"
        " comes with the package; short for decoder=beam decoder.lm=FILE decoder.lm_weight=0.75"
        " decoder.insertion_bonus=0.5, but the model's own weights stay where it has a language model already",
    )
    parser.add_argument(
        "--words",
        metavar="FILE",
        help="words and names that are expected, one a line, with or without a tab and a frequency; others are"
        " recognised too (a model of phonemes takes their labels, such as `hh ah l ow`); short for decoder=beam"
        " decoder.boost=FILE",
    )
    parser.add_argument(
        "--only-words",
        metavar="FILE",
        help="recognise these words and no others (for a model of phonemes each word and its pronunciation, such as"
        " `HELLO hh ah l ow`); short for decoder=lexicon decoder.lexicon=FILE"
        " decoder.word_lm_weight=0.25 decoder.label_lm_weight=0.25 (the weights of frequencies and --lm), but the"
        " model's own weights stay where it has a lexicon already",
    )
    parser.add_argument(
        "--labels",
        metavar="LABELS",
        help="write no other labels, for the fields of a form: labels of the model with blanks between them, such as"
        " '1 2 3 X'; for a model of characters kinds of them too, such as 'digits . -' (there are digits, upper, lower,"
        " letters, symbols and space); short for decoder.labels=LABELS",
    )


def given_decoder(given: argparse.Namespace, options: Sequence[str]) -> Wish:
    """Return the decoder that the command line asks for; None where it asks for none.

    Args:
        given: with the options of `add_decoder`.
        options: `decoder=NAME` and `decoder.OPTION=VALUE`.

    Raises:
        ConfigError: the labels are given twice.
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
    """Warn where several texts are wanted of greedy search, which finds one."""
    from asr.decoding.greedy import GreedyConfig

    if (n_best or 1) > 1 and decoder.component.target == GreedyConfig()._target_:
        warn(f"--nbest {n_best}: greedy search finds one text; take decoder=beam, or --lm or --words")


def positive(text: str) -> int:
    """Read a whole number of at least 1.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text[:20]}'; expected a whole number, 1 or more")
    return int(text)
