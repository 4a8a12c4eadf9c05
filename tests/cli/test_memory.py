"""Too little memory, whoever notices it, is one sentence."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from asr.cli.command import run


def raise_plainly() -> None:
    raise MemoryError


def raise_as_onnxruntime_does() -> None:
    raise Exception("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer")


@pytest.mark.parametrize(
    ("command", "amount"),
    [
        (lambda: np.empty(1 << 59), r" \(4\.00 EiB in one piece\)"),
        (lambda: torch.empty(1 << 59), r" \(2305843009213693952 bytes in one piece\)"),
        (raise_plainly, ""),
        (raise_as_onnxruntime_does, ""),
    ],
)
def test_too_little_memory_is_one_sentence(
    command: Callable[[], None], amount: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run(command)
    assert end.value.code == 1
    err = " ".join(capsys.readouterr().err.split())
    sentence = rf"error: there is too little memory for this{amount}; end other programs, or give less at a time"
    assert re.fullmatch(sentence, err)


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        run(fail)
    monkeypatch.setattr(sys, "argv", ["asr-transcribe", "--debug"])
    with pytest.raises(MemoryError):
        run(raise_plainly)
