"""A language model through the one loop: it learns, carries its state, and resumes to the same bits."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from asr.errors import CheckpointError, ConfigError, DataError
from asr.experiment.language_model_evaluation import evaluate_language_model
from asr.experiment.language_model_experiment import LanguageModelExperiment
from asr.experiment.language_models import load_language_model
from asr.experiment.lm_task import LanguageModelTask, line_bits, stream_bits
from asr.experiment.run_folder import RunFolder
from asr.experiment.text_corpus import TextConfig, read_texts, written
from asr.experiment.text_streams import TextStreams
from asr.lm.recurrent import RecurrentModel
from asr.lm.recurrent_symbols import encoded
from asr.recogniser.loading import load
from asr.recurrent.label_model import LabelModel
from asr.training.checkpoint import load_checkpoint
from asr.training.loop import Stopped
from tests.experiment.language_models import small, write_text
from tests.training.test_loop import StopsAt, rows
from tests.training.toy import Silent


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text(tmp_path_factory.mktemp("text") / "parts.txt")


@pytest.fixture(scope="module")
def trained(text: Path, tmp_path_factory: pytest.TempPathFactory) -> LanguageModelExperiment:
    """A finished run."""
    experiment = LanguageModelExperiment(small(text, ["training.epochs=15"]), tmp_path_factory.mktemp("runs") / "run")
    experiment.train(Silent())
    evaluate_language_model(experiment.run)
    return experiment


def test_it_learns_and_reports_bits(trained: LanguageModelExperiment) -> None:
    metrics = rows(trained.run.path)
    assert metrics[-1]["bits"] < 0.6 * metrics[0]["bits"]
    assert metrics[-1]["dev_bits"] < 0.7 * metrics[0]["dev_bits"]
    assert metrics[-1]["dev_perplexity"] == pytest.approx(2 ** metrics[-1]["dev_bits"])
    result = json.loads(trained.run.result.read_text())
    assert set(result["splits"]) == {"dev", "test"}
    assert 0.3 < result["splits"]["test"]["bits"] < 2.0
    assert result["splits"]["test"]["characters"] == sum(len(line) + 1 for line in trained.texts["test"])
    assert result["training"]["finished"]
    assert result["parameters"] == sum(one.numel() for one in trained.model.parameters())


def test_the_model_of_a_run_is_its_file_and_its_checkpoint(trained: LanguageModelExperiment) -> None:
    line = trained.texts["test"][0]
    found = {load_language_model(path).log_prob(line) for path in (trained.run.path, trained.run.language_model)}
    assert len(found) == 1
    assert all(part in load_language_model(trained.run.language_model).header.about[0] for part in ("recipe", "seed 1"))


def test_bits_are_those_of_the_file(trained: LanguageModelExperiment) -> None:
    """What torch measures line by line is what numpy gives the lines."""
    model, lines = load_language_model(trained.run.path), trained.texts["test"]
    assert isinstance(model, RecurrentModel)
    characters = sum(len(line) + 1 for line in lines)
    bits = -sum(model.log_probs(lines)) / characters / math.log(2)
    assert json.loads(trained.run.result.read_text())["splits"]["test"]["bits_by_line"] == pytest.approx(bits, rel=1e-4)


def a_model(n_labels: int = 9) -> LabelModel:
    torch.manual_seed(1)
    model = LabelModel(n_labels, hidden=10, layers=2, embedding=5)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return model


def test_windows_with_carried_state_lose_what_one_window_loses() -> None:
    text = np.random.default_rng(0).integers(0, 9, 500)
    model = a_model()
    losses = {}
    for window in (5, 40, 120):
        streams = TextStreams(text, 0, 4, window, seed=1)
        task = LanguageModelTask(model, None, streams, text)  # type: ignore[arg-type]
        total = []
        for indices in streams.batches(0)[: 120 // window]:
            total.append(task.loss(streams.load_batch(indices, 0)).per_item.detach() * window)
        losses[window] = torch.stack(total).sum(0)
    torch.testing.assert_close(losses[5], losses[120], rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(losses[40], losses[120], rtol=1e-5, atol=1e-4)


def test_a_stream_without_its_state_loses_more_or_less() -> None:
    """So that the test above can fail."""
    text = np.random.default_rng(0).integers(0, 9, 500)
    streams = TextStreams(text, 0, 4, 20, seed=1)
    task = LanguageModelTask(a_model(), None, streams, text)  # type: ignore[arg-type]
    first, second = (streams.load_batch(indices, 0) for indices in streams.batches(0)[:2])
    task.loss(first)
    carried = task.loss(second).per_item
    cold = task.loss(replace(second, cold=torch.ones(4, dtype=torch.bool))).per_item
    assert (carried - cold).abs().min() > 1e-4


def test_windows_follow_each_other_and_every_pass_begins_elsewhere() -> None:
    text = np.arange(103)
    streams = TextStreams(text, 0, streams=5, window=4, seed=3)
    starts = []
    for epoch in range(3):
        batches = [streams.load_batch(indices, epoch) for indices in streams.batches(epoch)]
        assert len(batches) == 5
        assert batches[0].cold.all()
        assert not torch.stack([one.cold for one in batches[1:]]).any()
        for one, other in pairwise(batches):
            assert torch.equal((one.labels[:, -1] + 1) % 103, other.labels[:, 0])
        seen = torch.cat([one.labels.flatten() for one in batches])
        assert len(set(seen.tolist())) == len(seen) == 100
        assert all(torch.equal((one.labels + 1) % 103, one.following) for one in batches)
        assert batches[0].size == 20
        starts.append(int(batches[0].labels[0, 0]))
    assert len(set(starts)) == 3


def test_a_part_of_a_pass_may_be_an_epoch() -> None:
    text = np.arange(100)
    whole = TextStreams(text, 0, streams=2, window=5, seed=3)
    parts = TextStreams(text, 0, streams=2, window=5, seed=3, epoch_labels=40)
    found = [parts.load_batch(indices, epoch) for epoch in range(3) for indices in parts.batches(epoch)]
    assert [len(parts.batches(epoch)) for epoch in range(3)] == [4, 4, 4]
    assert len(parts.sizes) == 8
    expected = [whole.load_batch(indices, epoch) for epoch in (0, 1) for indices in whole.batches(epoch)]
    assert all(torch.equal(one.labels, other.labels) for one, other in zip(found, expected, strict=False))
    assert [bool(one.cold.all()) for one in found] == [place % 10 == 0 for place in range(12)]


def test_cold_windows_begin_with_the_end_of_a_line() -> None:
    text = np.random.default_rng(0).integers(0, 9, 5000)
    streams = TextStreams(text, 4, streams=10, window=5, seed=3, cold_starts=0.3)
    batches = [streams.load_batch(indices, 0) for indices in streams.batches(0)[1:]]
    cold = torch.stack([one.cold for one in batches])
    assert 0.25 < cold.float().mean() < 0.35
    assert (torch.stack([one.labels[:, 0] for one in batches])[cold] == 4).all()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stopped_run_ends_with_the_same_bits(text: Path, tmp_path: Path, workers: int) -> None:
    config = small(text)
    whole = LanguageModelExperiment(config, tmp_path / "whole")
    whole.train(Silent())
    for step in (5, 19):
        stopped = LanguageModelExperiment(small(text, [f"training.workers={workers}"]), tmp_path / "stopped")
        with pytest.raises(Stopped):
            stopped.train(StopsAt(step))
    LanguageModelExperiment(config, tmp_path / "stopped").train(Silent())
    same_runs(tmp_path / "whole", tmp_path / "stopped")


def test_a_killed_run_ends_with_the_same_bits(text: Path, tmp_path: Path) -> None:
    """It ends in the middle of a step, some steps behind its last checkpoint."""

    class Killed(BaseException):
        pass

    class DiesAt(Silent):
        def stepped(self, loss: float, size: int) -> None:
            super().stepped(loss, size)
            if self.steps == 17:
                raise Killed

    config = small(text, ["training.checkpoint_seconds=-1"])  # after every step
    whole = LanguageModelExperiment(config, tmp_path / "whole")
    whole.train(Silent())
    with pytest.raises(Killed):
        LanguageModelExperiment(config, tmp_path / "killed").train(DiesAt())
    assert load_checkpoint(tmp_path / "killed/checkpoints/last.pt")["state"]["step"] == 16
    LanguageModelExperiment(config, tmp_path / "killed").train(Silent())
    same_runs(tmp_path / "whole", tmp_path / "killed")


def same_runs(one: Path, other: Path) -> None:
    assert rows(one) == rows(other)
    for name in ("last.pt", "best.pt"):
        found, expected = (load_checkpoint(run / "checkpoints" / name) for run in (one, other))
        assert all(torch.equal(value, expected["weights"][key]) for key, value in found["weights"].items())
    states, others = (load_checkpoint(run / "checkpoints/last.pt")["task"]["states"] for run in (one, other))
    assert all(torch.equal(*pair) for layers in zip(states, others, strict=True) for pair in zip(*layers, strict=True))
    assert states[0][0].abs().max() > 0


def test_states_of_another_network_are_refused(text: Path, tmp_path: Path) -> None:
    streams = TextStreams(np.zeros(100, dtype=np.int64), 0, 4, 5, seed=1)
    task = LanguageModelTask(a_model(), None, streams, np.zeros(100))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="other shapes"):
        task.load_state_dict({"states": [[torch.zeros(4, 3), torch.zeros(4, 3)]]})


def test_bits_by_stream_and_by_line() -> None:
    model, text = a_model().eval(), np.random.default_rng(1).integers(0, 9, 700)
    text[-1] = 0
    labels = torch.from_numpy(text)[None]
    with torch.no_grad():
        log_probs, _ = model(labels[:, :-1], model.initial_states(1))
    expected = -log_probs[0].gather(1, labels[0, 1:, None]).mean() / math.log(2)
    assert stream_bits(model, text) == pytest.approx(float(expected), rel=1e-5)
    lines = np.split(text, np.flatnonzero(text == 0)[:-1] + 1)
    alone = [line_bits(model, [line], 0) * len(line) for line in lines]
    assert line_bits(model, lines, 0, batch_labels=60) == pytest.approx(sum(alone) / len(text), rel=1e-5)


def test_the_text_is_kept_with_the_run(trained: LanguageModelExperiment, text: Path) -> None:
    assert trained.run.read_data() == read_texts(TextConfig(str(text), ["letters"], ["play"]))
    with pytest.raises(ConfigError, match=r"another configuration: model.hidden \(was 12, is 13\)"):
        LanguageModelExperiment(small(text, ["training.epochs=15", "model.hidden=13"]), trained.run.path)


def test_a_language_model_is_not_a_recogniser(trained: LanguageModelExperiment) -> None:
    with pytest.raises(CheckpointError, match="trains a language model, not a recogniser"):
        RunFolder(trained.run.path).read_config()
    with pytest.raises(CheckpointError, match=r"it is a language model: .* as decoder\.lm="):
        load(trained.run.path)


def test_a_recogniser_is_not_a_language_model(tmp_path: Path) -> None:
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    torch.save({"weights": {}, "bundle": {"format": "ctc-asr-bundle-1"}}, tmp_path / "run/checkpoints/best.pt")
    with pytest.raises(CheckpointError, match="expected ctc-asr-label-model-1, a recurrent language model"):
        load_language_model(tmp_path / "run")


def test_all_characters_may_be_kept(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("# a\nCaf\u00e9 \u201cabc\u201d\n# b\nab\u00e9\n# c\n\u00df\n", encoding="utf-8")
    experiment = LanguageModelExperiment(
        small(tmp_path / "t.txt", ["corpus.dev=[b]", "corpus.test=[c]", "corpus.ascii=false"]), tmp_path / "run"
    )
    assert experiment.header.symbols == ("</s>", "<unk>", "<space>", '"', "C", "a", "b", "c", "f", "\u00e9")
    assert experiment.encoded("test").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("\u201cIt\u2019s\u201d \u2014 a\u2011b\u2026", '"It\'s" - a-b...'),
        ("\u0153uvre \u00c6sop na\u00efve \u00bd \u2e3a \u05d7\u00a3", "oeuvre Aesop naive 1/2 -"),
        (" two  blanks\t", "two blanks"),
    ],
)
def test_text_becomes_ascii(line: str, expected: str) -> None:
    assert written(line, ascii=True) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text\n# a\nb\n", r":1: text before the first part"),
        (b"# letters\na\n# play\nb\n", "leaves no text for train"),
        (b"# novel\na\n# letters\n\xff\n", r":4: the line is not UTF-8"),
        (b"# novel\na\n# leters\nb\n# play\nc\n", "no part 'letters'; did you mean 'leters'"),
    ],
)
def test_what_is_wrong_with_a_text(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(content)
    with pytest.raises((DataError, ConfigError), match=message):
        read_texts(TextConfig(str(tmp_path / "t.txt"), ["letters"], ["play"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["corpus.test=[letters]"], r"none of them in dev \(letters\)"),
        (["training.frame_budget=3"], "4 or more: a character for each of the training.max_utterances=4 streams"),
        (["stream.cold_starts=2"], "cold_starts=2.*0 to 1"),
        (["task=recognition"], "task=.*expected language_model"),
        (["model/cell=lstm_layernorm"], "the numpy engine, which runs language models, does not support this one"),
        (["model.embedding=0"], "embedding=0"),
        (["corpus.root=nowhere.txt"], "nowhere.txt does not exist"),
    ],
)
def test_options_that_cannot_be(options: list[str], message: str, text: Path, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        LanguageModelExperiment(small(text, options), tmp_path / "run")


def test_encoding_is_that_of_the_lines(trained: LanguageModelExperiment) -> None:
    assert np.array_equal(trained.encoded("dev"), encoded(trained.texts["dev"], trained.header.symbols))


def test_a_run_with_code_of_its_own_makes_a_model_that_needs_none(text: Path, tmp_path: Path) -> None:
    """Plugins train it; searches run its network alone."""
    config = small(text, ["training.epochs=1", "plugins=[tests.training.toy]"])
    experiment = LanguageModelExperiment(config, tmp_path / "run")
    experiment.train(Silent())
    evaluate_language_model(experiment.run)
    assert experiment.run.language_model.is_file()
    assert isinstance(load_language_model(experiment.run.path), RecurrentModel)
