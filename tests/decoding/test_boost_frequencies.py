"""The frequencies of a list of expected words say which of them are likelier than others."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from asr.corpus.inventory import Inventory
from asr.decoding.boost import read_phrases
from asr.errors import DataError

LETTERS = Inventory(("<blank>", " ", "a", "b"), "characters")


def gains(path: Path, text: str, weight: float = 2.0) -> dict[str, float]:
    """What each whole phrase gains."""
    path.write_text(text)
    found = read_phrases(path, LETTERS, weight)
    return {"".join(LETTERS.decode(labels)): gain * len(labels) for labels, gain in found.items()}


def test_frequencies_differ_by_a_quarter_of_their_logarithms(tmp_path: Path) -> None:
    plain = gains(tmp_path / "a.txt", "ab\nba a\n\na\n")
    assert plain == {"ab": 4.0, "ba a": 8.0, "a": 2.0}
    found = gains(tmp_path / "a.txt", "ab\t900\nba a\t100\na\t300\n")
    assert found["ab"] - plain["ab"] == pytest.approx(math.log(3) / 4)
    assert found["ba a"] - plain["ba a"] == pytest.approx(-math.log(3) / 4)
    assert found["a"] == pytest.approx(plain["a"])
    scaled = gains(tmp_path / "a.txt", "ab\t9\nba a\t1\na\t3\n")
    assert scaled == pytest.approx(found)  # the scale is nobody's business
    assert gains(tmp_path / "a.txt", "ab\t5\nab\t4\na\t1\na\t2\nba a\n") == pytest.approx(scaled)


@pytest.mark.parametrize("weight", [0.1, 0.5, 1.0])
def test_a_frequency_changes_a_gain_by_half_at_most(weight: float, tmp_path: Path) -> None:
    """One letter that is a thousand times as frequent as the rest would be heard everywhere."""
    found = gains(tmp_path / "a.txt", "a\t1000000\nab\t1\n", weight)
    assert found == pytest.approx({"a": 1.5 * weight, "ab": weight})


def test_a_file_without_a_word_is_refused(tmp_path: Path) -> None:
    for text in ("", "\n \n\n"):
        with pytest.raises(DataError, match=r"a\.txt is empty; expected one word per line"):
            gains(tmp_path / "a.txt", text)


@pytest.mark.parametrize("told", ["0", "-1", "nan", "inf", "x", "1e300"])
def test_what_is_no_frequency_is_named_with_its_line(tmp_path: Path, told: str) -> None:
    with pytest.raises(DataError, match=rf"a\.txt:2: the frequency is .*{told}.*; expected a number above 0"):
        gains(tmp_path / "a.txt", f"a\nab\t{told}\n")
