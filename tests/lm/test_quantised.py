"""The small form: the same n-grams, and numbers that are off by half a step at most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.lm.binary import load_binary, save_binary
from asr.lm.corpus import Corpus
from asr.lm.kneser_ney import estimate
from asr.lm.mixing import mixed
from asr.lm.model import Unit
from asr.lm.perplexity import measure_perplexity
from asr.lm.pruning import pruned
from tests.lm.samples import sentences


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
