"""What each rate compares."""

from __future__ import annotations

import pytest

from asr.recognition.rates import tokens


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ("wer", ("San", "José")),
        ("wer_folded", ("san", "josé")),
        ("cer", ("S", "a", "n", " ", "J", "o", "s", "é")),
        ("cer_folded", ("s", "a", "n", " ", "j", "o", "s", "é")),
    ],
)
def test_rates_of_text(rate: str, expected: tuple[str, ...]) -> None:
    assert tokens(rate, tuple("San José")) == expected


def test_rates_of_timit() -> None:
    assert tokens("per_39", ("h#", "q", "ix", "tcl", "t")) == ("sil", "ih", "sil", "t")
    assert tokens("per_39_no_sil", ("h#", "q", "ix", "tcl", "t")) == ("ih", "t")
