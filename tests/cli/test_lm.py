"""`asr-lm`: build, convert, prune, perplexity, as a user meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from asr.lm.ngram import NgramModel
from asr.lm.perplexity import measure_perplexity
from asr.lm.stored import load_model
from tests.commands import Ended, command
from tests.lm.samples import sentences


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("lm")
    text = sentences(300)
    (place / "train.txt").write_text("\n".join(text[:200]) + "\n")
    (place / "other.txt").write_text("\n".join(sentences(100, seed=4)) + "\n")
    (place / "dev.txt").write_text("\n".join(text[200:]) + "\n")
    (place / "names.txt").write_text("anna\t3\nBerta\n")
    return place


def _lm(folder: Path, *arguments: str) -> Ended:
    done = command("lm", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done


def _refused(folder: Path, *arguments: str) -> str:
    done = command("lm", *arguments, cwd=folder)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def _model(path: Path) -> NgramModel:
    model = load_model(path)
    assert isinstance(model, NgramModel)
    return model


def _figures(stdout: str) -> dict[str, list[str]]:
    """The figures of each row of a table by its name."""
    rows = [line.split("  ") for line in stdout.splitlines()[2:] if line]
    return {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in rows}


def test_build_measure_prune_and_convert(folder: Path) -> None:
    built = _lm(folder, "build", "train.txt", "--order", "5", "--out", "a.lm", "--held-out", "dev.txt")
    model = _model(folder / "a.lm")
    assert f"wrote a.lm: {len(model.trie) - 1:,} n-grams" in built.stderr
    expected = measure_perplexity(model, (folder / "dev.txt").read_text().splitlines())
    figures = _figures(built.stdout)["built"]
    assert figures[0] == f"{len(model.trie) - 1:,}"
    assert figures[-2:] == [f"{expected.perplexity:.4g}", f"{expected.bits_per_character:.4f}"]
    measured = _lm(folder, "perplexity", "a.lm", "dev.txt", "other.txt")
    assert _figures(measured.stdout)["dev.txt"] == figures[1:]
    pruned = _lm(folder, "prune", "a.lm", "b.arpa.gz", "--keep", "900", "--held-out", "dev.txt")
    assert len(_model(folder / "b.arpa.gz").trie) <= 901
    assert float(_figures(pruned.stdout)["pruned"][-1]) > float(_figures(pruned.stdout)["a.lm"][-1])
    converted = _lm(folder, "convert", "b.arpa.gz", "c.lm", "--quantise", "--held-out", "dev.txt")
    rows = _figures(converted.stdout)
    assert float(rows["8 bits"][-1]) == pytest.approx(float(rows["b.arpa.gz"][-1]), abs=0.02)
    assert (folder / "c.lm").stat().st_size < 5000
    silent = _lm(folder, "convert", "a.lm", "d.lm", "--quantise")
    assert "was not measured; to measure it, add --held-out" in silent.stderr


def test_mix_with_weights_from_held_out_text_and_given(folder: Path) -> None:
    _lm(folder, "build", "other.txt", "--order", "4", "--out", "other.lm")
    done = _lm(folder, "build", "train.txt", "--mix", "other.lm", "--held-out", "dev.txt", "--out", "mixed.lm")
    rows = _figures(done.stdout)
    assert [name.split(",")[0] for name in rows] == ["built", "other.lm", "mixed"]
    weights = [float(name.split()[-1]) for name in rows if "weight" in name]
    assert sum(weights) == pytest.approx(1.0, abs=2e-3)
    assert weights[0] > 0.5
    given = _lm(
        folder, "build", "train.txt", "--mix", "other.lm", "--weight", "0.25", "--held-out", "dev.txt", "--out", "m.lm"
    )
    assert "built, weight 0.750" in given.stdout
    assert set(_model(folder / "m.lm").symbols) >= set(_model(folder / "other.lm").symbols)
    two = _lm(
        folder, "build", "--mix", "other.lm", "--mix", "m.lm", "--weight", "0.5", "--weight", "0.5", "--out", "n.lm"
    )
    assert "wrote n.lm" in two.stderr


def test_words_and_single_words(folder: Path) -> None:
    _lm(folder, "build", "train.txt", "--words", "names.txt", "--single-words", "--out", "words.lm")
    model = _model(folder / "words.lm")
    assert "B" in model.symbols
    assert "<space>" not in model.symbols
    measured = _lm(folder, "perplexity", "words.lm", "dev.txt", "--single-words")
    words = (folder / "dev.txt").read_text().split()
    assert _figures(measured.stdout)["dev.txt"][0] == f"{len(words):,}"


def test_a_closed_vocabulary(folder: Path) -> None:
    (folder / "symbols.txt").write_text("a\nb\nQ\n \n")
    (folder / "mostly.txt").write_text("ab ba ab\nbab abc\n")
    warned = _lm(folder, "build", "mostly.txt", "--vocabulary", "symbols.txt", "--order", "2", "--out", "closed.lm")
    assert "warning: 7 % of the symbols are not among the vocabulary, such as c; the model treats" in warned.stderr
    assert set(_model(folder / "closed.lm").symbols) == {"<s>", "</s>", "<unk>", "<space>", "a", "b", "Q"}
    _lm(folder, "build", "train.txt", "--labels-of", "unipen_words", "--out", "labels.lm")
    assert len(_model(folder / "labels.lm").symbols) > 50
    (folder / "lower.txt").write_text("yes no go\n")
    told = _refused(folder, "build", "lower.txt", "--labels-of", "an4", "--out", "lower.lm")
    expected = "error: 78 % of the symbols are not among the labels of the recogniser, such as y, e, s; write"
    assert told.startswith(expected)
    assert not (folder / "lower.lm").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "--out", "x.lm"), "nothing to build from; give a TEXT, --words or --counts"),
        (("build", "nothing.txt", "--out", "x.lm"), "nothing.txt does not exist; expected a text"),
        (("build", "train.txt", "--out", "x.txt"), "ends in .lm, .arpa, .arpa.gz"),
        (("build", "train.txt", "--out", "x.arpa", "--quantise"), "only .lm files can store numbers in 8 bits"),
        (("build", "train.txt", "--out", "x.lm", "--order", "0"), "order=0; expected a whole number from 1 to 20"),
        (("build", "train.txt", "--out", "x.lm", "--weight", "0.5"), "--weight is the weight of a model of --mix"),
        (("build", "train.txt", "--out", "x.lm", "--mix", "good.lm"), "give --weight, or --held-out with a text"),
        (("build", "train.txt", "--out", "x.lm", "--mix", "nowhere"), "no language model is named nowhere"),
        (("build", "train.txt", "--out", "x.lm", "--mix", "good.lm", "--unit", "words"), "of characters, not of words"),
        (("build", "train.txt", "--out", "x.lm", "--keep", "3"), "3 n-grams to keep are too few"),
        (
            ("build", "train.txt", "--out", "x.lm", "--keep", "99", "--prune", "0.1"),
            "both a threshold and a number of n-grams are given",
        ),
        (("build", "train.txt", "--out", "x.lm", "--prune", "-1"), "threshold=-1.0; expected a number from 0 to 1"),
        (("build", "empty.txt", "--out", "x.lm"), "the text for the language model is empty"),
        (("build", "train.txt", "--counts", "c", "--out", "x.lm"), "cannot be combined with texts"),
        (("prune", "good.lm", "x.lm"), "the amount to prune is missing; give --prune SHARE or --keep N"),
        (("perplexity", "good.lm", "empty.txt"), "the text to measure the perplexity on is empty"),
        (("convert", "train.txt", "x.lm"), "no language model is named train.txt; expected a file ending in"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: tuple[str, ...], message: str, folder: Path) -> None:
    (folder / "empty.txt").write_text("\n \n")
    if not (folder / "good.lm").exists():
        _lm(folder, "build", "train.txt", "--order", "2", "--out", "good.lm")
    assert message in _refused(folder, *arguments)
    assert not (folder / "x.lm").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("good.lm", "y.arpa"),
        ("good.lm", "--out", "y.arpa"),
        ("--out", "y.arpa", "good.lm"),
        ("good.lm", "--held-out", "dev.txt", "y.arpa"),
    ],
)
@pytest.mark.parametrize("how", [("convert",), ("prune", "--prune", "1e-8")])
def test_the_file_to_write_stands_behind_the_model_or_out(
    how: tuple[str, ...], words: tuple[str, ...], folder: Path
) -> None:
    if not (folder / "good.lm").exists():
        _lm(folder, "build", "train.txt", "--order", "2", "--out", "good.lm")
    assert "wrote y.arpa" in _lm(folder, *how, *words).stderr
    (folder / "y.arpa").unlink()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("convert", "good.lm"), "give the file to write once: OUT after the model, or --out OUT"),
        (("prune", "good.lm", "y.lm", "--out", "z.lm"), "give the file to write once"),
        (("convert", "good.lm", "y.lm", "z.lm"), "unrecognized arguments: z.lm"),
        (("convert", "good.lm", "--outt", "y.lm"), "unrecognized arguments: --outt"),
        (("build", "train.txt", "--ordre", "3", "--out", "y.lm"), "unrecognized arguments: --ordre"),
    ],
)
def test_a_usage_error_shows_the_usage_of_the_command(words: tuple[str, ...], told: str, folder: Path) -> None:
    done = command("lm", *words, cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: asr-lm {words[0]} ")
    assert told in done.stderr
    assert not (folder / "y.lm").exists()


@pytest.mark.parametrize("name", ["build", "convert", "prune", "perplexity"])
def test_the_help_has_examples(name: str, folder: Path) -> None:
    assert f"examples:\n  asr-lm {'build' if name == 'build' else name}" in _lm(folder, name, "--help").stdout
