"""YAML from outside gives plain values in bounded time, or one sentence."""

from __future__ import annotations

import time
from typing import Any

import pytest

from asr.plain_yaml import load_plain_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\nb: [x, 2.5, null, true]\n", {"a": 1, "b": ["x", 2.5, None, True]}),
        ("Übung", "Übung"),
        ("", None),
        ("secret: ${oc.env:HOME}", {"secret": "${oc.env:HOME}"}),  # nothing is interpolated
    ],
)
def test_plain_values_are_read(text: str, value: Any) -> None:
    assert load_plain_yaml(text) == value


BILLION = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BILLION, "it uses an alias"),
        ("[" * 5000, "nested more than 50 levels deep"),
        ("a: [", "."),
        ("!!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: " + "9" * 5000, "."),
        ("\x00", "."),
    ],
)
def test_what_is_not_plain_is_refused_at_once(text: str, message: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=message) as caught:
        load_plain_yaml(text)
    assert "\n" not in str(caught.value)
    assert time.process_time() - start < 5
