"""The common part of decoders whose searches are loops that numba can compile."""

from __future__ import annotations

from copy import copy
from typing import TypeVar

from asr.compiling import worth_compiling
from asr.engines.names import MANY

_Self = TypeVar("_Self", bound="CompiledDecoder")


class CompiledDecoder:
    """A decoder that compiles its loops where that pays.

    Attributes:
        many: whether there is enough to decode to make loading numba worthwhile.
    """

    many = False

    def for_many(self: _Self, utterances: int) -> _Self:
        """Return a decoder suited to this number of utterances: for many, one that compiles its loops."""
        if self.many or utterances < MANY:
            return self
        other = copy(self)
        other.many = True
        return other

    @property
    def compiles(self) -> bool:
        """Whether the loops are compiled; importing numba for a few utterances would take longer than they do."""
        return worth_compiling(self.many)
