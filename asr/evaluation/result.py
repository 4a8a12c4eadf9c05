"""The report of an evaluation: one `Result`, read and written here and nowhere else.

The file is JSON. `scoring` says by which rule texts were compared. Rule 1, of version 0.1, whose files have no such
field, counted blanks at the ends of a text; rule 2 compares normalised texts (`asr.text.normalise_text`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from asr.config import TARGET, Component
from asr.decoding.choice import DecoderChoice, named
from asr.engines.engine import EngineChoice
from asr.errors import ConfigError, DataError, one_line
from asr.files import write_json
from asr.plain_values import number, optional, record, text, texts, whole
from asr.scoring.calibration import CalibrationError
from asr.scoring.rates import Rate

SCORING = 2
_LONGEST = 120  # characters in the name of a file for the options in which a run differs from its recipe
_LARGEST = 64 << 20  # bytes of a result file

Rates = Mapping[str, Rate]  # by name, in the order in which they are reported
Changes = Mapping[str, str | int | None]  # of `Environment` and the commit: new values by name


@dataclass(frozen=True)
class SplitResult:
    """The error rates of one split.

    Attributes:
        utterances: how many were recognised.
        rates: of the whole split.
        excluded: ids of the utterances that were left out, with the reason behind a colon.
        by: rates of the parts of the split, by tag and value of the tag.
        engine: the engine that ran the network; None if unknown.
        calibration: calibration errors of the confidences of `words`, `labels` and `utterances`; empty in files that
            were written before there were any.
    """

    utterances: int
    rates: Rates
    excluded: tuple[str, ...] = ()
    by: Mapping[str, Mapping[str, Rates]] = field(default_factory=dict)
    engine: EngineChoice | None = None
    calibration: Mapping[str, CalibrationError] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the split as plain values."""
        written = {"utterances": self.utterances, "excluded": list(self.excluded), "rates": _plain(self.rates)}
        by = {tag: {value: _plain(rates) for value, rates in groups.items()} for tag, groups in self.by.items()}
        ran = {} if self.engine is None else {"engine": vars(self.engine)}
        calibration = {name: one.to_dict() for name, one in self.calibration.items()}
        return written | ran | ({"by": by} if by else {}) | ({"calibration": calibration} if calibration else {})


@dataclass(frozen=True)
class DataIdentity:
    """The number of utterances of a split, and a checksum over their ids, speakers and transcripts."""

    utterances: int
    sha256: str


@dataclass(frozen=True)
class Environment:
    """The versions and the machine that a model was trained with."""

    python: str = ""
    torch: str = ""
    ctc_asr: str = ""
    cores: int | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Training:
    """The training of the weights of a result.

    Attributes:
        command: the command line of the training.
        commit: of the code that trained; empty where it is not known.
        resumed_with: what was different each time the run was resumed with other versions.
        seconds: of training, on the wall; None where it is not known.
        cpu_seconds: of training, of all processor cores.
        epochs: trained, and `best_epoch` among them; None for several runs together.
        finished: False for a run that was evaluated before its end.
        device: `cpu` or a GPU.
        environment: versions and machine.
        data: the utterances by split.
    """

    command: str = ""
    commit: str = ""
    resumed_with: tuple[Changes, ...] = ()
    seconds: float | None = None
    cpu_seconds: float | None = None
    epochs: int | None = None
    best_epoch: int | None = None
    finished: bool = True
    device: str = "cpu"
    environment: Environment = Environment()
    data: Mapping[str, DataIdentity] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """Error rates of one model with one decoder, and all that is needed to measure them again.

    Attributes:
        recipe: `task/name`; for a model without a recipe, what it was called.
        seed: of the run; None where it is not known.
        options: in what the run departed from its recipe, as on a command line.
        decoder: with which the splits were decoded.
        splits: by name.
        training: how the weights were made.
        weights: checksum of the weights, or of the .onnx file that holds them; empty where it is not known.
        evaluation_commit: of the code that decoded and scored.
        date: of the evaluation, `YYYY-MM-DD`.
        folds: how many runs were pooled; None for one run.
        scoring: the rule of comparison, see above.
    """

    recipe: str
    seed: int | None
    decoder: DecoderChoice
    splits: Mapping[str, SplitResult]
    options: tuple[str, ...] = ()
    training: Training = Training()
    weights: str = ""
    evaluation_commit: str = ""
    date: str = ""
    folds: int | None = None
    scoring: int = SCORING

    @property
    def file_name(self) -> str:
        """The name of its file, see `result_name`."""
        return result_name(self.recipe, self.options, self.seed, self.decoder.name)

    def measures_the_same(self, other: Result) -> bool:
        """Whether both are about the same weights and decoder, measured by the same code under the same rule."""
        mine, its = (
            (one.weights, one.decoder.component, one.evaluation_commit, one.scoring, one.training.commit)
            for one in (self, other)
        )
        return bool(self.weights) and mine == its

    def with_splits_of(self, other: Result) -> Result:
        """Add the splits that only the other result has, when both measure the same."""
        return replace(self, splits=dict(other.splits) | dict(self.splits)) if self.measures_the_same(other) else self

    def in_order(self, names: Sequence[str]) -> Result:
        """Put the splits into the order of these names; others are left out."""
        return replace(self, splits={name: self.splits[name] for name in names if name in self.splits})


def result_name(recipe: str, options: Sequence[str], seed: int | None, decoder: str = "greedy") -> str:
    """Name a result file: `<recipe>[-<options>]-seed<k>[-<decoder>].json`; many options become a checksum."""
    departures = "".join("-" + re.sub(r"[^\w.,=+]", "_", option) for option in options)
    if len(departures) > _LONGEST:
        departures = "-" + hashlib.sha256(repr(list(options)).encode()).hexdigest()[:12]
    shown_seed = "" if seed is None else f"-seed{seed}"
    return f"{recipe.rpartition('/')[2]}{departures}{shown_seed}{decoder_suffix(decoder)}.json"


def decoder_suffix(decoder: str) -> str:
    """Return the suffix of file and folder names for a decoder; empty for greedy search.

    A long list of options becomes a checksum.
    """
    if decoder == "greedy":
        return ""
    name = re.sub(r"[^0-9A-Za-z_.,=+-]", "_", decoder)
    if len(name) > _LONGEST:
        name = f"{name.partition(',')[0][:_LONGEST]}-{hashlib.sha256(decoder.encode()).hexdigest()[:12]}"
    return f"-{name}"


def write_result(path: Path, result: Result) -> None:
    """Write a result file.

    Raises:
        DataError: the file cannot be written; what stood there before still stands there.
    """
    write_json(path, _to_dict(result))


def read_result(path: Path) -> Result:
    """Read one result file, of this version or an earlier one.

    Raises:
        DataError: not JSON, fields missing or of a wrong type, a percentage that its own counts contradict.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{path}: larger than {_LARGEST >> 20} MB, which no result file is")
        return _from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise DataError(f"{path}: the field {error} is missing; write the file with asr-evaluate") from error
    except (ConfigError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = one_line(error)  # not JSON, or fields of another type
        raise DataError(f"{path}: not a result file ({reason}); write it with asr-evaluate") from error


def _to_dict(result: Result) -> dict[str, Any]:
    training = result.training
    return {
        "scoring": result.scoring,
        "recipe": result.recipe,
        "seed": result.seed,
        "options": list(result.options),
        "command": training.command,
        "commit": training.commit,
        **({"resumed_with": [dict(one) for one in training.resumed_with]} if training.resumed_with else {}),
        "evaluation_commit": result.evaluation_commit,
        "date": result.date,
        "train_seconds": training.seconds,
        "train_cpu_seconds": training.cpu_seconds,
        **({} if training.epochs is None else {"epochs": training.epochs, "best_epoch": training.best_epoch}),
        **({} if training.finished else {"unfinished": True}),
        **({} if result.folds is None else {"folds": result.folds}),
        "device": training.device,
        "environment": vars(training.environment),
        **({"data": {name: vars(one) for name, one in training.data.items()}} if training.data else {}),
        "weights": result.weights,
        "decoder": result.decoder.component.to_node()
        | {"name": result.decoder.name, "chosen_on": result.decoder.chosen_on},
        "splits": {name: split.to_dict() for name, split in result.splits.items()},
    }


def _from_dict(values: Mapping[str, Any]) -> Result:
    return Result(
        recipe=text(values["recipe"]),
        seed=optional(_seed, values["seed"]),
        decoder=_decoder(values.get("decoder")),
        splits={str(name): _split(str(name), split) for name, split in record(values["splits"]).items()},
        options=texts(values.get("options", ())),
        training=_training(values),
        weights=text(values.get("weights") or ""),
        evaluation_commit=text(values.get("evaluation_commit") or ""),
        date=text(values.get("date") or ""),
        folds=optional(whole, values.get("folds")),
        scoring=whole(values.get("scoring", 1), least=1),
    )


def _training(values: Mapping[str, Any]) -> Training:
    data = record(values.get("data") or {})
    return Training(
        command=text(values.get("command") or ""),
        commit=text(values.get("commit") or ""),
        resumed_with=tuple(changes(one) for one in values.get("resumed_with", ())),
        seconds=optional(number, values.get("train_seconds")),
        cpu_seconds=optional(number, values.get("train_cpu_seconds")),
        epochs=optional(whole, values.get("epochs")),
        best_epoch=None if values.get("best_epoch") is None else whole(values["best_epoch"], least=-1),
        finished=not values.get("unfinished", False),
        device=text(values.get("device") or "cpu"),
        environment=_environment(record(values.get("environment") or {})),
        data={str(name): DataIdentity(whole(one["utterances"]), text(one["sha256"])) for name, one in data.items()},
    )


def _environment(values: Mapping[str, Any]) -> Environment:
    named = {name: text(values[name]) for name in ("python", "torch", "ctc_asr") if name in values}
    counted = {name: optional(whole, values[name]) for name in ("cores", "threads") if name in values}
    return Environment(**named, **counted)  # type: ignore[arg-type]  # by their names


def changes(values: object) -> Changes:
    """Read in what a run was resumed differently.

    Raises:
        ValueError: not by name, or values of another type.
    """
    return {
        str(name): whole(one) if isinstance(one, int) else optional(text, one) for name, one in record(values).items()
    }


def _seed(value: object) -> int:
    return whole(value, least=-(2**53))


def _decoder(values: Mapping[str, Any] | None) -> DecoderChoice:
    """Version 0.1 knew greedy search alone, and said that it was chosen on dev, where nothing was to be chosen."""
    if values is None or "name" not in values:
        return named(Component(text((values or {}).get(TARGET, "asr.decoding.greedy.GreedyDecoder")), {}).completed())
    node = {key: value for key, value in values.items() if key not in ("name", "chosen_on")}
    component = Component.of(node).completed()  # an older file lacks the options that came later
    return DecoderChoice(text(values["name"]), component, optional(text, values.get("chosen_on")))


def _split(name: str, values: Mapping[str, Any]) -> SplitResult:
    by = {
        str(tag): {str(value): _rates(f"{name} {tag}={value}", found) for value, found in record(groups).items()}
        for tag, groups in record(values.get("by", {})).items()
    }
    excluded = texts(values.get("excluded", ()))
    ran = record(values.get("engine") or {})
    engine = EngineChoice(text(ran["name"]), text(ran["why"])) if ran else None
    errors = record(values.get("calibration", {})).items()
    calibration = {str(kind): CalibrationError.from_dict(record(error)) for kind, error in errors}
    rates = _rates(name, record(values["rates"]))
    return SplitResult(whole(values["utterances"]), rates, excluded, by, engine, calibration)


def _rates(where: str, values: Mapping[str, Any]) -> dict[str, Rate]:
    rates = {str(name): Rate.from_dict(counts) for name, counts in values.items()}
    for name, rate in rates.items():
        written = optional(number, values[name]["percent"])
        if rate.reference and (written is None or abs(written - rate.percent) > 0.051):
            raise ValueError(f"{where} {name}: {written} % contradicts its counts, which give {rate.percent:.1f} %")
    return rates


def _plain(rates: Rates) -> dict[str, Any]:
    return {name: rate.to_dict() for name, rate in rates.items()}
