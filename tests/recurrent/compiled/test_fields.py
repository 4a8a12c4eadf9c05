"""The fields of a job stand where the compiled functions look for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
import torch

from asr.recurrent import compiled

if not compiled.available():
    pytest.skip("no kernels on this machine", allow_module_level=True)

from asr.recurrent.compiled import attention, gru, layernorm, lstm
from asr.recurrent.compiled import fields as declared
from asr.recurrent.compiled.fields import Job, places
from asr.recurrent.compiled.team import _table

JOBS = [
    one
    for name, one in vars(declared).items()
    if isinstance(one, type) and issubclass(one, Job) and one is not Job and not name.startswith("_")
]
LOOPS = [
    (declared.LstmForward, lstm.forward),
    (declared.LstmBackward, lstm.backward),
    (declared.GruForward, gru.forward),
    (declared.GruBackward, gru.backward),
    (declared.LayerNormForward, layernorm.forward),
    (declared.LayerNormBackward, layernorm.backward),
    (declared.AttentionForward, attention.forward),
    (declared.AttentionBackward, attention.backward),
]


@pytest.mark.parametrize("sort", JOBS, ids=lambda sort: sort.__name__)
def test_what_is_written_is_found_by_name(sort: type[Job]) -> None:
    """In the second of two jobs: address, rows and row stride of each matrix, each number, and the kind."""
    given: dict[str, Any] = {
        field.name: torch.zeros(number + 1, 70)[:, :3] if field.type == "Tensor" else 1000 + number
        for number, field in enumerate(fields(sort))
    }
    table = _table([sort(**given), sort(**given)])
    assert len(JOBS) == 12
    assert table[:2].tolist() == [0, 2]
    job = 3 + int(table[2])
    assert table[job] == sort.kind
    where = places(sort)._asdict()
    assert list(where) == list(given)
    for name, value in given.items():
        expected = [value] if isinstance(value, int) else [value.data_ptr(), len(value), value.stride(0)]
        assert table[job + where[name] :][: len(expected)].tolist() == expected, name


def test_a_job_backwards_begins_like_the_one_forwards() -> None:
    """The compiled functions read what both have before they look at the kind."""
    for backward, forward in (
        (declared.LstmBackward, declared.LstmForward),
        (declared.LayerNormBackward, declared.LayerNormForward),
        (declared.AttentionBackward, declared.AttentionForward),
        (declared.GruBackward, declared._Gru),
        (declared.GruForward, declared._Gru),
        (declared.PackTransposed, declared.Pack),
    ):
        shared = places(forward)._asdict()
        assert places(backward)._asdict().items() >= shared.items()


@pytest.mark.parametrize(("sort", "loop"), LOOPS, ids=lambda one: getattr(one, "__name__", "loop"))
def test_fields_are_the_arguments_of_the_loops(sort: type[Job], loop: Callable[..., None]) -> None:
    arguments = set(inspect.signature(loop.py_func).parameters)  # type: ignore[attr-defined]
    given = {field.name for field in fields(sort)}
    assert arguments - given <= {"flags", "paired"}
    assert given - arguments == set()
