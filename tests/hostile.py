"""Values that nobody means, put in place of those of a file, and what may be said of them."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from asr.errors import AsrError

VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**40, 10**400, -(10**400), 1.5, -0.5, 1e-310, 1e38, 1e308, -1e308, float("nan"),
    float("inf"), "", "x", "1", "\x1b[31mred\n" * 40, [], [1], ["x", None], {}, {"x": [1]}, {"_target_": "os.system"},
    {"_target_": "asr.features.stack.FrameStack", "width": 2},
)  # fmt: skip
SLOWEST = 10.0  # seconds; a hundred times what they take, for machines that are busy


def is_fit_to_show(error: AsrError) -> bool:
    """Whether a message is one sentence a fault: short lines without anything that a terminal obeys."""
    lines = str(error).split("\n")
    return all(line.strip() and line.isprintable() and len(line) < 700 for line in lines) and len(lines) < 40


@contextmanager
def in_time(what: object) -> Iterator[None]:
    """Fail where the block takes long."""
    began = time.perf_counter()
    yield
    assert time.perf_counter() - began < SLOWEST, what


def refusal(read: Callable[[], object], what: object) -> str | None:
    """Read something; return what is said of it where it is refused. Anything but an `AsrError` passes through."""
    with in_time(what):
        try:
            read()
        except AsrError as error:
            told = error
        else:
            return None
    assert is_fit_to_show(told), (what, str(told))
    return str(told)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in plain values, of groups too."""
    if path:
        yield path
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield from places(node[key], (*path, key))


def with_value(node: Any, path: Sequence[Any], value: Any) -> Any:
    """A copy of plain values with another value at a path."""
    changed = copy.deepcopy(node)
    owner = changed
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = value
    return changed


def damaged(node: Any, rng: np.random.Generator) -> Any:
    """Plain values with one to three of them replaced, left out or put in."""
    for _ in range(int(rng.integers(1, 4))):
        paths = list(places(node))
        if not paths:
            return node
        path = paths[int(rng.integers(len(paths)))]
        kind = int(rng.integers(6))
        node = with_value(node, path, VALUES[int(rng.integers(len(VALUES)))])
        owner = node
        for key in path[:-1]:
            owner = owner[key]
        if kind == 0:
            del owner[path[-1]]
        elif kind == 1 and isinstance(owner, dict):
            owner[f"{path[-1]}x"] = owner[path[-1]]
    return node
