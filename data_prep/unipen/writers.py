"""Pseudonyms for the writers of UNIPEN train_r01_v07, and the list of the writers of dev and test.

A writer's key is `<family>-<first 8 hexadecimal digits of sha1("<family>/<id>")>`. A family is a donor, or several
donors that may share writers. The id is `.WRITER_ID` without everything that may differ between two ids of one person,
so that ink of one person gets one key.

`writers.tsv` lists the writers of dev and test: those of the split list of category 6, and more for categories in which
these are too few. All other writers are in train, in every category. Categories can therefore be pooled: no writer is
in train in one category and in test in another.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files

_FAMILIES = {
    **dict.fromkeys(("apa", "apb", "apc", "apd", "ape", "app"), "ap"),
    **dict.fromkeys(("cea", "ceb", "cec"), "ced"),
}


def writer_key(donor: str, writer_id: str) -> str:
    """Return the pseudonym of a writer.

    Args:
        donor: three letters, the name of a folder below `data/<category>/`.
        writer_id: the arguments of `.WRITER_ID`.

    >>> writer_key("ibm", "writer3") == writer_key("ibm", "writer4")  # two sessions of one person
    True
    """
    family = _FAMILIES.get(donor, donor)
    return f"{family}-{hashlib.sha1(f'{family}/{_id(family, writer_id)}'.encode()).hexdigest()[:8]}"


def _id(family: str, written: str) -> str:
    """Remove everything from an id that may differ between sessions of one writer."""
    lower = written.lower()
    if family == "ap":  # first_last, first_last_1 and _2, FIRSTLAST
        return re.sub(r"[^a-z]", "", lower)
    if family == "ibm":  # one writer with a session number
        return re.sub(r"[0-9]+$", "", lower)
    if family == "kar":
        return lower.partition("_")[0]
    return "rim" if family == "rim" else lower


@cache
def held_out() -> dict[str, str]:
    """Return the split, `dev` or `test`, of every writer that is not in train, by writer key."""
    text = files("data_prep.unipen").joinpath("writers.tsv").read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {key: split for key, split, *_ in lines[1:]}
