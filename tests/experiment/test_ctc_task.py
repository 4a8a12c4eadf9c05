"""What recognition with CTC tells the training loop."""

from __future__ import annotations

from typing import Any

import torch

from asr.experiment.ctc_task import BLANK_HINT_STEPS, CtcTask
from asr.training.task import Loss, WeightedSum

ALL_BLANK = WeightedSum.of(1.0, 37)
NEARLY = WeightedSum(36, 37)


def task() -> CtcTask:
    nothing: Any = None
    return CtcTask(nothing, nothing, nothing, ([], nothing), "per")


def hints(trained: CtcTask, blank: WeightedSum, steps: int) -> list[str]:
    return [trained.after_step(Loss(torch.zeros(1), {"blank_share": blank})) for _ in range(steps)]


def test_nothing_but_blanks_gets_a_hint_now_and_then() -> None:
    said = hints(task(), ALL_BLANK, 2 * BLANK_HINT_STEPS + 5)
    assert [place for place, hint in enumerate(said, start=1) if hint] == [BLANK_HINT_STEPS, 2 * BLANK_HINT_STEPS]
    assert "still emits only blanks" in said[BLANK_HINT_STEPS - 1]


def test_a_step_with_a_label_starts_the_count_anew() -> None:
    trained = task()
    assert not any(hints(trained, ALL_BLANK, BLANK_HINT_STEPS - 1))
    assert not any(hints(trained, NEARLY, BLANK_HINT_STEPS + 1))
    assert not any(hints(trained, ALL_BLANK, BLANK_HINT_STEPS - 1))
    assert any(hints(trained, ALL_BLANK, 1))


def test_the_count_goes_on_when_a_run_resumes() -> None:
    first, second = task(), task()
    hints(first, ALL_BLANK, BLANK_HINT_STEPS - 1)
    second.load_state_dict(first.state_dict())
    assert any(hints(second, ALL_BLANK, 1))


def test_the_share_of_blanks_is_printed() -> None:
    assert task().describe({"blank_share": 0.4312}) == "blank  43.1 %"
