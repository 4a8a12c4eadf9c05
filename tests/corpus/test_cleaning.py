from __future__ import annotations

import unicodedata

import pytest

from asr.corpus.cleaning import REMOVED, UNIFIED, clean_text


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("ze\u200bro", "zero"),
        ("ze\u00adro", "zero"),
        ("\u2060zero", "zero"),
        ("ze\ufeffro", "zero"),
        ("don't don\u2019t don\u02bct don`t don\u00b4t", "don't don't don't don't don't"),
        ("\u201cso\u201d \u00abso\u00bb \u201eso\u201f", '"so" "so" "so"'),
        ("well\u2014known \u22122 co\u2011op", "well-known -2 co-op"),
        ("zero\u00a0\u2003one\u3000\ttwo\u2028 ", "zero one two"),
        ("Cafe\u0301", "Café"),
        (
            "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("ze\u200cro \u200d", "zero"),
        ("na\u00efve 日本 \u02bbokina", "na\u00efve 日本 \u02bbokina"),
    ],
)
def test_texts(written: str, cleaned: str) -> None:
    assert clean_text(written) == cleaned
    assert clean_text(cleaned) == cleaned


def test_the_table_holds_no_letters_and_changes_no_plain_text() -> None:
    assert all(unicodedata.category(character) in ("Cf", "Mn") for character in REMOVED)
    plain = "".join(map(chr, range(33, 127)))
    assert clean_text(plain) == plain.replace("`", "'")
    assert not set(UNIFIED) & set(UNIFIED.values())
