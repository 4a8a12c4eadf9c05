"""The small form: the same n-grams, and numbers that are off by half a step at most."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asr.lm.arpa import load_arpa, save_arpa
from asr.lm.binary import load_binary, save_binary
from asr.lm.corpus import Corpus
from asr.lm.mixing import mixed
from asr.lm.model import Unit
from asr.lm.perplexity import measure_perplexity
from asr.lm.pruning import pruned
from tests.lm.samples import estimate, sentences, unigram_arpa


@pytest.mark.parametrize("unit", ["characters", "words"])
@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("threshold", [0.0, 1e-5])
def test_the_small_form_has_the_same_ngrams(unit: Unit, order: int, threshold: float, tmp_path: Path) -> None:
    model = pruned(estimate(Corpus.of(sentences(200, words=400), unit), order), threshold)
    save_binary(model, tmp_path / "small.lm", quantise=True)
    small = load_binary(tmp_path / "small.lm")
    assert (small.symbols, small.unit) == (model.symbols, model.unit)
    for field in ("first", "symbol", "target", "shorter", "start", "end", "unknown"):
        np.testing.assert_array_equal(getattr(small.arcs, field), getattr(model.arcs, field))
    for length in range(1, model.trie.order + 1):
        level = model.trie.level(length)
        for before, after in ((model.log_probs, small.log_probs), (model.backoffs, small.backoffs)):
            finite = np.isfinite(before[level])
            np.testing.assert_array_equal(np.isfinite(after[level]), finite)
            width = np.ptp(before[level][finite])
            np.testing.assert_allclose(after[level][finite], before[level][finite], atol=width / 508 + 1e-6)


def test_what_is_impossible_stays_so(tmp_path: Path) -> None:
    models = [estimate(Corpus.of(sentences(20, seed=one), "words"), 2) for one in (0, 1)]
    model = mixed(models, [1.0, 0.0])
    assert np.isneginf(model.log_probs).sum() > 10
    save_binary(model, tmp_path / "small.lm", quantise=True)
    np.testing.assert_array_equal(
        np.isneginf(load_binary(tmp_path / "small.lm").log_probs), np.isneginf(model.log_probs)
    )


def test_it_costs_little_and_is_small(tmp_path: Path) -> None:
    model = estimate(Corpus.of(sentences(2000), "characters"), 6)
    for quantise in (False, True):
        save_binary(model, tmp_path / f"{quantise}.lm", quantise)
    text = sentences(200, seed=0)[100:]
    before, after = (measure_perplexity(one, text).perplexity for one in (model, load_binary(tmp_path / "True.lm")))
    assert after == pytest.approx(before, rel=2e-3)
    assert (tmp_path / "True.lm").stat().st_size < 3.2 * len(model.trie)
    assert (tmp_path / "False.lm").stat().st_size > 12 * len(model.trie)


def test_what_an_arpa_file_calls_impossible_does_not_stretch_the_steps(tmp_path: Path) -> None:
    log_probs = {"<s>": -99.0, "</s>": -0.7, "<unk>": -99.0} | {
        letter: -1.0 - place / 50 for place, letter in enumerate("abcdefghij")
    }
    lines = [f"{value}\t{symbol}\t{-99.0 if symbol == 'a' else -0.1 - place / 100}"
             for place, (symbol, value) in enumerate(log_probs.items())]  # fmt: skip
    (tmp_path / "model.arpa").write_text(unigram_arpa(lines), encoding="utf-8")
    model = load_arpa(tmp_path / "model.arpa")
    assert np.isneginf(model.arcs.log_prob[model.arcs.unknown])
    save_binary(model, tmp_path / "small.lm", quantise=True)
    small = load_binary(tmp_path / "small.lm")
    np.testing.assert_allclose(small.log_probs, model.log_probs, atol=0.01)
    np.testing.assert_allclose(small.backoffs, model.backoffs, atol=0.01)
    save_arpa(model, tmp_path / "again.arpa")
    np.testing.assert_allclose(load_arpa(tmp_path / "again.arpa").log_probs, model.log_probs, rtol=1e-5)


def test_a_model_of_before_is_packed_as_well(tmp_path: Path) -> None:
    """Its file has -99 * ln 10 as a number."""
    model = estimate(Corpus.of(sentences(20), "words"), 2)
    log_prob = model.arcs.log_prob.copy()
    log_prob[model.arcs.unknown] = -99.0 * math.log(10.0)
    save_binary(replace(model, arcs=replace(model.arcs, log_prob=log_prob)), tmp_path / "small.lm", quantise=True)
    small = load_binary(tmp_path / "small.lm")
    assert np.isneginf(small.arcs.log_prob[small.arcs.unknown])
    others = np.isfinite(model.log_probs) & (np.arange(len(log_prob) + 1) != small.arcs.unknown + 1)
    np.testing.assert_allclose(small.log_probs[others], model.log_probs[others], atol=0.02)
