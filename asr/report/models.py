"""A table of pretrained models for a README file, from the cards in their bundles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asr.config import nearest
from asr.errors import DataError
from asr.recogniser.bundle import bundle_header
from asr.recogniser.card import Card
from asr.report.escaping import code, plain
from asr.report.markdown import table
from asr.scoring.rates import Rate

MODELS = Path("asr") / "pretrained"
"""The folder of the bundles and of their cards, in a checkout."""

_HEADINGS = ("model", "reads", "test errors, %", "of", "licence of weights; of data", "MB")
_FORM = "`model rate | what it reads | test set | data and their licence`"


def models_table(rows: Sequence[str], root: Path) -> str:
    """Return one row a model: what it reads, how often it is wrong, licences and size.

    Args:
        rows: `model rate | what it reads | test set | data and their licence`, each.
        root: the checkout.

    Raises:
        CheckpointError: a bundle is damaged.
        DataError: a row of another form, a model that is not there or is in no row, a rate that its card does not have.
    """
    parts = [[part.strip() for part in row.split("|")] for row in rows]
    for row, one in zip(rows, parts, strict=True):
        if len(one) != 4 or len(one[0].split()) != 2:
            raise DataError(f"models: '{row}' is not {_FORM}")
    known = sorted(path.stem for path in (root / MODELS).glob("*.safetensors"))
    named = [one[0].split()[0] for one in parts]
    if left_out := [name for name in known if name not in named]:
        raise DataError(f"models: no row for {', '.join(left_out)}; write one: {_FORM}")
    for name in named:
        if name not in known:
            raise DataError(f"models: there is no {(MODELS / name).as_posix()}.safetensors{nearest(name, known)}")
    return table(_HEADINGS, [_row(one, root) for one in parts], _LEGEND)


_LEGEND = (
    "Errors of the weights as they are shipped, in percent of the reference, with 95 % intervals over the people of"
    " the test set; greedy search without a language model where no decoder is named. The name of a model links to its"
    " card, which has all rates."
)


def _row(parts: Sequence[str], root: Path) -> list[str]:
    measured, reads, test_set, data = parts
    name, rate = measured.split()
    path = root / MODELS / f"{name}.safetensors"
    card = bundle_header(path).card
    found, decoder = _rate(card, name, rate), str(card.about.get("decoder", "greedy")).partition(",")[0]
    errors = f"{found.percent:.1f}" + ("" if found.low is None else f"&nbsp;[{found.low:.1f},&nbsp;{found.high:.1f}]")
    errors += "" if decoder == "greedy" else f", {code(decoder)}"
    size = f"{path.stat().st_size / 1e6:.1f}"
    link = f"[{code(name)}]({(MODELS / name).as_posix()}.md)"
    licence = plain(str(card.about.get("licence", "")))
    measured_on = f"{found.reference} {plain(found.unit)} of {test_set}"
    return [link, reads, errors, measured_on, f"{licence}; {data}", size]


def _rate(card: Card, name: str, rate: str) -> Rate:
    rates = card.rates.get("test", {})
    if rate not in rates:
        raise DataError(f"models: the card of {name} has no '{rate}' of test{nearest(rate, rates)}")
    return rates[rate]
