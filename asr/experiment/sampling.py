"""Choose the training utterances of each epoch, so that some kinds of utterances are used more often than others.

The choice depends only on the seed, the epoch and the utterance's id, not on the order of the corpus or on whether the
run was resumed. The utterances of a kind take turns: with a share of 0.25, each is used once in any four epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values, nearest
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from asr.seeds import derive_seed

_WHOLE = float(1 << 63)  # above every seed


@dataclass
class SamplingConfig:
    """Options for choosing the utterances of an epoch."""

    by: str = "category"  # the tag of the utterances whose value is their kind, such as donor
    shares: dict[str, float] = field(default_factory=dict)  # kind: fraction used in each epoch, 0 to 1; default 1

    def __post_init__(self) -> None:
        """Raise a ConfigError that names every share out of range."""
        check_values(vars(self), {"shares": (isinstance(self.shares, dict), "kinds with their shares, {kind: 0.5}")})
        shares = {f"shares.{kind}": share for kind, share in self.shares.items()}
        check_values(shares, {name: (_is_share(share), "a number from 0 to 1") for name, share in shares.items()})

    def share(self, utterance: Utterance) -> float:
        """Return the fraction of the epochs that use an utterance."""
        return float(self.shares.get(utterance.tags.get(self.by, ""), 1.0))


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def without_unused(config: SamplingConfig, utterances: Sequence[Utterance]) -> list[Utterance]:
    """Return the training utterances without those with a share of 0, which no epoch uses.

    Raises:
        ConfigError: a share is given for a kind that no utterance has, or no utterance is left.
    """
    kinds = {one.tags.get(config.by, "") for one in utterances}
    for kind in config.shares:
        if kind not in kinds:
            known = sorted(kinds - {""})
            raise ConfigError(
                f"sampling.shares: no training utterance has the {config.by} {kind!r}{nearest(kind, known)};"
                f" expected one of: {', '.join(known[:50]) or f'none, because they have no tag {config.by!r}'}"
            )
    kept = [one for one in utterances if config.share(one) > 0]
    if utterances and not kept:
        raise ConfigError("sampling.shares: all shares are 0; training needs utterances")
    return kept


class Turns:
    """The choice of utterances for every epoch.

    Args:
        config: the kinds and their shares.
        utterances: the training utterances.
        seed: the seed of the run.
    """

    def __init__(self, config: SamplingConfig, utterances: Sequence[Utterance], seed: int) -> None:
        shares = [config.share(one) for one in utterances]
        self._shares: NDArray[np.float64] = np.array(shares)
        places = [
            derive_seed(seed, "turn", one.id) / _WHOLE if share < 1 else 0.0
            for one, share in zip(utterances, shares, strict=True)
        ]
        self._places: NDArray[np.float64] = np.array(places)

    def chosen(self, epoch: int) -> list[int]:
        """Return the sorted indices of the utterances that an epoch uses."""
        turned = (self._places + epoch * self._shares) % 1.0
        return [int(index) for index in np.flatnonzero((turned < self._shares) | (self._shares == 1.0))]
