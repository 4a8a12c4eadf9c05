"""A result is what it was after it was written and read; what is damaged is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from asr.config import Component
from asr.decoding.choice import DecoderChoice, named
from asr.decoding.greedy import GreedyConfig
from asr.engines.engine import EngineChoice
from asr.errors import DataError
from asr.evaluation.cards import card_from
from asr.evaluation.result import (
    DataIdentity,
    Environment,
    Result,
    SplitResult,
    Training,
    read_result,
    result_name,
    write_result,
)
from asr.recogniser.card import Card
from asr.scoring.bootstrap import Interval
from asr.scoring.calibration import Bin, CalibrationError
from asr.scoring.edits import ErrorCounts
from asr.scoring.rates import Rate

RATE = Rate(ErrorCounts(90, 6, 4, 2), Interval(0.08, 0.17, 5, "writers"), "characters")
GREEDY = named(Component.of(GreedyConfig()))
BEAM = DecoderChoice("beam,width=9", Component("my.Beam", {"width": 9}), "dev")
RESULT = Result(
    recipe="an4/ctc",
    seed=3,
    decoder=GREEDY,
    splits={
        "dev": SplitResult(
            7,
            {"cer": RATE},
            ("a: too short",),
            {"donor": {"kai": {"cer": RATE}}},
            EngineChoice("numpy", "few"),
            {"words": CalibrationError(0.02, Interval(0.0, 0.03, 5, "writers"), 0.025, (Bin(0.9, 0.8, 7),))},
        ),
        "test": SplitResult(8, {"cer": RATE}),
    },
    options=("model.hidden=9",),
    training=Training(
        command="asr-train",
        commit="abc",
        resumed_with=({"commit": "abd"},),
        seconds=60.0,
        cpu_seconds=100.0,
        epochs=5,
        best_epoch=3,
        finished=False,
        environment=Environment("3.11", "2.13", "0.2.0", 2, 1),
        data={"dev": DataIdentity(7, "00")},
    ),
    weights="12",
    evaluation_commit="abe",
    date="2026-01-02",
)


@pytest.mark.parametrize("result", [RESULT, replace(RESULT, decoder=BEAM, seed=None, folds=4, training=Training())])
def test_a_result_that_was_written_is_read_as_it_was(result: Result, tmp_path: Path) -> None:
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json") == result


def test_a_file_of_version_0_1_is_read(tmp_path: Path) -> None:
    write_result(tmp_path / "result.json", RESULT)
    values = json.loads((tmp_path / "result.json").read_text())
    for name in ("scoring", "weights"):
        del values[name]
    values["decoder"] = {"_target_": "asr.decoding.greedy.GreedyDecoder", "chosen_on": "dev"}  # nothing was chosen
    (tmp_path / "result.json").write_text(json.dumps(values))
    read = read_result(tmp_path / "result.json")
    assert (read.scoring, read.weights, read.decoder) == (1, "", GREEDY)
    assert read.splits == RESULT.splits


def test_splits_come_together_when_weights_and_decoder_are_the_same() -> None:
    dev, test = (replace(RESULT, splits={name: RESULT.splits[name]}) for name in ("dev", "test"))
    assert list(test.with_splits_of(dev).in_order(("train", "dev", "test")).splits) == ["dev", "test"]
    for other in (
        replace(dev, weights="13"),
        replace(dev, decoder=BEAM),
        replace(dev, scoring=1),
        replace(dev, evaluation_commit="abf"),
    ):
        assert list(test.with_splits_of(other).splits) == ["test"]
    unknown = replace(test, weights="")
    assert list(unknown.with_splits_of(replace(dev, weights="")).splits) == ["test"]


@pytest.mark.parametrize(
    ("options", "seed", "decoder", "name"),
    [
        ((), 1, "greedy", "ctc-seed1.json"),
        (("model/cell=gru",), 1, "greedy", "ctc-model_cell=gru-seed1.json"),
        ((), 2, "beam,width=9", "ctc-seed2-beam,width=9.json"),
        ((), None, "a/b c", "ctc-a_b_c.json"),
    ],
)
def test_a_file_is_called_after_what_it_holds(
    options: tuple[str, ...], seed: int | None, decoder: str, name: str
) -> None:
    assert result_name("an4/ctc", options, seed, decoder) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"result\.json: not a result file"),
        ("[" * 100_000, r"result\.json: not a result file"),
        ("[]", r"result\.json: not a result file"),
        ("3", r"result\.json: not a result file"),
        ('{"seed": 1}', r"result\.json: the field 'recipe' is missing"),
        ('{"seed": {}, "recipe": "a/b"}', r"result\.json: not a result file"),
        ('{"seed": 1e999, "recipe": "a/b"}', r"result\.json: not a result file"),
        ('{"seed": 1, "recipe": 3}', r"result\.json: not a result file \(found 3, expected text\)"),
        ('{"seed": ' + "9" * 5000 + "}", r"result\.json: (not a result file|the field)"),
    ],
)
def test_what_is_no_result_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_result(tmp_path / "result.json")
    with pytest.raises(DataError, match="cannot be read"):
        read_result(tmp_path / "none.json")


def test_a_card_says_how_the_weights_were_made_and_how_often_they_are_wrong() -> None:
    card = card_from(RESULT)
    assert (card.about["recipe"], card.about["decoder"], card.about["scoring"]) == ("an4/ctc", "greedy", 2)
    assert card.about["unfinished"] is True
    assert card.rates["test"]["cer"] == RATE
    assert Card.from_dict(json.loads(json.dumps(card.to_dict()))) == card
