"""TIMIT's 61 phone labels and the sets that they are folded to.

- `timit61`: all 61 as they are; the table that says "TIMIT's labels", also to a corpus that lacks some of them.
- `timit61_to_48`, `timit61_to_39`: K.-F. Lee and H.-W. Hon, "Speaker-independent phone recognition using hidden Markov
  models", IEEE Trans. ASSP 37(11), 1989, pp. 1641-1648, tables I and II: models for 48, errors counted over 39. The
  glottal stop `q` is dropped; closures, pauses and epenthetic silence all become `sil` in the 39.
- `timit61_to_cmu39`: the 39 ARPAbet phones of the CMU dictionary, in lower case, for pooling TIMIT-like labels with
  dictionary phones: `ao` and `zh` stay, the flap `dx` is a `t`, closures, silences and `q` are dropped.

Folding maps label by label and merges nothing: a closure after a pause stays two labels `sil sil`, as the tables (and
Kaldi's scoring of TIMIT) have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from asr.config import nearest
from asr.errors import ConfigError, DataError

_LABELS = """
    b d g p t k dx q
    bcl dcl gcl pcl tcl kcl
    jh ch
    s sh z zh f th v dh
    m n ng em en eng nx
    l r w y hh hv el
    iy ih eh ey ae aa aw ay ah ao oy ow uh uw ux er ax ix axr ax-h
    pau epi h#
"""
TIMIT_61: tuple[str, ...] = tuple(_LABELS.split())

# Only what changes; every other label stays itself.
_TO_48: dict[str, str | None] = {
    "q": None,
    **dict.fromkeys(("pcl", "tcl", "kcl"), "cl"),
    **dict.fromkeys(("bcl", "dcl", "gcl"), "vcl"),
    **dict.fromkeys(("h#", "pau"), "sil"),
    "hv": "hh",
    "nx": "n",
    "em": "m",
    "eng": "ng",
    "ux": "uw",
    "axr": "er",
    "ax-h": "ax",
}
_48_TO_39: dict[str, str | None] = {
    **dict.fromkeys(("cl", "vcl", "epi"), "sil"),
    "el": "l",
    "en": "n",
    "zh": "sh",
    "ao": "aa",
    "ix": "ih",
    "ax": "ah",
}
_48_TO_CMU: dict[str, str | None] = {
    **dict.fromkeys(("cl", "vcl", "epi", "sil"), None),
    "el": "l",
    "en": "n",
    "dx": "t",
    "ix": "ih",
    "ax": "ah",
}


def _table(*steps: Mapping[str, str | None]) -> Mapping[str, str | None]:
    folded: dict[str, str | None] = {}
    for label in TIMIT_61:
        current: str | None = label
        for step in steps:
            current = None if current is None else step.get(current, current)
        folded[label] = current
    return MappingProxyType(folded)


FOLDS: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "timit61": _table(),
        "timit61_to_48": _table(_TO_48),
        "timit61_to_39": _table(_TO_48, _48_TO_39),
        "timit61_to_cmu39": _table(_TO_48, _48_TO_CMU),
    }
)
"""Table by name: each of the 61 labels to its folded label, None where it is dropped."""

# Labels that are folded already: those of the 48, on which a model may be trained that is scored over the 39.
_STEPS = {"timit61_to_39": _48_TO_39, "timit61_to_cmu39": _48_TO_CMU}
_ACCEPTED: Mapping[str, Mapping[str, str | None]] = {
    name: {
        **{label: label for label in table.values() if label is not None},
        **{label: _STEPS[name].get(label, label) for label in _TO_48.values() if label is not None and name in _STEPS},
        **table,
    }
    for name, table in FOLDS.items()
}


def fold(labels: Sequence[str], name: str) -> tuple[str, ...]:
    """Replace each label by what the table `name` says; a label of the folded set stays itself.

    Labels that are folded already, to that set or to the 48, pass too: so corpora with 61 and with folded labels can be
    pooled, and a model of 48 can be scored over 39.

    Raises:
        ConfigError: there is no such table.
        DataError: a label is in neither set.

    >>> fold(["h#", "tcl", "t", "q", "ao", "h#"], "timit61_to_39")
    ('sil', 'sil', 't', 'aa', 'sil')
    """
    fold_table(name)
    accepted = _ACCEPTED[name]
    folded: list[str] = []
    for label in labels:
        if label in accepted:
            target = accepted[label]
            folded += [] if target is None else [target]
        else:
            raise DataError(f"label {label!r} is neither one of TIMIT's 61 nor of those that '{name}' folds them to")
    return tuple(folded)


def fold_table(name: str) -> Mapping[str, str | None]:
    """The folding table of that name.

    Raises:
        ConfigError: there is no such table.
    """
    if name not in FOLDS:
        raise ConfigError(f"there is no folding table {name[:60]!r}{nearest(name, FOLDS)}; known: {', '.join(FOLDS)}")
    return FOLDS[name]
