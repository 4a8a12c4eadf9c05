"""Choose the decoder and the options that use a user's language model or word lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields

from asr.config import Component, config_class
from asr.errors import ConfigError

UNTUNED = ("decoder.lm_weight=0.75", "decoder.insertion_bonus=0.5")
"""Weights of a language model before they are tuned. On three development sets (AN4, and UNIPEN's words and lines, with
character 6-grams of their training texts) they reduce the word error rate from 11, 32 and 38 % without a model to 8, 12
and 14 %; the best weights for each set reduce it to 8, 8 and 14 %."""

UNTUNED_LEXICON = ("decoder.word_lm_weight=0.25", "decoder.label_lm_weight=0.25")
"""The same for a decoder with a lexicon, which needs a language model less; chosen on AN4's development set only."""


@dataclass(frozen=True)
class OwnWords:
    """A user's knowledge about the texts to be recognised.

    Attributes:
        lm: a language model: a file, or the name of a model that comes with the package.
        words: a file of expected words; other words are recognised, too.
        only_words: a file of words; no other words are recognised.
        options: options of the decoder, as on a command line; they override those that follow from the other fields.

    >>> from asr.decoding.greedy import GreedyConfig
    >>> OwnWords(words="names.txt").decoder(Component.of(GreedyConfig()))
    ['decoder=beam', 'decoder.boost="names.txt"']
    """

    lm: str | None = None
    words: str | None = None
    only_words: str | None = None
    options: Sequence[str] = ()

    def decoder(self, default: Component) -> list[str]:
        """Return the options for `asr.decoding.choice.choose_decoder`.

        The default decoder is kept if it has the needed options. Otherwise prefix beam search replaces it or, with
        `only_words`, lexicon decoding.

        Args:
            default: the decoder of the model.

        Raises:
            ConfigError: both `words` and `only_words` are given.
        """
        if self.words and self.only_words:
            raise ConfigError("both --words and --only-words are given; give one (--only-words allows no other words)")
        wanted = {} if self.words is None else {"boost": self.words}
        if self.only_words:
            wanted = {"lexicon": self.only_words}
        if self.lm:
            wanted[self._language_model(self.lm)] = self.lm
        begin = [] if wanted.keys() <= _options(default) else [f"decoder={'lexicon' if self.only_words else 'beam'}"]
        if "lm" in wanted and (begin or default.options.get("lm") is None):
            begin += UNTUNED
        if "lexicon" in wanted and begin:
            begin += UNTUNED_LEXICON
        return [*begin, *(f"decoder.{name}={json.dumps(value)}" for name, value in wanted.items()), *self.options]

    def check(self, chosen: Component, asked: str) -> None:
        """Check that the decoder that a user names can use the language model and the words.

        Args:
            chosen: the decoder.
            asked: the option that names it, for messages.

        Raises:
            ConfigError: it cannot; the message names the decoder that can.
        """
        has = _options(chosen)
        if not has:  # a class of the user's own: its constructor raises
            return
        if self.words and "boost" not in has:
            raise ConfigError(
                f"--words requires decoder=beam, not {asked}; leave out {asked}, or give --only-words, which allows no"
                " other words"
            )
        if self.only_words and "lexicon" not in has:
            raise ConfigError(f"--only-words requires decoder=lexicon, not {asked}; leave out {asked}")
        if self.lm and not self.only_words and "lm" not in has:
            raise ConfigError(
                f"--lm requires decoder=beam, not {asked}; leave out {asked}, or give the words of a lexicon with"
                " --only-words"
            )

    def _language_model(self, lm: str) -> str:
        """Return the option that takes a language model; lexicon decoding has one for words and one for labels."""
        if not self.only_words:
            return "lm"
        from asr.lm.stored import load_model

        return "word_lm" if load_model(lm).unit == "words" else "label_lm"


def _options(component: Component) -> set[str]:
    schema = config_class(component.target)
    return set() if schema is None else {one.name for one in fields(schema)}
