"""The choice of the training utterances that an epoch sees, so that some kinds are seen more often than others.

An utterance's turn is a function of (seed, epoch, id) alone: neither the order of the corpus nor a resumed run changes
it. Within a kind the turns go round: with a share of 0.25, every utterance is seen once in any four epochs.
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
    """Options of the choice."""

    by: str = "category"  # the tag of the utterances whose value is their kind, such as donor
    shares: dict[str, float] = field(default_factory=dict)  # kind: share that an epoch sees, 0 to 1; others: all of it

    def __post_init__(self) -> None:
        """Raise a ConfigError that names every share out of range."""
        check_values(vars(self), {"shares": (isinstance(self.shares, dict), "kinds with their shares, {kind: 0.5}")})
        shares = {f"shares.{kind}": share for kind, share in self.shares.items()}
        check_values(shares, {name: (_is_share(share), "a number from 0 to 1") for name, share in shares.items()})

    def share(self, utterance: Utterance) -> float:
        """Return the share of the epochs that see an utterance."""
        return float(self.shares.get(utterance.tags.get(self.by, ""), 1.0))


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def with_any_share(config: SamplingConfig, utterances: Sequence[Utterance]) -> list[Utterance]:
    """Return the training utterances without those of a share of 0, which no epoch sees.

    Raises:
        ConfigError: a share of a kind that no utterance has, or nothing is left to train on.
    """
    kinds = {one.tags.get(config.by, "") for one in utterances}
    for kind in config.shares:
        if kind not in kinds:
            known = sorted(kinds - {""})
            raise ConfigError(
                f"sampling.shares: no training utterance has the {config.by} {kind!r}{nearest(kind, known)};"
                f" choose from: {', '.join(known[:50]) or f'none, for they have no tag {config.by!r}'}"
            )
    kept = [one for one in utterances if config.share(one) > 0]
    if utterances and not kept:
        raise ConfigError("sampling.shares: all shares are 0; training needs utterances")
    return kept


class Turns:
    """The epochs in which utterances have their turn.

    Args:
        config: kinds and shares.
        utterances: those of training.
        seed: of the run.
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
        """Return the indices of the utterances that an epoch sees, rising."""
        turned = (self._places + epoch * self._shares) % 1.0
        return [int(index) for index in np.flatnonzero((turned < self._shares) | (self._shares == 1.0))]
