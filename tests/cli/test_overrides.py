"""What is said of options that cannot be."""

from __future__ import annotations

import pytest
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from asr.cli.overrides import check_groups, explain
from asr.errors import ConfigError
from tests.composing import compose


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("training.epochs=many", "training.epochs: Value 'many' of type 'str' could not be converted to Integer"),
        ("training.tensorboard=maybe", "training.tensorboard: Value 'maybe' is not a valid bool (type str)"),
        ("plugins=mine", "plugins: expected a list, such as plugins=[mine]"),
        ("training=null", "training: null is no value of it"),
        ("corpus.options.trian=3", "'corpus.options.trian' is not set yet; did you mean 'train'?; to add"),
        ("corpus.options.qqqqq=3", "'corpus.options.qqqqq' is not set yet; to add it, put a plus before it:"),
    ],
)
def test_one_sentence_names_the_option(override: str, said: str) -> None:
    with pytest.raises((HydraException, OmegaConfBaseException)) as caught:
        compose([override])
    assert explain(caught.value).startswith(said)


@pytest.mark.parametrize("argument", ["augment=null", "recipe=null", "model/cell=null", "model="])
def test_a_group_cannot_be_nothing(argument: str) -> None:
    with pytest.raises(ConfigError, match="expected a name"):
        check_groups(["training.epochs=3", argument])
    check_groups(["init=null", "recipe=an4/ctc"])
