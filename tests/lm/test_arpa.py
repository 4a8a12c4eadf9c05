"""ARPA files of other programs: what is read, and what is wrong with those that are refused, with file and line."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest

from asr.errors import DataError
from asr.lm.corpus import Corpus
from asr.lm.model import Unit
from asr.lm.ngram import NgramModel
from asr.lm.stored import load_model, save_model
from tests.lm.samples import estimate, sentences, unigram_arpa
from tests.lm.walking import ngrams, prob, sentence_log_prob

GOOD = r"""
some program wrote this

\data\
ngram 1=5
ngram 2=3

\1-grams:
0	<s>	-0.30103
-0.60206	</s>
-0.60206	<UNK>	0
-0.60206	to -0.1760913
-0.60206 be -0.2
\2-grams:
-0.30103	<s> to
-0.1760913	to be
-0.2218487	be </s>

\end\
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "model.arpa"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def _read(folder: Path, text: str) -> NgramModel:
    model = load_model(_written(folder, text))
    assert isinstance(model, NgramModel)
    return model


def test_a_file_of_another_program_by_hand(tmp_path: Path) -> None:
    model = _read(tmp_path, GOOD)
    assert model.unit == "words"
    assert prob(model, "to", ("<s>",)) == pytest.approx(0.5)
    assert prob(model, "be", ("<s>", "to")) == pytest.approx(10**-0.1760913)
    assert prob(model, "be", ("<s>",)) == pytest.approx(0.5 * 0.25)
    assert prob(model, "to", ("to",)) == pytest.approx(10**-0.1760913 * 0.25)
    assert model.arcs.unknown == model.index["<unk>"] == 2
    assert sentence_log_prob(model, "to") == pytest.approx(math.log(0.5 * 10**-0.1760913 * 0.25))
    assert model.arcs.log_prob[model.index["<s>"]] == -math.inf  # context only, whatever the file says


def test_a_context_of_no_ngram_keeps_its_back_off_weight(tmp_path: Path) -> None:
    model = _read(tmp_path, GOOD.replace("<UNK>	0", "<UNK>	-0.4"))
    assert prob(model, "to", ("<unk>",)) == pytest.approx(10**-0.4 * 0.25)


def test_symbols_of_one_character_are_characters_and_the_argument_says_otherwise(tmp_path: Path) -> None:
    letters = GOOD.replace("to", "t").replace("be", "b")
    assert _read(tmp_path, letters).unit == "characters"
    assert load_model(tmp_path / "model.arpa", "labels").unit == "labels"
    assert _read(tmp_path, letters.replace("some program wrote this", "# ctc-asr unit: labels")).unit == "labels"


def test_ends_of_lines_of_other_systems_and_compression(tmp_path: Path) -> None:
    expected = ngrams(_read(tmp_path, GOOD))
    assert ngrams(_read(tmp_path, GOOD.replace("\n", "\r\n"))) == expected
    (tmp_path / "model.arpa.gz").write_bytes(gzip.compress(GOOD.encode()))
    compressed = load_model(tmp_path / "model.arpa.gz")
    assert isinstance(compressed, NgramModel)
    assert ngrams(compressed) == expected


def test_a_shorter_context_that_is_missing_is_skipped(tmp_path: Path) -> None:
    text = GOOD.replace("ngram 2=3\n", "ngram 2=3\nngram 3=1\n").replace(
        "\n\\end\\", "\\3-grams:\n-0.1\t<s> to be\n\n\\end\\"
    )
    text = text.replace("-0.30103\t<s> to\n", "-0.30103\t<s> to\t-0.5\n").replace(
        "-0.1760913\tto be\n", "-0.1760913\tto to\n"
    )
    model = _read(tmp_path, text)
    assert prob(model, "be", ("<s>", "to")) == pytest.approx(10**-0.1)
    assert prob(model, "</s>", ("<s>", "to", "be")) == pytest.approx(10**-0.2218487)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ngram 2=3", "ngram 2=4", r"model\.arpa:18: found 3 2-grams, but the header lists 4"),
        ("ngram 2=3", "ngram 2=2", r"model\.arpa:17: expected .end., found .*be </s>.*; check the counts"),
        ("ngram 1=5", "ngram 1=4", r"model\.arpa:13: expected .2-grams:, found '-0.60206 be -0.2'"),
        ("ngram 2=3", "ngram 3=3", r"model\.arpa:6: expected 'ngram 2=' and a count, found 'ngram 3=3'"),
        ("ngram 1=5", "ngram 1=many", r"model\.arpa:5: expected 'ngram 1=' and a count"),
        (
            "ngram 1=5",
            "ngram 1=999999999999",
            r"model\.arpa:7: .* 1,000,000,000,002 n-grams, more than a file of this size can hold",
        ),
        ("ngram 1=5\nngram 2=3\n", "", r"model\.arpa:5: the header lists n-grams of 0 lengths"),
        ("-0.60206	to", "0.60206	to", r"model\.arpa:12: the log probability is 0.60206; expected 0 or less"),
        ("-0.60206	to", "nan	to", r"model\.arpa:12: the log probability is nan"),
        ("-0.60206	to", "often	to", r"model\.arpa:12: expected numbers"),
        ("-0.1760913", "inf", r"model\.arpa:12: the back-off weight is inf"),
        (
            "-0.60206	</s>",
            "-0.60206	</s> 1 2",
            r"model\.arpa:10: expected a log probability, 1 symbols and perhaps",
        ),
        ("<s> to", "<s> tu", r"model\.arpa:15: tu is not among the 1-grams"),
        ("-0.60206 be", "-0.60206 to", r"model\.arpa:13: to is among the 1-grams twice"),
        ("-0.2218487	be </s>", "-0.2218487	to be", r"model\.arpa:17: this 2-gram also stands in line 16"),
        ("-0.60206 be", "-0.60206 b\udcff", r"model\.arpa:13: byte 11 of the line is not UTF-8"),
        ("\\end\\", "", r"model\.arpa:20: the file ends before .end."),
        ("\\data\\", "", r"model\.arpa:20: the file ends before"),
        ("\\2-grams:", "\\3-grams:", r"model\.arpa:14: expected .2-grams:, found"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(DataError, match=message) as error:
        load_model(_written(tmp_path, GOOD.replace(old, new, 1)))
    assert "\n" not in str(error.value)


def test_an_ngram_without_its_context_is_named(tmp_path: Path) -> None:
    text = GOOD.replace("ngram 2=3\n", "ngram 2=3\nngram 3=1\n").replace(
        "\n\\end\\", "\\3-grams:\n-0.1\tbe to be\n\n\\end\\"
    )
    with pytest.raises(DataError, match=r"arpa:20: the first 2 symbols of this 3-gram are not a 2-gram of the file"):
        load_model(_written(tmp_path, text))


@pytest.mark.parametrize("factor", [math.log(10), math.log2(10)])
def test_another_base_of_the_logarithms_is_noticed(factor: float, tmp_path: Path) -> None:
    save_model(tmp_path / "good.arpa", estimate(Corpus.of(sentences(50), "characters"), 3))
    lines = []
    for line in (tmp_path / "good.arpa").read_text().splitlines():
        fields = line.split("\t")
        if len(fields) > 1:
            fields = [str(float(fields[0]) * factor), fields[1], *(str(float(one) * factor) for one in fields[2:])]
        lines.append("\t".join(fields))
    with pytest.raises(
        DataError, match=r"without context sum to 0.0\d+; expected 1: check that the file has logarithms to base 10"
    ):
        load_model(_written(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize(("n_odd", "refused"), [(1, False), (2, False), (3, True)])
def test_some_odd_contexts_are_let_pass(n_odd: int, refused: bool, tmp_path: Path) -> None:
    """AN4's own model has all of the probability behind `<s>` twice: as `</s>`, and as the back-off."""
    symbols = ["<s>", "</s>", "<unk>", *(f"w{at}" for at in range(29))]
    ones = "".join(f"-1.4914 {one} 0\n" for one in symbols)
    odd, even = f"{math.log10(0.99):.4f}", f"{math.log10(10**-1.4914):.4f}"
    twos = "".join(f"{odd if at < n_odd else even} w{at} </s>\n" for at in range(29))
    text = f"\\data\\\nngram 1=32\nngram 2=29\n\n\\1-grams:\n{ones}\n\\2-grams:\n{twos}\n\\end\\\n"
    if refused:
        rule = r"after contexts of 1 symbols sum to 1\.9\d*; expected 1"
        with pytest.raises(DataError, match=rule):
            load_model(_written(tmp_path, text))
    else:
        assert load_model(_written(tmp_path, text)).unit == "words"


def test_the_only_context_may_be_odd(tmp_path: Path) -> None:
    ones = "-0.4771 <unk> 0\n-0.4771 </s> -99\n-99 <s> 0\n-0.4771 word 0\n"
    text = f"\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n{ones}\n\\2-grams:\n0.0 <s> </s>\n\n\\end\\\n"
    assert load_model(_written(tmp_path, text)).unit == "words"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_file_that_was_cut_is_refused(share: float, tmp_path: Path) -> None:
    save_model(tmp_path / "good.arpa.gz", estimate(Corpus.of(sentences(50), "words"), 3))
    content = (tmp_path / "good.arpa.gz").read_bytes()
    (tmp_path / "cut.arpa.gz").write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"cut\.arpa\.gz:? ?.*(damaged gzip|the file ends before)"):
        load_model(tmp_path / "cut.arpa.gz")
    text = gzip.decompress(content)
    (tmp_path / "cut.arpa").write_bytes(text[: int(share * len(text))])
    with pytest.raises(DataError, match=r"cut\.arpa:\d+: "):
        load_model(tmp_path / "cut.arpa")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no language model at .*nothing\.arpa"):
        load_model(tmp_path / "nothing.arpa")


def test_symbols_count_before_what_they_should_be(tmp_path: Path) -> None:
    def unit(text: str, wanted: Unit | None) -> Unit:
        return load_model(_written(tmp_path, text), wanted).unit

    assert unit(GOOD, "characters") == "words"
    assert unit(GOOD, "labels") == "labels"
    letters = GOOD.replace("to", "t").replace("be", "b")
    assert unit(letters, "words") == "words"
    assert unit(GOOD.replace("to", "t").replace("be", "<space>"), "words") == "characters"
    told = GOOD.replace("some program wrote this", "# ctc-asr unit: characters")
    assert unit(told, "words") == "characters"


@pytest.mark.parametrize("name", ["model.arpa", "model.arpa.gz"])
def test_long_lines_and_headers_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    for text, message in (
        ("\n" * 20_000 + GOOD, r":10001: no .data. in the first 10,000 lines"),
        (GOOD.replace("be -0.2", "b" * 100_000), r":13: the line has more than 65536 bytes"),
    ):
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
        with pytest.raises(DataError, match=message):
            load_model(path)


def test_a_small_file_of_long_symbols_is_refused(tmp_path: Path) -> None:
    lines = [f"-3\t{'w' * 60_000}{number}" for number in range(1000)]
    text = unigram_arpa(lines)
    path = tmp_path / "model.arpa.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert path.stat().st_size * 100 < len(text)
    with pytest.raises(DataError, match="the symbols are longer than a file of this size can hold"):
        load_model(path)
