"""Files of a run folder from outside, damaged or made to harm: a value or one sentence, at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from asr.config import Component
from asr.errors import AsrError, CheckpointError, ConfigError, DataError
from asr.evaluation.cards import card_from
from asr.evaluation.result import _to_dict, read_result, write_result
from asr.evaluation.split import read_scores
from asr.experiment.option_checks import check_options
from asr.experiment.provenance import Provenance, RunStart
from asr.experiment.run_config import RunConfig
from asr.experiment.run_folder import RunFolder
from asr.recogniser.card import Card
from asr.scoring.utterances import UtteranceScore, rates_of, score_utterance
from asr.seeds import generator
from tests.composing import compose
from tests.evaluation.test_result import RESULT
from tests.hostile import VALUES, damaged, in_time, places, refusal, with_value
from tests.mutations import mutated

START = RunStart(
    Provenance("asr-train", "abc", "3.11", "2.13", "0.2", "Linux", 2, 1), 3, ("model.hidden=9",), ({"commit": "abd"},)
)
SCORES = [score_utterance(name, "s", "abc", "adc", ["cer"], "characters", {}.get) for name in ("a", "b\u2028b")]


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return compose(["recipe=quickstart/speech", "training.tensorboard=false"])


class Files:
    """One file of each kind, and what is done with it."""

    def __init__(self, folder: Path, config: RunConfig) -> None:
        self.run, self.config = RunFolder(folder), config
        folder.mkdir(exist_ok=True)
        write_result(self.run.result, RESULT)
        rows = "".join(json.dumps(score.to_dict(), ensure_ascii=False) + "\n" for score in SCORES)
        self.contents = {
            "config.yaml": yaml.safe_dump(config.to_dict(), sort_keys=False).encode(),
            "environment.json": json.dumps(START.to_dict(), indent=1).encode(),
            "result.json": self.run.result.read_bytes(),
            "utterances.jsonl": rows.encode(),
        }

    def use(self, name: str) -> object:
        """Read a file, and use what it holds as commands do."""
        return {
            "config.yaml": self._configuration,
            "environment.json": self._start,
            "result.json": self._result,
            "utterances.jsonl": self._scores,
        }[name]()

    def _configuration(self) -> object:
        config = self.run.read_config()
        self.run._compare(config)
        RunConfig.from_dict(config.to_dict())
        return yaml.safe_dump(config.to_dict())

    def _start(self) -> object:
        start = self.run.read_start()
        assert self.run._is_begun()
        return json.dumps(start.with_changes(START.provenance).to_dict())

    def _result(self) -> object:
        result = read_result(self.run.result)
        card = card_from(result)
        Card.from_dict(json.loads(json.dumps(card.to_dict())))
        json.dumps(_to_dict(result))
        assert len(result.file_name) < 400
        return [str(rate) for split in result.splits.values() for rate in split.rates.values()]

    def _scores(self) -> object:
        scores = read_scores(self.run.path / "utterances.jsonl")
        assert all(isinstance(score, UtteranceScore) for score in scores)
        return [str(rate) for rate in rates_of(scores).values()]

    def told(self, name: str, content: bytes, what: object) -> str | None:
        """What is said of a file with another content."""
        (self.run.path / name).write_bytes(content)
        told = refusal(lambda: self.use(name), what)
        assert told is None or name in told or "contains a run with another configuration" in told, (what, told)
        return told


BAD_RATE = {"percent": 30.0, "reference": 10, "substitutions": 1.5, "deletions": 1, "insertions": 0.5}
NAMES = ("config.yaml", "environment.json", "result.json", "utterances.jsonl")


@pytest.fixture
def files(tmp_path: Path, config: RunConfig) -> Files:
    return Files(tmp_path / "run", config)


def _parsed(name: str, content: bytes) -> Any:
    if name == "config.yaml":
        return yaml.safe_load(content)
    return [json.loads(line) for line in content.split(b"\n") if line] if name.endswith("l") else json.loads(content)


def _written(name: str, values: Any) -> bytes:
    if name == "config.yaml":
        return yaml.safe_dump(values, sort_keys=False).encode()
    if name.endswith("l"):
        return "".join(json.dumps(row) + "\n" for row in (values if isinstance(values, list) else [values])).encode()
    return json.dumps(values).encode()


def survivals(files: Files, name: str, n: int, first: int = 0) -> Counter[str]:
    """Use a file after each of many mutations of its bytes, and of its values."""
    seen: Counter[str] = Counter()
    values = _parsed(name, files.contents[name])
    for k in range(first, first + n):
        rng = generator("run folders", name, k)
        of_bytes = k % 2 and (name != "config.yaml" or k % 8 == 1)  # YAML is slow to read
        content = mutated(files.contents[name], rng) if of_bytes else _written(name, damaged(values, rng))
        seen["read" if files.told(name, content, (name, k)) is None else "refused"] += 1
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_of_a_run_folder(files: Files, name: str) -> None:
    assert files.told(name, files.contents[name], name) is None
    n = 40 if name == "config.yaml" else 400
    seen = survivals(files, name, n)
    assert min(seen["read"] + (name == "config.yaml"), seen["refused"]) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_many_damaged_files_of_a_run_folder(files: Files, name: str) -> None:
    survivals(files, name, 500 if name == "config.yaml" else 10_000, 10_000)


HOW_MANY = [pytest.param(8, id="few"), pytest.param(1, id="all", marks=pytest.mark.slow)]


@pytest.mark.parametrize("step", HOW_MANY)
@pytest.mark.parametrize("name", ["environment.json", "result.json", "utterances.jsonl"])
def test_every_value_of_a_record(files: Files, name: str, step: int) -> None:
    values = _parsed(name, files.contents[name])
    for number, path in enumerate(places(values)):
        for value in VALUES[number % step :: step]:
            files.told(name, _written(name, with_value(values, path, value)), (name, path, value))


@pytest.mark.parametrize("step", HOW_MANY)
def test_every_value_of_a_configuration(config: RunConfig, step: int) -> None:
    """Where it is read, options of components are not looked at; where they are built, all of them are."""
    values = config.to_dict()
    for number, path in enumerate(places(values)):
        for value in VALUES[number % step :: step]:

            def use(path: tuple[Any, ...] = path, value: Any = value) -> None:
                changed = RunConfig.from_dict(with_value(values, path, value))
                json.dumps(changed.to_dict())

            refusal(use, (path, value))


@pytest.mark.parametrize("step", HOW_MANY)
@pytest.mark.parametrize("group", ["features", "model", "optimizer", "schedule", "augment"])
def test_every_option_of_what_is_built_for_training(config: RunConfig, group: str, step: int) -> None:
    component: Component = getattr(config, group)
    check_options(config)  # imports what it needs, which takes its time
    for number, option in enumerate(component.completed().options):
        for value in VALUES[number % step :: step]:
            changed = RunConfig.from_dict(
                with_value(config.to_dict(), (group,), component.with_options(**{option: value}).to_node())
            )
            told = refusal(lambda changed=changed: check_options(changed), (group, option, value))
            assert told is None or group in told, (option, value, told)


def test_faults_of_all_groups_are_reported_together() -> None:
    wrong = ["features.rate=7", "model.hidden=0", "optimizer.lr=0", "scoring.rates=[prr]", "training.epochs=0"]
    with pytest.raises(ConfigError) as caught:
        compose(["recipe=an4/ctc", *wrong])
    assert str(caught.value).split("\n") == [
        "5 options are not as expected:",
        "  training.epochs=0; expected 1 or more",
        "  scoring.rates=[prr]; expected one or more of wer, cer, wer_folded, cer_folded, per, per_39, per_39_no_sil,"
        " ser; did you mean 'per'?",
        "  optimizer.lr=0.0; expected above 0",
        "  features.rate=7; expected 1000 to 1000000 hertz",
        "  model.hidden=0; expected 1 to 1048576",
    ]
    assert len(caught.value.faults) == 5


def test_all_faults_of_a_group_are_reported_together(config: RunConfig) -> None:
    values = config.to_dict() | {
        "training": {"epochs": 1.5, "seed": "x", "epoch": 3},
        "corpus": {"reader": "an4", "pool": {"more": {"reader": 3, "rot": "x"}, "other": []}},
        "nothing": 1,
        "recipe": 3,
    }
    with pytest.raises(ConfigError) as caught:
        RunConfig.from_dict(values)
    assert set(caught.value.faults) == {
        "there is no option 'nothing'; did you mean 'scoring'?; `asr-train --help` lists them",
        "recipe=3; expected a word",
        "corpus.pool.more: there is no option 'rot'; did you mean 'root'?",
        "corpus.pool.more.reader=3; expected text or null; put it in quotes: 'reader=\"3\"'",
        "corpus.pool.other: found []; expected the options of a corpus, such as reader and root",
        "there is no option 'training.epoch'; did you mean 'training.epochs'?; `asr-train --help` lists them",
        "training.epochs=1.5; expected a whole number",
        "training.seed=x; expected a whole number",
    }


def bomb(levels: int) -> str:
    """Aliases that stand for 10 ** levels words."""
    rows = ["a0: &a0 [" + ", ".join("x" * 10) + "]"]
    rows += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, levels)]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (bomb(9), "uses an alias"),
        ("recipe: " + "[" * 3000, "nested more than 50 levels deep"),
        ("recipe: " + ":".join(["59"] * 20_000), "a number of 59999 digits"),
        ("recipe: " + "9" * 5000, "a number of 5000 digits"),
        ("recipe: !!python/object/apply:os.system [true]", "cannot be read"),
        ("recipe: x\n" * 100_000, "1000000 bytes; expected at most 131072"),
        ("- 1", "it contains no options"),
        ("recipe: [1", "cannot be read"),
        ("recipe: \x1b[31m", "cannot be read"),
    ],
)
def test_what_a_configuration_must_not_hold(files: Files, text: str, message: str) -> None:
    told = files.told("config.yaml", text.encode(), message)
    assert told is not None
    assert message in told


def test_a_hexadecimal_number_without_end_is_named_shortly(files: Files) -> None:
    files.run.config.write_text(f"recipe: 0x{'f' * 300}")
    with pytest.raises(CheckpointError, match="recipe=about 1e361; expected a word"):
        files.run.read_config()
    files.run.config.write_text(f"recipe: 0x{'f' * 4000}")
    with in_time("hexadecimal"), pytest.raises(CheckpointError, match="a number of 4002 digits"):
        files.run.read_config()


def test_nothing_of_a_foreign_configuration_is_interpolated(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    values = files.config.to_dict() | {"recipe": "${oc.env:SECRET}", "init": "${oc.env:SECRET,x}"}
    files.run.config.write_bytes(_written("config.yaml", values))
    read = files.run.read_config()
    assert (read.recipe, read.init) == ("${oc.env:SECRET}", "${oc.env:SECRET,x}")
    assert "s3cret" not in yaml.safe_dump(read.to_dict())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scoring": {"rates": ["wer", "bleu"]}}, "scoring.rates=[wer, bleu]; expected one or more of wer, cer"),
        ({"inventory": {"unit": "words"}}, "inventory.unit=words; expected one of characters, labels"),
        ({"inventory": {"unit": "characters", "fold": "timit61_to_39"}}, "inventory.fold=timit61_to_39; expected null"),
        ({"training": {"threads": 10**9}}, "training.threads=1000000000; expected 0 to 1024"),
        ({"plugins": "os"}, "plugins=os; expected a list of modules"),
        ({"model": 3}, "model=3; expected a group of options"),
        ({"model": {"hidden": 3}}, "a node with the fields [hidden] has no _target_"),
    ],
)
def test_what_is_said_of_a_configuration(files: Files, change: dict[str, Any], message: str) -> None:
    told = files.told("config.yaml", _written("config.yaml", files.config.to_dict() | change), message)
    assert told is not None
    assert message in told
    assert "config.yaml is not the configuration of a run" in told


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("seed", 1e999, "found inf, expected a whole number"),
        ("seed", 10**400, "found a number of many digits, expected a whole number"),
        ("splits", {"dev": {"utterances": 1, "rates": {"wer": BAD_RATE}}}, "found 1.5, expected a whole number"),
        ("splits", [], "found a list, expected an object with named fields"),
        ("weights", 5, "found 5, expected text"),
        ("decoder", {"_target_": 3, "name": "x"}, "has no _target_"),
        ("epochs", "many", "found 'many', expected a whole number, 0 or more"),
    ],
)
def test_what_is_said_of_a_result(files: Files, field: str, value: Any, message: str) -> None:
    values = _parsed("result.json", files.contents["result.json"]) | {field: value}
    files.run.result.write_bytes(_written("result.json", values))
    with pytest.raises(DataError) as caught:
        read_result(files.run.result)
    assert message in str(caught.value)
    assert str(caught.value).endswith("; write it with asr-evaluate")


def test_rows_of_utterances_may_hold_any_text(files: Files) -> None:
    """Some line separators of Unicode are no ends of lines in JSON."""
    (files.run.path / "utterances.jsonl").write_bytes(files.contents["utterances.jsonl"])
    assert read_scores(files.run.path / "utterances.jsonl") == SCORES


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    read: list[Callable[[], object]] = [
        run.read_config, run.read_start, lambda: read_result(run.result), lambda: read_scores(tmp_path / "x.jsonl"),
    ]  # fmt: skip
    for one in read:
        with pytest.raises(AsrError, match=str(tmp_path)):
            one()
