"""Pages of the configuration: the options of every group from its dataclasses, and the presets of `conf/`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from asr.config import TARGET, Component
from asr.experiment.language_model_config import LanguageModelConfig
from asr.experiment.run_config import RunConfig
from asr.experiment.schema import GROUPS
from asr.experiment.text_corpus import TextConfig
from building.fields import Option, options_of
from building.places import ROOT, index, literal

_FOLDER = "reference/configuration"
_OPENING = """\
`asr-train` composes a run from groups: `group=name` chooses a class or a preset of a group, `group.option=value` sets
an option. A recipe is a file that does both. `asr-train --cfg job` prints what a command line composes."""
_RUN = "Options of the run itself. Features, model, decoder and the other groups have pages of their own."
_TOPS = (RunConfig, LanguageModelConfig)
"""The dataclasses of a run."""


def pages() -> dict[str, str]:
    """Return a page for each group, a page for the options that belong to no group of classes, and their contents."""
    groups = {group: _group_page(group) for group in group_names()}
    files = {group.replace("/", "_"): text for group, text in groups.items()}
    contents = index("Configuration", _OPENING, ["run", *files])
    return {f"{_FOLDER}/{name}": text for name, text in ({"run": _run_page(), "index": contents} | files).items()}


def group_names() -> list[str]:
    """Return the groups of classes, and those that have presets alone."""
    folders = {path.parent.relative_to(ROOT / "conf").as_posix() for path in (ROOT / "conf").glob("*/**/*.yaml")}
    return sorted({*GROUPS, *folders})


def _group_page(group: str) -> str:
    dotted = group.replace("/", ".")
    parts = [f"# `{group}`"]
    parts += [_class_section(group, dotted, name, node) for name, node in GROUPS.get(group, {}).items()]
    parts += list(_presets(group))
    return "\n\n".join(parts) + "\n"


def _class_section(group: str, dotted: str, name: str, node: type[Any]) -> str:
    built = getattr(node, TARGET, "")
    how = f"Chosen with `{group}={name}`. " if not name.endswith("schema") else ""
    what = f"Builds `{built}`." if built else ""
    heading = name if not name.endswith("schema") else built.rpartition(".")[2] or node.__name__
    return "\n\n".join([f"## `{heading}`", _summary(node), how + what, _table(options_of(node), dotted)])


def _summary(node: type[Any]) -> str:
    return (node.__doc__ or "").partition("\n\n")[0].strip()


def _presets(group: str) -> Iterator[str]:
    paths = sorted((ROOT / "conf" / group).glob("*.yaml"))
    if paths:
        yield "## Presets"
    for path in paths:
        yield f"### `{group}={path.stem}`\n\n{literal(path.read_text(encoding='utf-8'), 'yaml')}"


def _run_page() -> str:
    parts = ["# A run", _RUN]
    parts += ["## A recogniser", _top_table(RunConfig), literal(_conf("train"), "yaml")]
    parts += ["## A language model", _top_table(LanguageModelConfig), literal(_conf("train_language_model"), "yaml")]
    for name, node in _typed().items():
        of = " of a language model" if node is TextConfig else ""
        parts += [f"## `{name}`{of}", _summary(node), _table(options_of(node), name)]
    return "\n\n".join(parts) + "\n"


def _conf(name: str) -> str:
    return (ROOT / "conf" / f"{name}.yaml").read_text(encoding="utf-8")


def _typed() -> dict[str, type[Any]]:
    """Return the dataclasses that are fields of a run's configuration and no group, by field."""
    found: dict[str, type[Any]] = {}
    for top in _TOPS:
        hints = get_type_hints(top)
        known = {Component, *(node for nodes in GROUPS.values() for node in nodes.values())}
        names = [one.name for one in fields(top) if is_dataclass(hints[one.name])]
        found |= {name: hints[name] for name in names if hints[name] not in known}
    return found


def _top_table(top: type[Any]) -> str:
    return _table([one for one in options_of(top) if one.name not in _typed()], "")


def _table(options: Sequence[Option], group: str) -> str:
    """Return the options of a class as definitions, which narrow screens show as well as wide ones."""
    return "\n\n".join(_definition(one, group) for one in options) or "It has no options."


def _definition(one: Option, group: str) -> str:
    name = f"`{group}.{one.name}`" if group else f"`{one.name}`"
    kind = "a class of this group" if one.kind == "`Component`" else one.kind
    default = f", default `{one.default}`" if one.default else ""
    return f"{name}: {kind}{default}" + (f"\n: {one.meaning}" if one.meaning else "")
