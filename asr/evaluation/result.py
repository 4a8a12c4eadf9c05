"""The result of an evaluation, and the JSON file that holds it.

The field `scoring` is the rule by which texts were compared. Rule 1, of version 0.1, whose files lack the field,
counted blanks at the ends of a text; rule 2 compares normalised texts (`asr.text.normalise_text`).
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
"""The rule by which texts are compared today."""

_LONGEST = 120  # the most characters for options, or for a decoder, in the name of a file
_LARGEST = 64 << 20  # the largest result file, in bytes

Rates = Mapping[str, Rate]  # by name, in the order in which they are reported
Changes = Mapping[str, str | int | None]  # changed fields of `Environment`, and the commit: new values by name


@dataclass(frozen=True)
class SplitResult:
    """The error rates of one split.

    Attributes:
        utterances: how many utterances were recognised.
        rates: the rates of the whole split, by name.
        excluded: the utterances that were left out: id, colon, reason.
        by: the rates of parts of the split, by tag and value of the tag.
        engine: the engine that ran the network; None if unknown.
        calibration: the calibration errors of the confidences of `words`, `labels` and `utterances`; empty in files of
            old versions.
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
        commit: the commit of the code that trained; empty if unknown.
        resumed_with: the changed versions for each time the run was resumed with other versions.
        seconds: the duration of the training; None if unknown.
        cpu_seconds: the time of all processor cores together; None if unknown.
        epochs: how many epochs were trained; None for several runs together.
        best_epoch: the epoch whose weights were kept; None for several runs together.
        finished: False if the run was evaluated before its end.
        device: `cpu` or a GPU.
        environment: the versions and the machine.
        data: the identity of the utterances of each split.
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
    """The error rates of one model with one decoder, and everything that is needed to measure them again.

    Attributes:
        recipe: `task/name`; for a model without a recipe, the name of the model.
        seed: the seed of the run; None if unknown.
        options: the options in which the run differs from its recipe, as on a command line.
        decoder: the decoder.
        splits: the results of the splits, by name.
        training: how the weights were trained.
        weights: the checksum of the weights, or of the .onnx file that holds them; empty if unknown.
        evaluation_commit: the commit of the code that decoded and scored.
        date: the date of the evaluation, `YYYY-MM-DD`.
        folds: how many runs were pooled; None for one run.
        scoring: the rule by which texts were compared; the module describes the rules.
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
        """The name of the file, see `result_name`."""
        return result_name(self.recipe, self.options, self.seed, self.decoder.name)

    def measures_the_same(self, other: Result) -> bool:
        """Return whether both have the same weights, decoder, training and evaluation code, and scoring rule.

        Results with unknown weights never measure the same.
        """
        mine, its = (
            (one.weights, one.decoder.component, one.evaluation_commit, one.scoring, one.training.commit)
            for one in (self, other)
        )
        return bool(self.weights) and mine == its

    def with_splits_of(self, other: Result) -> Result:
        """Add the splits that only another result has, if both measure the same; otherwise return this one."""
        return replace(self, splits=dict(other.splits) | dict(self.splits)) if self.measures_the_same(other) else self

    def in_order(self, names: Sequence[str]) -> Result:
        """Return the result with only the named splits, in the order of the names."""
        return replace(self, splits={name: self.splits[name] for name in names if name in self.splits})


def result_name(recipe: str, options: Sequence[str], seed: int | None, decoder: str = "greedy") -> str:
    """Return the name of a result file: `<recipe>[-<options>]-seed<k>[-<decoder>].json`.

    A long list of options becomes a checksum.

    >>> result_name("an4/ctc", ["model.hidden=128"], seed=1, decoder="beam,beam=20")
    'ctc-model.hidden=128-seed1-beam,beam=20.json'
    """
    departures = "".join("-" + re.sub(r"[^\w.,=+]", "_", option) for option in options)
    if len(departures) > _LONGEST:
        departures = "-" + hashlib.sha256(repr(list(options)).encode()).hexdigest()[:12]
    shown_seed = "" if seed is None else f"-seed{seed}"
    return f"{recipe.rpartition('/')[2]}{departures}{shown_seed}{decoder_suffix(decoder)}.json"


def decoder_suffix(decoder: str) -> str:
    """Return the suffix of file and folder names for a decoder; empty for greedy search.

    A long list of options becomes a checksum.

    >>> decoder_suffix("beam,beam=20")
    '-beam,beam=20'
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
        DataError: the file cannot be written; an existing file is left as it was.
    """
    write_json(path, _to_dict(result))


def read_result(path: Path) -> Result:
    """Read a result file of this version or an earlier one.

    Raises:
        DataError: the file cannot be read, is not JSON, lacks fields, has fields of a wrong type, or has a percentage
            that contradicts its counts.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{path}: the file is larger than {_LARGEST >> 20} MB; expected a result file")
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
    """Read the changed versions of a run that was resumed.

    Raises:
        ValueError: the value is not a mapping, or one of its values has another type.
    """
    return {
        str(name): whole(one) if isinstance(one, int) else optional(text, one) for name, one in record(values).items()
    }


def _seed(value: object) -> int:
    return whole(value, least=-(2**53))


def _decoder(values: Mapping[str, Any] | None) -> DecoderChoice:
    """Read the decoder; files of version 0.1 have no name for it, and only greedy search."""
    if values is None or "name" not in values:
        return named(Component(text((values or {}).get(TARGET, "asr.decoding.greedy.GreedyDecoder")), {}).completed())
    node = {key: value for key, value in values.items() if key not in ("name", "chosen_on")}
    component = Component.of(node).completed()  # adds the defaults of options that an older file lacks
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
