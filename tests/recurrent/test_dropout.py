"""Dropout within rows."""

from __future__ import annotations

import pytest
import torch

from asr.errors import ConfigError
from asr.recurrent.dropout import RowDropout
from asr.recurrent.layout import Layout
from asr.recurrent.stack import RecurrentStack

LENGTHS = torch.tensor([5, 9, 2])
LAYOUT = Layout(LENGTHS, 9, torch.device("cpu"))


def by_utterance(rows: torch.Tensor) -> list[torch.Tensor]:
    return [frames[:length] for frames, length in zip(LAYOUT.unpack(rows), LENGTHS.tolist(), strict=True)]


def test_an_utterance_loses_the_same_units_in_all_its_frames() -> None:
    torch.manual_seed(1)
    utterances = by_utterance(RowDropout(0.25, "utterance")(torch.ones(16, 400), LAYOUT))
    for frames in utterances:
        assert (frames == frames[0]).all()
        assert sorted(set(frames[0].tolist())) == pytest.approx([0.0, 4 / 3])
        assert 0.15 < (frames[0] == 0).float().mean() < 0.35
    assert not torch.equal(utterances[0][0], utterances[1][0])


def test_a_frame_loses_units_of_its_own() -> None:
    torch.manual_seed(1)
    frames = by_utterance(RowDropout(0.25)(torch.ones(16, 400), LAYOUT))[1]
    assert not torch.equal(frames[0], frames[1])
    assert 0.2 < (frames == 0).float().mean() < 0.3


@pytest.mark.parametrize("per", ["frame", "utterance"])
def test_nothing_is_left_out_in_evaluation_or_at_zero(per: str) -> None:
    rows = torch.randn(16, 4)
    assert torch.equal(RowDropout(0.5, per).eval()(rows, LAYOUT), rows)
    assert torch.equal(RowDropout(0.0, per)(rows, LAYOUT), rows)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"model\.dropout_per must be one of frame, utterance, got word"):
        RecurrentStack(4, 3, hidden=4, layers=1, dropout_per="word")
