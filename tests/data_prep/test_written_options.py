from __future__ import annotations

import math

import pytest

from asr.errors import ConfigError
from data_prep.written_options import parse_options


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("/data/an4", "/data/an4"),
        ("a b: {c}, #d", "a b: {c}, #d"),
        ("", None),
        ("null", None),
        ("true", True),
        ("No", False),
        ("7", 7),
        ("-3", -3),
        ("0.25", 0.25),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("1a", "1a"),
        ("1.0.9", "1.0.9"),
        ('"7"', "7"),
        ("'true'", "true"),
        ("[my.corpus]", ["my.corpus"]),
        ("[a, 2,]", ["a", 2]),
        ("[]", []),
        ("${oc.env:SECRET}", "${oc.env:SECRET}"),
        ("a=b", "a=b"),
        ("Übung", "Übung"),
        ("*a &b !!python/object:x", "*a &b !!python/object:x"),
    ],
)
def test_values(written: str, value: object) -> None:
    found = parse_options([f"x={written}"])["x"]
    assert found == value
    assert type(found) is type(value)


def test_infinity_and_no_number() -> None:
    found = parse_options(["a=.inf", "b=-inf", "c=nan"])
    assert found["a"] == math.inf
    assert found["b"] == -math.inf
    assert math.isnan(float(str(found["c"])))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["root"], "'root' is not option=value"),
        (["=x"], "'=x' is not option=value"),
        (["a=1", "a=2"], "a= is given twice"),
        (["channel=" + "9" * 5000], r"channel=9+'\.\.\.: the number has 5000 digits"),
    ],
)
def test_errors(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_options(words)
