"""State what is wrong with the options of a command line, in one sentence that names the nearest right one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import fields

from asr.cli import options
from asr.config import nearest
from asr.errors import ConfigError

_LISTED = "`asr-train --help` lists them"


def check_arguments(arguments: Sequence[str], dashed: Sequence[str]) -> None:
    """Check the words of a command line that Hydra would fall over.

    Args:
        arguments: all words.
        dashed: those with dashes that are no flag of Hydra's.

    Raises:
        ConfigError: an option with dashes, a group or an option without its name, a group that is to be nothing.
    """
    if dashed:
        raise ConfigError(_without_dashes(dashed[0], arguments))
    for argument in arguments:
        name, sign, value = argument.partition("=")
        if name == "recipe" or name in options.groups():
            if value in ("null", ""):
                raise ConfigError(f"{name}={value}: expected a name; {_LISTED}")
        elif sign and not name.strip("+~"):
            raise ConfigError(f"'{argument}' names no option; expected option=value")
        elif name.startswith("~") and (name[1:] in options.option_names() or name[1:] in options.groups()):
            raise ConfigError(f"'{argument}': options cannot be taken away; set one with option=value")


def _without_dashes(flag: str, arguments: Sequence[str]) -> str:
    """Say how `--root x` is written here."""
    name, sign, value = flag.lstrip("-").replace("-", "_").partition("=")
    following = arguments[arguments.index(flag) + 1 :]
    if not sign and following and not following[0].startswith("-") and "=" not in following[0]:
        value = following[0]
    shown = flag if sign or not value else f"{flag} {value}"
    known = options.option_names()
    right = _ending_in(name, known) or (name if name in known or name in options.groups() else "")
    if right:
        written = shlex.quote(f"{right}={value}") if value else f"{right}=..."
        return f"{shown}: options have no dashes here; write {written}"
    return f"{shown}: options have no dashes here but are written option=value; {_LISTED}"


def _ending_in(name: str, known: Sequence[str]) -> str:
    """The first known option with this last name; empty without one."""
    return next((one for one in known if one.endswith(f".{name}")), "")


def explain(error: Exception) -> str:
    """Return Hydra's or OmegaConf's message as one sentence that names the nearest known option."""
    text, cause = str(error).strip(), str(error.__cause__ or "")
    argument = getattr(error, "override", None)  # of an error of the grammar
    if argument is not None:
        return _grammar(argument)
    several = re.search(r"^Ambiguous value for argument '(.*)'$", text, re.MULTILINE)
    if several:
        return _several(several.group(1))
    unknown = re.search(r"Could not override '([^']+)'", text) or re.search(r"full_key: (\S+)", f"{text}\n{cause}")
    if "not in" in f"{text}{cause}" and unknown:
        return _unknown(unknown.group(1))
    place = re.search(r"full_key: (\S+)", cause or text)
    if place:
        return f"{place.group(1)}: {_expected((cause or text).splitlines()[0], place.group(1), text.partition('=')[2])}"
    choice = re.search(r"Could not find '([^']+)'", text)
    if choice is None:
        return " ".join(text.split())
    if choice.group(1).startswith("recipe/"):
        group, name, known = "recipe", choice.group(1).removeprefix("recipe/"), list(options.recipes())
    else:
        group, _, name = choice.group(1).rpartition("/")
        known = [one for one in re.findall(r"^\t(\S+)$", text, re.MULTILINE) if one != "schema"]
    return f"there is no {group}={name}{nearest(name, known)}; there are: {', '.join(known)}"


def _grammar(argument: str) -> str:
    """Explain an argument that the grammar of Hydra cannot read."""
    name, sign, value = argument.partition("=")
    if sign:
        return f"{argument} cannot be read; a value with such characters needs quotes: {quoted(name, value)}"
    if argument in options.recipes():
        return f"'{argument}' is not option=value; did you mean recipe={argument}?"
    if name in options.option_names():
        return f"'{argument}' is not option=value; write {argument}=..."
    return f"'{argument}' is not option=value; if it belongs to a value with a space, put quotes around the whole"


def _several(argument: str) -> str:
    """Explain a value with commas outside quotes."""
    name, _, value = argument.partition("=")
    return (
        f"{argument} could be several values; for one value with a comma write {quoted(name, value)}, "
        f"for a list {shlex.quote(f'{name}=[{value}]')}, for one run each add --multirun"
    )


def quoted(name: str, value: str) -> str:
    """Return `name=value` for a shell, in quotes that keep the value as it is.

    >>> print(quoted("corpus.root", "e(f)"))
    'corpus.root="e(f)"'
    """
    bare = value.strip("\"'")
    escaped = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + ("\\" if found[2] else "") + found[2], bare)
    return shlex.quote(f'{name}="{escaped}"')


def _unknown(name: str) -> str:
    """Say that there is no such option, and which one is near."""
    if name in ("corpus.options", "corpus.pool"):
        return f"{name}={{...}} names what is not set yet; add one by one: +{name}.NAME=..."
    if name.startswith(("corpus.options.", "corpus.pool.")):  # free, but what is new there is said to be new
        return f"'{name}' is not set yet{_like_a_readers(name)}; to add it, put a plus before it: +{name}=..."
    known = options.option_names()
    ending = _ending_in(name, known)
    hint = f"; did you mean '{ending}'?" if ending else nearest(name, known)
    return f"there is no option '{name}'{hint}; {_LISTED}"


def _like_a_readers(name: str) -> str:
    """The nearest option of any corpus reader, where none is called so."""
    from data_prep.corpora import load_reader, readers

    given = name.rpartition(".")[2]
    known = {one.name for reader in readers() for one in fields(load_reader(reader).Config)}
    return "" if given in known else nearest(given, known)


def _expected(reason: str, name: str, given: str) -> str:
    """OmegaConf's words, where they need no knowledge of it."""
    if "ListConfig" in reason:
        return f"expected a list, such as {name}=[{given}]"
    return "null is no value of it" if "is not Optional" in reason else reason
