"""The base class of decoders whose searches are loops that numba can compile."""

from __future__ import annotations

from copy import copy
from typing import TypeVar

from asr.compiling import worth_compiling
from asr.engines.names import MANY

_Self = TypeVar("_Self", bound="CompiledDecoder")


class CompiledDecoder:
    """A decoder that compiles its loops if that saves time.

    Attributes:
        many: whether there are enough utterances to make importing numba worthwhile.
    """

    many = False

    def for_many(self: _Self, utterances: int) -> _Self:
        """Return a decoder for this number of utterances: if there are many, a copy that compiles its loops."""
        if self.many or utterances < MANY:
            return self
        other = copy(self)
        other.many = True
        return other

    @property
    def compiles(self) -> bool:
        """True if the loops are compiled; for a few utterances, importing numba takes longer than decoding."""
        return worth_compiling(self.many)
