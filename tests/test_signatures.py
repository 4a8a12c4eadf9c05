"""No function that another room calls takes or gives a dictionary of anything, but at a file's edge."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OF_ANYTHING = re.compile(r"\b(dict|Dict|Mapping|MutableMapping)\[\s*(str|Any)\s*,\s*(Any|object)\s*\]")

EDGES = {
    "to_dict": "JSON or YAML of a file",
    "from_dict": "JSON or YAML of a file",
    "state_dict": "part of a checkpoint, as in torch",
    "load_state_dict": "part of a checkpoint, as in torch",
}
"""Methods that stand at a file's edge wherever they are."""

ALLOWED = {
    "asr.config.Component.options": "options of any class, a user's own too, which its config dataclass types",
    "asr.config.Component.flat": "options of any class, and of the components in it, by name",
    "asr.config.Component.to_node": "a node of YAML",
    "asr.config.check_types": "options of any class, as a file or a command line gives them",
    "asr.config.check_values": "options of any class, for messages",
    "asr.experiment.corpus_splits.CorpusConfig.options": "options of any reader, which its Config types",
    "asr.experiment.corpus_splits.CorpusConfig.pool": "a group of a configuration file until it is read",
    "asr.experiment.settings.plain_settings": "the content of config.yaml",
    "asr.experiment.settings.read_settings": "the content of config.yaml",
    "asr.corpus.handling.take_handling": "options as a command line gives them, before they have types",
    "asr.ink.json_ink.ink_of_mapping": "the content of a JSON file, as a Python user hands it over",
    "asr.ink.json_ink.sheets_of_mapping": "the content of a JSON file, as a Python user hands it over",
    "asr.plain_values.record": "JSON from outside",
    "asr.recogniser.checkpoints.recogniser_of": "content of a checkpoint",
    "asr.recogniser.checkpoints.state_of": "content of a checkpoint or a bundle",
    "asr.engines.fitting.fitted": "content of a checkpoint, before it is checked",
    "asr.training.checkpoint.load_checkpoint": "content of a checkpoint",
    "asr.training.checkpoint.save_checkpoint": "content of a checkpoint",
    "asr.training.log.MetricsLog.write": "a row of metrics.jsonl, of any task",
    "asr.training.state.State.from_saved": "part of a checkpoint",
    "asr.training.state.State.saved": "part of a checkpoint",
    "data_prep.corpora.load_corpus": "options of any reader, which its Config types",
    "data_prep.corpora.read_corpus": "options of any reader, which its Config types",
    "data_prep.written_options.parse_options": "options as a command line gives them, before they have types",
}


def annotations(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    """The public functions, methods and fields below a node: their full names and every annotation."""
    for one in getattr(node, "body", ()):
        if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
            yield from annotations(one, f"{name}.{one.name}")
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not one.name.startswith("_"):
            every = one.args
            parameters = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
            found = [one.returns, *(each.annotation for each in parameters if each is not None)]
            yield from ((f"{name}.{one.name}", ast.unparse(each)) for each in found if each is not None)
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and not one.target.id.startswith("_"):
            yield f"{name}.{one.target.id}", ast.unparse(one.annotation)


def of_anything() -> set[str]:
    """Full names of what has a dictionary of anything in its signature."""
    modules = [path for room in ("asr", "data_prep") for path in sorted((ROOT / room).rglob("*.py"))]
    assert len(modules) > 150
    return {
        name
        for path in modules
        for name, annotation in annotations(
            ast.parse(path.read_text(encoding="utf-8")), ".".join(path.relative_to(ROOT).with_suffix("").parts)
        )
        if OF_ANYTHING.search(annotation)
    }


def test_dictionaries_of_anything_stay_at_a_files_edge() -> None:
    found = {name for name in of_anything() if name.rpartition(".")[2] not in EDGES}
    assert found - set(ALLOWED) == set(), "give these a type, or say here at which file's edge they stand"
    assert set(ALLOWED) - found == set(), "these have types now; take them off the list"


def test_what_is_looked_for_is_found() -> None:
    code = """
def f(a: Mapping[str, Any] | None, *b: int, **c: dict[str, object]) -> list[dict[str, Any]]: ...
class C:
    x: dict[str, int]
    y: dict[str,  Any]
    def m(self) -> 'Mapping[str, object]': ...
    def _m(self) -> dict[str, Any]: ...
"""
    seen = [name for name, annotation in annotations(ast.parse(code), "m") if OF_ANYTHING.search(annotation)]
    assert seen == ["m.f", "m.f", "m.f", "m.C.y", "m.C.m"]
