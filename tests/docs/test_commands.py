"""Every command and example in README.md and in the pages of docs/ runs, and prints what the page shows.

`tests/docs/pages.py` lists the comments that pages may use. Training runs for one epoch on a small corpus; commands on
a corpus that people must fetch (`/data/...`) run up to the point where it is missing.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.commands import Ended
from tests.docs.pages import Block, blocks_of, given, pages, statements
from tests.docs.reader import ROOT, Different, Reader, compare, make_scripts, small
from tests.docs.stand_ins import StandIns, named_in

PAGES = pages(ROOT)


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> StandIns:
    return StandIns(tmp_path_factory.mktemp("stand_ins"))


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scripts(tmp_path_factory.mktemp("programs") / "bin")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def reader(stand_ins: StandIns, scripts: Path, cache: Path, tmp_path: Path) -> Reader:
    return Reader(tmp_path, stand_ins, scripts, cache)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_commands_of_a_page_run(page: Path, reader: Reader) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    brought = given(text)
    for name in named_in(text) if brought is None else brought:
        reader.stand_ins.copy(name, reader.folder)
    if "examples/" in text:
        shutil.copytree(ROOT / "examples", reader.folder / "examples")
    for block in blocks_of(text):
        if told := _read(reader, block):
            pytest.fail(f"{page}:{block.line}: {told}", pytrace=False)


def _read(reader: Reader, block: Block) -> str:
    """Return what is wrong with a block."""
    try:
        reader.read(block)
    except AssertionError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_file_that_a_page_shows_is_named_where_people_see_it(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    seen = re.sub(r"<!--.*?-->|^```.*?^```", "", text, flags=re.S | re.M)
    for block in blocks_of(text):
        assert block.mark != "file" or block.value in seen, f"{page}:{block.line}: name {block.value}"


def test_the_pages_for_people_are_among_them() -> None:
    assert {"README.md", "docs/installation.md", "docs/questions.md"} <= set(map(str, PAGES))


def test_blocks_have_their_language_and_the_comment_in_front_of_them() -> None:
    page = "text\n\n<!-- not run: takes a day -->\n\n```bash\na\n```\n\n```text\nb\n```\n<!-- given: x.txt,\n y -->\n"
    assert blocks_of(page) == [Block(5, "bash", "a\n", "not run", "takes a day"), Block(9, "text", "b\n")]
    assert given(page) == ["x.txt", "y"]
    assert given("nothing") is None


def test_a_command_that_fails_or_that_nobody_knows_is_found(reader: Reader) -> None:
    with pytest.raises(AssertionError, match="no model 'an5'"):
        reader.read(Block(1, "bash", "asr-transcribe an5 x.wav\n"))
    with pytest.raises(AssertionError, match="nobody knows how to run frobnicate"):
        reader.read(Block(1, "bash", "frobnicate\n"))
    for line in ("pip frobnicate", "cd somewhere", "pip install . && frobnicate", "cd x && asr-train"):
        with pytest.raises(AssertionError, match="nobody knows how to run|No such file"):
            reader.read(Block(1, "bash", f"{line}\n"))
    with pytest.raises(AssertionError, match="there are no such extras"):
        reader.read(Block(1, "bash", "python3 -m venv .venv && .venv/bin/pip install '.[trian]'\n"))
    with pytest.raises(AssertionError, match="a block of commands is called bash"):
        reader.read(Block(1, "", "asr-transcribe an4 x.wav\n"))
    with pytest.raises(AssertionError, match=r"training\.epoch"):
        reader.read(Block(1, "bash", "asr-train recipe=an4/ctc corpus.root=/data/an4 training.epoch=3\n"))
    reader.read(Block(1, "bash", "asr-train recipe=an4/ctc corpus.root=/data/an4 training.seed=3\n"))


def test_an_output_that_differs_is_found(reader: Reader) -> None:
    reader.read(Block(1, "bash", "echo one two  # a comment\n"))
    with pytest.raises(Different):
        reader.read(Block(4, "text", "one three\n"))
    compare("one ...\nthree\n", Ended(0, "one two\nthree\n", ""))
    with pytest.raises(Different):
        reader.read(Block(1, "console", "$ echo one\ntwo\n"))


def test_python_keeps_its_names_from_block_to_block(reader: Reader) -> None:
    reader.read(Block(1, "python", "one = 1\n"))
    reader.read(Block(1, "python", "print(one + 1)\n"))
    reader.read(Block(1, "text", "2\n"))
    with pytest.raises(AssertionError, match="NameError"):
        reader.read(Block(1, "python", "print(two)\n"))


def test_shell_lines_are_split_as_bash_does() -> None:
    lines = list(statements("a \\\n  b  # c\n\n# d\ncat > x <<'END'\ne # f\nEND\necho '# g'\n"))
    assert lines == ["a   b", "cat > x <<'END'\ne # f\nEND", "echo '# g'"]


def test_training_in_pages_is_short() -> None:
    assert "corpus.options.train=8" in small([])
    assert "corpus.options.train=40" in small(["recipe=quickstart/pen"])
    assert small(["--help"]) == ["--help"]
    assert not any(word.startswith("corpus.options") for word in small(["recipe=an4/ctc", "corpus=manifest"]))
    assert "model.hidden=8" in small([])
    assert "model.hidden=8" not in small(["init=quickstart"])  # its weights have another size
