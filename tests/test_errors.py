"""Errors cross the border between processes as they are."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

from asr.config import raise_faults
from asr.errors import AsrError, ConfigError, DataError, Problems, one_line

ERRORS = [
    DataError("a.wav: no sound"),
    Problems(["a.wav: no sound", "b.wav: no sound"], "the corpus"),
    ConfigError("hidden=0; expected 1 or more"),
    ConfigError("2 options are not as expected:\n  a=1\n  b=2", ["a=1", "b=2"]),
]


def fail(number: int) -> None:
    """What a worker does."""
    raise ERRORS[number]


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_the_same_behind_pickle(error: AsrError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_a_worker_raises_what_it_found() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        with pytest.raises(Problems, match="2 problems in the corpus:") as caught:
            pool.submit(fail, 1).result()
        with pytest.raises(ConfigError) as faults:
            pool.submit(fail, 3).result()
    assert caught.value.problems == ("a.wav: no sound", "b.wav: no sound")
    assert faults.value.faults == ("a=1", "b=2")


def test_the_faults_of_one_error_are_all_there() -> None:
    with pytest.raises(ConfigError, match="^a=1; expected 2$"):
        raise_faults(["a=1; expected 2"])
    with pytest.raises(ConfigError, match="^2 options are not as expected:\n  a\n  b$"):
        raise_faults(["a", "b"])


def test_a_message_of_another_program_becomes_one_short_line() -> None:
    assert one_line(ValueError("a\n\tb\x1b[31m" + "c" * 1000)) == "a b [31m" + "c" * 192
    assert one_line(KeyError()) == "KeyError"
    assert one_line(OSError(2, "No such file")) == "No such file"
