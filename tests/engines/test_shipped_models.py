"""Engines give the same, and a batch what its utterances give alone: how exactly, on shipped models and real inputs.

Recordings are those of AN4 and words those of UNIPEN where they are beside the checkout, otherwise those of the
embedded corpora.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import asr
from asr.corpus.utterance import Utterance
from asr.engines.torch import TorchEngine
from asr.ink import Ink
from asr.ink.unipen import read_document
from asr.recogniser.pretrained import pretrained_names
from asr.recogniser.recogniser import Recogniser
from asr.recurrent.compiled import available
from asr.recurrent.options import BATCH_TOLERANCE
from data_prep import an4, espeak, hershey
from data_prep.unipen.release import Library, open_release
from tests.conftest import SHARED_DATA

N_UTTERANCES = 12
UNIPEN_FILES = ("data/6/apd/apd06/app0608.dat", "data/6/lav/lav0/cl_0001.dat", "data/6/sie/word/gsaa/gsaa1007.dat")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@pytest.mark.parametrize("name", pretrained_names())
def test_engines_and_batches_give_the_same(name: str, tree: Path) -> None:
    recogniser = asr.load(name, engine="torch")
    frames = inputs(recogniser, tree)
    assert len(frames) == N_UTTERANCES
    assert len({len(one) for one in frames}) > 3  # lengths that differ, so that there is padding
    exact = in_float64(recogniser, frames)
    by_numpy = asr.load(name, engine="numpy")
    assert by_numpy.engine.name == "numpy"
    for one in (recogniser, by_numpy):
        assert largest_difference(one, frames) < BATCH_TOLERANCE
        found, lengths = one.posteriors(frames)
        for row, other, length in zip(found, exact, lengths.tolist(), strict=True):
            np.testing.assert_allclose(row[:length], other[:length], rtol=0, atol=BATCH_TOLERANCE)
    if available():
        assert largest_difference(recogniser.prepared(), frames) < 1e-5  # of the output layer, which torch multiplies


def in_float64(recogniser: Recogniser, frames: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    """The log posteriors of a batch, by torch in float64."""
    assert recogniser.engines.network is not None
    model = TorchEngine.of(recogniser.engines.network).model.double()
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(one).double() for one in frames], batch_first=True)
    with torch.no_grad():
        found: NDArray[np.float64] = model(padded, torch.tensor([len(one) for one in frames]))[0].numpy()
    return found


def largest_difference(recogniser: Recogniser, frames: list[NDArray[np.float32]]) -> float:
    """The largest difference between log posteriors in a batch and alone."""
    together, lengths = recogniser.posteriors(frames)
    return max(
        float(np.abs(row[:length] - recogniser.posteriors([one])[0][0]).max())
        for row, length, one in zip(together, lengths.tolist(), frames, strict=True)
    )


def inputs(recogniser: Recogniser, tree: Path) -> list[NDArray[np.float32]]:
    """Stacked frames of some utterances."""
    extractor = recogniser.extractor
    if recogniser.reads_ink:
        raw = [extractor.compute(signal) for signal in ink_signals(recogniser, tree)]
    else:
        raw = [extractor.compute(extractor.read(one)) for one in recordings(tree)]
    return [recogniser.frames(one) for one in raw]


def ink_signals(recogniser: Recogniser, tree: Path) -> list[NDArray[np.float32]]:
    extractor = recogniser.extractor
    if (SHARED_DATA / "unipen.zip").is_file():
        return [extractor.signal_of(ink) for ink in unipen_words()]
    return [extractor.read(one) for one in hershey_words(tree)]


@cache
def unipen_words() -> tuple[Ink, ...]:
    library = Library(open_release(str(SHARED_DATA / "unipen.zip")))

    def words() -> Iterator[Ink]:
        for name in UNIPEN_FILES:
            document = read_document(name, library.file, library.resolve)
            found = (document.ink(segment) for segment in document.segments[:6])
            yield from (ink for ink in found if ink is not None)

    return tuple(islice(words(), N_UTTERANCES))


@cache
def hershey_words(tree: Path) -> tuple[Utterance, ...]:
    sizes = {"train": 1, "dev": 1, "test": N_UTTERANCES, "train_writers": 1, "dev_writers": 1, "test_writers": 2}
    return tuple(hershey.prepare(hershey.Config(root=str(tree / "ink"), seed=3, **sizes))["test"])


@cache
def recordings(tree: Path) -> tuple[Utterance, ...]:
    if (SHARED_DATA / "an4").is_dir():
        return tuple(an4.prepare(an4.Config(root=str(SHARED_DATA / "an4")))["test"][:N_UTTERANCES])
    sizes = {"train": 1, "dev": 1, "test": N_UTTERANCES, "train_speakers": 1, "dev_speakers": 1, "test_speakers": 2}
    return tuple(espeak.prepare(espeak.Config(root=str(tree / "sound"), seed=3, **sizes))["test"])
