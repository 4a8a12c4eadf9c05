"""TIMIT's 61 phone labels, and the tables that fold them to smaller sets.

- `timit61`: keeps all 61 labels. With this table an inventory has all 61, even if the corpus lacks some of them.
- `timit61_to_48`, `timit61_to_39`: K.-F. Lee and H.-W. Hon, "Speaker-independent phone recognition using hidden Markov
  models", IEEE Trans. ASSP 37(11), 1989, pp. 1641-1648, tables I and II: train models of 48 labels, count errors over
  39. The glottal stop `q` is removed; with 39 labels, closures, pauses and epenthetic silence all become `sil`.
- `timit61_to_cmu39`: the 39 ARPAbet phones of the CMU dictionary, in lower case, for pooling TIMIT with corpora that
  are labelled from the dictionary: `ao` and `zh` are kept, the flap `dx` becomes `t`, closures, silences and `q` are
  removed.

Folding replaces each label on its own and merges no repeats: a closure after a pause becomes `sil sil`, as in the
paper's tables and in Kaldi's scoring of TIMIT.
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

# Labels that change; every other label is kept.
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
"""Folding tables by name: the folded label of each of the 61, None if the label is removed."""

# The tables also accept the 48 labels, because a model trained on 48 labels is scored over 39.
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
    """Fold a sequence of labels.

    Labels that are already folded to the table's set, or to the 48, are accepted too. Corpora with 61 labels and with
    folded labels can therefore be pooled, and a model of 48 labels can be scored over 39.

    Args:
        labels: the labels to fold.
        name: name of a folding table in `FOLDS`.

    Returns:
        The folded labels; labels that the table removes are left out.

    Raises:
        ConfigError: there is no such table.
        DataError: a label is neither one of the 61 nor a folded one.

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
    """Return the folding table of this name.

    Raises:
        ConfigError: there is no such table.

    >>> fold_table("timit61_to_39")["ao"]
    'aa'
    """
    if name not in FOLDS:
        raise ConfigError(f"there is no folding table {name[:60]!r}{nearest(name, FOLDS)}; known: {', '.join(FOLDS)}")
    return FOLDS[name]
