"""What is imported is declared, and what is declared is imported, by the part of the distribution that declares it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).resolve().parents[1]
NAMES = {
    "yaml": "pyyaml",
    "hydra": "hydra-core",
    "HersheyFonts": "hershey-fonts",
    "espeakng_loader": "espeakng-loader",
    "markdown_it": "markdown-it-py",
    "xdist": "pytest-xdist",
}
"""Of what is imported under another name than that of its distribution."""
BEHIND = {"torch.utils.tensorboard": "tensorboard"}
"""Modules that import the distribution for us."""
TOOLS = {"import-linter", "ruff", "mypy", "tomli"}
"""Which the tests' command or `.ci/run` starts, and what old interpreters need."""
PEERS = {"kenlm", "flashlight", "fast_ctc_decode", "ctc_beam_decoder", "parselmouth", "pympi"}
"""Programs of others that tests and benchmarks compare with where somebody has installed them; some need a compiler."""
NOT_DECLARED = sys.stdlib_module_names | {"tomllib", "asr", "data_prep", "tests", "benchmarks", "building"}
"""What Python brings, in its newest version, and what is ours."""
EXTRAS = ("train", "onnx", "plot")
"""What the package can do more with."""
BESIDE = {"librosa", "jiwer"}
"""What the extra `train` brings for those who look at sound and score by hand, and for the tests to compare with."""
OF_TRAINING = (
    "asr/recurrent", "asr/ctc", "asr/training", "asr/experiment", "asr/engines/torch.py", "asr/cli/options.py",
    "asr/cli/overrides.py", "asr/cli/train_help.py", "asr/features/sound/torchaudio_",
    "asr/recogniser/checkpoints.py",
)  # fmt: skip
"""How the paths of modules begin that may import torch or hydra when they are imported."""
LIGHT_AMONG_THEM = (
    "asr/recurrent/__init__.py", "asr/recurrent/options.py", "asr/ctc/__init__.py", "asr/ctc/alignment.py",
    "asr/ctc/guard.py", "asr/experiment/__init__.py",
    "asr/experiment/corpus_splits.py", "asr/experiment/provenance.py",
)  # fmt: skip
"""Modules there that recognising and scoring read."""


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def named(requirements: list[str]) -> set[str]:
    """The distributions' names, normalised.

    >>> sorted(named(["Hershey-Fonts>=2.1.0", "tomli>=2.0; python_version < '3.11'"]))
    ['hershey-fonts', 'tomli']
    """
    names = {re.split(r"[\s<>=!~;\[]", one, maxsplit=1)[0].lower().replace("_", "-") for one in requirements}
    return names - {project()["name"]}


def declared(*extras: str) -> set[str]:
    """What an installation with these extras, and without any, brings."""
    given = project()
    return named(given["dependencies"]).union(*(named(given["optional-dependencies"][one]) for one in extras))


def imported(*folders: str, at_once: bool = False) -> set[str]:
    """The distributions that the code beneath these folders imports; `at_once`: when its modules are imported."""
    return set().union(*(of_file(path, at_once) for path in sources(*folders)))


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")]


def of_file(path: Path, at_once: bool) -> set[str]:
    found: set[str] = set()
    for module in modules(ast.parse(path.read_text(encoding="utf-8")), at_once):
        top = module.partition(".")[0]
        if top not in NOT_DECLARED and not _beside(path, top):
            found |= {NAMES.get(top, top)} | ({BEHIND[module]} if module in BEHIND else set())
    return found


def _beside(path: Path, name: str) -> bool:
    """Whether a script imports its neighbour, as benchmarks do."""
    return "benchmarks" in path.parts and ((path.parent / f"{name}.py").is_file() or (path.parent / name).is_dir())


def is_light(path: Path) -> bool:
    """Whether a module of the package belongs to recognising and scoring."""
    name = path.relative_to(REPOSITORY).as_posix()
    return name in LIGHT_AMONG_THEM or not name.startswith(OF_TRAINING)


def modules(node: ast.AST, at_once: bool) -> Iterator[str]:
    """The modules that a piece of code imports, by a statement or by `import_module` of a literal."""
    if isinstance(node, ast.Import):
        yield from (one.name for one in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "importorskip")):
        yield from (one.value for one in node.args[:1] if isinstance(one, ast.Constant))
    if at_once and (
        isinstance(node, ast.FunctionDef | ast.Lambda)
        or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ):
        return
    for child in ast.iter_child_nodes(node):
        yield from modules(child, at_once)


def test_what_the_package_imports_is_declared_and_the_other_way_round() -> None:
    assert imported("asr", "data_prep") == declared(*EXTRAS) - BESIDE


def test_what_an_extra_brings_is_imported_where_it_is_used() -> None:
    """`onnx` and `plot` by no module at once, `train` by those of training alone."""
    too_much = {
        path: found
        for path in sources("asr", "data_prep")
        if (found := of_file(path, at_once=True) - (declared() if is_light(path) else declared("train")))
    }
    assert not too_much


def test_what_recognises_imports_nothing_at_once_that_trains() -> None:
    """Beside the packages, none of our own modules that would import them."""
    paths = sources("asr", "data_prep")
    training = {".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in paths if not is_light(path)}
    assert "asr.training.loop" in training
    too_much = {
        path: found for path in paths if is_light(path) and (found := training.intersection(names_at_once(path)))
    }
    assert not too_much


def names_at_once(path: Path) -> Iterator[str]:
    """Every dotted name that a module imports at once, those of `from room import module` among them."""

    def walk(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.FunctionDef | ast.Lambda) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            return
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{one.name}" for one in node.names))
        for child in ast.iter_child_nodes(node):
            yield from walk(child)

    return walk(ast.parse(path.read_text(encoding="utf-8")))


def test_what_tests_and_benchmarks_import_is_declared_and_the_other_way_round() -> None:
    alone = named(project()["optional-dependencies"]["test"])
    there = imported("tests", "benchmarks")
    assert there >= PEERS
    assert there - PEERS <= declared(*EXTRAS, "test")
    assert (alone - TOOLS) | BESIDE <= there


def test_what_the_documentation_imports_is_declared_and_the_other_way_round() -> None:
    alone = named(project()["optional-dependencies"]["docs"])
    there = imported("docs/building")
    assert there <= declared("train", "docs")
    assert alone - {"myst-parser", "furo"} - TOOLS <= there  # Sphinx's configuration names these two


@pytest.mark.parametrize("python", ["3.10", "3.13"])
def test_every_dependency_is_pinned_for_every_python(python: str) -> None:
    """With at most one version each; a line may leave out an old interpreter for which the registry knows best."""
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r'[\w.-]+==[\w.]+(; python_version (<|>=) "3\.11")?', line) for line in pins), pins
    old = python == "3.10"
    meant = [line for line in pins if ("<" in line if old else ">" in line) or ";" not in line]
    names = [line.partition("==")[0].lower() for line in meant]
    assert len(names) == len(set(names))
    of_new = {line.partition("==")[0].lower() for line in pins if ">" in line}
    wanted = declared(*EXTRAS, "test", "docs") - ({"tomli"} if not old else of_new)
    assert wanted <= set(names)
