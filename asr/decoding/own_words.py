"""A user's own words and texts: which decoder uses them, and with which options."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields

from asr.config import Component, config_class
from asr.errors import ConfigError

UNTUNED = ("decoder.lm_weight=0.75", "decoder.insertion_bonus=0.5")
"""Weights of a language model until they are tuned. On three development sets (AN4, and UNIPEN's words and lines, with
character 6-grams of their training texts) they take word errors from 11, 32 and 38 % without a model to 8, 12 and 14 %;
the best ones for each set, which differ from each other, to 8, 8 and 14 %."""

UNTUNED_LEXICON = ("decoder.word_lm_weight=0.25", "decoder.label_lm_weight=0.25")
"""The same for a lexicon, whose words leave less to a language model; chosen on AN4's development set only."""


@dataclass(frozen=True)
class OwnWords:
    """A user's knowledge of the texts to be recognised.

    Attributes:
        lm: a language model, by the name under which it comes with the package, or its file.
        words: a file of words that are expected; others are recognised too.
        only_words: a file of words; no others are recognised.
        options: of the decoder, as on a command line; they count before anything that follows from the rest.
    """

    lm: str | None = None
    words: str | None = None
    only_words: str | None = None
    options: Sequence[str] = ()

    def decoder(self, default: Component) -> list[str]:
        """Return the options that choose the decoder, as `asr.decoding.choice.choose_decoder` takes them.

        The default decoder is kept if it has the needed options; otherwise the prefix beam search replaces it, or the
        lexicon's where no other words are recognised.

        Args:
            default: the decoder that the model has.

        Raises:
            ConfigError: words that are expected together with the only ones.
        """
        if self.words and self.only_words:
            raise ConfigError("give --words, or --only-words, which recognises no others; not both")
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
        """See whether the decoder that is asked for by name can use what is known.

        Args:
            chosen: the decoder.
            asked: the option that names it, for messages.

        Raises:
            ConfigError: it cannot; names the one that can.
        """
        has = _options(chosen)
        if not has:  # a class of somebody else's says itself what it has
            return
        if self.words and "boost" not in has:
            raise ConfigError(
                f"--words needs decoder=beam, not {asked}; leave that out, or give --only-words, with which no other"
                " words are recognised"
            )
        if self.only_words and "lexicon" not in has:
            raise ConfigError(f"--only-words needs decoder=lexicon, not {asked}; leave that out")
        if self.lm and not self.only_words and "lm" not in has:
            raise ConfigError(
                f"--lm needs decoder=beam, not {asked}; leave that out, or give the words of a lexicon with"
                " --only-words"
            )

    def _language_model(self, lm: str) -> str:
        """Return the option for a language model; the lexicon's decoder has one for words and one for labels."""
        if not self.only_words:
            return "lm"
        from asr.lm.stored import load_model

        return "word_lm" if load_model(lm).unit == "words" else "label_lm"


def _options(component: Component) -> set[str]:
    schema = config_class(component.target)
    return set() if schema is None else {one.name for one in fields(schema)}
