"""The files of a decoder travel with a saved model, and a model from outside reads no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from asr.config import Component
from asr.decoding import files
from asr.decoding.beam import BeamConfig
from asr.decoding.choice import DecoderChoice, decoder_for, named
from asr.decoding.files import check_files, found_beside, saved_beside, with_plain_names
from asr.decoding.greedy import GreedyConfig
from asr.decoding.lexicon import LexiconConfig
from asr.decoding.marks import effective_weights, file_options, weights_of
from asr.errors import ConfigError, DataError
from tests.decoding.toy_weighted import toy, toy_decoder

GREEDY = Component.of(GreedyConfig())


@pytest.fixture(autouse=True)
def with_toy() -> Iterator[None]:
    with toy_decoder():
        yield


def test_a_file_is_copied_beside_a_model_and_found_there(tmp_path: Path) -> None:
    (tmp_path / "of me").mkdir()
    (tmp_path / "bundles").mkdir()
    source = tmp_path / "of me" / "an4.v1.lm"
    source.write_text("1.5")
    saved = saved_beside(toy(model=str(source)), tmp_path / "bundles")
    assert saved == toy(model="an4.v1.lm")
    assert (tmp_path / "bundles" / "an4.v1.lm").read_text() == "1.5"
    found = found_beside(saved, tmp_path / "bundles")
    assert found == toy(model=str(tmp_path / "bundles" / "an4.v1.lm"))
    check_files(found)
    assert with_plain_names(found) == saved
    assert saved_beside(found, tmp_path / "bundles") == saved  # it is there
    assert saved_beside(toy(model=str(source)), tmp_path / "bundles") == saved
    assert len(list((tmp_path / "bundles").iterdir())) == 1


def test_a_file_of_the_same_name_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "my.arpa.gz").write_text("another")
    (tmp_path / "my.arpa.gz").write_text("1")
    saved = saved_beside(toy(model=str(tmp_path / "my.arpa.gz")), tmp_path / "out")
    assert saved.options["model"] == "my-6b86b273.arpa.gz"
    assert (tmp_path / "out" / "my-6b86b273.arpa.gz").read_text() == "1"
    assert (tmp_path / "out" / "my.arpa.gz").read_text() == "another"


def test_the_files_of_a_decoder_inside_another_travel_too(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "a.lm").write_text("1")
    outer = toy(inner=toy(model=str(tmp_path / "a.lm")))
    saved = saved_beside(outer, tmp_path / "out")
    assert saved == toy(inner=toy(model="a.lm"))
    assert (tmp_path / "out" / "a.lm").is_file()
    with pytest.raises(ConfigError, match=r"^model=\.\./a\.lm; a saved decoder may only name a file that lies beside"):
        found_beside(toy(inner=toy(model="../a.lm")), tmp_path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.lm", "a/b.lm", "a\\b.lm", "C:a.lm", "..", ".", "a\0b"])
def test_a_saved_decoder_names_no_file_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="a saved decoder may only name a file that lies beside it"):
        found_beside(toy(model=name), tmp_path)


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "shipped_files", lambda: ["english_letters"])
    path = tmp_path / "nothing.lm"
    told = rf"^model={path} does not exist; give a file, or one that comes with this package: english_letters$"
    with pytest.raises(ConfigError, match=told):
        check_files(toy(model=str(path)))
    with pytest.raises(ConfigError, match=r"did you mean 'english_letters'\?"):
        check_files(toy(model="english_leters"))
    with pytest.raises(ConfigError, match=rf"^model={tmp_path} is a folder; give a file"):
        check_files(toy(model=str(tmp_path)))
    with pytest.raises(DataError, match=r"nothing\.lm cannot be read: No such file or directory; the decoder needs it"):
        saved_beside(toy(model=str(path)), tmp_path / "elsewhere")


def test_a_missing_file_of_a_saved_decoder_belongs_beside_it(tmp_path: Path) -> None:
    saved = found_beside(toy(inner=toy(model="nothing.lm")), tmp_path)
    told = rf"^model={tmp_path}/nothing\.lm does not exist; copy nothing\.lm into {tmp_path}, or choose another decoder"
    with pytest.raises(ConfigError, match=told):
        check_files(saved, saved)
    with pytest.raises(ConfigError, match=r"^model=mine\.lm does not exist; give a file"):
        check_files(toy(inner=toy(model="mine.lm")), saved)
    given = toy(model="mine.lm")  # a model in the making holds what its user gave
    with pytest.raises(ConfigError, match=r"^model=mine\.lm does not exist; give a file"):
        check_files(given, given)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            BeamConfig(lm="none"),
            "lm=none does not exist; give a language model, .*: english_letters, english_s",
        ),
        (BeamConfig(boost="none.txt"), "boost=none.txt does not exist; give a list of words, .*: english_words"),
        (LexiconConfig(lexicon="none.txt"), "lexicon=none.txt does not exist; give a list of words, .*: english_words"),
        (LexiconConfig(lexicon="english_words", label_lm="a.lm"), "label_lm=a.lm .*; give a language model, .*: engl"),
    ],
)
def test_only_what_fits_an_option_is_offered(config: object, told: str) -> None:
    with pytest.raises(ConfigError, match=f"^{told}[^:]*$"):
        check_files(Component.of(config))


def test_what_comes_with_the_package_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "shipped_files", lambda: ["english_letters"])
    shipped = toy(model="english_letters")
    check_files(shipped)
    for change in (found_beside, saved_beside):
        assert change(shipped, tmp_path) == shipped
    assert with_plain_names(shipped) == shipped
    assert not list(tmp_path.iterdir())


def test_a_name_of_the_package_is_no_file_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved model that names it would read a file that did not come with it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "english_words").write_text("mine")
    (tmp_path / "model").mkdir()
    named_by_it = toy(model="english_words")
    assert found_beside(named_by_it, tmp_path / "model") == named_by_it
    assert files.file_of("english_words").parent.name == "pretrained"
    assert saved_beside(named_by_it, tmp_path / "model") == with_plain_names(named_by_it) == named_by_it
    assert not list((tmp_path / "model").iterdir())
    beside = found_beside(named_by_it, Path("."))  # it came with the model
    assert files.file_of(beside.options["model"]).read_text() == "mine"
    assert saved_beside(beside, tmp_path / "model") == named_by_it
    assert (tmp_path / "model" / "english_words").read_text() == "mine"


def test_only_the_package_ships_what_it_ships() -> None:
    assert not {"an4", "quickstart"} & set(files.shipped_files())  # recognisers


def test_marks_say_which_options_are_files_and_which_are_weights() -> None:
    assert file_options(toy()) == {"model"}
    assert effective_weights(toy()) == ["blank_bonus"]
    assert effective_weights(toy(model="a.lm")) == ["blank_bonus", "model_weight"]
    assert effective_weights(toy(model="")) == ["blank_bonus"]
    assert weights_of(toy())["model_weight"].least == 0.0
    assert not weights_of(GREEDY)
    assert not weights_of(Component("my.Decoder", {"model": "x"}))


def test_a_weight_is_tuned_from_0_if_it_is_there_at_all() -> None:
    def weights(config: object, **options: object) -> list[str]:
        return effective_weights(Component.of(config).with_options(**options))

    assert weights(LexiconConfig(), oov_penalty=0.0) == ["word_lm_weight", "word_bonus", "oov_penalty"]
    assert weights_of(Component.of(LexiconConfig()))["oov_penalty"].least == 0.0  # the decoder refuses less
    assert weights(LexiconConfig()) == ["word_lm_weight", "word_bonus"]
    assert weights(BeamConfig(), priors=[0.5, 0.5]) == ["insertion_bonus", "prior_weight"]
    assert weights(BeamConfig(), priors=[]) == ["insertion_bonus"]


def test_a_name_holds_no_folders_and_no_calibration() -> None:
    component = toy(model="/home/me/an4.v2.arpa.gz", model_weight=0.1 + 0.2, calibration=[1.0, 2.0])
    assert named(component).name == "toy,model=an4.v2,model_weight=0.3"
    reported = DecoderChoice("x", component, "dev").reported()
    assert reported.component.options["model"] == "an4.v2.arpa.gz"
    assert (reported.name, reported.chosen_on) == ("x", "dev")


def test_a_tuned_default_stays_one_where_nothing_is_changed() -> None:
    tuned = named(toy(blank_bonus=2.0), "dev")
    assert decoder_for(None, tuned) == tuned
    assert decoder_for([], tuned) == tuned
    assert decoder_for(["decoder.blank_bonus=2"], tuned) == tuned
    assert decoder_for(["decoder.blank_bonus=3"], tuned) == named(toy(blank_bonus=3.0))
    assert decoder_for("toy", tuned) == named(toy())
    assert decoder_for(toy(), tuned) == named(toy())
