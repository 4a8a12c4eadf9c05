"""What is said of options that cannot be."""

from __future__ import annotations

import re
import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf.errors import OmegaConfBaseException

from asr.cli.overrides import check_arguments, explain, quoted
from asr.errors import ConfigError
from tests.composing import compose


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("training.epochs=many", "training.epochs: Value 'many' of type 'str' could not be converted to Integer"),
        ("training.tensorboard=maybe", "training.tensorboard: Value 'maybe' is not a valid bool (type str)"),
        ("plugins=mine", "plugins: expected a list, such as plugins=[mine]"),
        ("training=null", "training: null is not allowed"),
        ("corpus.options.trian=3", "'corpus.options.trian' is not set yet; did you mean 'train'?; to add"),
        ("corpus.options.qqqqq=3", "'corpus.options.qqqqq' is not set yet; to add it, put a plus before it:"),
        ("root=x", "there is no option 'root'; did you mean 'corpus.root'?"),
        ("corpus=an", "there is no corpus=an; did you mean 'an4'?; expected one of: an4, espeak"),
        ("recipe=an4/cct", "there is no recipe=an4/cct; did you mean 'an4/ctc'?; expected one of: an4/ctc"),
        ("training.epochs=${nothing}", "training.epochs: Interpolation key 'nothing' not found"),
        ("an4/ctc", "'an4/ctc' is not option=value; did you mean recipe=an4/ctc?"),
        ("corpus.root", "'corpus.root' is not option=value; write corpus.root=..."),
        (
            "corpus.root=a,b",
            """corpus.root=a,b could be several values; for one value with a comma write 'corpus.root="a,""",
        ),
        ("b", "'b' is not option=value; if it belongs to a value with a space, put quotes around the option"),
    ],
)
def test_one_sentence_names_the_option(override: str, said: str) -> None:
    with pytest.raises((HydraException, OmegaConfBaseException)) as caught:
        compose([override])
    assert explain(caught.value).startswith(said)
    assert "\n" not in explain(caught.value)


@pytest.mark.parametrize("value", ["Übung", "a=b", "e(f)", "[1", "'1", '"a', "{a", "a: b}", "\\ü\\", "schön ist's"])
def test_a_value_that_the_grammar_cannot_read_is_shown_in_quotes_that_work(value: str) -> None:
    with pytest.raises(HydraException) as caught:
        compose([f"corpus.root={value}"])
    said = explain(caught.value)
    assert said.startswith(f"corpus.root={value} cannot be read; ")
    written = re.search(r"needs quotes: (.*)$", said)
    assert written
    (word,) = shlex.split(written[1])
    assert compose([word]).corpus.root == value.strip("\"'")


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1))
@example("a\\")
@example('\\"x\\\\"\\\\')
def test_quotes_keep_any_value(value: str) -> None:
    (word,) = shlex.split(quoted("corpus.root", value))
    assert OverridesParser.create().parse_override(word).value() == value.strip("\"'")


@pytest.mark.parametrize("argument", ["augment=null", "recipe=null", "model/cell=null", "model=", "recipe"])
def test_a_group_cannot_be_nothing(argument: str) -> None:
    with pytest.raises(ConfigError, match="expected a name"):
        check_arguments(["training.epochs=3", argument], [])
    check_arguments(["init=null", "recipe=an4/ctc"], [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--root", "x"], "--root x: options of asr-train have no dashes; write corpus.root=x"),
        (["--root=/a b"], "--root=/a b: options of asr-train have no dashes; write 'corpus.root=/a b'"),
        (["--epochs", "training.seed=2"], "--epochs: options of asr-train have no dashes; write training.epochs=..."),
        (["--recipe", "an4/ctc"], "--recipe an4/ctc: options of asr-train have no dashes; write recipe=an4/ctc"),
        (["--run-dir=x"], "--run-dir=x: options of asr-train have no dashes; write run_dir=x"),
        (["--qqq"], "--qqq: options of asr-train have no dashes; write option=value; `asr-train --help`"),
    ],
)
def test_dashes_get_the_right_spelling(arguments: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_arguments(arguments, [arguments[0]])
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("argument", ["~training", "~model", "~training.epochs", "=3", "+=3"])
def test_words_that_would_end_in_a_traceback(argument: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"'{argument}'")):
        check_arguments([argument], [])
