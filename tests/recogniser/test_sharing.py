"""A recogniser never changes: threads share one, copies know more or decode otherwise, and a forked process goes on."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from numpy.typing import NDArray

import asr
from asr.decoding.choice import named
from asr.engines.names import MANY
from asr.errors import ConfigError
from asr.recogniser.recogniser import Recogniser
from tests.recogniser.models import RATE, SOUND, small, small_config

ENGINES = ("numpy", "torch")


def sounds(count: int) -> list[NDArray[np.float32]]:
    """Different sounds of different lengths."""
    return [SOUND[: len(SOUND) - 160 * (one % 7)] * np.float32(1 / (1 + one)) for one in range(count)]


def read(recogniser: Recogniser, sound: NDArray[np.float32]) -> tuple[str, float]:
    found = recogniser.transcribe(sound, rate=RATE)
    return found.text, found.log_probability


def test_no_field_can_be_set() -> None:
    recogniser = small(small_config())
    for field in fields(recogniser):
        with pytest.raises(FrozenInstanceError):
            setattr(recogniser, field.name, None)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_threads_that_share_a_recogniser_get_what_each_gets_alone(engine: str, cell: str) -> None:
    recogniser, given = small(small_config(cell=cell), engine=engine), sounds(40)
    alone = [read(recogniser, one) for one in given]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda one: read(recogniser, one), given)) == alone


def test_threads_that_ask_for_engines_get_the_same_ones() -> None:
    for engine, expected in (("numpy", 1), ("torch", 2), ("auto", 2)):  # numpy's serves all work, torch's is prepared
        recogniser = small(small_config(), engine=engine)
        with ThreadPoolExecutor(8) as pool:
            asked = list(pool.map(recogniser.for_many, [1, MANY] * 20))
        assert len({id(one.engine) for one in asked}) == expected


@pytest.mark.parametrize(
    "change", [lambda one: one.with_decoder(named(one.config.decoder)), lambda one: one.for_many(1)]
)
def test_what_is_changed_is_a_copy(change: Callable[[Recogniser], Recogniser]) -> None:
    recogniser = small(small_config())
    before = dict(vars(recogniser))
    changed = change(recogniser)
    assert vars(recogniser) == before
    assert changed.engine is recogniser.engine
    assert read(changed, SOUND) == read(recogniser, SOUND)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_copy_for_another_process_reads_the_same(engine: str) -> None:
    recogniser = small(small_config(), engine=engine)
    copy = pickle.loads(pickle.dumps(recogniser))
    assert read(copy, SOUND) == read(recogniser, SOUND)
    assert copy.for_many(MANY).engine_choice == recogniser.for_many(MANY).engine_choice


def test_only_torch_has_kernels_to_prepare() -> None:
    with pytest.raises(ConfigError, match="the engine numpy has no kernels to prepare; use the engine torch or auto"):
        small(small_config(), engine="numpy").prepared()


@pytest.mark.parametrize("name", ["", "onx", "numpy,torch"])
def test_an_engine_that_there_is_not_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"engine={name or repr('')}; expected one of auto, numpy, torch, onnx"):
        asr.load("quickstart_pen", engine=name)


def test_nothing_is_recognised_in_nothing() -> None:
    assert small(small_config()).recognise([]) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_process_forked_while_an_engine_is_chosen_goes_on() -> None:
    recogniser = small(small_config())
    recogniser.engines._lock.acquire()  # as a thread does that is not there in the new process
    child = os.fork()
    if child == 0:
        os._exit(0 if recogniser.for_many(MANY).engine_choice else 1)
    recogniser.engines._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_forked_process_reads_the_same(engine: str) -> None:
    recogniser = small(small_config(), engine=engine)
    expected = read(recogniser, SOUND)
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(sending, pickle.dumps(read(recogniser, SOUND)))
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as answer:
        text, log_probability = pickle.loads(answer.read())
    os.waitpid(child, 0)
    assert text == expected[0]
    assert log_probability == pytest.approx(expected[1], abs=1e-4)
