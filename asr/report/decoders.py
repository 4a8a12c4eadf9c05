"""Short names of decoders, for tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Shorten the names of decoders that stand in one table, so that each still differs from the others.

    A name keeps its search and the settings that are words, such as files. Numbers and switches are left out unless
    two names differ in nothing else.

    Args:
        names: full names, `SEARCH,SETTING=VALUE,...`.

    Returns:
        The short name of each full name. Commas are followed by a space, so that a browser can break the line.

    >>> short_names(["beam,lm=a,lm_weight=0.5"])
    {'beam,lm=a,lm_weight=0.5': 'beam, lm=a'}
    >>> list(short_names(["beam,lm=a,lm_weight=0.5,beam=50", "beam,lm=a,lm_weight=2,beam=50"]).values())
    ['beam, lm=a, lm_weight=0.5', 'beam, lm=a, lm_weight=2']
    """
    names = list(dict.fromkeys(names))
    settings = {name: _settings(name) for name in names}
    words = {name: {key for key, value in found.items() if _is_word(value)} for name, found in settings.items()}
    first = {name: _joined(name, settings[name], words[name]) for name in names}
    short = {}
    for name in names:
        alike = [settings[other] for other in names if first[other] == first[name]]
        differing = {key for key, value in settings[name].items() if any(one.get(key) != value for one in alike)}
        short[name] = _joined(name, settings[name], words[name] | differing)
    return short if len(set(short.values())) == len(names) else {name: name for name in names}


def _settings(name: str) -> dict[str, str]:
    """Return the settings of a name by their keys, without its search."""
    return {key: value for key, _, value in (part.partition("=") for part in name.split(",")[1:])}


def _joined(name: str, settings: Mapping[str, str], keys: Collection[str]) -> str:
    return ", ".join([name.partition(",")[0], *(f"{key}={value}" for key, value in settings.items() if key in keys)])


def _is_word(value: str) -> bool:
    if value in ("True", "False"):
        return False
    try:
        float(value)
    except ValueError:
        return True
    return False
