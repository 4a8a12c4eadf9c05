"""Weights are chosen on a development set, and the figure for others is of people who were not heard."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import asr
from asr.config import Component
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.decoding.beam import BeamConfig
from asr.decoding.calibration import Truth, fit_calibration
from asr.decoding.choice import named
from asr.decoding.finishing import best_alone
from asr.decoding.greedy import GreedyConfig
from asr.decoding.hypothesis import Evidence, Hypothesis, Score, Trust
from asr.errors import ConfigError, DataError
from asr.evaluation.recognised import Recognised
from asr.evaluation.tuning import Tuning, _calibrated, axes_of, check_calibration, folds_of, sample_of, tune
from asr.evaluation.tuning_surface import drawn, table, write_surface
from tests.decoding.toy_weighted import toy, toy_decoder
from tests.experiment.conftest import quiet


@pytest.fixture(autouse=True)
def with_toy() -> Iterator[None]:
    with toy_decoder():
        yield


@pytest.fixture
def utterances(tones: Path) -> list[Utterance]:
    found = read_manifest(tones / "dev.jsonl")
    return [replace(one, speaker=f"s{i % 2}") for i, one in enumerate(found)]


def tuned(run: Path, utterances: list[Utterance], component: Component, cache: Path, **options: str) -> Tuning:
    return tune(asr.load(run, decoder="greedy"), named(component), utterances, cache, quiet, **options)  # type: ignore[arg-type]


def test_a_bad_start_is_left_behind(trained: Path, utterances: list[Utterance], tmp_path: Path) -> None:
    """A bonus of 20 nats makes silence of everything, and one of -20 nats noise."""
    for start in (-20.0, 20.0):
        tuning = tuned(trained, utterances, toy(blank_bonus=start), tmp_path)
        assert [axis.name for axis in tuning.axes] == ["blank_bonus"]
        assert tuning.rate == "cer"
        assert tuning.surface[(start,)].rate > 0.2
        assert tuning.after["cer"].counts.errors == 0
        assert abs(tuning.chosen[0]) < 10


def test_confidences_are_calibrated_on_the_utterances_with_evidence() -> None:
    component = Component("some.Decoder", {"calibration": []})
    none = Hypothesis((), "", Score(0.0), ())
    known = [replace(none, evidence=Evidence((), (), Trust(share, share))) for share in (0.9, 0.6)]
    recognised = [Recognised(Utterance("u", Path("u.wav"), text=""), (), one, "characters") for one in (*known, none)]
    expected = fit_calibration(known, [Truth((), ())] * 2).numbers()
    assert _calibrated(component, recognised).options["calibration"] == pytest.approx(expected, rel=1e-4)
    assert _calibrated(component, recognised[2:]) == component


@pytest.mark.parametrize(
    ("name", "start"),
    [("beam", 3), ("candidates", 2), ("posterior_scale", 1.0), ("gap", 25.0), ("skip_blank", 0.999)],
)
def test_values_that_a_decoder_refuses_are_left_out(
    trained: Path, utterances: list[Utterance], tmp_path: Path, name: str, start: float
) -> None:
    """No mark says where the range of these options ends: the first grid reaches 0 of each, and 1.998 of the last."""
    component = Component.of(BeamConfig()).with_options(**{"beam": 3, "candidates": 2, name: start})
    tuning = tune(asr.load(trained), named(component), utterances[:2], tmp_path, quiet, names=[name])
    assert (start,) in tuning.surface
    assert min(tuning.surface)[0] > 0
    assert name != "skip_blank" or max(tuning.surface)[0] <= 1
    assert name != "beam" or all(value.is_integer() for (value,) in tuning.surface)
    assert tuning.after["cer"].counts.errors == min(counts.errors for counts in tuning.surface.values())


def test_a_start_that_the_decoder_refuses_is_an_error(
    trained: Path, utterances: list[Utterance], tmp_path: Path
) -> None:
    component = Component.of(BeamConfig()).with_options(beam=0)
    with pytest.raises(ConfigError, match="beam=0; expected 1 to 100,000 prefixes"):
        tune(asr.load(trained), named(component), utterances, tmp_path, quiet, names=["beam"])


def test_what_was_tuned_is_reported_whole(trained: Path, utterances: list[Utterance], tmp_path: Path) -> None:
    (tmp_path / "my.lm").write_text("10")
    component = toy(model=str(tmp_path / "my.lm"), model_weight=2.0)
    heard: list[tuple[str, int, int]] = []
    tuning = tune(asr.load(trained), named(component), utterances, tmp_path, lambda *one: heard.append(one), rate="wer")
    assert [axis.name for axis in tuning.axes] == ["blank_bonus", "model_weight"]
    assert tuning.rate == "wer"
    assert set(tuning.after) == set(tuning.before) == set(tuning.others) == {"wer", "cer", "ser"}
    assert tuning.choice.chosen_on == "dev"
    assert tuning.choice.component.options["model_weight"] == tuning.chosen[1]
    errors = {point: counts.errors for point, counts in tuning.surface.items()}
    assert errors[tuning.chosen] == min(errors.values()) == tuning.after["wer"].counts.errors
    assert errors[0.0, 2.0] > errors[tuning.chosen]  # where it began, the first label is everywhere
    assert tuning.before["wer"].percent == 0.0  # greedy search
    assert (tuning.n_folds, tuning.parts, tuning.farthest) == (2, "speakers", [])
    assert tuning.others["wer"].reference == tuning.after["wer"].reference
    done, total = next(one[1:] for one in reversed(heard) if "other weights" in one[0])
    assert done == len(tuning.surface) <= total


def test_the_figure_for_others_is_of_weights_that_the_others_chose(
    trained: Path, utterances: list[Utterance], tmp_path: Path
) -> None:
    """Speaker s1 says other words than the recordings of it: the errors of both are least at different weights."""
    odd = [replace(one, text="") if one.speaker == "s1" else one for one in utterances]
    tuning = tuned(trained, odd, toy(), tmp_path)
    assert tuning.others["cer"].counts.errors > tuning.after["cer"].counts.errors
    alone = tuned(trained, [replace(one, speaker="s0") for one in utterances[:1]], toy(), tmp_path)
    assert (alone.n_folds, dict(alone.others)) == (0, {})
    of_one = tuned(trained, [replace(one, speaker="s0") for one in utterances[:3]], toy(), tmp_path)
    assert (of_one.n_folds, of_one.parts) == (3, "utterances")


def test_a_choice_that_is_worse_than_what_the_model_had_is_known(
    trained: Path, utterances: list[Utterance], tmp_path: Path
) -> None:
    """A bonus of -60 nats for each label makes silence of everything, however wide the beam is."""
    recogniser = asr.load(trained, decoder="greedy")
    component = Component.of(BeamConfig()).with_options(insertion_bonus=-60.0)
    tuning = tune(recogniser, named(component), utterances, tmp_path, quiet, names=["beam"])
    assert tuning.is_worse
    assert not tuned(trained, utterances, toy(), tmp_path).is_worse
    assert not replace(tuning, before={}).is_worse


def test_speakers_stay_together_in_folds() -> None:
    def said(*speakers: str | None) -> list[list[int]]:
        return folds_of([Utterance(f"u{i}", Path("a.wav"), speaker=one) for i, one in enumerate(speakers)])

    assert said("a", "b", "a", "c") == [[0, 2], [1], [3]]
    assert said("a", "a", "a") == [[0], [1], [2]]  # of one speaker, utterances
    assert said("a", None, None) == [[0], [1], [2]]
    assert said("a") == []
    many = said(*[f"s{i % 25}" for i in range(100)])
    assert [len(fold) for fold in many] == [12] * 5 + [8] * 5
    assert sorted(number for fold in many for number in fold) == list(range(100))
    for fold in many:
        assert all({i for i in range(100) if i % 25 == number % 25} <= set(fold) for number in fold)


def test_the_surface_is_a_table_and_a_plot(trained: Path, utterances: list[Utterance], tmp_path: Path) -> None:
    (tmp_path / "my.lm").write_text("10")
    for component in (toy(), toy(model=str(tmp_path / "my.lm"))):
        tuning = tuned(trained, utterances, component, tmp_path)
        head, *rows = (line.split("\t") for line in table(tuning).splitlines())
        assert head == [*(axis.name for axis in tuning.axes), "errors", "reference", "cer_percent", "chosen"]
        assert len(rows) == len(tuning.surface)
        (chosen,) = (row for row in rows if row[-1] == "*")
        assert tuple(map(float, chosen[: len(tuning.axes)])) == tuning.chosen
        pytest.importorskip("matplotlib")
        names = {element.tag.rpartition("}")[2] for _, element in ET.iterparse(io.BytesIO(drawn(tuning)))}
        assert {"svg", "path"} <= names
        assert drawn(tuning) == drawn(tuning)
        assert [path.name for path in write_surface(tuning, tmp_path, "tuning")] == ["tuning.tsv", "tuning.svg"]


def test_what_cannot_be_tuned_is_one_sentence(trained: Path, utterances: list[Utterance], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the decoder greedy has no weights to tune; choose another"):
        tuned(trained, utterances, Component.of(GreedyConfig()), tmp_path)
    with pytest.raises(ConfigError, match=r"the decoder toy has no weight 'model_wait'; did you mean 'model_weight'\?"):
        axes_of(named(toy()), ["model_wait"])
    for name, needed in (("prior_weight", "priors"), ("lm_weight", "lm"), ("boost_weight", "boost")):
        with pytest.raises(
            ConfigError, match=rf"{name} has no effect without decoder\.{needed}; set decoder\.{needed}=\.\.\."
        ):
            axes_of(named(Component.of(BeamConfig())), [name])
    with pytest.raises(ConfigError, match="the decoder greedy has no weight 'lm_weight'$"):
        axes_of(named(Component.of(GreedyConfig())), ["lm_weight"])
    with pytest.raises(DataError, match="has no text; a model of characters needs one"):
        tuned(trained, [replace(utterances[0], text=None)], toy(), tmp_path)
    with pytest.raises(DataError, match="dev has no utterances; tuning requires utterances with transcripts"):
        tuned(trained, [], toy(), tmp_path)
    with pytest.raises(ConfigError, match=r"rates=\[per\]; expected one or more of the rates for an inv"):
        tuned(trained, utterances, toy(), tmp_path, rate="per")


def test_any_number_can_be_tuned_by_name() -> None:
    (axis,) = axes_of(named(toy(model="m.lm", model_weight=3.0)), ["model_weight"])
    assert (axis.start, axis.weight.step) == (3.0, 0.5)
    (axis,) = axes_of(named(Component("my.Decoder", {"width": 8})), ["width"])
    assert (axis.start, axis.weight.step) == (8.0, 4.0)


@pytest.mark.parametrize("risk", ["none", "labels"])
def test_points_are_decoded_as_they_would_be_with_all_candidates(
    trained: Path, utterances: list[Utterance], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, risk: str
) -> None:
    component = Component.of(BeamConfig()).with_options(risk=risk, beam=5, min_probability=0.0, gap=100.0)
    alone = tuned(trained, utterances, component, tmp_path)
    monkeypatch.setattr("asr.evaluation.tuning.best_alone", lambda one: one)
    together = tuned(trained, utterances, component, tmp_path)
    assert alone == together
    assert any(alone.choice.component.options["calibration"])


def test_only_what_the_choice_of_the_best_needs_is_listed() -> None:
    component = Component.of(BeamConfig())
    assert best_alone(component).options["candidates"] == 1
    for needs_others in ({"risk": "labels"}, {"rescore": "second.lm"}):
        assert best_alone(component.with_options(**needs_others)).options["candidates"] == 20
    somebodys = Component("some.Decoder", {"candidates": 5})
    assert best_alone(somebodys) == somebodys
    assert best_alone(Component.of(GreedyConfig())) == Component.of(GreedyConfig())


def test_a_sample_reaches_over_all_utterances() -> None:
    utterances = [Utterance(str(i), Path("u.wav"), text="") for i in range(10)]
    assert [one.id for one in sample_of(utterances, 4)] == ["0", "2", "5", "7"]
    assert sample_of(utterances, 10) == sample_of(utterances, 99) == utterances


def test_weights_can_stay_and_confidences_be_calibrated(
    trained: Path, utterances: list[Utterance], tmp_path: Path
) -> None:
    component = Component.of(BeamConfig()).with_options(beam=5, insertion_bonus=-0.3)
    decoder = replace(named(component), chosen_on="elsewhere")
    tuning = tune(asr.load(trained, decoder="greedy"), decoder, utterances, tmp_path, quiet, keep_weights=True)
    assert tuning.axes == ()
    options = dict(tuning.choice.component.options)
    assert len(options.pop("calibration")) == 9
    assert options == {key: value for key, value in component.completed().options.items() if key != "calibration"}
    assert tuning.choice.chosen_on == "elsewhere"
    assert tuning.others == tuning.after


def test_a_decoder_without_a_calibration_cannot_be_calibrated() -> None:
    with pytest.raises(ConfigError, match="the decoder Decoder.* has no calibration"):
        check_calibration(named(Component("some.Decoder", {})))
