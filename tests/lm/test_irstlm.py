"""IRSTLM, an independent program, takes the same discounts from the same counts."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from asr.lm.corpus import Corpus
from asr.lm.ngram import NgramModel
from tests.lm.samples import estimate

FOLDER = Path(os.environ.get("IRSTLM", "/usr/lib/irstlm")) / "bin"
TLM = shutil.which("tlm", path=f"{FOLDER}{os.pathsep}{os.environ.get('PATH', '')}")

Table = dict[tuple[str, ...], tuple[float, float]]
"""Probability and back-off weight of n-grams."""


@pytest.mark.skipif(TLM is None, reason="IRSTLM (Debian's irstlm) estimates a model as an independent program")
def test_irstlm_discounts_the_same(tmp_path: Path) -> None:
    text = _sentences()
    (tmp_path / "text").write_text("".join(f"<s> {one} </s>\n" for one in text))
    assert TLM is not None
    command = [TLM, "-tr=text", "-n=3", "-lm=ikn", "-ps=no", "-oarpa=model.arpa"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    theirs, ours = _read(tmp_path / "model.arpa"), _table(estimate(Corpus.of(text, "words"), 3))
    # It counts three n-grams more, which start with <s> <s>: its discounts differ in the third digit. It gives the
    # end of a sentence, which begins nothing, a back-off weight.
    assert len(set(theirs) - set(ours)) == 3
    shared = [one for one in theirs if one in ours and one[-1] != "</s>"]
    longer = [one for one in shared if len(one) > 1]
    assert len(longer) > 10_000
    own = [[_own(table, one) for one in longer] for table in (theirs, ours)]
    np.testing.assert_allclose(own[0], own[1], rtol=1e-2)
    shorter = [one for one in shared if len(one) < 3 and one not in {("<s>",), ("<unk>",)}]
    np.testing.assert_allclose([theirs[one][1] for one in shorter], [ours[one][1] for one in shorter], rtol=1e-2)


def _sentences() -> list[str]:
    """Sentences of words of which some are frequent and most rare, so that the counts define all discounts."""
    rng = np.random.default_rng(0)
    numbers = np.minimum(rng.zipf(1.25, (3000, 8)), 10**6)
    return [" ".join(f"w{one}" for one in row) for row in numbers]


def _own(table: Table, ngram: tuple[str, ...]) -> float:
    """What an n-gram has beside its share of the shorter one's probability: its discounted relative frequency."""
    return table[ngram][0] - table[ngram[:-1]][1] * table[ngram[1:]][0]


def _table(model: NgramModel) -> Table:
    trie, names = model.trie, [()]
    for parent, symbol in zip(trie.parent[1:].tolist(), trie.symbol[1:].tolist(), strict=True):
        names.append((*names[parent], model.symbols[symbol]))
    values = zip(np.exp(model.log_probs).tolist(), np.exp(model.backoffs).tolist(), strict=True)
    return dict(zip(names, values, strict=True))


def _read(path: Path) -> Table:
    table: Table = {}
    for line in path.read_text().splitlines():
        fields = line.split("\t")
        if len(fields) > 1:
            numbers = [10.0 ** float(one) for one in (fields[0], *fields[2:], "0")]
            table[tuple(fields[1].split())] = numbers[0], numbers[1]
    return table
