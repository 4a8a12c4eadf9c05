"""Who wrote what in UNIPEN train_r01_v07, without naming anybody, and which writers never train.

A writer's key is `<family>-<first 8 hexadecimal digits of sha1("<family>/<id>")>`. A family is a donor, or several that
may share writers; the id is `.WRITER_ID` with everything removed by which two ids of one person may differ. The keys
thus group what may be one person.

`unipen_writers.tsv` lists the writers of dev and test: those of category 6 as its split list gives them, and others
for the categories that have too few of them. All writers that it does not list train, in every category, so categories
can be pooled: nobody who trains in one is tested in another.
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
    """The pseudonym of a writer.

    Args:
        donor: three letters, the folder beneath `data/<category>/`.
        writer_id: the arguments of `.WRITER_ID`.
    """
    family = _FAMILIES.get(donor, donor)
    return f"{family}-{hashlib.sha1(f'{family}/{_id(family, writer_id)}'.encode()).hexdigest()[:8]}"


def _id(family: str, written: str) -> str:
    """What is left of an id when sessions are taken off."""
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
    """`dev` or `test` of every writer key that does not train."""
    text = files("data_prep.unipen").joinpath("writers.tsv").read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {key: split for key, split, *_ in lines[1:]}
