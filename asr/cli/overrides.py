"""What is wrong with the options of a command line, in one sentence that names the nearest right one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from omegaconf import OmegaConf

from asr.config import nearest
from asr.errors import ConfigError
from asr.experiment import schema
from data_prep.corpora import load_reader, readers


def check_groups(arguments: Sequence[str]) -> None:
    """Raise a ConfigError where a group is to be nothing: Hydra would fall over it."""
    for name, _, value in (argument.partition("=") for argument in arguments):
        if value in ("null", "") and name in {"recipe", *schema.GROUPS}:
            raise ConfigError(f"{name}={value}: expected a name; `asr-train --help` lists them")


def _like_a_readers(name: str) -> str:
    """The nearest option of any corpus reader, where none is called so."""
    given = name.rpartition(".")[2]
    options = {one.name for reader in readers() for one in fields(load_reader(reader).Config)}
    return "" if given in options else nearest(given, options)


def explain(error: Exception) -> str:
    """Hydra's and OmegaConf's messages in one sentence that names the nearest known option."""
    text = str(error).strip()
    bare = re.search(r"Error parsing override '([^'=]+)'\s+missing EQUAL", text)
    if bare:
        recipe = bare.group(1) if bare.group(1) in schema.recipes() else ""
        return f"'{bare.group(1)}' is not option=value" + (f"; did you mean recipe={recipe}?" if recipe else "")
    cause = str(error.__cause__ or "")
    unknown = re.search(r"Could not override '([^']+)'", text) or re.search(r"full_key: (\S+)", f"{text}\n{cause}")
    if "not in" in f"{text}{cause}" and unknown:
        name = unknown.group(1)
        if name in ("corpus.options", "corpus.pool"):
            return f"{name}={{...}} names what is not set yet; add one by one: +{name}.NAME=..."
        if name.startswith(("corpus.options.", "corpus.pool.")):  # free, but what is new there is said to be new
            return f"'{name}' is not set yet{_like_a_readers(name)}; to add it, put a plus before it: +{name}=..."
        known = _known_options()
        ends = [one for one in known if one.endswith(f".{name}")]
        hint = f"; did you mean '{ends[0]}'?" if ends else nearest(name, known)
        return f"there is no option '{name}'{hint}; `asr-train --help` lists them"
    place = re.search(r"full_key: (\S+)", cause)
    if place:
        return f"{place.group(1)}: {_expected(cause.splitlines()[0], place.group(1), text.partition('=')[2])}"
    choice = re.search(r"Could not find '([^']+)'", text)
    if choice is None:
        return text
    if choice.group(1).startswith("recipe/"):
        group, name, options = "recipe", choice.group(1).removeprefix("recipe/"), list(schema.recipes())
    else:
        group, _, name = choice.group(1).rpartition("/")
        options = [one for one in re.findall(r"^\t(\S+)$", text, re.MULTILINE) if one != "schema"]
    return f"there is no {group}={name}{nearest(name, options)}; there are: {', '.join(options)}"


def _expected(reason: str, name: str, given: str) -> str:
    """OmegaConf's words, where they need no knowledge of it."""
    if "ListConfig" in reason:
        return f"expected a list, such as {name}=[{given}]"
    return "null is no value of it" if "is not Optional" in reason else reason


def _known_options() -> list[str]:
    """Every option of every group, with dots."""
    names: list[str] = []

    def walk(prefix: str, node: Any) -> None:
        for key in node:
            names.append(f"{prefix}{key}")
            child = None if OmegaConf.is_missing(node, key) else node[key]
            if OmegaConf.is_dict(child):
                walk(f"{prefix}{key}.", child)

    walk("", OmegaConf.structured(schema.run_schema()))
    for group, nodes in schema.GROUPS.items():
        for node in nodes.values():
            walk(group.replace("/", ".") + ".", OmegaConf.structured(node))
    return sorted(set(names))
