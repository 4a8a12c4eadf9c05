"""The model card: the origin of the weights, their licence and their error rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from asr.scoring.rates import Rate


@dataclass(frozen=True)
class Card:
    """The model card, which is stored beside the weights.

    Attributes:
        about: facts by name: recipe, seed, commit, date, data, licence, ...
        rates: the error rates by split and name.
    """

    about: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    rates: Mapping[str, Mapping[str, Rate]] = field(default_factory=dict)

    def with_facts(self, **facts: str) -> Card:
        """Return the card with added or replaced facts.

        >>> Card({"recipe": "an4/ctc"}).with_facts(licence="CC0").about
        {'recipe': 'an4/ctc', 'licence': 'CC0'}
        """
        return replace(self, about=dict(self.about) | facts)

    def __bool__(self) -> bool:
        return bool(self.about or self.rates)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain values."""
        if not self.rates:
            return dict(self.about)
        rates = {split: {name: rate.to_dict() for name, rate in found.items()} for split, found in self.rates.items()}
        return dict(self.about) | {"rates": rates}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Card:
        """Read the values that `to_dict` returned; facts that are no plain values are left out.

        Raises:
            KeyError, TypeError, ValueError: the error rates are malformed.
        """
        facts = {
            str(name): value
            for name, value in values.items()
            if name != "rates" and (value is None or isinstance(value, str | int | float | bool))
        }
        rates = {
            str(split): {str(name): Rate.from_dict(rate) for name, rate in found.items()}
            for split, found in values.get("rates", {}).items()
        }
        return cls(facts, rates)
