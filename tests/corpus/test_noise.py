from __future__ import annotations

import pytest

from asr.corpus.noise import noise_tags, without_noise


@pytest.mark.parametrize(
    ("text", "tags", "rest"),
    [
        ("zero one [noise] <unk>", ["[noise]", "<unk>"], "zero one"),
        ("[NOISE] zero", ["[NOISE]"], "zero"),
        ("(cough) zero ((unclear))", ["(cough)", "((unclear))"], "zero"),
        ("zero (clears throat) one", ["(clears throat)"], "zero one"),
        ("[background noise]", ["[background noise]"], ""),
        ("<s> zero </s> !SIL ++um++ {laugh}", ["<s>", "</s>", "!SIL", "++um++", "{laugh}"], "zero"),
        ("zero <unk>, one", ["<unk>"], "zero , one"),
        ("the (old) man (in English)", [], "the (old) man (in English)"),
        ("a[1] < b > c  (", [], "a[1] < b > c  ("),
        ("2 < 3 and 5 > 4", [], "2 < 3 and 5 > 4"),
        ("don't  stop", [], "don't  stop"),
    ],
)
def test_tags(text: str, tags: list[str], rest: str) -> None:
    assert noise_tags(text) == tags
    assert without_noise(text) == rest


def test_a_long_line_takes_no_time() -> None:
    assert noise_tags("[" * 100_000) == noise_tags("(noise " * 20_000) == noise_tags("<a " * 50_000) == []
