"""A reader who types what a page says: runs its blocks in order, in one folder, and compares what the page shows."""

from __future__ import annotations

import contextlib
import doctest
import glob
import io
import os
import re
import shlex
import subprocess
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Ended, command, program, surroundings
from tests.docs.pages import OUTPUT, RUN, Block, console, statements
from tests.docs.stand_ins import StandIns

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("prepare", "train", "evaluate", "transcribe", "align", "export", "lm", "report", "generate", "tune")
PLAIN = ("cat", "cp", "cut", "echo", "grep", "head", "ls", "mkdir", "mv", "printf", "sed", "sort", "tail", "wc", "zcat")
"""Programs that bash runs."""

_INSTALLS = re.compile(r"\S*python3? -m venv \S+|(\S*/)?pip3? install( -e| -c \S+)*( [^\s&|;<>-][^\s&|;<>]*)+")
_TESTS = re.compile(r"\S*python3? -m pytest( -n \d+)?")  # `.ci/run` runs them
_SYNTAX = re.compile(r"[|;&`<\n]|\$\(")
_PLACE = re.compile(r"runs/[\w/]*/\.\.\.")  # of a run, whose folder is named by the time
_CORPUS = re.compile(r"/data\b")
SMALL = {
    "espeak": {"train": 8, "dev": 2, "test": 2, "train_speakers": 4, "dev_speakers": 1, "test_speakers": 1},
    "hershey": {"train": 40, "dev": 3, "test": 3, "train_writers": 2, "dev_writers": 1, "test_writers": 1},
}
"""Sizes of the embedded corpora in tests; with these, the letters of dev and test are in train, too."""

_COMPARE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Different(AssertionError):  # noqa: N818  (it says what was found, as pytest's `Failed` does)
    """A page shows another output than its command has."""


@dataclass
class Reader:
    """Somebody who reads one page.

    Attributes:
        folder: where the commands run.
        stand_ins: what a reader brings along.
        scripts: a folder with the commands as programs, for lines that bash runs.
        cache: the user's cache folder.
        names: the variables of the page's Python.
        ended: how the block before this line ended; None before the first one.
    """

    folder: Path
    stand_ins: StandIns
    scripts: Path
    cache: Path
    names: dict[str, Any] = field(default_factory=dict)
    ended: Ended | None = None

    def read(self, block: Block) -> None:
        """Do what a block asks for.

        Raises:
            Different: its output is not the one that the page shows.
            AssertionError: a command failed, or nobody knows how to run it.
        """
        if block.mark == "file":
            self._write(block)
        elif block.mark == "not run":
            assert block.value, "say why it is not run"
            self.ended = None
        elif block.language == "console":
            self._console(block)
        elif block.language == "python":
            self.ended = self._python(block)
        elif block.language in RUN:
            self.ended = self._all(list(statements(block.text)), block.mark == "fails")
        elif block.language in OUTPUT and self.ended is not None:
            if block.mark != "output varies":
                compare(block.text, self.ended)
            self.ended = None
        elif not block.language:
            assert not re.search(r"^(\$ )?(asr-|python |pip )", block.text, re.M), "a block of commands is called bash"

    def _write(self, block: Block) -> None:
        path = self.folder / block.value
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def _console(self, block: Block) -> None:
        for line, shown in console(block.text):
            ended = self._all([line], block.mark == "fails")
            if shown.strip() and block.mark != "output varies":
                compare(shown, ended)
        self.ended = None

    def _all(self, lines: list[str], fails: bool) -> Ended:
        """Run commands one after the other; `fails`: the last one does."""
        out, err = "", ""
        for number, line in enumerate(lines, start=1):
            ended = self.run(line)
            told = f"{line}\nended with {ended.returncode}\n{ended.stderr}"
            assert (ended.returncode != 0) == (fails and number == len(lines)), told
            assert "Traceback" not in ended.stderr, told
            out, err = out + ended.stdout, err + ended.stderr
        return Ended(0, out, err)

    def run(self, line: str) -> Ended:
        """Run one command."""
        first, _, rest = line.partition(" && ")
        if _INSTALLS.fullmatch(first):
            ended = self._installed(first)
            return self.run(rest) if rest else ended
        if _TESTS.fullmatch(line):
            return Ended(0, "", "")
        if evaluated := re.fullmatch(r'eval "\$\((.*)\)"', line):
            line = evaluated[1]
        line = _PLACE.sub("runs/mine", line)
        if "runs/mine" in line and not (self.folder / "runs" / "mine").exists() and "run_dir=runs/mine" not in line:
            self.stand_ins.copy("runs/mine", self.folder)
        if _CORPUS.search(line) and "--cfg" not in line:
            return self._missing_only_its_corpus(line)
        if _SYNTAX.search(re.sub(r"'[^']*'|\"[^\"]*\"", "", line)):
            return self._bash(line)
        return self._words(line)

    def _words(self, line: str) -> Ended:
        """Run a line without pipes and the like; a command of this package runs in this process."""
        words, variables, target = shlex.split(line), {}, ""
        while "=" in words[0] and re.match(r"[A-Z_]+=", words[0]):
            name, _, variables[name] = words.pop(0).partition("=")
        if len(words) > 2 and words[-2] == ">":
            target = words[-1]
            del words[-2:]
        words = [one for word in words for one in self._expanded(word)]
        name = words[0].rpartition("/")[2]
        if name.removeprefix("asr-") in COMMANDS and name.startswith("asr-"):
            ended = self._command(name.removeprefix("asr-"), words[1:], variables)
        elif name in PLAIN:
            return self._bash(line)
        elif name in ("python", "python3"):
            ended = self._process([sys.executable, *words[1:]], **variables)
        else:
            raise AssertionError(f"nobody knows how to run {name}; mark the block: <!-- not run: reason -->")
        if target and not ended.returncode:
            (self.folder / target).write_text(ended.stdout, encoding="utf-8")
            ended = Ended(0, "", ended.stderr)
        return ended

    def _expanded(self, word: str) -> list[str]:
        found = sorted(glob.glob(word, root_dir=self.folder)) if "*" in word else []
        return found or [word]

    def _command(self, name: str, words: list[str], variables: dict[str, str]) -> Ended:
        with self._here():
            if name == "train":
                words = small(words)
            return command(name, *words, cwd=self.folder, XDG_CACHE_HOME=str(self.cache), **variables)

    def _missing_only_its_corpus(self, line: str) -> Ended:
        """Run a command on a corpus that is not here: nothing else may be wrong with it."""
        nowhere = self.folder / "nowhere"
        words = shlex.split(_CORPUS.sub(str(nowhere), line))
        assert words[0].startswith("asr-"), f"nobody knows how to run {line}"
        ended = self._command(words[0].removeprefix("asr-"), words[1:], {})
        told = " ".join(ended.stderr.split())
        assert ended.returncode == 1, f"{line}\nfinds no corpus, and says nothing"
        assert str(nowhere) in told, f"{line}\n{ended.stderr}"
        assert "Traceback" not in told, told
        return Ended(0, "", "")

    def _installed(self, line: str) -> Ended:
        """Look at a command that installs: the extras exist. `.ci/run` runs the ones of README.md."""
        extras = set(re.findall(r"\w+", " ".join(re.findall(r"\[([\w,]+)\]", line))))
        assert extras <= {"train", "onnx", "plot", "test", "docs"}, f"there are no such extras: {line}"
        return Ended(0, "", "")

    def _bash(self, line: str) -> Ended:
        return self._process(["bash", "-e", "-o", "pipefail", "-c", line])

    def _process(self, words: list[str], **variables: str) -> Ended:
        places = f"{self.scripts}{os.pathsep}{os.environ['PATH']}"
        given = variables.pop("PYTHONPATH", "")
        python = os.pathsep.join([str(ROOT), *([str(self.folder / given)] if given else [])])
        there = surroundings(PATH=places, PYTHONPATH=python, XDG_CACHE_HOME=str(self.cache), COLUMNS="120", **variables)
        ended = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, env=there, timeout=300)
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def _python(self, block: Block) -> Ended:
        out = io.StringIO()
        with self._here(), contextlib.redirect_stdout(out), pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setenv("XDG_CACHE_HOME", str(self.cache))
            try:
                exec(compile(block.text, f"<line {block.line}>", "exec"), self.names)
                status = 0
            except Exception:
                out.write(traceback.format_exc())
                status = 1
        assert (status != 0) == (block.mark == "fails"), out.getvalue()
        return Ended(0, out.getvalue(), "")

    @contextlib.contextmanager
    def _here(self) -> Any:
        """Import modules from the page's folder, and forget them afterwards."""
        before = set(sys.modules)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(self.folder))
            yield
        for name in set(sys.modules) - before:
            path = getattr(sys.modules[name], "__file__", None)
            if path and Path(path).is_relative_to(self.folder):
                del sys.modules[name]


def small(words: list[str]) -> list[str]:
    """Return options of `asr-train` that train for a moment, whatever the page says."""
    if any(word in ("--help", "--cfg", "-sc", "--hydra-help") for word in words):
        return words
    options = dict(word.split("=", 1) for word in words if "=" in word and not word.startswith("-"))
    recipe = options.get("recipe", "quickstart/speech")
    corpus = options.get("corpus", {"quickstart/speech": "espeak", "quickstart/pen": "hershey"}.get(recipe, ""))
    new: dict[str, object] = {"training.epochs": 1, "training.tensorboard": "false", "training.threads": 1}
    begun = "init" in options or recipe.startswith("an4/")  # with weights of another size
    if not begun and "model.hidden" not in options:
        new["model.hidden"] = 8
    if recipe.startswith("books/"):
        new["stream.epoch_characters"] = 2000
    new |= {f"corpus.options.{name}": count for name, count in SMALL.get(corpus, {}).items()}
    return [*words, *(f"{name}={value}" for name, value in new.items())]


def compare(shown: str, ended: Ended) -> None:
    """Compare what a page shows with what its command wrote; `...` stands for anything.

    Raises:
        Different: they are not the same.
    """
    checker = doctest.OutputChecker()
    for written in (ended.stdout, ended.stderr, ended.stdout + ended.stderr, ended.stderr + ended.stdout):
        if checker.check_output(shown, written, _COMPARE):
            return
    raise Different(f"the page shows\n{shown}\nthe command writes\n{ended.stdout}\n{ended.stderr}")


def make_scripts(folder: Path) -> Path:
    """Write the commands as programs, as an installation has them."""
    folder.mkdir()
    for name in COMMANDS:
        path = folder / f"asr-{name}"
        path.write_text(f'#!/bin/sh\nexec {shlex.join(program(name))} "$@"\n')
        path.chmod(0o755)
    return folder
