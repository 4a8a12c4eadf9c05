"""A decoder is chosen by name, with options, or as a class of the user's own."""

from __future__ import annotations

import pytest

from asr.config import Component
from asr.decoding.choice import choose_decoder, named
from asr.decoding.greedy import GreedyConfig
from asr.errors import ConfigError

GREEDY = Component.of(GreedyConfig())


def test_without_options_it_is_the_default() -> None:
    assert choose_decoder([], GREEDY) == named(GREEDY)
    assert choose_decoder(["decoder=greedy"], Component("my.Beam", {})).component == GREEDY
    assert named(GREEDY).name == "greedy"


def test_a_class_of_ones_own_takes_any_option() -> None:
    choice = choose_decoder(
        ["decoder=tests.decoding.toy_beam.ToyBeam", "decoder.width=7"], GREEDY, ["tests.decoding.toy_beam"]
    )
    assert choice.component == Component("tests.decoding.toy_beam.ToyBeam", {"width": 7})
    assert (choice.name, choice.chosen_on) == ("ToyBeam,width=7", None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["decoder=greddy"], r"there is no decoder 'greddy'; did you mean 'greedy'\?"),
        (["decoder.width=7"], r"there is no option 'decoder\.width'; greedy has calibration, labels"),
        (
            ["decoder.lm=a.lm"],
            "^greedy has no option 'lm'; add decoder=beam, or use --lm; greedy has calibration, labels$",
        ),
        (["decoder.beam=9"], "greedy has no option 'beam'; add decoder=beam; greedy has"),
        (["decoder.lexicon=a"], "greedy has no option 'lexicon'; add decoder=lexicon, or use --only-words; greedy"),
        (["decoder=beam", "decoder.lexicon=a"], "beam has no option 'lexicon'; add decoder=lexicon"),
        (["decoder=os.system"], "lies outside this package"),
        (["width=7"], r"'width=7': expected decoder=NAME or decoder\.OPTION=VALUE"),
        (["decoder"], r"'decoder': expected decoder=NAME"),
        (["decoder=greedy", "decoder.x=["], "cannot be read as a value"),
    ],
)
def test_what_is_no_decoder_is_named(options: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose_decoder(options, GREEDY)
