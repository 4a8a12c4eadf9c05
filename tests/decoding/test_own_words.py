"""A user's own words and texts choose the decoder that uses them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from asr.config import Component
from asr.decoding import own_words
from asr.decoding.beam import BeamConfig
from asr.decoding.choice import DECODERS, choose_decoder, decoder_for, named
from asr.decoding.greedy import GreedyConfig
from asr.decoding.own_words import OwnWords
from asr.errors import ConfigError
from asr.lm.corpus import Corpus
from asr.lm.stored import save_model
from tests.lm.samples import estimate

UNTUNED = Component.of(BeamConfig(lm_weight=0.75, insertion_bonus=0.5))
GREEDY, BEAM = Component.of(GreedyConfig()), Component.of(BeamConfig(lm="english", lm_weight=0.5))


def test_a_language_model_takes_the_place_of_greedy_search() -> None:
    chosen = decoder_for(OwnWords(lm="my texts: 1.lm"), named(GREEDY))
    assert chosen.component == UNTUNED.with_options(lm="my texts: 1.lm")
    chosen = decoder_for(OwnWords(lm="a.lm"), named(Component.of(BeamConfig(beam=7))))
    assert chosen.component == UNTUNED.with_options(lm="a.lm", beam=7)


def test_a_decoder_that_can_use_it_stays_with_its_weights() -> None:
    chosen = decoder_for(OwnWords(lm="2024"), named(BEAM, "dev"))
    assert chosen.component == BEAM.with_options(lm="2024")
    assert chosen.chosen_on is None


def test_given_options_count_before_what_follows() -> None:
    own = OwnWords(lm="a.lm", options=["decoder.beam=7", "decoder.lm_weight=2"])
    assert decoder_for(own, named(GREEDY)).component == UNTUNED.with_options(lm="a.lm", beam=7, lm_weight=2.0)
    own = OwnWords(lm="a.lm", options=["decoder=beam"])
    assert decoder_for(own, named(BEAM)).component == Component.of(BeamConfig(lm="a.lm"))


@pytest.mark.skipif("lexicon" not in DECODERS, reason="there is no lexicon decoder yet")
def test_only_words_are_a_lexicon_and_a_model_has_its_place_by_its_unit(tmp_path: Path) -> None:
    for unit, option in (("words", "word_lm"), ("characters", "label_lm")):
        path = tmp_path / f"{unit}.lm"
        save_model(path, estimate(Corpus.of(["a b a", "b a"], unit), 2))
        chosen = choose_decoder(OwnWords(lm=str(path), only_words="names.txt").decoder(GREEDY), GREEDY)
        assert chosen.name.startswith("lexicon,lexicon=names")
        assert chosen.component.options[option] == str(path)


@pytest.mark.skipif("boost" not in BeamConfig.__dataclass_fields__, reason="beam search has no phrases to boost yet")
def test_words_that_are_expected_are_boosted() -> None:
    chosen = decoder_for(OwnWords(words="names.txt"), named(BEAM))
    assert chosen.component == BEAM.with_options(boost="names.txt")


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (
            OwnWords(words="n", options=["decoder=lexicon"]),
            "--words requires .*, not decoder=lexicon; .*--only-words",
        ),
        (OwnWords(words="n", options=["decoder=greedy"]), "--words requires decoder=beam, not decoder=greedy"),
        (OwnWords(only_words="n", options=["decoder=beam"]), "--only-words requires decoder=lexicon, not decoder=beam"),
        (OwnWords(lm="a.lm", options=["decoder=lexicon"]), "--lm requires decoder=beam, not decoder=lexicon"),
    ],
)
def test_a_decoder_that_cannot_use_it_is_refused_in_words_that_were_typed(own: OwnWords, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        decoder_for(own, named(GREEDY))


def test_presets_of_a_lexicon_take_the_only_words() -> None:
    chosen = decoder_for(OwnWords(only_words="n.txt", options=["decoder=one_word"]), named(GREEDY))
    assert (chosen.component.options["lexicon"], chosen.component.options["one_word"]) == ("n.txt", True)


@pytest.mark.parametrize(
    ("wish", "stays"),
    [
        (OwnWords(lm="other.lm"), False),
        (OwnWords(words="names.txt"), False),
        (["decoder.lm=other.lm"], False),
        (OwnWords(lm="mine.lm"), True),
        (["decoder.beam=9"], False),
        (["decoder.lm=other.lm", f"decoder.calibration={[0.5] * 9}"], True),
    ],
)
def test_other_options_take_a_calibration_away(wish: OwnWords | list[str], stays: bool) -> None:
    tuned = named(Component.of(BeamConfig(lm="mine.lm", calibration=[1.5] * 9)), "dev")
    chosen = decoder_for(wish, tuned).component.options
    assert bool(chosen["calibration"]) == stays
    assert chosen["lm_weight"] == 1.0


def test_the_help_says_which_weights_it_begins_with() -> None:
    from asr.cli.decoders import add_decoder

    parser = argparse.ArgumentParser()
    add_decoder(parser)
    page = Path(__file__).parents[2] / "docs" / "tutorials" / "own_words.md"
    told = parser.format_help() + page.read_text(encoding="utf-8")
    for one in (*own_words.UNTUNED, *own_words.UNTUNED_LEXICON):
        assert told.count(one) == 2, one


def test_words_are_expected_or_the_only_ones() -> None:
    with pytest.raises(ConfigError, match="both --words and --only-words are given; give one"):
        decoder_for(OwnWords(words="a", only_words="b"), named(GREEDY))
