"""The options that are read from the source are those of the classes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_type_hints

import pytest
from omegaconf import OmegaConf

from asr.cli import options
from asr.experiment import schema
from asr.experiment.language_model_config import LanguageModelConfig
from asr.experiment.run_config import RunConfig

PAIRS = [(group, name) for group, nodes in schema.GROUPS.items() for name in nodes]


@pytest.mark.parametrize(("group", "name"), PAIRS)
def test_a_class_read_from_its_source_has_the_fields_of_the_class(group: str, name: str) -> None:
    read, imported = options.groups()[group][name], schema.GROUPS[group][name]
    assert read is not imported
    assert get_type_hints(read) == get_type_hints(imported)
    assert OmegaConf.to_yaml(OmegaConf.structured(read)) == OmegaConf.to_yaml(OmegaConf.structured(imported))


def test_all_groups_are_read() -> None:
    assert {group: list(nodes) for group, nodes in options.groups().items()} == {
        group: list(nodes) for group, nodes in schema.GROUPS.items()
    }


def test_hydra_checks_every_field_of_the_run_configuration() -> None:
    hydras = OmegaConf.structured(options.run_schema())
    assert set(hydras) == {"run_dir", *(one.name for one in fields(RunConfig))}
    for name in ("inventory", "loss", "sampling", "training", "scoring"):
        kind = get_type_hints(RunConfig)[name]
        assert hydras[name] == OmegaConf.structured(kind)
        assert get_type_hints(OmegaConf.get_type(hydras, name)) == get_type_hints(kind)


def test_hydra_checks_every_field_of_a_language_models_configuration() -> None:
    hydras = OmegaConf.structured(options.run_schema("train_language_model"))
    assert set(hydras) == {"run_dir", *(one.name for one in fields(LanguageModelConfig))}
    for name in ("corpus", "stream", "training"):
        kind = get_type_hints(LanguageModelConfig)[name]
        assert get_type_hints(OmegaConf.get_type(hydras, name)) == get_type_hints(kind)
        assert OmegaConf.to_yaml(hydras[name]) == OmegaConf.to_yaml(options_of(kind))


def options_of(kind: type) -> object:
    """The options of a class whose own check refuses the defaults, for some of them must be given."""
    hydras = OmegaConf.create({})
    for one in fields(kind):
        hydras[one.name] = one.default if one.default is not MISSING else one.default_factory()  # type: ignore[misc]
    return hydras


HEAVY = ("torch", "numba", "librosa", "scipy", "onnx", "tensorboard")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("train", ["--help"]),
        ("train", ["--help", "recipe=an4/ctc"]),
        ("train", ["--help", "recipe=books/char_lstm"]),
        ("generate", ["--help"]),
        ("train", ["training.epoch=3"]),
        ("train", ["corpus.manifests=Übung"]),
        ("train", ["recipe=typo"]),
        ("train", ["--root", "x"]),
        ("train", ["--cfg", "job"]),
        ("prepare", ["--help"]),
        ("evaluate", ["--help"]),
        ("transcribe", ["--help"]),
        ("transcribe", ["--formt", "x"]),
        ("export", ["--help"]),
        ("report", ["--help"]),
        ("tune", ["--help"]),
        ("tune", ["an4", "decoder=beam"]),
    ],
)
def test_help_and_wrong_options_are_answered_at_once(name: str, arguments: list[str]) -> None:
    code = (
        f"import sys, time; sys.argv = ['asr-{name}', *{arguments}]\n"
        f"from asr.cli.{name} import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', [one for one in {HEAVY} if one in sys.modules], file=sys.stderr)\n"
        "print(time.process_time(), file=sys.stderr)\n"
    )
    seconds = []
    for _ in range(3):  # a busy machine takes longer
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stderr
        assert "loaded: []" in said, said
        seconds.append(float(said.split()[-1]))
        if seconds[-1] < 1.0:
            return
    pytest.fail(f"took {seconds} s of processor time")


def trained(*arguments: str, **variables: str) -> str:
    """What `asr-train` prints on standard output."""
    code = "import sys; sys.argv[0] = 'asr-train'; from asr.cli.train import main; main()"
    environment = os.environ | variables
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_shows_what_ones_own_folder_offers_and_the_options_given(tmp_path: Path) -> None:
    (tmp_path / "my conf" / "augment").mkdir(parents=True)
    (tmp_path / "my conf" / "augment" / "mine.yaml").write_text("defaults: [schema, _self_]\ntime_masks: 7\n")
    text = trained("--help", f"--config-dir={tmp_path}/my conf", "augment=mine", "recipe=an4/ctc", "training.epochs=77")
    assert re.search(r"^augment: .*\bmine\b.*\bstrong$", text, re.MULTILINE)
    for line in (
        "recipe: an4/ctc",
        "  time_masks: 7",
        "  epochs: 77",
        "recipe/an4: ctc, ctc_alone, ctc_large, ctc_phones",
    ):
        assert line in text.splitlines()


def test_the_configuration_can_be_printed_and_words_completed() -> None:
    assert "  epochs: 77\n" in trained("--cfg", "job", "training.epochs=77")
    assert "features=mel64" in trained("-sc", "query=bash", COMP_LINE="asr-train features=me").split()
    assert "training.epochs=" in trained("-sc", "query=bash", COMP_LINE="asr-train training.ep")
