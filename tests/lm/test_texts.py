"""What models are estimated from: texts, manifests, word lists and counts."""

from __future__ import annotations

import gzip
import io
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from asr.corpus.inventory import BLANK, Inventory
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.errors import DataError, DataWarning
from asr.lm.building import Sources, estimated
from asr.lm.corpus import SPECIAL, Corpus, split_sentence
from asr.lm.counting import count_ngrams
from asr.lm.kneser_ney import estimate_from_counts
from asr.lm.texts import Text, read_counts, read_symbols, read_text, read_words
from tests.lm.samples import estimate, sentences


def test_a_text_plain_compressed_and_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "\ufeffto be\r\n\n or not \nécole".encode()
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(content))
    expected = ["to be", " or not ", "école"]
    assert read_text(tmp_path / "a.txt", "words").sentences == expected
    assert read_text(tmp_path / "a.txt.gz", "words").sentences == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert read_text("-", "words") == Text(expected, [1, 1, 1])


def test_the_texts_or_the_labels_of_a_manifest(tmp_path: Path) -> None:
    utterances = [
        Utterance("a", tmp_path / "a.wav", text="to be", labels=("t", "uw")),
        Utterance("b", tmp_path / "b.wav", text="not"),
    ]
    write_manifest(tmp_path / "m.jsonl", utterances)
    assert read_text(tmp_path / "m.jsonl", "characters").sentences == ["to be", "not"]
    with pytest.raises(DataError, match=r"m\.jsonl: 'b' has no labels; a model of labels requires it"):
        read_text(tmp_path / "m.jsonl", "labels")
    write_manifest(tmp_path / "m.jsonl", utterances[:1])
    assert read_text(tmp_path / "m.jsonl", "labels").sentences == ["t uw"]


def test_the_labels_of_a_manifest_are_folded_as_the_recogniser_does(tmp_path: Path) -> None:
    write_manifest(tmp_path / "m.jsonl", [Utterance("a", tmp_path / "a.wav", labels=("h#", "ix", "kcl", "k"))])
    inventory = Inventory((BLANK, "a"), "labels", "timit61_to_39")
    assert read_text(tmp_path / "m.jsonl", "labels", inventory).sentences == ["sil ih sil k"]


def test_a_text_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good\nb\xe9te\n")
    with pytest.raises(DataError, match=r"a\.txt:2: byte 2 of the line is not UTF-8; save the file as UTF-8"):
        read_text(tmp_path / "a.txt", "words")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.txt does not exist; expected a text"):
        read_text(tmp_path / "nothing.txt", "words")
    with pytest.raises(DataError, match="is a folder; expected a word list"):
        read_words(tmp_path)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"to be or not\n" * 1000)[:-20])
    with pytest.raises(DataError, match=r"cut\.gz: damaged gzip file behind line \d+: .*; copy it again"):
        read_text(tmp_path / "cut.gz", "words")


def test_a_word_list_with_and_without_frequencies(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("to\t12\nNew York\t3\nNew Delhi\n\nbe 7\n42\n")
    found = read_words(tmp_path / "words")
    assert found == Text(["to", "New York", "New Delhi", "be", "42"], [12, 3, 1, 7, 1])


@pytest.mark.parametrize("told", ["0", "-3", "1.5", "many", "1e3", "9" * 20, ""])
def test_a_frequency_that_is_none_is_named(told: str, tmp_path: Path) -> None:
    (tmp_path / "words").write_text(f"to\t12\nbe\t{told}\n")
    with pytest.raises(DataError, match=r"words:2: the count is .*; expected a whole number above 0"):
        read_words(tmp_path / "words")


def test_single_words_are_counted() -> None:
    text = Text(["to be", "or to"], [2, 1]).single_words()
    assert dict(zip(text.sentences, text.weights, strict=True)) == {"to": 3, "be": 2, "or": 1}


def test_counts_give_the_model_of_the_text(tmp_path: Path) -> None:
    text = sentences(100)
    counted: Counter[str] = Counter()
    for one in text:
        symbols = ["<s>", *split_sentence(one, "words"), "</s>"]
        for length in range(1, 5):
            counted.update(" ".join(symbols[at : at + length]) for at in range(len(symbols) - length + 1))
    lines = [f"{ngram}\t{count}\n" for ngram, count in counted.items()]
    (tmp_path / "counts").write_text("".join(lines))
    expected = estimate(Corpus.of(text, "words", vocabulary={word for one in text for word in one.split()}), 3)
    symbols = [one for one in expected.symbols if one not in SPECIAL]
    found = estimate_from_counts(read_counts(tmp_path / "counts", "words", 3, symbols))
    assert found.symbols == expected.symbols
    for field in ("first", "symbol", "target", "shorter", "log_prob", "backoff"):
        np.testing.assert_array_equal(getattr(found.arcs, field), getattr(expected.arcs, field))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a\t1\nb\t1\na b\t1\na b\t2\n", r"counts:4: this n-gram also stands in line 3"),
        ("a\t1\nb\t1\na b\t1\nb a\t1\na b b\t1\n", r"counts:5: the part 'b b' of this n-gram has no count"),
        ("a\t1\nb\t1\na b\t1\nb a\t1\nb b a\t1\n", r"counts:5: the part 'b b' of this n-gram has no count"),
        ("a 1\n", r"counts:1: expected the symbols of an n-gram, a tab, and its count"),
        ("a\tmany\n", r"counts:1: the count is many"),
    ],
)
def test_counts_that_do_not_fit_are_named(lines: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "counts").write_text(lines)
    with pytest.raises(DataError, match=message):
        read_counts(tmp_path / "counts", "words", 3)


def test_a_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "symbols").write_text("a\nb\t12\n \n\na\n")
    assert read_symbols(tmp_path / "symbols") == ["a", "b", " "]
    (tmp_path / "symbols").write_text("\n")
    with pytest.raises(DataError, match="holds no symbol; expected one symbol per line"):
        read_symbols(tmp_path / "symbols")


def test_symbols_outside_a_closed_vocabulary_count_as_unknown() -> None:
    corpus = Corpus.of(["a z a"], "words", vocabulary=["a", "b"])
    assert corpus.symbols == (*SPECIAL, "a", "b")
    assert corpus.stream.tolist() == [0, 3, 2, 3, 1]
    model = estimate(corpus, 2)
    assert model.arcs.step(0, model.index["b"])[0] > -10  # every symbol of the vocabulary has a probability


def test_markers_in_a_text_are_no_ends_of_sentences() -> None:
    assert Corpus.of(["a </s> <s> b"], "words").stream.tolist() == [0, 3, 2, 2, 4, 1]


@pytest.mark.parametrize("words", [20, 3000])
def test_many_symbols_are_counted_as_few(words: int) -> None:
    """Keys are marked in a table where few are possible, and sorted otherwise."""
    text = sentences(150, words=words)
    counts = count_ngrams(Corpus.of(text, "words"), 3)
    joined = Counter(
        tuple(symbols[at : at + 3])
        for symbols in (["<s>", *one.split(), "</s>"] for one in text)
        for at in range(len(symbols) - 2)
    )
    level = counts.trie.level(3)
    assert sorted(counts.count[level].tolist()) == sorted(joined.values())


def test_the_order_is_that_of_the_longest_sentence() -> None:
    assert estimate(Corpus.of(["a"], "words"), 9).trie.order == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a " * 99 + "z", None),
        (
            "a " * 48 + "z y",
            r"4 % .* not among the vocabulary, such as z, y; the model treats all of them as one unknown",
        ),
        ("a <unk>", None),
        ("a z", r"50 % "),
    ],
)
def test_a_text_with_symbols_outside_the_vocabulary_is_remarked_upon(
    text: str, told: str | None, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "a.txt").write_text(f"{text}\n")
    estimated(Sources([str(tmp_path / "a.txt")], unit="words", vocabulary=["a", "B"]), 1)
    found = [str(one.message) for one in recwarn if issubclass(one.category, DataWarning)]
    assert len(found) == (told is not None)
    assert told is None or re.search(told, found[0])


def test_a_text_mostly_outside_the_vocabulary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("b b a\n")
    with pytest.raises(DataError, match=r"67 % of the symbols .*, such as b; write the text in their case"):
        estimated(Sources([str(tmp_path / "a.txt")], unit="words", vocabulary=["a", "B"]), 1)
    with pytest.raises(DataError, match=r"67 % of the symbols .*, such as b; give a text of these"):
        estimated(Sources([str(tmp_path / "a.txt")], unit="words", vocabulary=["a"]), 1)
