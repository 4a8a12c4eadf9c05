from __future__ import annotations

from pathlib import Path

from asr.corpus.characters import characters, report, summary
from asr.corpus.utterance import Utterance

SOUND = Path("/a.wav")


def test_every_character_is_counted_and_strange_ones_are_named() -> None:
    utterances = [Utterance(f"u{n}", SOUND, text="a nice zero " * 100) for n in range(3)]
    utterances += [
        Utterance("odd", SOUND, text="ze\u200bro don\u2019t\u00a0x\u0308 \u0430 7"),
        Utterance("\u00e9", SOUND, text="e\u0301"),
    ]
    found = {one.symbol: (one.count, one.first, one.suspicion) for one in characters(utterances)}
    assert found["a"] == (300, "u0", "")
    assert found["\u200b"] == (1, "odd", "invisible")
    assert found["\u2019"] == (1, "odd", "looks like '")
    assert found["\u00a0"] == (1, "odd", "white space that is not a plain space")
    assert found["\u0301"] == (1, "\u00e9", "not in Unicode's composed form (NFC)")
    assert found["\u0430"] == (1, "odd", "Cyrillic among Latin letters")
    assert found["7"] == (1, "odd", "rare")
    lines = summary(utterances, "out/characters.txt")
    assert lines[0].startswith(f"{len(found)} characters (all of them in out/characters.txt): space 903  e 602")
    assert "        1  \\u200b   U+200B ZERO WIDTH SPACE, first in odd: invisible" in lines
    assert lines[-1].startswith("clean=unicode removes invisible characters and unifies")
    assert "\u200b" not in "".join(lines)
    assert f"{'300':>9}  a        U+0061 LATIN SMALL LETTER A, first in u0\n" in report(utterances)


def test_it_stays_on_one_screen() -> None:
    strange = "".join(map(chr, range(0x4E00, 0x4E00 + 5000)))
    utterances = [Utterance("latin", SOUND, text="abc" * 10_000), Utterance("han", SOUND, text=strange)]
    lines = summary(utterances, "x")
    assert len(lines) <= 16
    assert lines[1] == "check these 5000, they may be mistakes:"
    assert "and 4988 more" in lines[-1]
    assert len(report(utterances).splitlines()) == 5005


def test_a_plain_corpus_has_nothing_to_look_at() -> None:
    assert summary([Utterance("a", SOUND, text="zero one")], "x") == [
        "6 characters (all of them in x): e 2  o 2  space 1  n 1  r 1  z 1"
    ]


def test_labels_are_counted_too() -> None:
    lines = summary([Utterance("a", SOUND, labels=("ih", "ih", "h#", "h#", "zh"))], "x")
    assert lines == [
        "3 labels (all of them in x): h# 2  ih 2",
        "check these 1, they may be mistakes:",
        "        1  zh       first in a: rare",
    ]
