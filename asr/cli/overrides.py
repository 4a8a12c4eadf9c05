"""Explain errors in the options of `asr-train`, and suggest the nearest valid option."""

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
    """Check the words of a command line for errors that Hydra would not explain.

    Args:
        arguments: all words of the command line.
        dashed: the words that begin with a dash but are not a flag of Hydra's.

    Raises:
        ConfigError: an option is written with dashes, has no name or is deleted with `~`; or a group has no value.
    """
    if dashed:
        raise ConfigError(_without_dashes(dashed[0], arguments))
    for argument in arguments:
        name, sign, value = argument.partition("=")
        if name == "recipe" or name in options.groups():
            if value in ("null", ""):
                raise ConfigError(f"{name}={value}: expected a name; {_LISTED}")
        elif sign and not name.strip("+~"):
            raise ConfigError(f"'{argument}' has no option name; expected option=value")
        elif name.startswith("~") and (name[1:] in options.option_names() or name[1:] in options.groups()):
            raise ConfigError(f"'{argument}': an option cannot be removed; change its value with option=value")


def _without_dashes(flag: str, arguments: Sequence[str]) -> str:
    """Return the message for an option with dashes; it shows how to write the option instead."""
    name, sign, value = flag.lstrip("-").replace("-", "_").partition("=")
    following = arguments[arguments.index(flag) + 1 :]
    if not sign and following and not following[0].startswith("-") and "=" not in following[0]:
        value = following[0]
    shown = flag if sign or not value else f"{flag} {value}"
    known = options.option_names()
    right = _ending_in(name, known) or (name if name in known or name in options.groups() else "")
    if right:
        written = shlex.quote(f"{right}={value}") if value else f"{right}=..."
        return f"{shown}: options of asr-train have no dashes; write {written}"
    return f"{shown}: options of asr-train have no dashes; write option=value; {_LISTED}"


def _ending_in(name: str, known: Sequence[str]) -> str:
    """Return the first known option whose last part is this name; empty if there is none."""
    return next((one for one in known if one.endswith(f".{name}")), "")


def explain(error: Exception) -> str:
    """Return Hydra's or OmegaConf's message as one sentence that names the nearest known option."""
    text, cause = str(error).strip(), str(error.__cause__ or "")
    argument = getattr(error, "override", None)  # set by Hydra's grammar errors
    if argument is not None:
        return _unreadable(argument)
    ambiguous = re.search(r"^Ambiguous value for argument '(.*)'$", text, re.MULTILINE)
    if ambiguous:
        return _ambiguous(ambiguous.group(1))
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
    return f"there is no {group}={name}{nearest(name, known)}; expected one of: {', '.join(known)}"


def _unreadable(argument: str) -> str:
    """Explain an argument that Hydra cannot parse."""
    name, sign, value = argument.partition("=")
    if sign:
        return f"{argument} cannot be read; a value with such characters needs quotes: {quoted(name, value)}"
    if argument in options.recipes():
        return f"'{argument}' is not option=value; did you mean recipe={argument}?"
    if name in options.option_names():
        return f"'{argument}' is not option=value; write {argument}=..."
    return f"'{argument}' is not option=value; if it belongs to a value with a space, put quotes around the option"


def _ambiguous(argument: str) -> str:
    """Explain a value with commas outside quotes."""
    name, _, value = argument.partition("=")
    return (
        f"{argument} could be several values; for one value with a comma write {quoted(name, value)}, "
        f"for a list {shlex.quote(f'{name}=[{value}]')}; for a run with each value add --multirun"
    )


def quoted(name: str, value: str) -> str:
    """Return `name=value` with the quotes that the shell and Hydra need to take the value literally.

    >>> print(quoted("corpus.root", "e(f)"))
    'corpus.root="e(f)"'
    """
    bare = value.strip("\"'")
    escaped = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + ("\\" if found[2] else "") + found[2], bare)
    return shlex.quote(f'{name}="{escaped}"')


def _unknown(name: str) -> str:
    """Return the message for an unknown option, with the nearest known one."""
    if name in ("corpus.options", "corpus.pool"):
        return f"{name}={{...}} contains options that are not set yet; add each of them: +{name}.NAME=..."
    if name.startswith(("corpus.options.", "corpus.pool.")):  # any name is possible, but a new one needs a plus
        return f"'{name}' is not set yet{_nearest_of_readers(name)}; to add it, put a plus before it: +{name}=..."
    known = options.option_names()
    ending = _ending_in(name, known)
    hint = f"; did you mean '{ending}'?" if ending else nearest(name, known)
    return f"there is no option '{name}'{hint}; {_LISTED}"


def _nearest_of_readers(name: str) -> str:
    """Return a suggestion of the nearest option of any corpus reader; empty if an option has exactly this name."""
    from data_prep.corpora import load_reader, readers

    given = name.rpartition(".")[2]
    known = {one.name for reader in readers() for one in fields(load_reader(reader).Config)}
    return "" if given in known else nearest(given, known)


def _expected(reason: str, name: str, given: str) -> str:
    """Return OmegaConf's reason, reworded where it uses terms of OmegaConf."""
    if "ListConfig" in reason:
        return f"expected a list, such as {name}=[{given}]"
    return "null is not allowed; give a value" if "is not Optional" in reason else reason
