"""The options of `asr-train`, collected without importing the components that they configure.

Each option is a field of a dataclass beside its component. Importing a component imports torch, which takes seconds:
too long for a help text, an error about a misspelt option or a shell completion. Therefore this module extracts the
dataclasses of `RunConfig` and of the groups from the source files and evaluates only these lines. A test compares
every class with the imported one.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING as REQUIRED
from dataclasses import field, fields, is_dataclass, make_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Optional, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from asr.resources import resource

_TOP = Path(__file__).resolve().parents[2]
_RECOGNISER, _LANGUAGE_MODEL = "train", "train_language_model"
_PRIMARY = {
    _RECOGNISER: ("run_schema", "asr.experiment.run_config", "RunConfig"),
    _LANGUAGE_MODEL: ("language_model_schema", "asr.experiment.language_model_config", "LanguageModelConfig"),
}
"""For each primary configuration file in conf/: the name of its schema, and the module and name of its class."""


def primary_of(arguments: Sequence[str], config_dir: str | None = None) -> str:
    """Return the name of the primary configuration file for a command line; `task:` in its recipe decides.

    Args:
        arguments: the words of the command line; the last `recipe=` counts.
        config_dir: a folder of the user's with more recipes; None for none.
    """
    given = [one.removeprefix("recipe=").partition(",")[0] for one in arguments if one.startswith("recipe=")]
    own = [] if config_dir is None else [Path(config_dir) / "recipe" / f"{given[-1]}.yaml"] if given else []
    path = next(filter(Path.is_file, own), recipes().get(given[-1])) if given else None
    try:
        loaded = OmegaConf.load(path) if path is not None else None
    except Exception:  # Hydra will report the fault with more detail
        loaded = None
    task = loaded.get("task") if isinstance(loaded, DictConfig) else None
    return _LANGUAGE_MODEL if task == "language_model" else _RECOGNISER


def run_schema(primary: str = _RECOGNISER) -> type:
    """Return the schema that Hydra checks a run with: groups accept options of any class, and `run_dir` is added.

    Args:
        primary: the name of the primary configuration file, from `primary_of`.
    """
    run_config = _defined(*_PRIMARY[primary][1:])
    chosen = {_defined("asr.config", "Component"), _defined("asr.experiment.corpus_splits", "CorpusConfig")}
    rows: list[tuple[str, Any, Any]] = [("run_dir", Optional[str], None)]  # noqa: UP045  (OmegaConf on Python 3.10)
    hints = get_type_hints(run_config)
    for one in fields(run_config):
        kind = hints[one.name]
        if kind in chosen:
            rows.append((one.name, Any, MISSING))
        elif one.name == "plugins":
            rows.append((one.name, list[str], field(default_factory=list)))
        elif is_dataclass(kind):
            rows.append((one.name, kind, field(default_factory=kind)))  # type: ignore[arg-type]  # a class
        else:
            rows.append((one.name, kind, MISSING if one.default is REQUIRED else one.default))
    return make_dataclass("RunSchema", rows)


def groups() -> Mapping[str, Mapping[str, type]]:
    """Return for each group its dataclasses, by the names that Hydra uses for them."""
    found: Mapping[str, Mapping[str, type]] = _defined("asr.experiment.schema", "GROUPS")
    return found


def recipes() -> dict[str, Path]:
    """Return the files of the recipes that come with the package, by the name `task/name`."""
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(resource("recipes").glob("*/*.yaml"))}


def store() -> None:
    """Register the dataclasses, and the recipes as the group `recipe`, with Hydra's ConfigStore."""
    configs = ConfigStore.instance()
    for primary, (schema, *_) in _PRIMARY.items():
        configs.store(name=schema, node=run_schema(primary))
    for group, nodes in groups().items():
        for name, node in nodes.items():
            configs.store(group=group, name=name, node=node)
    for name, path in recipes().items():
        recipe = OmegaConf.merge(OmegaConf.load(path), {"recipe": name})
        configs.store(group=f"recipe/{path.parent.name}", name=path.stem, node=recipe, package="_global_")


def option_names() -> list[str]:
    """Return the sorted full names of all options, such as `model.hidden`."""
    names = {name for primary in _PRIMARY for name in _names_in("", OmegaConf.structured(run_schema(primary)))}
    for group, nodes in groups().items():
        for node in nodes.values():
            names |= _names_in(group.replace("/", ".") + ".", OmegaConf.structured(node))
    return sorted(names)


def _names_in(prefix: str, node: Any) -> set[str]:
    names = {f"{prefix}{key}" for key in node}
    for key in node:
        child = None if OmegaConf.is_missing(node, key) else node[key]
        if OmegaConf.is_dict(child):
            names |= _names_in(f"{prefix}{key}.", child)
    return names


@cache
def _defined(module: str, name: str) -> Any:
    """Return the object with this name in a module of this package.

    A dataclass, constant or imported name is evaluated on its own, without importing the module. For anything else the
    module is imported.
    """
    statement = _statements(module).get(name)
    if isinstance(statement, ast.ImportFrom) and statement.module:
        source = next(one.name for one in statement.names if (one.asname or one.name) == name)
        ours = statement.module.startswith("asr.")
        return (
            _defined(statement.module, source) if ours else getattr(importlib.import_module(statement.module), source)
        )
    if isinstance(statement, ast.ClassDef) and any("dataclass" in ast.unparse(one) for one in statement.decorator_list):
        statement.body = [one for one in statement.body if isinstance(one, ast.AnnAssign)] or [ast.Pass()]
        return _evaluated(module, statement)[name]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return _evaluated(module, statement)[name]
    return getattr(importlib.import_module(module), name)


def _statements(module: str) -> dict[str, ast.stmt]:
    """Return the top-level statements of a module, by the names that they define."""
    found: dict[str, ast.stmt] = {}
    for statement in _parsed(module).body:
        if isinstance(statement, ast.ImportFrom):
            found |= dict.fromkeys((one.asname or one.name for one in statement.names), statement)
        elif isinstance(statement, ast.ClassDef | ast.FunctionDef):
            found[statement.name] = statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
            found |= dict.fromkeys(names, statement)
    return found


@cache
def _parsed(module: str) -> ast.Module:
    path = _TOP.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _evaluated(module: str, statement: ast.stmt) -> dict[str, Any]:
    """Execute one statement of a module, and return the names before and after it."""
    known = _statements(module)
    used = {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    names: dict[str, Any] = {name: _defined(module, name) for name in used if name in known}
    names["__name__"] = module
    exec(compile(ast.Module([statement], []), module, "exec", dont_inherit=True), names)
    return names
